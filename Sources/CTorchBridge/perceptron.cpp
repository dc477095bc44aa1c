// Linear layers with one activation between each two, as one operation of the graph: a pass makes no tensor but each
// layer's, and its own loops add the bias, apply the activation and sum the bias's gradient where a row is in the cache.
#include "bridge.h"
#include "perceptron_loops.h"

#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_copy.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#pragma clang assume_nonnull begin

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

// The outputs of all layers, the last one's last. `weights`: W and b of each layer, in order.
std::vector<at::Tensor> outputs_of_layers(const at::Tensor &x, at::TensorList weights, int64_t activation) {
  std::vector<at::Tensor> outputs;
  const size_t layers = weights.size() / 2;
  outputs.reserve(layers);
  for (size_t l = 0; l < layers; l++) {
    at::Tensor y = at::mm(l ? outputs.back() : x, weights[2 * l].t());
    const bool is_hidden = l + 1 < layers;
    const auto add = is_hidden && activation == PTB_RELU ? add_bias_and_rectify : add_bias;
    add(y.mutable_data_ptr<float>(), bridge::elements<float>(weights[2 * l + 1]), y.size(0), y.size(1));
    if (is_hidden && activation == PTB_TANH) y.tanh_();
    outputs.push_back(std::move(y));
  }
  return outputs;
}

// A product with a side this narrow is several times faster by way of its transpose: MKL's kernels are made for wide rows.
constexpr int64_t narrow = 16;

// gᵀ·x
at::Tensor weight_gradient(const at::Tensor &g, const at::Tensor &x) {
  return x.size(1) > narrow ? at::mm(g.t(), x) : at::mm(x.t(), g).t().contiguous();
}

// g·W
at::Tensor input_gradient(const at::Tensor &g, const at::Tensor &w) {
  return at::mm(g, w.size(1) > narrow ? w : w.t().contiguous().t());
}

// The rows of g that are not all zero, as indices; undefined where they are more than three quarters, so that leaving the
// others out would not pay.
at::Tensor rows_with_gradient(const at::Tensor &g) {
  const float *values = bridge::elements<float>(g);
  const int64_t count = g.size(0), width = g.size(1);
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < count; i++, values += width) {
    if (std::any_of(values, values + width, [](float value) { return value != 0; })) rows.push_back(i);
  }
  if (4 * int64_t(rows.size()) > 3 * count) return {};
  at::Tensor indices = at::empty({int64_t(rows.size())}, at::kLong);
  std::copy(rows.begin(), rows.end(), indices.mutable_data_ptr<int64_t>());
  return indices;
}

