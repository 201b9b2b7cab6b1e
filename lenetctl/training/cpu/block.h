// Images that lie side by side: tensors are (blocks, channels, height, width, LANES) float32, lane n
// being image n of its block. Whatever the number of channels, every vector is full.

#pragma once

#if defined(__AVX512F__)
constexpr int BYTES = 64;  // of a vector
#elif defined(__AVX__)
constexpr int BYTES = 32;
#else
constexpr int BYTES = 16;
#endif
typedef float Vector __attribute__((vector_size(BYTES), aligned(4), may_alias));
constexpr int WIDTH = BYTES / 4, LANES = 2 * WIDTH;
