#include "bridge.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace {

using torch::jit::Module;

// One place of the module that holds a tensor.
struct Slot {
  Module owner;
  std::string attribute;
  at::Tensor value;
};

struct Named {
  std::string name;
  at::Tensor value;
};

}  // namespace

struct ptb_script {
  Module module;
  std::array<std::vector<Named>, 3> tensors;  // by ptb_script_kind
  std::vector<Slot> buffer_slots;
  std::mutex use;  // a call sets the module's mode and torch's generator
};

namespace {

// libtorch's choice of kernels is one for all threads: the first that needs others sets it, the last brings it back.
struct KernelChoice {
  bool mkldnn, cudnn, flash, efficient, cudnn_attention;

  static KernelChoice now() {
    const at::Context &context = at::globalContext();
    return {context.userEnabledMkldnn(), context.userEnabledCuDNN(), context.userEnabledFlashSDP(),
            context.userEnabledMemEfficientSDP(), context.userEnabledCuDNNSDP()};
  }
  void set() const {
    at::Context &context = at::globalContext();
    context.setUserEnabledMkldnn(mkldnn);
    context.setUserEnabledCuDNN(cudnn);
    context.setSDPUseFlash(flash);
    context.setSDPUseMemEfficient(efficient);
    context.setSDPUseCuDNN(cudnn_attention);
  }
};

std::mutex choice;
int choosing = 0;
KernelChoice before_choosing;

// While it lives, and what this thread records will be derived twice, keeps libtorch from choosing its fused recurrent
// layers and attention, which have a first derivative only. A script's layers are libtorch's: nothing else reaches them.
class DerivableKernels {
 public:
  DerivableKernels() : applies_(bridge::derives_twice()) {
    if (!applies_) return;
    const std::lock_guard lock(choice);
    if (choosing++ > 0) return;
    before_choosing = KernelChoice::now();
    KernelChoice{}.set();
  }
  ~DerivableKernels() {
    if (!applies_) return;
    const std::lock_guard lock(choice);
    if (--choosing == 0) before_choosing.set();
  }
  DerivableKernels(const DerivableKernels &) = delete;
  DerivableKernels &operator=(const DerivableKernels &) = delete;

 private:
  const bool applies_;
};

void check_type(const std::string &name, const at::Tensor &tensor) {
  switch (tensor.scalar_type()) {
    case at::kByte: case at::kLong: case at::kFloat: case at::kDouble: case at::kBool: case at::kBFloat16: return;
    default:
      TORCH_CHECK(false, "the tensor '", name, "' has the type ", tensor.scalar_type(),
                  "; allowed: uint8, int64, float32, float64, bool, bfloat16");
  }
}

// Saving makes two tensors of one that two attributes share, which then drift apart in training. They still share
// their memory, by which they are known here, and become one again.
const Named *twin_of(const at::Tensor &tensor, const std::vector<Named> &known) {
  for (const Named &other : known) {
    if (tensor.numel() > 0 && other.value.const_data_ptr() == tensor.const_data_ptr() &&
        other.value.sizes() == tensor.sizes() && other.value.strides() == tensor.strides() &&
        other.value.scalar_type() == tensor.scalar_type()) {
      return &other;
    }
  }
  return nullptr;
}

// Lists the tensors in the order of Python's state_dict, each once.
void collect(ptb_script &script) {
  std::vector<Named> originals;  // as they were before they were made contiguous, with the names they got
  for (const auto &entry : script.module.named_modules()) {
    const std::string prefix = entry.name.empty() ? "" : entry.name + ".";
    Module owner = entry.value;
    for (const auto &parameter : owner.named_parameters(/*recurse=*/false)) {
      const std::string name = prefix + parameter.name;
      check_type(name, parameter.value);
      if (const Named *twin = twin_of(parameter.value, originals)) {
        for (const auto &list : script.tensors) {
          for (const Named &kept : list) {
            if (kept.name == twin->name) owner.setattr(parameter.name, kept.value);
          }
        }
        continue;
      }
      const bool trains = parameter.value.requires_grad();
      // Gradient steps walk the memory in order. A leaf of our own, whatever the file's tensor was.
      at::Tensor own = parameter.value.detach().contiguous().set_requires_grad(trains);
      owner.setattr(parameter.name, own);
      originals.push_back({name, parameter.value});
      script.tensors[trains ? PTB_SCRIPT_PARAMETERS : PTB_SCRIPT_FROZEN].push_back({name, own});
    }
    for (const auto &buffer : owner.named_buffers(/*recurse=*/false)) {
      const std::string name = prefix + buffer.name;
      check_type(name, buffer.value);
      at::Tensor own = buffer.value.contiguous();
      owner.setattr(buffer.name, own);
      script.tensors[PTB_SCRIPT_BUFFERS].push_back({name, own});
      script.buffer_slots.push_back({owner, buffer.name, own});
    }
  }
}

at::Device device_of(const ptb_script &script) {
  for (const auto &list : script.tensors) {
    if (!list.empty()) return list.front().value.device();
  }
  return at::Device(at::kCPU);
}

// Puts copies in the buffers' places, and the buffers back at its end.
class Aside {
 public:
  explicit Aside(std::vector<Slot> &slots) : slots_(slots) {
    std::vector<at::Tensor> copies;  // all of them before the first is put in place: there may be no memory
    for (const Slot &slot : slots_) copies.push_back(slot.value.clone());
    for (size_t i = 0; i < slots_.size(); i++) slots_[i].owner.setattr(slots_[i].attribute, copies[i]);
  }
  ~Aside() {
    for (Slot &slot : slots_) slot.owner.setattr(slot.attribute, slot.value);
  }
  Aside(const Aside &) = delete;
  Aside &operator=(const Aside &) = delete;

