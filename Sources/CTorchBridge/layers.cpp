#include "bridge.h"

#include <ATen/Context.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mul.h>

#include <array>

namespace {

using Pair = std::array<int64_t, 2>;

Pair kernel(const ptb_window &window) { return {window.kernel_height, window.kernel_width}; }
Pair stride(const ptb_window &window) { return {window.stride_height, window.stride_width}; }
Pair padding(const ptb_window &window) { return {window.padding_height, window.padding_width}; }
Pair dilation(const ptb_window &window) { return {window.dilation_height, window.dilation_width}; }

// oneDNN's convolutions are faster with the channels innermost: forward and backward of the Fashion-MNIST CNN
// took 49 ms so, and 68 ms in PyTorch's default layout (one thread, AVX-512). The weights themselves stay in
// row-major order, which the optimizer's addresses and the state dictionaries rely on; the copy of a kernel is
// small beside the convolution. What comes out has the same sizes; only its strides differ.
bool prefers_channels_last(const at::Tensor &input, const at::Tensor &kernels) {
  return input.dim() == 4 && kernels.dim() == 4 && input.scalar_type() == at::kFloat && input.is_cpu() &&
         at::hasMKLDNN() && at::globalContext().userEnabledMkldnn();
}

}  // namespace

ptb_status ptb_linear(ptb_tensor *x, ptb_tensor *weight, ptb_tensor *bias, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    const at::Tensor &input = x->value;
    if (bridge::is_autocast(input)) return at::linear(input, weight->value, bridge::optional(bias));
    return at::linear(input, bridge::widened(weight->value, input), bridge::widened(bias, input));
  });
}

ptb_status ptb_conv2d(ptb_tensor *x, ptb_tensor *weight, ptb_tensor *bias, ptb_window window, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    const bool widens = !bridge::is_autocast(x->value);
    at::Tensor input = x->value, kernels = widens ? bridge::widened(weight->value, input) : weight->value;
    const auto offsets = widens ? bridge::widened(bias, input) : bridge::optional(bias);
    if (prefers_channels_last(input, kernels)) {
      input = input.contiguous(at::MemoryFormat::ChannelsLast);
      // A copy even where the sizes make both layouts the same bytes (one input channel): its strides are what
      // tells the convolution to answer in this layout.
      kernels = kernels.clone(at::MemoryFormat::ChannelsLast);
    }
    return at::conv2d(input, kernels, offsets, stride(window), padding(window), dilation(window),
                      int64_t(window.groups));
  });
}

ptb_status ptb_max_pool2d(ptb_tensor *x, ptb_window window, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    return at::max_pool2d(x->value, kernel(window), stride(window), padding(window), dilation(window),
                          window.round_up);
  });
}

ptb_status ptb_average_pool2d(ptb_tensor *x, ptb_window window, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    return at::avg_pool2d(x->value, kernel(window), stride(window), padding(window), window.round_up,
                          window.count_padding);
  });
}

ptb_status ptb_adaptive_average_pool2d(ptb_tensor *x, ptrdiff_t height, ptrdiff_t width, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::adaptive_avg_pool2d(x->value, Pair{height, width}); });
}

ptb_status ptb_batch_norm(ptb_tensor *x, ptb_tensor *weight, ptb_tensor *bias, ptb_tensor *running_mean,
                          ptb_tensor *running_variance, bool training, double momentum, double epsilon,
                          PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    // The kernel wants its vectors all of one type: that of the running ones, which stay float32.
    const at::Tensor &like = running_mean ? running_mean->value : x->value;
    return at::batch_norm(x->value, bridge::widened(weight, like), bridge::widened(bias, like),
                          bridge::optional(running_mean), bridge::optional(running_variance), training, momentum, epsilon,
                          /*cudnn_enabled=*/true);
  });
}

ptb_status ptb_layer_norm(ptb_tensor *x, const ptrdiff_t *shape, size_t rank, ptb_tensor *weight, ptb_tensor *bias,
                          double epsilon, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    return at::layer_norm(x->value, bridge::sizes(shape, rank), bridge::widened(weight, x->value),
                          bridge::widened(bias, x->value), epsilon);
  });
}

ptb_status ptb_embedding(ptb_tensor *weight, ptb_tensor *indices, ptrdiff_t padding_index, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::embedding(weight->value, indices->value, int64_t(padding_index)); });
}

ptb_status ptb_dropout(ptb_tensor *x, double p, uint64_t seed, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    TORCH_CHECK(p >= 0 && p < 1, "the dropout probability is ", p, "; allowed: 0 <= p < 1");
    // What at::dropout does, but with a generator of our own.
    return at::mul(x->value, bridge::dropout_mask(x->value, p, bridge::generator(x->value, seed)));
  });
}
