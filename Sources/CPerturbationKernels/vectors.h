// Fixed-width vectors. A 512-bit vector is lowered to two 256-bit or four 128-bit ones where the machine
// has no wider registers, so the same source gives the same bits everywhere.
#pragma once

#include <stdint.h>
#include <string.h>

// Every function with a vector argument is inlined, so no vector ever crosses a call: its ABI is moot.
#pragma clang diagnostic ignored "-Wpsabi"

#define PK_INLINE static inline __attribute__((always_inline))

typedef float v16f __attribute__((vector_size(64)));
typedef double v8d __attribute__((vector_size(64)));
typedef uint32_t v16u __attribute__((vector_size(64)));
typedef int32_t v16i __attribute__((vector_size(64)));
typedef uint64_t v8u64 __attribute__((vector_size(64)));
typedef int64_t v8i64 __attribute__((vector_size(64)));

#define PK_FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#define PK_SQRT(x) __builtin_elementwise_sqrt(x)
#define PK_ABS(x) __builtin_elementwise_abs(x)
