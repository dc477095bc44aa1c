#include "bridge.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/GradMode.h>

#include <mutex>

namespace {

// Drawn on the CPU wherever the tensor is, so that a seed means the same numbers on every device.
template <class Draw>
ptb_status fill(ptb_tensor *tensor, uint64_t seed, Draw &&draw) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    const auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    const at::Tensor &value = tensor->value;
    if (value.is_cpu()) {
      draw(value, generator);
    } else {
      const at::Tensor host = at::empty(value.sizes(), value.options().device(at::kCPU));
      draw(host, generator);
      value.copy_(host);
    }
  });
}

}  // namespace

ptb_status ptb_fill_uniform(ptb_tensor *tensor, double low, double high, uint64_t seed) noexcept {
  return fill(tensor, seed, [&](const at::Tensor &x, const at::Generator &from) { x.uniform_(low, high, from); });
}

ptb_status ptb_fill_normal(ptb_tensor *tensor, double mean, double deviation, uint64_t seed) noexcept {
  return fill(tensor, seed, [&](const at::Tensor &x, const at::Generator &from) { x.normal_(mean, deviation, from); });
}

// A GPU draws for itself: to draw millions of factors on the CPU takes many times as long as the network's own passes there.
at::Generator bridge::generator(const at::Tensor &like, uint64_t seed) {
  if (like.is_cpu()) return at::make_generator<at::CPUGeneratorImpl>(seed);
  at::Generator shared = at::globalContext().defaultGenerator(like.device());
  const std::lock_guard lock(shared.mutex());
  at::Generator own = shared.clone();
  own.set_current_seed(seed);
  return own;
}

at::Tensor bridge::dropout_mask(const at::Tensor &like, double p, at::Generator generator) {
  return at::empty_like(like.detach()).bernoulli_(1 - p, std::move(generator)).mul_(1 / (1 - p));
}
