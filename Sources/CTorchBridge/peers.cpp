// libtorch's own optimizer steps, which `peo bench step` measures ours against in the same process.
#include "bridge.h"

#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/randn_like.h>
#include <c10/core/GradMode.h>

ptb_status ptb_peer_adam(ptb_tensor *parameter, ptb_tensor *gradient, ptb_tensor *first, ptb_tensor *second,
                         ptb_tensor *step, double rate) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    step->value.add_(1);
    at::_fused_adam_({parameter->value}, {gradient->value}, {first->value}, {second->value}, {}, {step->value},
                     rate, 0.9, 0.999, 0, 1e-8, false, false);
  });
}

ptb_status ptb_peer_sgd(ptb_tensor *parameter, ptb_tensor *gradient, double rate) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    at::_fused_sgd_({parameter->value}, {gradient->value}, {}, 0, 0, rate, 0, false, false, false);
  });
}

ptb_status ptb_peer_add_noise(ptb_tensor *gradient, double deviation) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    gradient->value.add_(at::randn_like(gradient->value), deviation);
  });
}
