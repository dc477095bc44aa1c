// Fixed-width vectors of PK_LANES floats.
//
// A vector is lowered to as many registers as the level needs; two or more of them keep the arithmetic units
// busy through the latency of each other's operations. Which lanes a register holds never shows in a result.
#pragma once

#include <stdint.h>
#include <string.h>

#define PK_INLINE static inline __attribute__((always_inline))

// Every function with a vector argument is inlined, so no vector ever crosses a call: its ABI is moot.
#pragma clang diagnostic ignored "-Wpsabi"

#if PK_WIDTH == 512
#define PK_LANES 32
// With 32 registers a chunk's words can be drawn while the last chunk's become normal variates; with 16 the
// values in flight would go through memory.
enum { PK_DRAWS_AHEAD = 1 };
#else
#define PK_LANES 16
enum { PK_DRAWS_AHEAD = 0 };
#endif

typedef float vfloat __attribute__((vector_size(PK_LANES * 4)));
typedef uint32_t vuint __attribute__((vector_size(PK_LANES * 4)));
typedef int32_t vint __attribute__((vector_size(PK_LANES * 4)));
typedef uint64_t vwide __attribute__((vector_size(PK_LANES * 4)));

#define PK_FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#define PK_SQRT(x) __builtin_elementwise_sqrt(x)
#define PK_ABS(x) __builtin_elementwise_abs(x)

#if PK_LANES == 32
// Lane numbers of the wide vector.
#define PK_IOTA {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
// Two vectors whose lanes 0 … 15 belong to one run of 32 elements and 16 … 31 to the next, in element order:
// the first run, and the second. No lane moves within a register.
#define PK_FIRST(a, b)                                                                                   \
    __builtin_shufflevector(                                                                             \
        a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, \
        42, 43, 44, 45, 46, 47)
#define PK_SECOND(a, b)                                                                                  \
    __builtin_shufflevector(                                                                             \
        a, b, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 48, 49, 50, 51, 52, 53, 54, \
        55, 56, 57, 58, 59, 60, 61, 62, 63)
#else
#define PK_IOTA {0, 1, 2, 3, 4, 5, 6, 7}
#define PK_FIRST(a, b) (a)
#define PK_SECOND(a, b) (b)
#endif
