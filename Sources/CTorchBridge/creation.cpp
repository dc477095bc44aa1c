#include "bridge.h"

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <cstring>
#include <vector>

namespace {

void check_bytes(const at::Tensor &tensor, size_t byte_count) {
  TORCH_CHECK(tensor.nbytes() == byte_count, "a tensor of shape ", tensor.sizes(), " and type ", tensor.scalar_type(),
              " has ", tensor.nbytes(), " bytes, not ", byte_count);
}

}  // namespace

ptb_status ptb_full(const ptrdiff_t *shape, size_t rank, double value, int32_t dtype, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    const auto options = at::TensorOptions().dtype(bridge::scalar_type(dtype));
    const auto sizes = bridge::sizes(shape, rank);
    for (const int64_t size : sizes) TORCH_CHECK(size >= 0, "the shape ", sizes, " has a negative size");
    return value == 0 ? at::zeros(sizes, options) : at::full(sizes, value, options);
  });
}

ptb_status ptb_arange(ptrdiff_t start, ptrdiff_t end, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::arange(int64_t(start), int64_t(end), at::TensorOptions().dtype(at::kLong)); });
}

ptb_status ptb_from_bytes(const void *bytes, size_t byte_count, const ptrdiff_t *shape, size_t rank, int32_t dtype,
                          PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    at::Tensor tensor = at::empty(bridge::sizes(shape, rank), at::TensorOptions().dtype(bridge::scalar_type(dtype)));
    check_bytes(tensor, byte_count);
    if (byte_count > 0) std::memcpy(tensor.mutable_data_ptr(), bytes, byte_count);
    return tensor;
  });
}

ptb_status ptb_to_bytes(ptb_tensor *tensor, void *bytes, size_t byte_count) noexcept {
  return bridge::guarded([&] {
    const at::Tensor dense = tensor->value.detach().cpu().contiguous();
    check_bytes(dense, byte_count);
    if (byte_count > 0) std::memcpy(bytes, dense.const_data_ptr(), byte_count);
  });
}

ptb_status ptb_data(ptb_tensor *tensor, void **out) noexcept {
  return bridge::guarded([&] {
    TORCH_CHECK(tensor->value.is_cpu(), "the tensor is on ", tensor->value.device(), ", not in the CPU's memory");
    TORCH_CHECK(tensor->value.is_contiguous(), "the tensor is not contiguous: its shape is ", tensor->value.sizes(),
                " and its strides are ", tensor->value.strides());
    *out = tensor->value.mutable_data_ptr();
  });
}

ptb_status ptb_to_dtype(ptb_tensor *tensor, int32_t dtype, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return tensor->value.to(bridge::scalar_type(dtype)); });
}

ptb_status ptb_clone(ptb_tensor *tensor, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return tensor->value.clone(); });
}

ptb_status ptb_contiguous(ptb_tensor *tensor, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return tensor->value.contiguous(); });
}

ptb_status ptb_copy_into(ptb_tensor *target, ptb_tensor *source) noexcept {
  return bridge::guarded([&] {
    TORCH_CHECK(target->value.sizes() == source->value.sizes(), "cannot copy the shape ", source->value.sizes(),
                " into the shape ", target->value.sizes());
    const c10::AutoGradMode off(false);
    target->value.copy_(source->value);
  });
}

ptb_status ptb_copy_each(ptb_tensor *const *targets, ptb_tensor *const *sources, size_t count) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    std::vector<at::Tensor> to, from;
    for (size_t i = 0; i < count; i++) {
      TORCH_CHECK(targets[i]->value.sizes() == sources[i]->value.sizes(), "cannot copy the shape ",
                  sources[i]->value.sizes(), " into the shape ", targets[i]->value.sizes());
      to.push_back(targets[i]->value);
      from.push_back(sources[i]->value);
    }
    if (!to.empty()) at::_foreach_copy_(to, from);
  });
}

int32_t ptb_dtype_of(ptb_tensor *tensor) noexcept { return int32_t(tensor->value.scalar_type()); }
size_t ptb_rank(ptb_tensor *tensor) noexcept { return size_t(tensor->value.dim()); }
ptrdiff_t ptb_count(ptb_tensor *tensor) noexcept { return tensor->value.numel(); }
ptrdiff_t ptb_size(ptb_tensor *tensor, size_t dimension) noexcept {
  const auto sizes = tensor->value.sizes();
  return dimension < sizes.size() ? ptrdiff_t(sizes[dimension]) : -1;
}
bool ptb_is_contiguous(ptb_tensor *tensor) noexcept { return tensor->value.is_contiguous(); }

ptb_status ptb_item(ptb_tensor *tensor, double *out) noexcept {
  return bridge::guarded([&] { *out = tensor->value.item().toDouble(); });
}

ptb_status ptb_item_integer(ptb_tensor *tensor, int64_t *out) noexcept {
  return bridge::guarded([&] { *out = tensor->value.item().toLong(); });
}
