// The loops of a perceptron beside its products: each over rows that a product has just left in the cache.
#pragma once

#include <cstdint>

// The same loop for several instruction sets; the loader chooses.
#if defined(__x86_64__) && defined(__linux__)
#define PTB_CLONES [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define PTB_CLONES
#endif

namespace {

// y ← y + b in each row.
PTB_CLONES void add_bias(float *y, const float *b, int64_t rows, int64_t width) {
  for (int64_t i = 0; i < rows; i++, y += width) {
    for (int64_t j = 0; j < width; j++) y[j] += b[j];
  }
}

// y ← max(y + b, 0); what is not a number stays so, as in libtorch.
PTB_CLONES void add_bias_and_rectify(float *y, const float *b, int64_t rows, int64_t width) {
  for (int64_t i = 0; i < rows; i++, y += width) {
    for (int64_t j = 0; j < width; j++) {
      const float v = y[j] + b[j];
      y[j] = v < 0 ? 0 : v;
    }
  }
}

// g ← g·[h > 0]
PTB_CLONES void through_rectifier(float *g, const float *h, int64_t count) {
  for (int64_t i = 0; i < count; i++) g[i] = h[i] <= 0 ? 0 : g[i];
}

// g ← g·(1 − h²)
PTB_CLONES void through_tanh(float *g, const float *h, int64_t count) {
  for (int64_t i = 0; i < count; i++) g[i] *= 1 - h[i] * h[i];
}

// sums ← the sums of the columns.
PTB_CLONES void sum_columns(const float *g, float *sums, int64_t rows, int64_t width) {
  for (int64_t j = 0; j < width; j++) sums[j] = 0;
  for (int64_t i = 0; i < rows; i++, g += width) {
    for (int64_t j = 0; j < width; j++) sums[j] += g[j];
  }
}

}  // namespace
