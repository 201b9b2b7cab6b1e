// Convolutions of images that lie side by side, and the gradients of their weights.

#include <algorithm>

#include "block.h"

#if defined(__AVX__) && !defined(__AVX512F__)
constexpr int GROUP = 6;  // output channels that share a look at the input: sums fill the registers
#else
constexpr int GROUP = 8;
#endif

namespace {

struct Convolution {
    long blocks, in_channels, in_height, in_width, out_channels, out_height, out_width;
    long kernel, stride, padding;
};

// the taps of the kernel that fall on the image, for one place along one side
struct Taps {
    long first, last;
    Taps(long place, long size, const Convolution& s)
        : first(std::max(0L, s.padding - place * s.stride)),
          last(std::min(s.kernel, size + s.padding - place * s.stride)) {}
};

// N output channels of one row of one block; weight is (in, kernel, kernel, out)
template <int N>
void row(const float* in, const float* weight, const float* bias, float* out, long y, const Convolution& s) {
    const Taps down(y, s.in_height, s);
    for (long x = 0; x < s.out_width; x++) {
        const Taps across(x, s.in_width, s);
        Vector low[N], high[N];
        for (int o = 0; o < N; o++) low[o] = high[o] = Vector{} + (bias ? bias[o] : 0.0f);
        for (long c = 0; c < s.in_channels; c++)
            for (long i = down.first; i < down.last; i++) {
                const long line = (c * s.in_height + y * s.stride - s.padding + i) * s.in_width;
                const float* pixel = in + (line + x * s.stride - s.padding + across.first) * LANES;
                const float* w = weight + ((c * s.kernel + i) * s.kernel + across.first) * s.out_channels;
                for (long j = across.first; j < across.last; j++, pixel += LANES, w += s.out_channels) {
                    const Vector a = *(const Vector*)pixel, b = *(const Vector*)(pixel + WIDTH);
#pragma GCC unroll 8
                    for (int o = 0; o < N; o++) {
                        low[o] += a * w[o];
                        high[o] += b * w[o];
                    }
                }
            }
        for (int o = 0; o < N; o++) {
            float* place = out + (o * s.out_height * s.out_width + x) * LANES;
            *(Vector*)place = low[o];
            *(Vector*)(place + WIDTH) = high[o];
        }
    }
}

template <int N>
void rows(long count, const float* in, const float* weight, const float* bias, float* out, long y,
          const Convolution& s) {
    if constexpr (N > 1)
        if (count < N) return rows<N - 1>(count, in, weight, bias, out, y, s);
    row<N>(in, weight, bias, out, y, s);
}

// the gradient of N output channels' weights at T neighbouring taps of one line of the kernel
template <int N, int T>
void taps(const float* in, const float* grad, float* out, long i, long j, const Convolution& s) {
    Vector sum[N][T] = {};
    for (long y = 0; y < s.out_height; y++) {
        const long line = y * s.stride - s.padding + i;
        if (line < 0 || line >= s.in_height) continue;
        for (long x = 0; x < s.out_width; x++) {
            const long place = x * s.stride - s.padding + j;
            const float* g = grad + (y * s.out_width + x) * LANES;
            const float* pixel = in + (line * s.in_width + place) * LANES;
            const bool inside = place >= 0 && place + T <= s.in_width;
            for (int half = 0; half < LANES; half += WIDTH) {
                Vector gs[N];
#pragma GCC unroll 8
                for (int o = 0; o < N; o++)
                    gs[o] = *(const Vector*)(g + o * s.out_height * s.out_width * LANES + half);
#pragma GCC unroll 8
                for (int t = 0; t < T; t++) {
                    if (!inside && (place + t < 0 || place + t >= s.in_width)) continue;
                    const Vector a = *(const Vector*)(pixel + t * LANES + half);
#pragma GCC unroll 8
                    for (int o = 0; o < N; o++) sum[o][t] += a * gs[o];
                }
            }
        }
    }
    for (int o = 0; o < N; o++)
        for (int t = 0; t < T; t++) {
            float total = 0;
            for (int lane = 0; lane < WIDTH; lane++) total += sum[o][t][lane];
            out[o * s.in_channels * s.kernel * s.kernel + t] = total;
        }
}

}  // namespace

extern "C" {

int lanes() { return LANES; }

// weight is (in, kernel, kernel, out); bias (out,) may be null
void convolve(const float* in, const float* weight, const float* bias, float* out, const Convolution* shape) {
    const Convolution s = *shape;
    const long groups = (s.out_channels + GROUP - 1) / GROUP;
#pragma omp parallel for collapse(2) schedule(static)
    for (long block = 0; block < s.blocks; block++)
        for (long y = 0; y < s.out_height; y++)
            for (long g = 0; g < groups; g++) {
                const long first = g * s.out_channels / groups;
                const long count = (g + 1) * s.out_channels / groups - first;
                rows<GROUP>(count, in + block * s.in_channels * s.in_height * s.in_width * LANES,
                            weight + first, bias ? bias + first : nullptr,
                            out + (((block * s.out_channels + first) * s.out_height + y) * s.out_width) * LANES,
                            y, s);
            }
}

// out is (blocks, out, in, kernel, kernel): each block's share of the weights' gradient
void weight_gradient(const float* in, const float* grad, float* out, const Convolution* shape) {
    const Convolution s = *shape;
    const long k = s.kernel;
#pragma omp parallel for collapse(2) schedule(static)
    for (long block = 0; block < s.blocks; block++)
        for (long c = 0; c < s.in_channels; c++) {
            const float* plane = in + (block * s.in_channels + c) * s.in_height * s.in_width * LANES;
            for (long o = 0; o < s.out_channels;) {
                const long channel = block * s.out_channels + o, left = s.out_channels - o;
                const float* g = grad + channel * s.out_height * s.out_width * LANES;
                long done = 1;
                for (long i = 0; i < k; i++) {
                    float* w = out + ((channel * s.in_channels + c) * k + i) * k;
                    for (long j = 0; j < k;) {
                        const long t = k == 5 ? 5 : k % 3 == 0 ? 3 : 1;
                        if (t == 5 && left >= 2) taps<2, 5>(plane, g, w, i, j, s), done = 2;
                        else if (t == 5) taps<1, 5>(plane, g, w, i, j, s);
                        else if (t == 3 && left >= 4) taps<4, 3>(plane, g, w, i, j, s), done = 4;
                        else if (t == 3) taps<1, 3>(plane, g, w, i, j, s);
                        else if (left >= 4) taps<4, 1>(plane, g, w, i, j, s), done = 4;
                        else taps<1, 1>(plane, g, w, i, j, s);
                        j += t, w += t;
                    }
                }
                o += done;
            }
        }
}
}
