#include "bridge.h"

#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

ptb_status ptb_fill_uniform(ptb_tensor *tensor, double low, double high, uint64_t seed) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    tensor->value.uniform_(low, high, generator);
  });
}

ptb_status ptb_fill_normal(ptb_tensor *tensor, double mean, double deviation, uint64_t seed) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    tensor->value.normal_(mean, deviation, generator);
  });
}
