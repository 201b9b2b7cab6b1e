// An activation and the pool behind it, in one pass over a map.

#include <algorithm>
#include <limits>

#include "layers.h"

namespace {

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
struct Tanh {
    static Vector value(Vector x) {
        const Vector square = x * x;  // near 0 the other formula would lose digits
        Vector p = square * -5.70498872745e-3f + 2.06390887954e-2f;
        p = p * square - 5.37397155531e-2f;
        p = p * square + 1.33314422036e-1f;
        p = p * square - 3.33332819422e-1f;
        return square < 0.390625f ? p * square * x + x : 1.0f - 2.0f / (exponential(x + x) + 1.0f);
    }
    static Vector slope(Vector y) { return 1.0f - y * y; }
};

enum PoolKind { NONE, AVG, MAX };

// the pixels of one side under a window
struct Span {
    long first, last;
    Span(long place, long side, const Window& w)
        : first(std::max(0L, place * w.stride - w.padding)),
          last(std::min(side, place * w.stride - w.padding + w.size)) {}
};

template <class Activation>
void activate_line(float* line, const Map& map) {
    for (long x = 0; x < map.width; x++, line += map.pixel) store(line, Activation::value(load(line)));
}

template <class Activation, PoolKind POOL>
void forward(float* sums, const Map& map, float* out, const Map& out_map, const Window& window) {
    const float start = POOL == MAX ? -std::numeric_limits<float>::infinity() : 0.0f;
    const float share = POOL == MAX ? 1.0f : 1.0f / (window.size * window.size);  // padding counts
    for (long c = 0; c < map.channels; c++) {
        float* plane = sums + c * map.plane;
        long active = 0;  // lines
        const auto activate = [&](long until) {
            for (; active < until; active++) activate_line<Activation>(plane + active * map.line, map);
        };
        for (long y = 0; y < out_map.height && POOL != NONE; y++) {
            const Span down(y, map.height, window);
            activate(down.last);
            float* place = out + c * out_map.plane + y * out_map.line;
            for (long x = 0; x < out_map.width; x++, place += out_map.pixel) {
                const Span across(x, map.width, window);
                Vector sum = Vector{} + start;
                for (long i = down.first; i < down.last; i++)
                    for (long j = across.first; j < across.last; j++) {
                        const Vector v = load(plane + i * map.line + j * map.pixel);
                        // the first greatest; once it is not a number it stays so, as torch has it
                        if (POOL == MAX) sum = v <= sum || sum != sum ? sum : v;
                        else sum += v;
                    }
                store(place, sum * share);
            }
        }
        activate(map.height);
    }
}

// the gradient of a line of sums, from that of their activation's values, which may lie in the same place
template <class Activation>
void finish_line(const float* active, const Map& active_map, const float* values, const Map& values_map,
                 float* gradient, const Map& map, float share) {
    for (long x = 0; x < map.width; x++)
        store(gradient + x * map.pixel, load(values + x * values_map.pixel) *
                                            Activation::slope(load(active + x * active_map.pixel)) * share);
}

template <class Activation>
void backward_alone(const float* active, const Map& active_map, const float*, const Map&, const float* values,
                    const Map& values_map, float* gradient, const Map& map, const Window&) {
    for (long c = 0; c < map.channels; c++)
        for (long y = 0; y < map.height; y++)
            finish_line<Activation>(active + c * active_map.plane + y * active_map.line, active_map,
                                    values + c * values_map.plane + y * values_map.line, values_map,
                                    gradient + c * map.plane + y * map.line, map, 1.0f);
}

template <class Activation, PoolKind POOL>
void backward(const float* active, const Map& active_map, const float* out, const Map& out_map,
              const float* out_gradient, const Map& out_gradient_map, float* gradient, const Map& map,
              const Window& window) {
    const float share = POOL == AVG ? 1.0f / (window.size * window.size) : 1.0f;
    for (long c = 0; c < map.channels; c++) {
        const float* plane = active + c * active_map.plane;
        float* result = gradient + c * map.plane;
        long begun = 0, finished = 0;  // lines
        const auto begin = [&](long until) {
            for (; begun < until; begun++)
                for (long x = 0; x < map.width; x++) store(result + begun * map.line + x * map.pixel, Vector{});
        };
        const auto finish = [&](long until) {
            for (; finished < until; finished++) {
                float* line = result + finished * map.line;
                finish_line<Activation>(plane + finished * active_map.line, active_map, line, map, line, map, share);
            }
        };
        for (long y = 0; y < out_map.height; y++) {
            const Span down(y, map.height, window);
            begin(down.last);
            finish(std::min(down.first, begun));
            const float* g = out_gradient + c * out_gradient_map.plane + y * out_gradient_map.line;
            const float* pooled = out + c * out_map.plane + y * out_map.line;
            for (long x = 0; x < out_map.width; x++, g += out_gradient_map.pixel, pooled += out_map.pixel) {
                const Span across(x, map.width, window);
                Integers open = Integers{} - 1;  // where no pixel of the window was the greatest yet
                for (long i = down.first; i < down.last; i++)
                    for (long j = across.first; j < across.last; j++) {
                        float* pixel = result + i * map.line + j * map.pixel;
                        const float* value = plane + i * active_map.line + j * active_map.pixel;
                        const Integers hit = POOL == MAX ? open & (load(value) == load(pooled)) : open;
                        if (POOL == MAX) open &= ~hit;
                        store(pixel, load(pixel) + (hit ? load(g) : Vector{}));
                    }
            }
        }
        begin(map.height);
        finish(map.height);
    }
}

// by activation and kind of pool, as program.py numbers them
typedef decltype(&forward<Identity, NONE>) Forward;
typedef decltype(&backward_alone<Identity>) Backward;
#define POOLS(A) {forward<A, NONE>, forward<A, AVG>, forward<A, MAX>}
constexpr Forward FORWARD[][3] = {POOLS(Identity), POOLS(Relu), POOLS(Sigmoid), POOLS(Tanh)};
#undef POOLS
#define POOLS(A) {backward_alone<A>, backward<A, AVG>, backward<A, MAX>}
constexpr Backward BACKWARD[][3] = {POOLS(Identity), POOLS(Relu), POOLS(Sigmoid), POOLS(Tanh)};
#undef POOLS

}  // namespace

void activate(float* sums, const Map& sums_map, float* out, const Map& out_map, long activation, long pool,
              const Window& window) {
    FORWARD[activation][pool](sums, sums_map, out, out_map, window);
}

void activation_gradient(const float* active, const Map& active_map, const float* out, const Map& out_map,
                         const float* out_gradient, const Map& out_gradient_map, float* gradient,
                         const Map& map, long activation, long pool, const Window& window) {
    BACKWARD[activation][pool](active, active_map, out, out_map, out_gradient, out_gradient_map, gradient, map,
                               window);
}
