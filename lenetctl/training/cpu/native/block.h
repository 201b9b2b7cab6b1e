// Images that lie side by side: a map is (channels, height, width, LANES) float32, lane n being image n
// of a block. Whatever the number of channels, every vector is full.

#pragma once

#if defined(__AVX512F__)
constexpr int BYTES = 64, REGISTERS = 32;  // of a vector; vectors that the processor has names for
#elif defined(__AVX__)
constexpr int BYTES = 32, REGISTERS = 16;
#else
constexpr int BYTES = 16, REGISTERS = 16;
#endif
typedef float Vector __attribute__((vector_size(BYTES), aligned(4), may_alias));
typedef int Integers __attribute__((vector_size(BYTES)));
constexpr int LANES = BYTES / 4;

// where the pixels of a map are; there may be others between and around them
struct Map {
    long start;                    // of the first pixel, in floats, as all that follows
    long channels, height, width;  // in pixels
    long plane, line, pixel;       // from one channel, line or pixel to the next
};

inline long numbers(const Map& map) { return map.channels * map.height * map.width; }  // of an image

// a window that slides over a map
struct Window {
    long size, stride, padding;
};

inline Vector load(const float* place) { return *(const Vector*)place; }
inline void store(float* place, Vector v) { *(Vector*)place = v; }

// the sum over all lanes, half added to half
inline float total(Vector v) {
    float part[LANES];
    store(part, v);
    for (int half = LANES / 2; half; half /= 2)
        for (int lane = 0; lane < half; lane++) part[lane] += part[lane + half];
    return part[0];
}
