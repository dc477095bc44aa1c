#include "bridge.h"

#include <ATen/Context.h>
#include <ATen/DeviceGuard.h>
#include <c10/core/GradMode.h>
#include <dlfcn.h>

namespace {

at::Device device(int32_t index) { return index < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, at::DeviceIndex(index)); }

// The CUDA half of libtorch registers itself when it is loaded, and nothing here links against it: a libtorch without
// one has no such file.
int32_t count_cuda() {
  if (!at::globalContext().hasCUDA()) dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
  if (!at::globalContext().hasCUDA()) return 0;
  return int32_t(at::detail::getCUDAHooks().getNumGPUs());
}

}  // namespace

int32_t ptb_cuda_count(void) noexcept {
  static const int32_t count = [] {
    int32_t found = 0;
    bridge::guarded([&] { found = count_cuda(); });
    return found;
  }();
  return count;
}

int32_t ptb_device_of(ptb_tensor *tensor) noexcept {
  return tensor->value.is_cuda() ? int32_t(tensor->value.device().index()) : -1;
}

ptb_status ptb_to_device(ptb_tensor *tensor, int32_t index, PTB_NEW out) noexcept {
  return bridge::make(out, [&] { return tensor->value.to(device(index)); });
}

ptb_status ptb_move_to_device(ptb_tensor *tensor, int32_t index) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    if (tensor->value.device() == device(index)) return;
    // As torch.nn.Module.to: the tensor stays the same one for all who hold it, with other memory.
    tensor->value.set_data(tensor->value.detach().to(device(index)));
    tensor->value.mutable_grad().reset();
    // cuDNN's fastest sums differ from run to run.
    if (index >= 0) at::globalContext().setDeterministicCuDNN(true);
  });
}

ptb_status ptb_convert_in_place(ptb_tensor *tensor, int32_t dtype) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    const auto type = bridge::scalar_type(dtype);
    if (tensor->value.scalar_type() == type) return;
    tensor->value.set_data(tensor->value.detach().to(type));
    tensor->value.mutable_grad().reset();
  });
}

int64_t ptb_version_of(ptb_tensor *tensor) noexcept { return int64_t(tensor->value._version()); }
