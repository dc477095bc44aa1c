#include "bridge.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>

// libgomp's entry behind `#pragma omp parallel`. Declared here because Swift's clang brings no OpenMP
// runtime of its own, and must not: libtorch's threads are libgomp's, and a second pool beside them fights
// for the same cores.
extern "C" void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);

namespace {

struct Loop {
  void (*body)(ptrdiff_t, void *);
  void *context;
  ptrdiff_t count;
  std::atomic<ptrdiff_t> next{0};

  // Indices are handed out one by one: libgomp may start fewer threads than were asked for.
  static void run(void *data) {
    auto *loop = static_cast<Loop *>(data);
    for (;;) {
      const ptrdiff_t index = loop->next.fetch_add(1, std::memory_order_relaxed);
      if (index >= loop->count) return;
      loop->body(index, loop->context);
    }
  }
};

// Until its number of threads is set, MKL may choose another at each call (MKL_DYNAMIC), by what else the
// machine does, and a matrix product with another number of threads adds in another order: a resumed run
// could end with other bits. Setting the number, even to what it is, makes it one number.
[[maybe_unused]] const bool threads_are_fixed = [] {
  at::set_num_threads(at::get_num_threads());
  return true;
}();

}  // namespace

void ptb_set_threads(int32_t threads) noexcept {
  bridge::guarded([&] { at::set_num_threads(std::max(threads, 1)); });
}

int32_t ptb_threads(void) noexcept { return at::get_num_threads(); }

void ptb_parallel_for(int32_t threads, ptrdiff_t count, void (*body)(ptrdiff_t, void *), void *context) noexcept {
  Loop loop{body, context, count};
  const ptrdiff_t useful = std::min<ptrdiff_t>(threads, count);
  if (useful <= 1) {
    Loop::run(&loop);
  } else {
    GOMP_parallel(Loop::run, &loop, unsigned(useful), 0);
  }
}
