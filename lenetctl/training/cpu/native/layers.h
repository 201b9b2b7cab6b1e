// What the layers do for one block of images; each map is given by its first pixel and its distances.

#pragma once

#include <cstdint>

#include "block.h"

// out is a convolution of `in`, whose padding lies in memory around it; weight is (in, size, size, out),
// bias (out,) or null
void convolve(const float* in, const Map& in_map, const float* weight, const float* bias, float* out,
              const Map& out_map, const Window& window);

// the block's gradients of weight (out, in, size, size), with these distances, and bias (out,) or null
void convolution_gradients(const float* in, const Map& in_map, const float* gradient, const Map& map,
                           float* weight, const long* distances, float* bias, const Window& window);

// `sums` become the activation's values, `out` gets what the pool makes of them, if there is one
void activate(float* sums, const Map& sums_map, float* out, const Map& out_map, long activation, long pool,
              const Window& window);

// from the gradient of `out` to that of the sums, given what `activate` left
void activation_gradient(const float* active, const Map& active_map, const float* out, const Map& out_map,
                         const float* out_gradient, const Map& out_gradient_map, float* gradient,
                         const Map& map, long activation, long pool, const Window& window);

// out (outputs, LANES) = weight (outputs, inputs) · in (inputs, LANES) + bias (outputs,) or null
void multiply(const float* in, long inputs, const float* weight, const float* bias, float* out, long outputs);

// in (inputs, LANES) = transposed weight (outputs, inputs) · out (outputs, LANES)
void multiply_transposed(const float* out, long outputs, const float* weight, float* in, long inputs);

constexpr int ROWS = 6;  // of a dense layer's weights whose gradients are best found together

// rows `first` to `last` of the gradients of weight (outputs, inputs) and bias (outputs,) or null, from the
// inputs and gradients of `count` images, whose rows are `distance` apart
void dense_gradients(const float* in, const float* gradients, long distance, long count, long inputs,
                     long first, long last, float* weight, float* bias);

struct Outcome {
    double loss;  // sum over images
    int64_t right;
};

// loss, right answers and gradient of `count` images' logits (classes, LANES); the loss counts as `share`
Outcome cross_entropy(const float* logits, const int64_t* labels, long count, long classes, float smoothing,
                      float share, float* gradient);
