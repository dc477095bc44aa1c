// Which kernels MKL, the matrix library within libtorch, takes on this processor.
#include "CTorchBridge.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cstdlib>

// MKL asks by this function whether Intel made the processor, and gives all others AVX2 at most, AVX-512 or not: a product of
// 256 x 256 matrices in float32 takes 296 µs so on one core of an EPYC (Zen 5), and 134 µs with its AVX-512 kernels. A
// program's function comes before a library's of the same name, so that MKL hears this one. It claims nothing that the
// processor cannot do, and is MKL's own answer where there is no AVX-512 or PEO_MKL_VENDOR_CHECK is set.
extern "C" __attribute__((visibility("default"))) int mkl_serv_intel_cpu_true(void);

int mkl_serv_intel_cpu_true(void) {
  static const bool answer = [] {
    __builtin_cpu_init();
    if (__builtin_cpu_is("intel")) return true;
    if (std::getenv("PEO_MKL_VENDOR_CHECK")) return false;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
  }();
  return answer;
}
#endif
