// The mean loss of a perceptron on a batch and its gradient, without a graph: two products for each layer's weights and one
// for what is below, into memory that is there from the batch before. Of a small network the graph is most of the time.
#include "bridge.h"
#include "perceptron_loops.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#pragma clang assume_nonnull begin

// The BLAS product that libtorch is built with and has its own products by, where it exports it. C is column-major: c ← op(a)·op(b).
extern "C" void sgemm_(const char *op_a, const char *op_b, const int *m, const int *n, const int *k, const float *alpha,
                       const float *a, const int *lda, const float *b, const int *ldb, const float *beta, float *c,
                       const int *ldc) __attribute__((weak));

struct ptb_perceptron_pass {
  // W and b of each layer in turn, and their gradients.
  std::vector<at::Tensor> weights, gradients;
  int32_t activation = PTB_RELU;
  // Of each layer, for the size of batch that came last: the outputs, and the loss's gradient by them.
  std::vector<at::Tensor> outputs, slopes;
};

namespace {

// c ← op(a)·op(b) of row-major matrices in one piece, op the transpose where it is told. To call it directly saves what
// libtorch does around a product, which is as much as a small one takes.
void multiply(at::Tensor &c, const at::Tensor &a, bool a_transposed, const at::Tensor &b, bool b_transposed) {
  if (sgemm_ == nullptr) {
    at::mm_out(c, a_transposed ? a.t() : a, b_transposed ? b.t() : b);
    return;
  }
  // A row-major matrix is its transpose in columns: cᵀ = op(b)ᵀ·op(a)ᵀ.
  const int m = int(c.size(1)), n = int(c.size(0)), k = int(a.size(a_transposed ? 0 : 1));
  const int lda = int(a.size(1)), ldb = int(b.size(1));
  const float one = 1, zero = 0;
  sgemm_(b_transposed ? "T" : "N", a_transposed ? "T" : "N", &m, &n, &k, &one, bridge::elements<float>(b), &ldb,
         bridge::elements<float>(a), &lda, &zero, c.mutable_data_ptr<float>(), &m);
}

// x ← eˣ for x ≤ 0, at least e⁻⁸⁷: x = n·ln 2 + r, and the series of eʳ. NaN stays NaN.
PTB_CLONES void exponentials(float *x, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    const float v = x[i] < -87.0f ? -87.0f : x[i];
    const float shifted = v * 0x1.715476p+0f + 0x1.8p23f;
    const float n = shifted - 0x1.8p23f;
    const float r = (v - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1;
    p = p * r + 1;
    uint32_t power;
    std::memcpy(&power, &shifted, sizeof power);
    power = (power << 23) + 0x3f800000u;
    float factor;
    std::memcpy(&factor, &power, sizeof factor);
    x[i] = p * factor;
  }
}

// The mean of −log softmax(scores)_label over the rows; the scores become its gradient.
double cross_entropy(float *scores, const int64_t *labels, int64_t rows, int64_t width) {
  double loss = 0;
  for (int64_t i = 0; i < rows; i++) {
    float *row = scores + i * width;
    TORCH_CHECK_INDEX(labels[i] >= 0 && labels[i] < width, "row ", i, " has the class ", labels[i], " of ", width);
    float largest = row[0];
    for (int64_t j = 1; j < width; j++) largest = row[j] > largest ? row[j] : largest;
    for (int64_t j = 0; j < width; j++) row[j] -= largest;
    loss -= double(row[labels[i]]);
  }
  exponentials(scores, rows * width);
  const float share = 1 / float(rows);
  // Σ log of the rows' sums by one logarithm of many of them together, none of which is below 1.
  double product = 1;
  for (int64_t i = 0; i < rows; i++) {
    float *row = scores + i * width;
    float sum = 0;
    for (int64_t j = 0; j < width; j++) sum += row[j];
    product *= double(sum);
    if (!(product < 0x1p800)) loss += std::log(product), product = 1;
    const float factor = share / sum;
    for (int64_t j = 0; j < width; j++) row[j] *= factor;
    row[labels[i]] -= share;
  }
  loss += std::log(product);
  return loss / double(rows);
}

// factor·mean (y − t)²; the outputs become its gradient.
double squared_error(float *y, const float *targets, int64_t count, double factor) {
  double sum = 0;
  const float slope = float(2 * factor / double(count));
  for (int64_t i = 0; i < count; i++) {
    const float error = y[i] - targets[i];
    sum += double(error) * double(error);
    y[i] = slope * error;
  }
  return factor * sum / double(count);
}

void make_room(ptb_perceptron_pass &pass, int64_t rows) {
  if (!pass.outputs.empty() && pass.outputs[0].size(0) == rows) return;
  std::vector<at::Tensor> outputs, slopes;
  for (size_t l = 0; l < pass.weights.size(); l += 2) {
    outputs.push_back(at::empty({rows, pass.weights[l].size(0)}, at::kFloat));
    // The last layer's outputs become the gradient where they are.
    slopes.push_back(l + 2 < pass.weights.size() ? at::empty_like(outputs.back()) : outputs.back());
  }
  pass.outputs = std::move(outputs);
  pass.slopes = std::move(slopes);
}

double mean_loss(ptb_perceptron_pass &pass, const at::Tensor &x, const at::Tensor &targets, int32_t loss, double factor) {
  const size_t layers = pass.weights.size() / 2;
  const int64_t rows = x.size(0);
  const bool is_rectified = pass.activation == PTB_RELU;
  make_room(pass, rows);
  for (size_t l = 0; l < layers; l++) {
    at::Tensor &y = pass.outputs[l];
    multiply(y, l ? pass.outputs[l - 1] : x, false, pass.weights[2 * l], true);
    const bool is_hidden = l + 1 < layers;
    const auto add = is_hidden && is_rectified ? add_bias_and_rectify : add_bias;
    add(y.mutable_data_ptr<float>(), bridge::elements<float>(pass.weights[2 * l + 1]), rows, y.size(1));
    if (is_hidden && !is_rectified) y.tanh_();
  }
  at::Tensor &last = pass.outputs.back();
  const double mean =
      loss == PTB_CROSS_ENTROPY
          ? cross_entropy(last.mutable_data_ptr<float>(), bridge::elements<int64_t>(targets), rows, last.size(1))
          : squared_error(last.mutable_data_ptr<float>(), bridge::elements<float>(targets), last.numel(), factor);
  for (size_t l = layers; l-- > 0;) {
    at::Tensor &g = pass.slopes[l];
    multiply(pass.gradients[2 * l], g, true, l ? pass.outputs[l - 1] : x, false);
    sum_columns(bridge::elements<float>(g), pass.gradients[2 * l + 1].mutable_data_ptr<float>(), rows, g.size(1));
    if (l == 0) break;
    at::Tensor &below = pass.slopes[l - 1];
    multiply(below, g, false, pass.weights[2 * l], false);
    const auto through = is_rectified ? through_rectifier : through_tanh;
    through(below.mutable_data_ptr<float>(), bridge::elements<float>(pass.outputs[l - 1]), below.numel());
  }
  return mean;
}

void require_memory(const at::Tensor &tensor, at::ScalarType type, at::IntArrayRef sizes, const char *name) {
  TORCH_CHECK(tensor.is_cpu() && tensor.scalar_type() == type && tensor.is_contiguous() && tensor.sizes() == sizes,
              "a perceptron's pass takes ", name, " of type ", type, " and shape ", sizes, " in one piece on the CPU, not ",
              tensor.scalar_type(), " ", tensor.sizes());
}

}  // namespace

