// Copies on the host of leaves that are elsewhere, and of their gradients. Each type's tensors lie in one piece of memory on
// either side, so that a step crosses the bus once each way, and what is on the host is page-locked for it: the bus is
// several times slower on other memory.
#include "bridge.h"

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/empty.h>
#include <c10/core/Event.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <memory>
#include <optional>
#include <vector>

namespace {

// A multiple of the cache line, and of what a GPU reads at a time.
constexpr int64_t alignment = 512;

// The tensors of one type on one device. `there` serves both ways in turn: gradients are gathered in it on their way to the host, and
// parameters arrive in it.
struct Part {
  at::ScalarType type;
  at::Device device;
  std::vector<size_t> members;
  std::vector<int64_t> offsets;
  int64_t size = 0;
  at::Tensor there, parameters, gradients;

  at::Tensor view(const at::Tensor &memory, size_t member, const at::Tensor &like) const {
    return memory.narrow(0, offsets[member], like.numel()).view(like.sizes());
  }
};

}  // namespace

struct ptb_staging {
  std::vector<at::Tensor> tensors;
  std::vector<Part> parts;
  std::vector<ptb_parameter_view> views;
  std::vector<void *> gradients;  // where each one's gradient is put
  std::optional<c10::Event> given;
  at::Device device = at::kCPU;

  // Until the last parameters have left the host's memory.
  void settle() {
    if (given) given->synchronize();
  }
};

namespace {

void make_room(ptb_staging &staging) {
  for (size_t i = 0; i < staging.tensors.size(); i++) {
    const at::Tensor &tensor = staging.tensors[i];
    if (tensor.is_cuda()) {
      TORCH_CHECK(staging.device.is_cpu() || staging.device == tensor.device(), "parameters are on ", staging.device, " and ",
                  tensor.device(), "; allowed: one GPU");
      staging.device = tensor.device();
    }
    Part *part = nullptr;
    for (Part &known : staging.parts) {
      if (known.type == tensor.scalar_type() && known.device == tensor.device()) part = &known;
    }
    if (!part) part = &staging.parts.emplace_back(Part{.type = tensor.scalar_type(), .device = tensor.device()});
    part->members.push_back(i);
    part->offsets.push_back(part->size);
    const int64_t step = alignment / int64_t(tensor.element_size());
    part->size += (tensor.numel() + step - 1) / step * step;
  }
  staging.views.resize(staging.tensors.size());
  staging.gradients.resize(staging.tensors.size());
  for (Part &part : staging.parts) {
    const auto host = at::TensorOptions().dtype(part.type).pinned_memory(part.device.is_cuda());
    part.parameters = at::empty({part.size}, host);
    part.gradients = at::empty({part.size}, host);
    part.there = at::empty({part.size}, at::TensorOptions().dtype(part.type).device(part.device));
    for (size_t member = 0; member < part.members.size(); member++) {
      const size_t i = part.members[member];
      const at::Tensor &tensor = staging.tensors[i];
      const int64_t offset = part.offsets[member] * int64_t(tensor.element_size());
      staging.views[i] = {static_cast<char *>(part.parameters.mutable_data_ptr()) + offset, nullptr, tensor.numel(),
                          int32_t(part.type)};
      staging.gradients[i] = static_cast<char *>(part.gradients.mutable_data_ptr()) + offset;
    }
  }
}

void take_parameters(ptb_staging &staging) {
  staging.settle();
  for (Part &part : staging.parts) {
    std::vector<at::Tensor> from, to;
    for (size_t member = 0; member < part.members.size(); member++) {
      from.push_back(staging.tensors[part.members[member]].detach());
      to.push_back(part.view(part.there, member, from.back()));
    }
    at::_foreach_copy_(to, from);
    part.parameters.copy_(part.there);
  }
}

void take_gradients(ptb_staging &staging) {
  for (Part &part : staging.parts) {
    std::vector<at::Tensor> from, to;
    for (size_t member = 0; member < part.members.size(); member++) {
      const size_t i = part.members[member];
      const at::Tensor &gradient = staging.tensors[i].grad();
      staging.views[i].gradient = nullptr;
      if (!gradient.defined()) continue;
      TORCH_CHECK(gradient.scalar_type() == part.type && !gradient.is_sparse(), "parameter ", i,
                  " has a gradient of another type or layout");
      staging.views[i].gradient = staging.gradients[i];
      from.push_back(gradient.detach());
      to.push_back(part.view(part.there, member, gradient));
    }
    if (from.empty()) continue;
    at::_foreach_copy_(to, from);
    part.gradients.copy_(part.there);
  }
}

void give_parameters(ptb_staging &staging, bool waits) {
  for (Part &part : staging.parts) {
    std::vector<at::Tensor> from, to;
    part.there.copy_(part.parameters, /*non_blocking=*/!waits);
    for (size_t member = 0; member < part.members.size(); member++) {
      to.push_back(staging.tensors[part.members[member]]);
      from.push_back(part.view(part.there, member, to.back()));
    }
    at::_foreach_copy_(to, from);
  }
  if (waits || !staging.device.is_cuda()) return;
  if (!staging.given) staging.given.emplace(staging.device.type());
  staging.given->record(c10::impl::VirtualGuardImpl(staging.device.type()).getStream(staging.device));
}

}  // namespace

ptb_status ptb_stage(ptb_tensor *const *tensors, size_t count, ptb_staging **out) noexcept {
  *out = nullptr;
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    auto staging = std::make_unique<ptb_staging>();
    for (size_t i = 0; i < count; i++) staging->tensors.push_back(tensors[i]->value);
    make_room(*staging);
    take_parameters(*staging);
    *out = staging.release();
  });
}

ptb_status ptb_stage_take_parameters(ptb_staging *staging) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    take_parameters(*staging);
  });
}

ptb_status ptb_stage_take_gradients(ptb_staging *staging) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    take_gradients(*staging);
  });
}

ptb_status ptb_stage_give_parameters(ptb_staging *staging, bool waits) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    give_parameters(*staging, waits);
  });
}

ptb_status ptb_stage_settle(ptb_staging *staging) noexcept {
  return bridge::guarded([&] { staging->settle(); });
}

const ptb_parameter_view *ptb_stage_views(ptb_staging *staging) noexcept { return staging->views.data(); }

void ptb_stage_release(ptb_staging *staging) noexcept {
  bridge::guarded([&] { staging->settle(); });
  delete staging;
}
