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

/// Loads the CUDA half of libtorch, where there is one, at the first call. libtorch asks for it once, at an operation that need
/// not be of a GPU (a backward pass does), and goes without for ever where it is not there by then.
void load_devices() noexcept;

/// Runs `body`, and turns whatever it throws into a status.
template <class Body>
ptb_status guarded(Body &&body) noexcept {
  load_devices();
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

/// A tensor's elements, to read. (`const_data_ptr<T>` has in libtorch 2.11 a name that clang does not look for.)
template <class T>
const T *_Nonnull elements(const at::Tensor &tensor) {
  return static_cast<const T *>(tensor.const_data_ptr());
}

/// A new generator of random numbers on the tensor's device.
at::Generator generator(const at::Tensor &like, uint64_t seed);

/// Dropout's factors: 0 with probability p, 1/(1 - p) otherwise. `generator` is of `like`'s device.
at::Tensor dropout_mask(const at::Tensor &like, double p, at::Generator generator);

/// Makes the gradient of fused attention, whose result `y` is, the same from run to run: on a GPU it is otherwise summed in the
/// order in which the parts are done.
void sum_in_order(const at::Tensor &y);

/// Whether what this thread records now will be derived twice (ptb_set_derives_twice).
bool derives_twice() noexcept;

/// Refuses types that the Swift side does not know.
at::ScalarType scalar_type(int32_t dtype);

}  // namespace bridge

#pragma clang assume_nonnull end
