// Softmax and cross-entropy of a block.

#include <cmath>

#include "layers.h"

Outcome cross_entropy(const float* logits, const int64_t* labels, long count, long classes, float smoothing,
                      float share, float* gradient) {
    Outcome outcome = {0.0, 0};
    for (long n = 0; n < LANES; n++) {
        if (n >= count) {  // no image is here
            for (long k = 0; k < classes; k++) gradient[k * LANES + n] = 0.0f;
            continue;
        }
        long answer = 0;  // the first greatest; not a number is greater than all, as torch has it
        for (long k = 1; k < classes; k++) {
            const float best = logits[answer * LANES + n], x = logits[k * LANES + n];
            if (x > best || (std::isnan(x) && !std::isnan(best))) answer = k;
        }
        const float most = logits[answer * LANES + n];
        float sum = 0.0f, all = 0.0f;
        for (long k = 0; k < classes; k++) {
            sum += gradient[k * LANES + n] = std::exp(logits[k * LANES + n] - most);
            all += logits[k * LANES + n];
        }
        const float logarithm = most + std::log(sum), spread = smoothing / classes;
        outcome.loss += (1 - smoothing) * (logarithm - logits[labels[n] * LANES + n]);
        if (smoothing) outcome.loss += spread * (classes * logarithm - all);
        outcome.right += answer == labels[n];
        for (long k = 0; k < classes; k++) {
            const float truth = spread + (k == labels[n] ? 1 - smoothing : 0.0f);
            float& slope = gradient[k * LANES + n];
            slope = (slope / sum - truth) * share;
        }
    }
    return outcome;
}
