#include "bridge.h"

#include <ATen/autocast_mode.h>

ptb_status ptb_set_autocast(bool enabled, bool cuda) noexcept {
  return bridge::guarded([&] {
    const auto type = cuda ? at::kCUDA : at::kCPU;
    if (enabled) {
      at::autocast::increment_nesting();
      at::autocast::set_autocast_dtype(type, at::kBFloat16);
      at::autocast::set_autocast_enabled(type, true);
    } else {
      at::autocast::set_autocast_enabled(type, false);
      // The copies of weights that were made for this pass go with it: the next step has other weights.
      if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    }
  });
}
