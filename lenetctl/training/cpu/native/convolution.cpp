// A convolution, and the gradients of its weights.

#include <algorithm>

#include "layers.h"

namespace {

// sums that fill the registers, beside what they are sums of: output channels and places of a convolution,
// output channels and taps of a gradient
constexpr int OUTPUTS = 6, PLACES = REGISTERS == 32 ? 4 : 2;
constexpr int CHANNELS = REGISTERS == 32 ? 4 : 2, TAPS = 5;

struct Job {
    const Map &in, &out;  // of a gradient: that of the output
    const Window& window;
};

// the taps along one side that meet a pixel at any of some neighbouring places; the padding is zeros
struct Taps {
    long first, last;
    Taps(long place, long count, long side, const Window& w)
        : first(std::max(0L, w.padding - (place + count - 1) * w.stride)),
          last(std::min(w.size, side + w.padding - place * w.stride)) {}
};

// N output channels at T neighbouring places of a line
template <int N, int T>
void places(const float* in, const float* weight, const float* bias, float* out, const Taps& down,
            const Taps& across, const Job& job) {
    const long size = job.window.size, step = job.window.stride * job.in.pixel, outputs = job.out.channels;
    Vector sum[N][T];
#pragma GCC unroll 8
    for (int o = 0; o < N; o++)
#pragma GCC unroll 8
        for (int t = 0; t < T; t++) sum[o][t] = Vector{} + (bias ? bias[o] : 0.0f);
    for (long c = 0; c < job.in.channels; c++)
        for (long i = down.first; i < down.last; i++) {
            const float* pixel = in + c * job.in.plane + i * job.in.line + across.first * job.in.pixel;
            const float* w = weight + ((c * size + i) * size + across.first) * outputs;
            for (long j = across.first; j < across.last; j++, pixel += job.in.pixel, w += outputs) {
                Vector pixels[T];
#pragma GCC unroll 8
                for (int t = 0; t < T; t++) pixels[t] = load(pixel + t * step);
#pragma GCC unroll 8
                for (int o = 0; o < N; o++)
#pragma GCC unroll 8
                    for (int t = 0; t < T; t++) sum[o][t] += pixels[t] * w[o];
            }
        }
#pragma GCC unroll 8
    for (int o = 0; o < N; o++)
#pragma GCC unroll 8
        for (int t = 0; t < T; t++) store(out + o * job.out.plane + t * job.out.pixel, sum[o][t]);
}

template <int N, int T>
void places_up_to(long n, long t, const float* in, const float* weight, const float* bias, float* out,
                  const Taps& down, const Taps& across, const Job& job) {
    if constexpr (N > 1)
        if (n < N) return places_up_to<N - 1, T>(n, t, in, weight, bias, out, down, across, job);
    if constexpr (T > 1)
        if (t < T) return places_up_to<N, T - 1>(n, t, in, weight, bias, out, down, across, job);
    places<N, T>(in, weight, bias, out, down, across, job);
}

// the gradient of N output channels' weights at T neighbouring taps of a line of the kernel
template <int N, int T>
void taps(const float* in, const float* gradient, float* weight, const long* distances, const Job& job) {
    const long step = job.window.stride * job.in.pixel;
    Vector sum[N][T] = {};
    for (long y = 0; y < job.out.height; y++) {
        const float* pixel = in + y * job.window.stride * job.in.line;
        const float* place = gradient + y * job.out.line;
        for (long x = 0; x < job.out.width; x++, pixel += step, place += job.out.pixel) {
            Vector gradients[N];
#pragma GCC unroll 8
            for (int o = 0; o < N; o++) gradients[o] = load(place + o * job.out.plane);
#pragma GCC unroll 8
            for (int t = 0; t < T; t++) {
                const Vector a = load(pixel + t * job.in.pixel);
#pragma GCC unroll 8
                for (int o = 0; o < N; o++) sum[o][t] += a * gradients[o];
            }
        }
    }
#pragma GCC unroll 8
    for (int o = 0; o < N; o++)
#pragma GCC unroll 8
        for (int t = 0; t < T; t++) weight[o * distances[0] + t * distances[3]] = total(sum[o][t]);
}

template <int N, int T>
void taps_up_to(long n, long t, const float* in, const float* gradient, float* weight, const long* distances,
                const Job& job) {
    if constexpr (N > 1)
        if (n < N) return taps_up_to<N - 1, T>(n, t, in, gradient, weight, distances, job);
    if constexpr (T > 1)
        if (t < T) return taps_up_to<N, T - 1>(n, t, in, gradient, weight, distances, job);
    taps<N, T>(in, gradient, weight, distances, job);
}

// `count` things in as few groups of at most `most` as there can be, all about as large
template <class Function>
void in_groups(long count, long most, Function function) {
    const long groups = (count + most - 1) / most;
    for (long g = 0; g < groups; g++) {
        const long first = g * count / groups;
        function(first, (g + 1) * count / groups - first);
    }
}

}  // namespace

void convolve(const float* in, const Map& in_map, const float* weight, const float* bias, float* out,
              const Map& out_map, const Window& window) {
    const Job job{in_map, out_map, window};
    const float* corner = in - window.padding * (in_map.line + in_map.pixel);
    for (long y = 0; y < out_map.height; y++) {
        const Taps down(y, 1, in_map.height, window);
        in_groups(out_map.channels, OUTPUTS, [&](long o, long outputs) {
            in_groups(out_map.width, PLACES, [&](long x, long count) {
                places_up_to<OUTPUTS, PLACES>(
                    outputs, count, corner + window.stride * (y * in_map.line + x * in_map.pixel), weight + o,
                    bias ? bias + o : nullptr, out + o * out_map.plane + y * out_map.line + x * out_map.pixel,
                    down, Taps(x, count, in_map.width, window), job);
            });
        });
    }
}

void convolution_gradients(const float* in, const Map& in_map, const float* gradient, const Map& map,
                           float* weight, const long* distances, float* bias, const Window& window) {
    const Job job{in_map, map, window};
    const float* corner = in - window.padding * (in_map.line + in_map.pixel);
    in_groups(map.channels, CHANNELS, [&](long o, long outputs) {
        const float* planes = gradient + o * map.plane;
        for (long c = 0; c < in_map.channels; c++)
            for (long i = 0; i < window.size; i++)
                in_groups(window.size, TAPS, [&](long j, long count) {
                    taps_up_to<CHANNELS, TAPS>(
                        outputs, count, corner + c * in_map.plane + i * in_map.line + j * in_map.pixel, planes,
                        weight + o * distances[0] + c * distances[1] + i * distances[2] + j * distances[3],
                        distances, job);
                });
        for (long n = 0; n < outputs && bias; n++) {
            Vector sum = {};
            for (long y = 0; y < map.height; y++)
                for (long x = 0; x < map.width; x++)
                    sum += load(planes + n * map.plane + y * map.line + x * map.pixel);
            bias[o + n] = total(sum);
        }
    });
}
