#include "bridge.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/flatten.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/narrow.h>
#include <ATen/ops/permute.h>
#include <ATen/ops/reshape.h>
#include <ATen/ops/select.h>
#include <ATen/ops/slice.h>
#include <ATen/ops/squeeze.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/transpose.h>
#include <ATen/ops/unsqueeze.h>

namespace {

std::vector<at::Tensor> gather(ptb_tensor *const *parts, size_t count) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(count);
  for (size_t i = 0; i < count; i++) tensors.push_back(parts[i]->value);
  return tensors;
}

}  // namespace

ptb_status ptb_reshape(ptb_tensor *a, const ptrdiff_t *shape, size_t rank, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::reshape(a->value, bridge::sizes(shape, rank)); });
}

ptb_status ptb_expand(ptb_tensor *a, const ptrdiff_t *shape, size_t rank, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return a->value.expand(bridge::sizes(shape, rank)); });
}

ptb_status ptb_permute(ptb_tensor *a, const ptrdiff_t *order, size_t rank, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::permute(a->value, bridge::sizes(order, rank)); });
}

ptb_status ptb_transpose(ptb_tensor *a, ptrdiff_t first, ptrdiff_t second, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::transpose(a->value, first, second); });
}

ptb_status ptb_flatten(ptb_tensor *a, ptrdiff_t first, ptrdiff_t last, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::flatten(a->value, int64_t(first), int64_t(last)); });
}

ptb_status ptb_squeeze(ptb_tensor *a, ptrdiff_t dimension, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::squeeze(a->value, int64_t(dimension)); });
}

ptb_status ptb_unsqueeze(ptb_tensor *a, ptrdiff_t dimension, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::unsqueeze(a->value, dimension); });
}

ptb_status ptb_narrow(ptb_tensor *a, ptrdiff_t dimension, ptrdiff_t start, ptrdiff_t length, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::narrow(a->value, dimension, int64_t(start), int64_t(length)); });
}

ptb_status ptb_select(ptb_tensor *a, ptrdiff_t dimension, ptrdiff_t index, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::select(a->value, int64_t(dimension), int64_t(index)); });
}

ptb_status ptb_take_along(ptb_tensor *a, ptrdiff_t dimension, ptb_tensor *indices, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::gather(a->value, int64_t(dimension), indices->value); });
}

ptb_status ptb_index_select(ptb_tensor *a, ptrdiff_t dimension, ptb_tensor *indices, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::index_select(a->value, int64_t(dimension), indices->value); });
}

ptb_status ptb_concatenate(ptb_tensor *const *parts, size_t count, ptrdiff_t dimension, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::cat(gather(parts, count), int64_t(dimension)); });
}

ptb_status ptb_stack(ptb_tensor *const *parts, size_t count, ptrdiff_t dimension, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::stack(gather(parts, count), dimension); });
}

ptb_status ptb_strided(ptb_tensor *a, ptrdiff_t dimension, ptrdiff_t step, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    return at::slice(a->value, int64_t(dimension), /*start=*/std::nullopt, /*end=*/std::nullopt, int64_t(step));
  });
}

ptb_status ptb_pad(ptb_tensor *a, const ptrdiff_t *amounts, size_t count, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::constant_pad_nd(a->value, bridge::sizes(amounts, count)); });
}
