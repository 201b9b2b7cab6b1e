// A dense layer: products of its weights with images that lie side by side, or with a batch's rows.

#include <algorithm>

#include "layers.h"

namespace {

constexpr int SUMS = REGISTERS / 2;  // side by side
constexpr int VECTORS = REGISTERS == 32 ? 4 : 2;  // whose products with ROWS numbers fill the registers

// N sums over `count` vectors, each with numbers of its own that are `next` apart
template <int N>
void sums(const float* vectors, long count, const float* numbers, long own, long next, const float* start,
          float* out) {
    Vector sum[N];
#pragma GCC unroll 16
    for (int n = 0; n < N; n++) sum[n] = Vector{} + (start ? start[n] : 0.0f);
    for (long k = 0; k < count; k++) {
        const Vector v = load(vectors + k * LANES);
#pragma GCC unroll 16
        for (int n = 0; n < N; n++) sum[n] += v * numbers[n * own + k * next];
    }
#pragma GCC unroll 16
    for (int n = 0; n < N; n++) store(out + n * LANES, sum[n]);
}

// the gradient of N rows of weights at V vectors of inputs, the last of them maybe not full
template <int N, int V>
void products(const float* inputs, const float* gradients, long distance, long count, long in, long width,
              float* weight) {
    Vector sum[N][V] = {};
    for (long image = 0; image < count; image++) {
        Vector values[V];
#pragma GCC unroll 8
        for (int v = 0; v < V; v++) values[v] = load(inputs + image * distance + v * LANES);
#pragma GCC unroll 8
        for (int n = 0; n < N; n++)
#pragma GCC unroll 8
            for (int v = 0; v < V; v++) sum[n][v] += values[v] * gradients[image * distance + n];
    }
#pragma GCC unroll 8
    for (int n = 0; n < N; n++) {
        float row[V * LANES];
#pragma GCC unroll 8
        for (int v = 0; v < V; v++) store(row + v * LANES, sum[n][v]);
        std::copy(row, row + width, weight + n * in);
    }
}

}  // namespace

void multiply(const float* in, long inputs, const float* weight, const float* bias, float* out, long outputs) {
    for (long o = 0; o < outputs;) {
        const float *row = weight + o * inputs, *start = bias ? bias + o : nullptr;
        if (o + 8 <= outputs) sums<8>(in, inputs, row, inputs, 1, start, out + o * LANES), o += 8;
        else sums<1>(in, inputs, row, inputs, 1, start, out + o * LANES), o++;
    }
}

void multiply_transposed(const float* out, long outputs, const float* weight, float* in, long inputs) {
    for (long c = 0; c < inputs;)
        if (c + SUMS <= inputs) sums<SUMS>(out, outputs, weight + c, 1, inputs, nullptr, in + c * LANES), c += SUMS;
        else sums<1>(out, outputs, weight + c, 1, inputs, nullptr, in + c * LANES), c++;
}

void dense_gradients(const float* in, const float* gradients, long distance, long count, long inputs,
                     long first, long last, float* weight, float* bias) {
    for (long c = 0; c < inputs; c += VECTORS * LANES) {
        const long width = std::min<long>(VECTORS * LANES, inputs - c);
        for (long o = first; o < last;) {
            float* place = weight + o * inputs + c;
            const bool full = width > (VECTORS - 1) * LANES && o + ROWS <= last;
            if (full) products<ROWS, VECTORS>(in + c, gradients + o, distance, count, inputs, width, place);
            for (long v = 0; v < width && !full; v += LANES)
                products<1, 1>(in + c + v, gradients + o, distance, count, inputs, std::min<long>(LANES, width - v),
                               place + v);
            o += full ? ROWS : 1;
        }
    }
    for (long o = first; o < last && bias; o++) {
        float sum = 0;
        for (long image = 0; image < count; image++) sum += gradients[image * distance + o];
        bias[o] = sum;
    }
}
