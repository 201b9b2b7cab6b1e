// Layers one by one, for nets that torch walks through: the same for every block of a tensor.

#include "layers.h"

namespace {

long distance(const Map& map) { return map.channels * map.plane; }  // between blocks

}  // namespace

extern "C" {

int lanes() { return LANES; }

void convolve_blocks(long blocks, const float* in, const Map* in_map, const float* weight, const float* bias,
                     float* out, const Map* out_map, const Window* window) {
#pragma omp parallel for
    for (long b = 0; b < blocks; b++)
        convolve(in + b * distance(*in_map), *in_map, weight, bias, out + b * distance(*out_map), *out_map,
                 *window);
}

// weight is (blocks, out, in, size, size): each block's share of the gradient
void convolution_gradients_of_blocks(long blocks, const float* in, const Map* in_map, const float* gradient,
                                     const Map* map, float* weight, const Window* window) {
    const long k = window->size, distances[] = {in_map->channels * k * k, k * k, k, 1};
#pragma omp parallel for
    for (long b = 0; b < blocks; b++)
        convolution_gradients(in + b * distance(*in_map), *in_map, gradient + b * distance(*map), *map,
                              weight + b * map->channels * distances[0], distances, nullptr, *window);
}

void activate_blocks(long blocks, float* sums, const Map* sums_map, float* out, const Map* out_map,
                     long activation, long pool, const Window* window) {
#pragma omp parallel for
    for (long b = 0; b < blocks; b++)
        activate(sums + b * distance(*sums_map), *sums_map, out + b * distance(*out_map), *out_map, activation,
                 pool, *window);
}

void activation_gradient_of_blocks(long blocks, const float* active, const Map* map, const float* out,
                                   const float* out_gradient, const Map* out_map, float* gradient,
                                   long activation, long pool, const Window* window) {
#pragma omp parallel for
    for (long b = 0; b < blocks; b++) {
        const long small = b * distance(*out_map), large = b * distance(*map);
        activation_gradient(active + large, *map, out + small, *out_map, out_gradient + small, *out_map,
                            gradient + large, *map, activation, pool, *window);
    }
}
}