 private:
  std::vector<Slot> &slots_;
};

}  // namespace

ptb_status ptb_script_load(const char *path, ptb_script **out) noexcept {
  *out = nullptr;
  return bridge::guarded([&] {
    auto script = std::make_unique<ptb_script>();
    script->module = torch::jit::load(std::string(path), at::Device(at::kCPU), /*load_debug_files=*/false);
    TORCH_CHECK(script->module.find_method("forward").has_value(), "it has no method 'forward'");
    collect(*script);
    *out = script.release();
  });
}

void ptb_script_release(ptb_script *script) noexcept { delete script; }

ptb_status ptb_script_save(ptb_script *script, const char *path) noexcept {
  return bridge::guarded([&] {
    const std::lock_guard lock(script->use);
    script->module.train(false);
    // A file that any machine can load. Moving swaps the memory of the tensors, which stay the same ones.
    const at::Device home = device_of(*script);
    if (home.is_cuda()) script->module.to(at::Device(at::kCPU));
    script->module.save(std::string(path));
    if (home.is_cuda()) script->module.to(home);
  });
}

size_t ptb_script_count(ptb_script *script, int32_t kind) noexcept { return script->tensors[size_t(kind)].size(); }

const char *ptb_script_name(ptb_script *script, int32_t kind, size_t index) noexcept {
  return script->tensors[size_t(kind)][index].name.c_str();
}

ptb_status ptb_script_tensor(ptb_script *script, int32_t kind, size_t index, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return at::Tensor(script->tensors.at(size_t(kind)).at(index).value); });
}

ptb_status ptb_script_forward(ptb_script *script, ptb_tensor *x, bool training, bool keeps_buffers, uint64_t seed,
                              PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    const std::lock_guard lock(script->use);
    // The optimising executor records the first calls and runs another program from then on, whose sums can differ
    // in the last bits: a resumed run would not end with the same ones.
    const torch::jit::GraphOptimizerEnabledGuard plain(false);
    const DerivableKernels derivable;
    if (script->module.is_training() != training) script->module.train(training);
    if (training) {
      // Scripts draw from torch's global generator of the device; nothing else here does.
      at::Generator generator = x->value.is_cpu() ? at::detail::getDefaultCPUGenerator()
                                                  : at::globalContext().defaultGenerator(x->value.device());
      const std::lock_guard draw(generator.mutex());
      generator.set_current_seed(seed);
    }
    std::optional<Aside> aside;
    if (keeps_buffers) aside.emplace(script->buffer_slots);
    const c10::IValue result = script->module.forward({x->value});
    TORCH_CHECK(result.isTensor(), "forward returns ", result.type()->repr_str(), "; allowed: a Tensor");
    check_type("forward's result", result.toTensor());
    return result.toTensor();
  });
}
