// libtorch's own optimizer steps, which `peo bench step` measures ours against in the same process.
#include "bridge.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/randn_like.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <vector>

namespace {
std::vector<at::Tensor> list(ptb_tensor *const *tensors, size_t count) {
  std::vector<at::Tensor> result;
  result.reserve(count);
  for (size_t i = 0; i < count; i++) result.push_back(tensors[i]->value);
  return result;
}
}  // namespace

ptb_status ptb_peer_adam(ptb_tensor *const *parameters, ptb_tensor *const *gradients, ptb_tensor *const *first,
                         ptb_tensor *const *second, ptb_tensor *const *steps, size_t count, double rate) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    const auto times = list(steps, count);
    at::_foreach_add_(times, 1);
    at::_fused_adam_(list(parameters, count), list(gradients, count), list(first, count), list(second, count), {},
                     times, rate, 0.9, 0.999, 0, 1e-8, false, false);
  });
}

ptb_status ptb_peer_adam_foreach(ptb_tensor *const *parameters, ptb_tensor *const *gradients, ptb_tensor *const *first,
                                 ptb_tensor *const *second, size_t count, int64_t step, double rate) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    const auto g = list(gradients, count), m = list(first, count), v = list(second, count);
    at::_foreach_lerp_(m, g, 0.1);
    at::_foreach_mul_(v, 0.999);
    at::_foreach_addcmul_(v, g, g, 0.001);
    const auto denominators = at::_foreach_sqrt(v);
    at::_foreach_div_(denominators, std::sqrt(1 - std::pow(0.999, double(step))));
    at::_foreach_add_(denominators, 1e-8);
    at::_foreach_addcdiv_(list(parameters, count), m, denominators, -rate / (1 - std::pow(0.9, double(step))));
  });
}

ptb_status ptb_peer_sgd(ptb_tensor *const *parameters, ptb_tensor *const *gradients, size_t count,
                        double rate) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    at::_fused_sgd_(list(parameters, count), list(gradients, count), {}, 0, 0, rate, 0, false, false, false);
  });
}

ptb_status ptb_peer_add_noise(ptb_tensor *gradient, double deviation) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    gradient->value.add_(at::randn_like(gradient->value), deviation);
  });
}
