#include "bridge.h"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <torch/version.h>

#include <atomic>
#include <new>
#include <optional>
#include <string>
#include <string_view>

namespace {

std::atomic<int64_t> live_handles{0};
thread_local std::string last_error;

struct HeldFailure {
  ptb_status status;
  std::string operation;
  std::string message;
};
thread_local std::optional<HeldFailure> held_failure;

// The CPU allocator reports an exhausted memory as a plain error, and TorchScript's interpreter any error in words.
ptb_status status_of(const char *message) noexcept {
  return std::string_view(message).find("can't allocate memory") != std::string_view::npos ? PTB_OUT_OF_MEMORY
                                                                                          : PTB_ERROR;
}

ptb_status remember(ptb_status status, const char *message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    last_error.clear();  // no memory for the message: the status still tells
  }
  return status;
}

}  // namespace

ptb_tensor *bridge::wrap(at::Tensor &&tensor) {
  auto *handle = new ptb_tensor{std::move(tensor)};
  live_handles.fetch_add(1, std::memory_order_relaxed);
  return handle;
}

ptb_status bridge::report_current_exception() noexcept {
  try {
    throw;
  } catch (const c10::IndexError &error) {
    return remember(PTB_INDEX_ERROR, error.what_without_backtrace());
  } catch (const c10::OutOfMemoryError &error) {
    return remember(PTB_OUT_OF_MEMORY, error.what_without_backtrace());
  } catch (const c10::NotImplementedError &error) {
    return remember(PTB_NOT_IMPLEMENTED, error.what_without_backtrace());
  } catch (const c10::Error &error) {
    const char *message = error.what_without_backtrace();
    return remember(status_of(message), message);
  } catch (const std::bad_alloc &error) {
    return remember(PTB_OUT_OF_MEMORY, error.what());
  } catch (const std::exception &error) {
    return remember(status_of(error.what()), error.what());
  } catch (...) {
    return remember(PTB_UNKNOWN, "an exception that is none of C++'s standard ones");
  }
}

at::ScalarType bridge::scalar_type(int32_t dtype) {
  switch (dtype) {
    case PTB_UINT8: return at::kByte;
    case PTB_INT64: return at::kLong;
    case PTB_FLOAT32: return at::kFloat;
    case PTB_FLOAT64: return at::kDouble;
    case PTB_BOOL: return at::kBool;
    case PTB_BFLOAT16: return at::kBFloat16;
    default: TORCH_CHECK(false, "unknown element type ", dtype);
  }
}

const char *ptb_last_error(void) noexcept { return last_error.c_str(); }

ptb_tensor *ptb_hold_failure(ptb_status status, const char *operation, const char *message) noexcept {
  try {
    if (!held_failure) held_failure = HeldFailure{status, operation, message};
    return bridge::wrap(at::empty({0}));
  } catch (...) {
    return nullptr;  // not even a few bytes are left
  }
}

ptb_status ptb_held_status(void) noexcept { return held_failure ? held_failure->status : PTB_OK; }

const char *ptb_held_operation(void) noexcept { return held_failure ? held_failure->operation.c_str() : ""; }

const char *ptb_held_message(void) noexcept { return held_failure ? held_failure->message.c_str() : ""; }

void ptb_drop_held_failure(void) noexcept { held_failure.reset(); }

void ptb_release(ptb_tensor *tensor) noexcept {
  delete tensor;
  live_handles.fetch_sub(1, std::memory_order_relaxed);
}

int64_t ptb_live_handles(void) noexcept { return live_handles.load(std::memory_order_relaxed); }

const char *ptb_libtorch_version(void) noexcept { return TORCH_VERSION; }
