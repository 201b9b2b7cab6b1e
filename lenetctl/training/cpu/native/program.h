// A net as it is laid out by program.py, and its passes over one block of images.

#pragma once

#include "layers.h"

// weights or biases
struct Parameter {
    float *value, *gradient, *momentum;  // (count,) each; momentum may be null
    long count;
};

// a convolution or dense layer, its activation, its pool
struct Stage {
    Map input, input_gradient, sums, sums_gradient, out, out_gradient;
    long is_dense, activation, pool;
    Window kernel, pool_window;
    long weight, bias;       // numbers of parameters; a bias may be -1
    long distances[4];       // between weights: output, input, line and column of the kernel
    long packed, turned;     // a convolution's weights as `convolve` wants them, forward and backward
    long share;              // of its weights' gradient in a block's shares; the biases' is behind it
    long inputs, gradients;  // a dense layer's, in the row of each image
};

// a net, the memory that a step takes, the optimizer
struct Program {
    Stage* stages;
    Parameter* parameters;
    long stage_count, threads;
    long memory_size, shares_size, row_size;  // of a thread, a block, an image, in floats
    float *memory, *packed, *shares, *rows;
    Outcome* outcomes;  // of each block
    float smoothing;
    // of stochastic gradient descent; others' steps are taken elsewhere
    long descends, nesterov;
    float rate, momentum, decay;
};

// the convolutions' weights in the orders in which they are read
void pack(const Program& program, const Stage& stage);

// from a block of `count` images (count, 28, 28) to logits, in a thread's memory
void forward(const Program& program, float* memory, const float* images, long count);

// from the logits' gradients to the block's shares and rows
void backward(const Program& program, float* memory, long block);
