// An activation and the pool behind it, in one pass over the images.

#include <algorithm>
#include <limits>

#include "block.h"

typedef int Integers __attribute__((vector_size(BYTES)));

namespace {

struct Pool {
    long planes, height, width, pooled_height, pooled_width, size, stride, padding;
};

// e^x by Cephes' polynomial, to 2 units in the last place
Vector exponential(Vector x) {
    const Vector low = Vector{} - 87.3f, high = Vector{} + 88.0f;
    x = x < low ? low : x;
    x = x > high ? high : x;
    const Vector shift = Vector{} + 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
    const Vector n = (x * 1.44269504f + shift) - shift;
    const Vector r = x - n * 0.693359375f + n * 2.12194440e-4f;
    Vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    const Integers power = (__builtin_convertvector(n, Integers) + 127) << 23;
    return p * (Vector)power;
}

// each activation, and its slope as a function of its value; not a number stays not a number
struct Identity {
    static Vector value(Vector x) { return x; }
    static Vector slope(Vector) { return Vector{} + 1.0f; }
};
struct Relu {
    static Vector value(Vector x) { return x <= 0.0f ? Vector{} : x; }
    static Vector slope(Vector y) { return y > 0.0f ? Vector{} + 1.0f : Vector{}; }
};
struct Sigmoid {
    static Vector value(Vector x) { return 1.0f / (1.0f + exponential(-x)); }
    static Vector slope(Vector y) { return y * (1.0f - y); }
};

const Vector& at(const float* plane, long pixel, int half) {
    return *(const Vector*)(plane + pixel * LANES + half * WIDTH);
}
Vector& at(float* plane, long pixel, int half) { return *(Vector*)(plane + pixel * LANES + half * WIDTH); }

// the pixels of one side under a window
struct Window {
    long first, last;
    Window(long place, long side, const Pool& p)
        : first(std::max(0L, place * p.stride - p.padding)),
          last(std::min(side, place * p.stride - p.padding + p.size)) {}
};

template <class Activation, bool MAX>
void forward(const float* in, float* active, float* out, const Pool& p) {
    for (long pixel = 0; pixel < p.height * p.width; pixel++)
        for (int half = 0; half < 2; half++) at(active, pixel, half) = Activation::value(at(in, pixel, half));
    const float start = MAX ? -std::numeric_limits<float>::infinity() : 0.0f;
    const float share = MAX ? 1.0f : 1.0f / (p.size * p.size);  // padding counts
    for (long y = 0; y < p.pooled_height; y++)
        for (long x = 0; x < p.pooled_width; x++) {
            const Window down(y, p.height, p), across(x, p.width, p);
            Vector sum[2] = {Vector{} + start, Vector{} + start};
            for (long i = down.first; i < down.last; i++)
                for (long j = across.first; j < across.last; j++)
                    for (int half = 0; half < 2; half++) {
                        const Vector v = at(active, i * p.width + j, half);
                        // the first greatest; once it is not a number it stays so, as torch has it
                        if (MAX) sum[half] = v <= sum[half] || sum[half] != sum[half] ? sum[half] : v;
                        else sum[half] += v;
                    }
            for (int half = 0; half < 2; half++) at(out, y * p.pooled_width + x, half) = sum[half] * share;
        }
}

template <class Activation, bool MAX>
void backward(const float* active, const float* pooled, const float* grad, float* out, const Pool& p) {
    std::fill(out, out + p.height * p.width * LANES, 0.0f);
    const float share = 1.0f / (p.size * p.size);
    for (long y = 0; y < p.pooled_height; y++)
        for (long x = 0; x < p.pooled_width; x++) {
            const Window down(y, p.height, p), across(x, p.width, p);
            for (int half = 0; half < 2; half++) {
                const long place = y * p.pooled_width + x;
                const Vector g = at(grad, place, half), most = at(pooled, place, half);
                Integers open = Integers{} - 1;  // where no pixel of the window was the greatest yet
                for (long i = down.first; i < down.last; i++)
                    for (long j = across.first; j < across.last; j++) {
                        const Vector v = at(active, i * p.width + j, half);
                        const Vector slope = Activation::slope(v);
                        Vector& sum = at(out, i * p.width + j, half);
                        if (MAX) {
                            const Integers hit = open & (v == most);
                            open &= ~hit;
                            sum += hit ? g * slope : Vector{};
                        } else {
                            sum += g * slope * share;
                        }
                    }
            }
        }
}

template <class Activation, bool MAX>
void all_forward(const float* in, float* active, float* out, const Pool& p) {
    const long full = p.height * p.width * LANES, small = p.pooled_height * p.pooled_width * LANES;
#pragma omp parallel for schedule(static)
    for (long n = 0; n < p.planes; n++)
        forward<Activation, MAX>(in + n * full, active + n * full, out + n * small, p);
}

template <class Activation, bool MAX>
void all_backward(const float* active, const float* pooled, const float* grad, float* out, const Pool& p) {
    const long full = p.height * p.width * LANES, small = p.pooled_height * p.pooled_width * LANES;
#pragma omp parallel for schedule(static)
    for (long n = 0; n < p.planes; n++)
        backward<Activation, MAX>(active + n * full, pooled + n * small, grad + n * small, out + n * full, p);
}

}  // namespace

#define NAMED(KIND, ACTIVATION, MAX)                                                                   \
    void KIND##_forward(const float* in, float* active, float* out, const Pool* p) {                   \
        all_forward<ACTIVATION, MAX>(in, active, out, *p);                                             \
    }                                                                                                  \
    void KIND##_backward(const float* active, const float* pooled, const float* grad, float* out,      \
                         const Pool* p) {                                                              \
        all_backward<ACTIVATION, MAX>(active, pooled, grad, out, *p);                                  \
    }

extern "C" {
NAMED(none_avg, Identity, false)
NAMED(none_max, Identity, true)
NAMED(relu_avg, Relu, false)
NAMED(relu_max, Relu, true)
NAMED(sigmoid_avg, Sigmoid, false)
NAMED(sigmoid_max, Sigmoid, true)
}
