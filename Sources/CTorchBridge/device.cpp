#include "bridge.h"

#include <ATen/Context.h>
#include <ATen/DeviceGuard.h>
#include <c10/core/GradMode.h>
#include <dlfcn.h>

#include <string>
#include <string_view>

namespace {

at::Device device(int32_t index) { return index < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, at::DeviceIndex(index)); }

struct CudaHalf {
  bool is_loaded = false;
  std::string fault;  // why it is not, where there is one
};

// The CUDA half of libtorch registers itself when it is loaded, and nothing here links against it: a libtorch without
// one has no such file.
CudaHalf load_cuda() {
  constexpr const char *file = "libtorch_cuda.so";
  CudaHalf half;
  half.is_loaded = dlopen(file, RTLD_NOW | RTLD_GLOBAL) != nullptr;
  if (half.is_loaded) return half;
  const char *reason = dlerror();
  if (reason && !std::string_view(reason).starts_with(file)) half.fault = reason;
  return half;
}

const CudaHalf &cuda_half() {
  static const CudaHalf half = load_cuda();
  return half;
}

// Before the first use of a GPU: cuDNN's fastest sums differ from run to run, and so does its attention's gradient.
void prepare_cuda() {
  at::globalContext().setDeterministicCuDNN(true);
  at::globalContext().setSDPUseCuDNN(false);
}

}  // namespace

void bridge::load_devices() noexcept {
  static const bool done = [] {
    try {
      cuda_half();
    } catch (...) {  // no memory for a few words: what follows will say so
    }
    return true;
  }();
  (void)done;
}

int32_t ptb_cuda_count(void) noexcept {
  static const int32_t count = [] {
    int32_t found = 0;
    bridge::guarded([&] {
      if (at::globalContext().hasCUDA()) found = int32_t(at::detail::getCUDAHooks().getNumGPUs());
    });
    return found;
  }();
  return count;
}

bool ptb_has_cuda_half(void) noexcept {
  bridge::load_devices();
  return cuda_half().is_loaded && at::globalContext().hasCUDART();
}

const char *ptb_cuda_fault(void) noexcept {
  bridge::load_devices();
  return cuda_half().fault.c_str();
}

int32_t ptb_device_of(ptb_tensor *tensor) noexcept {
  return tensor->value.is_cuda() ? int32_t(tensor->value.device().index()) : -1;
}

ptb_status ptb_to_device(ptb_tensor *tensor, int32_t index, PTB_NEW out) noexcept {
  return bridge::make(out, [&] {
    if (index >= 0) prepare_cuda();
    return tensor->value.to(device(index));
  });
}

ptb_status ptb_move_to_device(ptb_tensor *tensor, int32_t index) noexcept {
  return bridge::guarded([&] {
    const c10::AutoGradMode off(false);
    if (tensor->value.device() == device(index)) return;
    if (index >= 0) prepare_cuda();
    // As torch.nn.Module.to: the tensor stays the same one for all who hold it, with other memory.
    tensor->value.set_data(tensor->value.detach().to(device(index)));
    tensor->value.mutable_grad().reset();
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
