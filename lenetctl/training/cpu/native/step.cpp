// A training step of a whole net: both passes over every block, each by one thread; then the weights.

#include <omp.h>

#include <algorithm>

#include "program.h"

namespace {

// as torch.optim.SGD
void descend(const Program& program, const Parameter& p, long first, long last) {
    for (long i = first; i < last && program.descends; i++) {
        float slope = p.gradient[i] + program.decay * p.value[i];
        if (p.momentum) {
            const float speed = p.momentum[i] = program.momentum * p.momentum[i] + slope;
            slope = program.nesterov ? slope + program.momentum * speed : speed;
        }
        p.value[i] -= program.rate * slope;
    }
}

// by all threads together: shares are summed in the order of blocks, so their number changes no bit
void sum_shares(const Program& program, const Parameter& p, const float* shares, long blocks) {
#pragma omp for nowait schedule(static)
    for (long i = 0; i < p.count; i++) {
        float sum = shares[i];
        for (long block = 1; block < blocks; block++) sum += shares[block * program.shares_size + i];
        p.gradient[i] = sum;
        descend(program, p, i, i + 1);
    }
}

// by all threads together: each sums up some rows of weights, over the batch
void dense_step(const Program& program, const Stage& s, long count) {
    const long in = numbers(s.input), out = s.sums.channels;
    const Parameter& weight = program.parameters[s.weight];
    const Parameter* bias = s.bias < 0 ? nullptr : program.parameters + s.bias;
#pragma omp for nowait schedule(static)
    for (long first = 0; first < out; first += ROWS) {
        const long last = std::min(out, first + ROWS);
        dense_gradients(program.rows + s.inputs, program.rows + s.gradients, program.row_size, count, in,
                        first, last, weight.gradient, bias ? bias->gradient : nullptr);
        descend(program, weight, first * in, last * in);
        if (bias) descend(program, *bias, first, last);
    }
}

void pack_all(const Program& program) {
#pragma omp for schedule(dynamic)
    for (long s = 0; s < program.stage_count; s++)
        if (!program.stages[s].is_dense) pack(program, program.stages[s]);
}

}  // namespace

extern "C" {

// a step with `count` images; `loss` gets their mean, `right` the number of right answers before the step
void train(const Program* program, const float* images, const int64_t* labels, long count, float* loss,
           int64_t* right) {
    const Program p = *program;
    const Stage& last = p.stages[p.stage_count - 1];
    const long blocks = (count + LANES - 1) / LANES, pixels = numbers(p.stages[0].input);
#pragma omp parallel num_threads(p.threads)
    {
        float* memory = p.memory + omp_get_thread_num() * p.memory_size;
        pack_all(p);
#pragma omp for schedule(dynamic)
        for (long block = 0; block < blocks; block++) {
            const long first = block * LANES, here = std::min<long>(LANES, count - first);
            forward(p, memory, images + first * pixels, here);
            p.outcomes[block] =
                cross_entropy(memory + last.out.start, labels + first, here, last.out.channels, p.smoothing,
                              1.0f / count, memory + last.out_gradient.start);
            backward(p, memory, block);
        }
        for (const Stage* s = p.stages; s < p.stages + p.stage_count; s++) {
            if (s->is_dense) {
                dense_step(p, *s, count);
                continue;
            }
            const Parameter& weight = p.parameters[s->weight];
            sum_shares(p, weight, p.shares + s->share, blocks);
            if (s->bias >= 0)
                sum_shares(p, p.parameters[s->bias], p.shares + s->share + weight.count, blocks);
        }
    }
    Outcome all = {0.0, 0};
    for (long block = 0; block < blocks; block++) {
        all.loss += p.outcomes[block].loss;
        all.right += p.outcomes[block].right;
    }
    *loss = all.loss / count;
    *right = all.right;
}

// logits (count, classes) of `count` images
void predict(const Program* program, const float* images, long count, float* logits) {
    const Program p = *program;
    const Map& out = p.stages[p.stage_count - 1].out;
    const long blocks = (count + LANES - 1) / LANES, pixels = numbers(p.stages[0].input);
#pragma omp parallel num_threads(p.threads)
    {
        float* memory = p.memory + omp_get_thread_num() * p.memory_size;
        pack_all(p);
#pragma omp for schedule(dynamic)
        for (long block = 0; block < blocks; block++) {
            const long first = block * LANES, here = std::min<long>(LANES, count - first);
            forward(p, memory, images + first * pixels, here);
            for (long n = 0; n < here; n++)
                for (long k = 0; k < out.channels; k++)
                    logits[(first + n) * out.channels + k] = memory[out.start + k * LANES + n];
        }
    }
}
}
