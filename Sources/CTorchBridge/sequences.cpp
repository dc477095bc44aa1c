// Attention and recurrent layers. Their dropout draws from a generator of its own, where libtorch's would read the
// global one.
#include "bridge.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/gru.h>
#include <ATen/ops/gru_cell.h>
#include <ATen/ops/lstm.h>
#include <ATen/ops/lstm_cell.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

namespace {

void check_probability(double p) {
  TORCH_CHECK(p >= 0 && p < 1, "the dropout probability is ", p, "; allowed: 0 <= p < 1");
}

// One layer of [n, length, inputs], step by step. The fused layers of oneDNN and cuDNN have a first derivative only, and
// libtorch can leave them out for all threads alone.
at::Tensor layer_by_cells(int32_t cell, const at::Tensor &input, at::TensorList weights) {
  at::Tensor h = at::zeros({input.size(0), weights[1].size(1)}, input.options()), c = h;
  std::vector<at::Tensor> states;
  for (const at::Tensor &x : input.unbind(1)) {
    if (cell == PTB_LSTM) {
      std::tie(h, c) = at::lstm_cell(x, {h, c}, weights[0], weights[1], weights[2], weights[3]);
    } else {
      h = at::gru_cell(x, h, weights[0], weights[1], weights[2], weights[3]);
    }
    states.push_back(h);
  }
  return at::stack(states, 1);
}

// cuDNN's recurrent layers multiply on several streams at once, and have the same bits from run to run only where cuBLAS's
// workspace has a fixed size (NVIDIA's manuals of both). Only for them: where it is set, libtorch 2.11 reads it anew, slowly, at
// each product of matrices.
void fix_workspace() {
  static const bool is_fixed = setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0) == 0;
  (void)is_fixed;
}

// cuDNN wants the weights of all layers in one piece, which libtorch makes of ours at each call and warns of. They are small beside
// what the layers compute, and each belongs to a parameter of its own.
class OwnWeights final : public c10::WarningHandler {
  void process(const c10::Warning &warning) override {
    if (warning.msg().find("contiguous chunk") == std::string::npos) c10::WarningHandler::process(warning);
  }
};

}  // namespace

ptb_status ptb_packed_attention(ptb_tensor *packed, ptrdiff_t heads, bool causal, double dropout, uint64_t seed,
                         PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    const at::Tensor &x = packed->value;
    TORCH_CHECK(x.dim() == 3 && heads > 0 && x.size(2) % (3 * heads) == 0, "wanted [n, length, 3 * heads * size]");
    check_probability(dropout);
    const int64_t width = x.size(2) / 3, size = width / heads;
    const auto parts = x.reshape({x.size(0), x.size(1), 3, heads, size}).unbind(2);
    const at::Tensor q = parts[0].transpose(1, 2), k = parts[1].transpose(1, 2), v = parts[2].transpose(1, 2);
    at::Tensor y;
    if (dropout == 0 && !bridge::derives_twice()) {
      y = at::scaled_dot_product_attention(q, k, v, std::nullopt, 0.0, causal);
      bridge::sum_in_order(y);
    } else {
      at::Tensor scores = at::matmul(q.mul(1 / std::sqrt(double(size))), k.transpose(2, 3));
      if (causal) {
        const at::Tensor future = at::ones({x.size(1), x.size(1)}, x.options().dtype(at::kBool)).triu(1);
        scores = scores.masked_fill(future, -std::numeric_limits<double>::infinity());
      }
      at::Tensor weights = at::softmax(scores, -1);
      if (dropout > 0) {
        weights = at::mul(weights, bridge::dropout_mask(weights, dropout, bridge::generator(x, seed)));
      }
      y = at::matmul(weights, v);
    }
    return y.transpose(1, 2).reshape({x.size(0), x.size(1), width});
  });
}

ptb_status ptb_recurrent(int32_t cell, ptb_tensor *x, ptb_tensor *const *weights, size_t layers, double dropout,
                         uint64_t seed, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    TORCH_CHECK(x->value.dim() == 3 && layers > 0, "wanted [n, length, inputs] and at least one layer");
    check_probability(dropout);
    std::vector<at::Tensor> all;
    for (size_t i = 0; i < 4 * layers; ++i) all.push_back(bridge::widened(weights[i]->value, x->value));
    const int64_t hidden = all[1].size(1);
    // `depth` layers from `first` on, without dropout between them.
    const auto run = [&](const at::Tensor &input, size_t first, size_t depth) {
      const at::TensorList own = at::TensorList(all).slice(4 * first, 4 * depth);
      if (bridge::derives_twice()) {
        at::Tensor y = input;
        for (size_t layer = 0; layer < depth; ++layer) y = layer_by_cells(cell, y, own.slice(4 * layer, 4));
        return y;
      }
      const at::Tensor zero = at::zeros({int64_t(depth), input.size(0), hidden}, input.options());
      return cell == PTB_LSTM
                 ? std::get<0>(at::lstm(input, {zero, zero}, own, true, int64_t(depth), 0.0, true, false, true))
                 : std::get<0>(at::gru(input, zero, own, true, int64_t(depth), 0.0, true, false, true));
    };
    if (x->value.is_cuda()) fix_workspace();
    OwnWeights handler;
    const c10::WarningUtils::WarningHandlerGuard quiet(&handler);
    if (dropout == 0) return run(x->value, 0, layers);
    auto generator = bridge::generator(x->value, seed);
    at::Tensor y = run(x->value, 0, 1);
    for (size_t layer = 1; layer < layers; ++layer) y = run(at::mul(y, bridge::dropout_mask(y, dropout, generator)), layer, 1);
    return y;
  });
}
