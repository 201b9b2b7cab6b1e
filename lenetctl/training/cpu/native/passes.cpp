// The forward and backward pass of a net over one block of images, which stays in the cache meanwhile.

#include "program.h"

namespace {

void read_images(float* memory, const Map& map, const float* images, long count) {
    for (long y = 0; y < map.height; y++)
        for (long lane = 0; lane < LANES; lane++) {
            const float* line = images + (lane * map.height + y) * map.width;
            float* place = memory + map.start + y * map.line + lane;
            for (long x = 0; x < map.width; x++) place[x * map.pixel] = lane < count ? line[x] : 0.0f;
        }
}

// numbers of a block, (count, LANES), to rows of the batch
void write_rows(const float* numbers, long count, float* rows, long width) {
    for (long lane = 0; lane < LANES; lane++)
        for (long k = 0; k < count; k++) rows[lane * width + k] = numbers[k * LANES + lane];
}

void dense_backward(const Program& p, const Stage& s, float* memory, long block) {
    const float *in = memory + s.input.start, *gradient = memory + s.sums_gradient.start;
    float* rows = p.rows + block * LANES * p.row_size;
    const long inputs = numbers(s.input), outputs = s.sums.channels;
    write_rows(in, inputs, rows + s.inputs, p.row_size);
    write_rows(gradient, outputs, rows + s.gradients, p.row_size);
    if (&s == p.stages) return;
    const float* weight = p.parameters[s.weight].value;
    multiply_transposed(gradient, outputs, weight, memory + s.input_gradient.start, inputs);
}

void convolution_backward(const Program& p, const Stage& s, float* memory, long block) {
    const float *in = memory + s.input.start, *gradient = memory + s.sums_gradient.start;
    float* weight = p.shares + block * p.shares_size + s.share;
    float* bias = s.bias < 0 ? nullptr : weight + p.parameters[s.weight].count;
    convolution_gradients(in, s.input, gradient, s.sums_gradient, weight, s.distances, bias, s.kernel);
    if (&s == p.stages) return;
    // a convolution, with the kernel turned by 180°, of the gradient with zeros between its pixels
    Map spread = s.sums_gradient;
    spread.line /= s.kernel.stride, spread.pixel /= s.kernel.stride;
    spread.height = (spread.height - 1) * s.kernel.stride + 1;
    spread.width = (spread.width - 1) * s.kernel.stride + 1;
    const Window turned = {s.kernel.size, 1, s.kernel.size - 1 - s.kernel.padding};
    convolve(gradient, spread, p.packed + s.turned, nullptr, memory + s.input_gradient.start, s.input_gradient,
             turned);
}

}  // namespace

void pack(const Program& program, const Stage& stage) {
    const long size = stage.kernel.size, outputs = stage.sums.channels, inputs = stage.input.channels;
    const float* weight = program.parameters[stage.weight].value;
    const long* d = stage.distances;
    for (long i = 0; i < size; i++)
        for (long j = 0; j < size; j++)
            for (long o = 0; o < outputs; o++)
                for (long c = 0; c < inputs; c++) {
                    const float w = weight[o * d[0] + c * d[1] + i * d[2] + j * d[3]];
                    const long place = (c * size + i) * size + j;
                    const long turned = ((o + 1) * size - i) * size - j - 1;
                    program.packed[stage.packed + place * outputs + o] = w;
                    program.packed[stage.turned + turned * inputs + c] = w;
                }
}

void forward(const Program& p, float* memory, const float* images, long count) {
    read_images(memory, p.stages[0].input, images, count);
    for (const Stage* s = p.stages; s < p.stages + p.stage_count; s++) {
        const float *in = memory + s->input.start, *weight = p.parameters[s->weight].value;
        const float* bias = s->bias < 0 ? nullptr : p.parameters[s->bias].value;
        float *sums = memory + s->sums.start, *out = memory + s->out.start;
        if (s->is_dense) multiply(in, numbers(s->input), weight, bias, sums, s->sums.channels);
        else convolve(in, s->input, p.packed + s->packed, bias, sums, s->sums, s->kernel);
        activate(sums, s->sums, out, s->out, s->activation, s->pool, s->pool_window);
    }
}

void backward(const Program& p, float* memory, long block) {
    for (const Stage* s = p.stages + p.stage_count - 1; s >= p.stages; s--) {
        activation_gradient(memory + s->sums.start, s->sums, memory + s->out.start, s->out,
                            memory + s->out_gradient.start, s->out_gradient, memory + s->sums_gradient.start,
                            s->sums_gradient, s->activation, s->pool, s->pool_window);
        (s->is_dense ? dense_backward : convolution_backward)(p, *s, memory, block);
    }
}
