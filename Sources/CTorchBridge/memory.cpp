#include "CTorchBridge.h"

#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// Each training step frees the activations that the next one allocates again. Where malloc returns them to the
// system in between, the kernel clears every page anew at each step: a third of the Fashion-MNIST CNN's time.
bool ptb_keep_freed_memory(void) noexcept {
#ifdef __GLIBC__
  constexpr int kept = 1 << 30;
  constexpr int oldest_limit = 32 << 20;  // the greatest mapping threshold that glibc before 2.35 takes
  const bool mapped = mallopt(M_MMAP_THRESHOLD, kept) == 1 || mallopt(M_MMAP_THRESHOLD, oldest_limit) == 1;
  return mallopt(M_TRIM_THRESHOLD, kept) == 1 && mallopt(M_TOP_PAD, 64 << 20) == 1 && mapped;
#else
  return false;
#endif
}
