#include "bridge.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/add.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/div.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/ge.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/le.h>
#include <ATen/ops/log.h>
#include <ATen/ops/lt.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ne.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/where.h>
#include <c10/core/GradMode.h>

namespace {

at::Tensor unary(int32_t operation, const at::Tensor &a) {
  switch (operation) {
    case PTB_NEGATE: return at::neg(a);
    case PTB_EXP: return at::exp(a);
    case PTB_LOG: return at::log(a);
    case PTB_SQRT: return at::sqrt(a);
    case PTB_ABS: return at::abs(a);
    case PTB_SQUARE: return at::square(a);
    case PTB_SIGN: return at::sign(a);
    case PTB_RECIPROCAL: return at::reciprocal(a);
    case PTB_RELU: return at::relu(a);
    case PTB_TANH: return at::tanh(a);
    case PTB_SIGMOID: return at::sigmoid(a);
    case PTB_SILU: return at::silu(a);
    case PTB_SOFTPLUS: return at::softplus(a);
    case PTB_GELU: return at::gelu(a, "none");
    case PTB_GELU_TANH: return at::gelu(a, "tanh");
    case PTB_IS_FINITE: return at::isfinite(a);
    default: TORCH_CHECK(false, "unknown unary operation ", operation);
  }
}

// `B` is a tensor or a number.
template <class B>
at::Tensor binary(int32_t operation, const at::Tensor &a, const B &b) {
  switch (operation) {
    case PTB_ADD: return at::add(a, b);
    case PTB_SUBTRACT: return at::sub(a, b);
    case PTB_MULTIPLY: return at::mul(a, b);
    case PTB_DIVIDE: return at::div(a, b);
    case PTB_POWER: return at::pow(a, b);
    case PTB_EQUAL: return at::eq(a, b);
    case PTB_NOT_EQUAL: return at::ne(a, b);
    case PTB_LESS: return at::lt(a, b);
    case PTB_LESS_OR_EQUAL: return at::le(a, b);
    case PTB_GREATER: return at::gt(a, b);
    case PTB_GREATER_OR_EQUAL: return at::ge(a, b);
    case PTB_MAXIMUM:
      if constexpr (std::is_same_v<B, at::Tensor>) return at::maximum(a, b);
      else return at::clamp(a, b, std::nullopt);
    case PTB_MINIMUM:
      if constexpr (std::is_same_v<B, at::Tensor>) return at::minimum(a, b);
      else return at::clamp(a, std::nullopt, b);
    default: TORCH_CHECK(false, "unknown binary operation ", operation);
  }
}

}  // namespace

ptb_status ptb_unary(int32_t operation, ptb_tensor *a, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return unary(operation, a->value); });
}

ptb_status ptb_binary(int32_t operation, ptb_tensor *a, ptb_tensor *b, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return binary(operation, a->value, b->value); });
}

ptb_status ptb_binary_scalar(int32_t operation, ptb_tensor *a, double b, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return binary(operation, a->value, at::Scalar(b)); });
}

ptb_status ptb_lerp_in_place(ptb_tensor *a, ptb_tensor *b, double weight) noexcept {
  return bridge::guarded([&] { a->value.lerp_(b->value, weight); });
}

ptb_status ptb_add_in_place(ptb_tensor *a, ptb_tensor *b, double scale) noexcept {
  return bridge::guarded([&] { a->value.add_(b->value, scale); });
}

ptb_status ptb_scale_in_place(ptb_tensor *a, double b) noexcept {
  return bridge::guarded([&] { a->value.mul_(b); });
}

ptb_status ptb_fill_in_place(ptb_tensor *a, double value) noexcept {
  return bridge::guarded([&] { a->value.fill_(value); });
}

ptb_status ptb_clamp(ptb_tensor *a, double low, double high, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::clamp(a->value, at::Scalar(low), at::Scalar(high)); });
}

ptb_status ptb_where(ptb_tensor *condition, ptb_tensor *a, ptb_tensor *b, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::where(condition->value, a->value, b->value); });
}

ptb_status ptb_matmul(ptb_tensor *a, ptb_tensor *b, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::matmul(a->value, b->value); });
}

ptb_status ptb_increment(ptb_tensor *a) noexcept {
  return bridge::guarded([&] {
    TORCH_CHECK(a->value.scalar_type() == at::kLong, "wanted int64");
    if (a->value.is_cpu() && a->value.numel() == 1) {
      ++*a->value.mutable_data_ptr<int64_t>();
      return;
    }
    const c10::AutoGradMode off(false);
    a->value.add_(1);
  });
}
