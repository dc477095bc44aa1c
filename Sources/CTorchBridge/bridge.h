// Shared by the bridge's own files: how a call is guarded and a handle made.
#pragma once

#include "CTorchBridge.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>

#include <utility>

struct ptb_tensor {
  at::Tensor value;
};

#pragma clang assume_nonnull begin

namespace bridge {

/// Wraps a tensor in a new handle, and counts it.
ptb_tensor *wrap(at::Tensor &&tensor);

/// Stores the message of the exception being handled and returns its status. Only inside a catch block.
ptb_status report_current_exception() noexcept;

/// Runs `body`, and turns whatever it throws into a status.
template <class Body>
ptb_status guarded(Body &&body) noexcept {
  try {
    body();
    return PTB_OK;
  } catch (...) {
    return report_current_exception();
  }
}

/// Runs `body`, which returns a tensor, and gives that as a new handle.
template <class Body>
ptb_status make(PTB_NEW out, Body &&body) noexcept {
  *out = nullptr;
  return guarded([&] { *out = wrap(body()); });
}

inline at::IntArrayRef sizes(const ptrdiff_t *values, size_t count) {
  static_assert(sizeof(ptrdiff_t) == sizeof(int64_t));
  return {reinterpret_cast<const int64_t *>(values), count};
}

inline std::optional<at::Tensor> optional(const ptb_tensor *_Nullable tensor) {
  return tensor ? std::optional<at::Tensor>(tensor->value) : std::nullopt;
}

/// A weight as an operation on `x` takes it: bfloat16 beside float32 is widened, for that operation alone.
inline at::Tensor widened(const at::Tensor &weight, const at::Tensor &x) {
  return weight.scalar_type() == at::kBFloat16 && x.scalar_type() == at::kFloat ? weight.to(at::kFloat) : weight;
}

inline std::optional<at::Tensor> widened(const ptb_tensor *_Nullable weight, const at::Tensor &x) {
  return weight ? std::optional<at::Tensor>(widened(weight->value, x)) : std::nullopt;
}

/// Whether operations on the tensor's device choose their types themselves.
inline bool is_autocast(const at::Tensor &x) { return at::autocast::is_autocast_enabled(x.device().type()); }

/// Dropout's factors: 0 with probability p, 1/(1 - p) otherwise. Drawn on the CPU wherever `like` is.
at::Tensor dropout_mask(const at::Tensor &like, double p, at::Generator generator);

/// Whether what this thread records now will be derived twice (ptb_set_derives_twice).
bool derives_twice() noexcept;

/// Refuses types that the Swift side does not know.
at::ScalarType scalar_type(int32_t dtype);

}  // namespace bridge

#pragma clang assume_nonnull end