ptb_status ptb_perceptron_pass_make(ptb_tensor *const *weights, ptb_tensor *const *gradients, size_t layers,
                                    int32_t activation, ptb_perceptron_pass **out) noexcept {
  *out = nullptr;
  return bridge::guarded([&] {
    TORCH_CHECK(layers > 0, "a perceptron has a layer at least");
    TORCH_CHECK(activation == PTB_RELU || activation == PTB_TANH, "no activation has the number ", activation);
    auto pass = std::make_unique<ptb_perceptron_pass>();
    pass->activation = activation;
    for (size_t l = 0; l < layers; l++) {
      const at::Tensor w = weights[2 * l]->value.detach(), b = weights[2 * l + 1]->value.detach();
      TORCH_CHECK(w.dim() == 2, "a layer's weights are a matrix, not ", w.sizes());
      TORCH_CHECK(w.numel() <= INT32_MAX, "a layer has ", w.numel(), " weights; at most 2³¹ − 1 go through a pass");
      require_memory(w, at::kFloat, {w.size(0), l ? pass->weights[2 * l - 2].size(0) : w.size(1)}, "weights");
      require_memory(b, at::kFloat, {w.size(0)}, "biases");
      require_memory(gradients[2 * l]->value, at::kFloat, w.sizes(), "gradients");
      require_memory(gradients[2 * l + 1]->value, at::kFloat, b.sizes(), "gradients");
      pass->weights.insert(pass->weights.end(), {w, b});
      pass->gradients.insert(pass->gradients.end(), {gradients[2 * l]->value, gradients[2 * l + 1]->value});
    }
    *out = pass.release();
  });
}

ptb_status ptb_perceptron_pass_run(ptb_perceptron_pass *pass, ptb_tensor *x, ptb_tensor *targets, int32_t loss,
                                   double factor, double *mean) noexcept {
  return bridge::guarded([&] {
    // Nothing is recorded, and nothing has to be looked up for it.
    const c10::impl::ExcludeDispatchKeyGuard below(c10::autograd_dispatch_keyset_with_ADInplaceOrView |
                                                   c10::autocast_dispatch_keyset);
    const at::Tensor &input = x->value;
    TORCH_CHECK(input.dim() > 0 && input.size(0) > 0, "a batch has an example at least");
    const int64_t rows = input.size(0);
    require_memory(input, at::kFloat, input.sizes(), "a batch");
    TORCH_CHECK(input.numel() <= INT32_MAX, "a batch has ", input.numel(), " numbers; at most 2³¹ − 1 go through a pass");
    const at::Tensor matrix = input.dim() == 2 ? input : input.view({rows, -1});
    TORCH_CHECK(matrix.size(1) == pass->weights[0].size(1), "an example has ", matrix.size(1), " numbers, the first layer ",
                pass->weights[0].size(1));
    if (loss == PTB_CROSS_ENTROPY) {
      require_memory(targets->value, at::kLong, {rows}, "classes");
    } else {
      require_memory(targets->value, at::kFloat, {rows, pass->weights.back().size(0)}, "numbers");
    }
    *mean = mean_loss(*pass, matrix, targets->value, loss, factor);
  });
}

void ptb_perceptron_pass_release(ptb_perceptron_pass *pass) noexcept { delete pass; }

#pragma clang assume_nonnull end
