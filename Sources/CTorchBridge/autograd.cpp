#include "bridge.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

namespace {

thread_local bool records_for_second_derivatives = false;

}  // namespace

bool bridge::derives_twice() noexcept { return records_for_second_derivatives; }

bool ptb_set_derives_twice(bool value) noexcept {
  const bool before = records_for_second_derivatives;
  records_for_second_derivatives = value;
  return before;
}

bool ptb_set_gradient_mode(bool enabled) noexcept {
  const bool before = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(enabled);
  return before;
}

bool ptb_gradient_mode(void) noexcept { return c10::GradMode::is_enabled(); }

ptb_status ptb_backward(ptb_tensor *loss, bool keep_graph) noexcept {
  return bridge::guarded([&] { torch::autograd::backward({loss->value}, {}, keep_graph); });
}

ptb_status ptb_gradients(ptb_tensor *const *outputs, ptb_tensor *const *weights, size_t output_count,
                         ptb_tensor *const *inputs, size_t count, bool keep_graph, bool differentiable,
                         ptb_tensor **out) noexcept {
  for (size_t i = 0; i < count; i++) out[i] = nullptr;
  return bridge::guarded([&] {
    torch::autograd::variable_list of, at, by;
    for (size_t i = 0; i < output_count; i++) of.push_back(outputs[i]->value);
    for (size_t i = 0; i < output_count && weights; i++) by.push_back(weights[i]->value);
    for (size_t i = 0; i < count; i++) at.push_back(inputs[i]->value);
    auto found = torch::autograd::grad(of, at, by, keep_graph || differentiable, differentiable, true);
    for (size_t i = 0; i < count; i++) {
      if (found[i].defined()) out[i] = bridge::wrap(std::move(found[i]));
    }
  });
}

ptb_status ptb_detach(ptb_tensor *tensor, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return tensor->value.detach(); });
}

ptb_status ptb_set_requires_gradient(ptb_tensor *tensor, bool required) noexcept {
  return bridge::guarded([&] { tensor->value.requires_grad_(required); });
}

bool ptb_requires_gradient(ptb_tensor *tensor) noexcept { return tensor->value.requires_grad(); }

ptb_status ptb_gradient(ptb_tensor *tensor, PTB_NEW out) noexcept {
  *out = nullptr;
  return bridge::guarded([&] {
    const at::Tensor &gradient = tensor->value.grad();
    if (gradient.defined()) *out = bridge::wrap(at::Tensor(gradient));
  });
}

ptb_status ptb_set_gradient(ptb_tensor *tensor, ptb_tensor *gradient) noexcept {
  return bridge::guarded([&] {
    if (gradient) {
      TORCH_CHECK(gradient->value.sizes() == tensor->value.sizes(), "the gradient's shape ", gradient->value.sizes(),
                  " is not the tensor's ", tensor->value.sizes());
      tensor->value.mutable_grad() = gradient->value.detach();
    } else {
      tensor->value.mutable_grad().reset();
    }
  });
}

ptb_status ptb_zero_gradients(ptb_tensor *const *tensors, size_t count) noexcept {
  return bridge::guarded([&] {
    for (size_t i = 0; i < count; i++) tensors[i]->value.mutable_grad().reset();
  });
}

ptb_status ptb_parameter_views(ptb_tensor *const *tensors, size_t count, ptb_parameter_view *out) noexcept {
  return bridge::guarded([&] {
    for (size_t i = 0; i < count; i++) {
      const at::Tensor &parameter = tensors[i]->value;
      TORCH_CHECK(parameter.is_cpu(), "parameter ", i, " is on ", parameter.device(), ", not in the CPU's memory");
      TORCH_CHECK(parameter.is_contiguous(), "parameter ", i, " is not contiguous: its shape is ", parameter.sizes(),
                  " and its strides are ", parameter.strides());
      out[i].data = parameter.mutable_data_ptr();
      out[i].gradient = nullptr;
      out[i].count = parameter.numel();
      out[i].dtype = int32_t(parameter.scalar_type());
      const at::Tensor &gradient = parameter.grad();
      if (!gradient.defined()) continue;
      TORCH_CHECK(gradient.scalar_type() == parameter.scalar_type() && !gradient.is_sparse(), "parameter ", i,
                  " has a gradient of another type or layout");
      // The optimizer may write to the gradient: it must be dense (a sum's is an expanded scalar) and its own.
      if (!gradient.is_contiguous() || gradient.storage().use_count() > 1) {
        parameter.mutable_grad() = gradient.detach().clone(at::MemoryFormat::Contiguous);
      }
      out[i].gradient = parameter.grad().mutable_data_ptr();
    }
  });
}
