#include "bridge.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/max.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/min.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/var.h>

ptb_status ptb_reduce(int32_t reduction, ptb_tensor *tensor, PTB_NEW out) noexcept {
  return bridge::make(out, [&]() -> at::Tensor {
    const at::Tensor &a = tensor->value;
    switch (reduction) {
      case PTB_SUM: return at::sum(a);
      case PTB_MEAN: return at::mean(a);
      case PTB_MAX: return at::max(a);
      case PTB_MIN: return at::min(a);
      case PTB_NORM: return at::linalg_vector_norm(a, 2);
      default: TORCH_CHECK(false, "unknown reduction ", reduction);
    }
  });
}

ptb_status ptb_reduce_along(int32_t reduction, ptb_tensor *tensor, ptrdiff_t dimension, bool keep,
                            PTB_NEW out) noexcept {
  return bridge::make(out, [&]() -> at::Tensor {
    const at::Tensor &a = tensor->value;
    const int64_t along[] = {dimension};
    switch (reduction) {
      case PTB_SUM: return at::sum(a, along, keep);
      case PTB_MEAN: return at::mean(a, along, keep);
      case PTB_MAX: return at::amax(a, along, keep);
      case PTB_MIN: return at::amin(a, along, keep);
      case PTB_NORM: return at::linalg_vector_norm(a, 2, along, keep);
      default: TORCH_CHECK(false, "unknown reduction ", reduction);
    }
  });
}

ptb_status ptb_variance(ptb_tensor *a, ptrdiff_t dimension, bool unbiased, bool keep, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    const int64_t along[] = {dimension};
    return at::var(a->value, at::OptionalIntArrayRef(along), std::optional<at::Scalar>(unbiased ? 1 : 0), keep);
  });
}

ptb_status ptb_argmax(ptb_tensor *a, ptrdiff_t dimension, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::argmax(a->value, int64_t(dimension)); });
}

ptb_status ptb_softmax(ptb_tensor *a, ptrdiff_t dimension, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::softmax(a->value, int64_t(dimension)); });
}

ptb_status ptb_log_softmax(ptb_tensor *a, ptrdiff_t dimension, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::log_softmax(a->value, int64_t(dimension)); });
}
