#include "bridge.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/GradMode.h>

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

at::Tensor bridge::dropout_mask(const at::Tensor &like, double p, at::Generator generator) {
  const at::Tensor mask =
      like.is_cpu() ? at::empty_like(like.detach()) : at::empty(like.sizes(), like.options().device(at::kCPU));
  return mask.bernoulli_(1 - p, std::move(generator)).mul_(1 / (1 - p)).to(like.device());
}