// Its inputs, in order: x, W and b of each layer, the activation.
class FusedPerceptron final : public torch::autograd::Function<FusedPerceptron> {
 public:
  static Variable forward(AutogradContext *context, const at::Tensor &x, at::TensorList weights, int64_t activation) {
    const at::AutoDispatchBelowADInplaceOrView below;
    auto outputs = outputs_of_layers(x, weights, activation);
    const at::Tensor y = std::move(outputs.back());
    outputs.pop_back();
    variable_list saved{x};
    for (size_t l = 0; l < weights.size(); l += 2) saved.push_back(weights[l]);
    saved.insert(saved.end(), outputs.begin(), outputs.end());
    context->save_for_backward(std::move(saved));
    context->saved_data["activation"] = activation;
    return y;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    TORCH_CHECK(!c10::GradMode::is_enabled(), "a fused perceptron has a first derivative only");
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    // x, each layer's W, each hidden layer's output.
    variable_list saved = context->get_saved_variables();
    const size_t layers = saved.size() / 2;
    const at::Tensor *w = saved.data() + 1, *hidden = w + layers;
    const bool is_rectified = context->saved_data["activation"].toInt() == PTB_RELU;

    // Where the lesser of two critics is taken, each has the gradient of its own rows. A row of zeros adds nothing.
    at::Tensor g = gradients[0].contiguous();
    const int64_t count = g.size(0);
    const at::Tensor rows = rows_with_gradient(g);
    if (rows.defined()) {
      g = g.index_select(0, rows);
      saved[0] = saved[0].index_select(0, rows);
      for (size_t l = 0; l + 1 < layers; l++) saved[1 + layers + l] = hidden[l].index_select(0, rows);
    }

    variable_list found(2 + 2 * layers);
    for (size_t l = layers; l-- > 0;) {
      const at::Tensor &below = l ? hidden[l - 1] : saved[0];
      if (context->needs_input_grad(1 + 2 * l)) found[1 + 2 * l] = weight_gradient(g, below);
      if (context->needs_input_grad(2 + 2 * l)) {
        at::Tensor sums = at::empty({g.size(1)}, g.options());
        sum_columns(bridge::elements<float>(g), sums.mutable_data_ptr<float>(), g.size(0), g.size(1));
        found[2 + 2 * l] = sums;
      }
      if (!context->needs_input_grad({{0, 1 + 2 * l}})) return found;
      g = input_gradient(g, w[l]);
      if (l == 0) break;
      const auto through = is_rectified ? through_rectifier : through_tanh;
      through(g.mutable_data_ptr<float>(), bridge::elements<float>(below), g.numel());
    }
    found[0] = rows.defined() ? at::zeros({count, g.size(1)}, g.options()).index_copy_(0, rows, g) : g;
    return found;
  }
};

bool is_matrix(const at::Tensor &tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous() && tensor.dim() == 2;
}

// Whether the loops above can take it; libtorch's operations, one by one, take everything.
bool is_fusible(const at::Tensor &x, const std::vector<at::Tensor> &weights) {
  if (bridge::derives_twice() || at::autocast::is_autocast_enabled(at::kCPU) || !is_matrix(x)) return false;
  int64_t width = x.size(1);
  for (size_t l = 0; l < weights.size(); l += 2) {
    const at::Tensor &w = weights[l], &b = weights[l + 1];
    if (!is_matrix(w) || w.size(1) != width || b.dim() != 1 || b.size(0) != w.size(0) || !b.is_contiguous() ||
        !b.is_cpu() || b.scalar_type() != at::kFloat) {
      return false;
    }
    width = w.size(0);
  }
  return true;
}

at::Tensor layer_by_layer(at::Tensor x, const std::vector<at::Tensor> &weights, int32_t activation) {
  for (size_t l = 0; l < weights.size(); l += 2) {
    if (l) x = activation == PTB_RELU ? at::relu(x) : at::tanh(x);
    x = at::linear(x, weights[l], weights[l + 1]);
  }
  return x;
}

}  // namespace

ptb_status ptb_perceptron(ptb_tensor *x, ptb_tensor *const *weights, size_t layers, int32_t activation,
                          PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    TORCH_CHECK(layers > 0, "a perceptron has a layer at least");
    TORCH_CHECK(activation == PTB_RELU || activation == PTB_TANH, "no activation has the number ", activation);
    std::vector<at::Tensor> values;
    values.reserve(2 * layers);
    const at::Tensor &input = x->value;
    const bool widens = !bridge::is_autocast(input);
    for (size_t i = 0; i < 2 * layers; i++) {
      values.push_back(widens ? bridge::widened(weights[i]->value, input) : weights[i]->value);
    }
    if (!is_fusible(input, values)) return layer_by_layer(input, values, activation);

    bool records = input.requires_grad();
    for (const at::Tensor &value : values) records |= value.requires_grad();
    if (records && c10::GradMode::is_enabled()) {
      return FusedPerceptron::apply(input, at::TensorList(values), int64_t(activation));
    }
    const at::AutoDispatchBelowADInplaceOrView below;
    return outputs_of_layers(input, values, activation).back();
  });
}

#pragma clang assume_nonnull end
