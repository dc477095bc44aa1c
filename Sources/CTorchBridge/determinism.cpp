// Sums whose order does not depend on which of a GPU's threads is first.
#include "bridge.h"

#include <ATen/Context.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>

#include <memory>
#include <mutex>
#include <string>

namespace {

using torch::autograd::Node;
using torch::autograd::variable_list;

// libtorch's choice is one for all threads: the first that needs it sets it, the last brings it back. It is set for attention's own
// operation alone, since in the strict form, the only one that attention heeds, others refuse to run at all.
class Order {
 public:
  ~Order() { end(); }

  void begin() {
    if (is_set_) return;
    const std::lock_guard lock(choice);
    if (choosing++ == 0) {
      at::Context &context = at::globalContext();
      before = {context.deterministicAlgorithms(), context.deterministicAlgorithmsWarnOnly(),
                context.deterministicFillUninitializedMemory()};
      context.setDeterministicAlgorithms(true, /*warn_only=*/false);
      context.setDeterministicFillUninitializedMemory(false);
    }
    is_set_ = true;
  }

  void end() {
    if (!is_set_) return;
    const std::lock_guard lock(choice);
    if (--choosing == 0) {
      at::globalContext().setDeterministicAlgorithms(before.algorithms, before.warns);
      at::globalContext().setDeterministicFillUninitializedMemory(before.fills);
    }
    is_set_ = false;
  }

 private:
  bool is_set_ = false;

  struct Choice {
    bool algorithms, warns, fills;
  };
  static inline std::mutex choice;
  static inline int choosing = 0;
  static inline Choice before{};
};

class Begin final : public torch::autograd::FunctionPreHook {
 public:
  explicit Begin(std::shared_ptr<Order> order) : order_(std::move(order)) {}
  variable_list operator()(const variable_list &gradients) override {
    order_->begin();
    return gradients;
  }

 private:
  std::shared_ptr<Order> order_;
};

// Where the operation fails this is not called, and the graph's end brings the choice back.
class End final : public torch::autograd::FunctionPostHook {
 public:
  explicit End(std::shared_ptr<Order> order) : order_(std::move(order)) {}
  variable_list operator()(const variable_list &outputs, const variable_list &) override {
    order_->end();
    return outputs;
  }

 private:
  std::shared_ptr<Order> order_;
};

}  // namespace

void bridge::sum_in_order(const at::Tensor &y) {
  if (!y.is_cuda()) return;
  // A head's size may have been padded for the kernel and cut again; attention by single operations has no such node.
  constexpr int furthest = 4;
  Node *node = y.grad_fn().get();
  for (int step = 0; node && step < furthest; step++) {
    if (node->name().find("ScaledDotProduct") != std::string::npos) {
      const auto order = std::make_shared<Order>();
      node->add_pre_hook(std::make_unique<Begin>(order));
      node->add_post_hook(std::make_unique<End>(order));
      return;
    }
    node = node->num_outputs() > 0 ? node->next_edge(0).function.get() : nullptr;
  }
}
