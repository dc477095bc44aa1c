#include "bridge.h"

#include <ATen/ops/argmax.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/mse_loss.h>
#include <c10/core/GradMode.h>

ptb_status ptb_cross_entropy(ptb_tensor *logits, ptb_tensor *target, double label_smoothing, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    return at::cross_entropy_loss(logits->value, target->value, std::nullopt, at::Reduction::Mean,
                                  /*ignore_index=*/-100, label_smoothing);
  });
}

ptb_status ptb_mean_squared_error(ptb_tensor *a, ptb_tensor *b, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    // libtorch would broadcast, which is never what a loss means.
    TORCH_CHECK(a->value.sizes() == b->value.sizes(), "the shapes differ");
    return at::mse_loss(a->value, b->value);
  });
}

ptb_status ptb_binary_cross_entropy_with_logits(ptb_tensor *logits, ptb_tensor *target, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    TORCH_CHECK(logits->value.sizes() == target->value.sizes(), "the shapes differ");
    return at::binary_cross_entropy_with_logits(logits->value, target->value);
  });
}

ptb_status ptb_count_correct(ptb_tensor *logits, ptb_tensor *target, int64_t *out) noexcept {
  return bridge::guarded([&] {
    TORCH_CHECK(logits->value.dim() == 2 && target->value.dim() == 1 && logits->value.size(0) == target->value.size(0),
                "wanted [n, classes] and [n]");
    const c10::AutoGradMode off(false);
    *out = at::eq(at::argmax(logits->value, 1), target->value).sum().item().toLong();
  });
}
