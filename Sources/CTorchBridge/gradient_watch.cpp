#include "bridge.h"

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <memory>
#include <vector>

namespace {

/// What a backward pass left in one tensor's gradient.
struct Seen {
  const void *data = nullptr;
  uint32_t version = 0;
  double largest = -1;
};

class Hook final : public torch::autograd::PostAccumulateGradHook {
 public:
  Hook(std::shared_ptr<Seen> seen, ptb_largest largest) : seen_(std::move(seen)), largest_(largest) {}

  void operator()(const torch::autograd::Variable &tensor) override {
    seen_->data = nullptr;
    const at::Tensor &gradient = tensor.grad();
    // Others are copied before they are lent (ptb_parameter_views), so that this one would be another.
    if (!gradient.defined() || !gradient.is_cpu() || gradient.is_sparse() || !gradient.is_contiguous()) return;
    seen_->largest = largest_(gradient.const_data_ptr(), gradient.numel(), int32_t(gradient.scalar_type()));
    seen_->version = uint32_t(gradient._version());
    seen_->data = gradient.const_data_ptr();
  }

  bool writes_to(const std::shared_ptr<Seen> &seen) const { return seen_ == seen; }

 private:
  std::shared_ptr<Seen> seen_;
  ptb_largest largest_;
};

}  // namespace

struct ptb_gradient_watch {
  std::vector<at::Tensor> tensors;
  std::vector<std::shared_ptr<Seen>> seen;
};

ptb_status ptb_watch_gradients(ptb_tensor *const *tensors, size_t count, ptb_largest largest,
                               ptb_gradient_watch **out) noexcept {
  *out = nullptr;
  return bridge::guarded([&] {
    auto watch = std::make_unique<ptb_gradient_watch>();
    for (size_t i = 0; i < count; i++) {
      watch->tensors.push_back(tensors[i]->value);
      watch->seen.push_back(std::make_shared<Seen>());
    }
    for (size_t i = 0; i < count; i++) {
      torch::autograd::impl::set_post_acc_grad_hooks(watch->tensors[i],
                                                     std::make_unique<Hook>(watch->seen[i], largest));
    }
    *out = watch.release();
  });
}

void ptb_watched_sizes(ptb_gradient_watch *watch, double *out) noexcept {
  for (size_t i = 0; i < watch->tensors.size(); i++) {
    const at::Tensor &gradient = watch->tensors[i].grad();
    const Seen &seen = *watch->seen[i];
    const bool is_known = gradient.defined() && seen.data && gradient.const_data_ptr() == seen.data &&
                          uint32_t(gradient._version()) == seen.version;
    out[i] = is_known ? seen.largest : -1;
  }
}

void ptb_end_watch(ptb_gradient_watch *watch) noexcept {
  for (size_t i = 0; i < watch->tensors.size(); i++) {
    auto &hook = torch::autograd::impl::post_acc_grad_hooks(watch->tensors[i]);
    auto *ours = dynamic_cast<Hook *>(hook.get());
    if (ours && ours->writes_to(watch->seen[i])) hook.reset();
  }
  delete watch;
}
