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
#else
#define PK_LANES 16
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
// The lower halves of the wide lanes of two vectors, in turn.
#define PK_LOWER_HALVES(a, b)                                                                            \
    __builtin_shufflevector(                                                                             \
        (vuint)(a), (vuint)(b), 0, 32, 2, 34, 4, 36, 6, 38, 8, 40, 10, 42, 12, 44, 14, 46, 16, 48, 18, 50, \
        20, 52, 22, 54, 24, 56, 26, 58, 28, 60, 30, 62)
// From the pair layout (elements 0 1, 4 5, 8 9 … and 2 3, 6 7, 10 11 …) to element order: the first half of
// the elements, and the second.
#define PK_FIRST(a, b)                                                                                   \
    __builtin_shufflevector(                                                                             \
        a, b, 0, 1, 32, 33, 2, 3, 34, 35, 4, 5, 36, 37, 6, 7, 38, 39, 8, 9, 40, 41, 10, 11, 42, 43, 12, 13, \
        44, 45, 14, 15, 46, 47)
#define PK_SECOND(a, b)                                                                                  \
    __builtin_shufflevector(                                                                             \
        a, b, 16, 17, 48, 49, 18, 19, 50, 51, 20, 21, 52, 53, 22, 23, 54, 55, 24, 25, 56, 57, 26, 27, 58, \
        59, 28, 29, 60, 61, 30, 31, 62, 63)
#else
#define PK_IOTA {0, 1, 2, 3, 4, 5, 6, 7}
#define PK_LOWER_HALVES(a, b)                                                                            \
    __builtin_shufflevector(                                                                             \
        (vuint)(a), (vuint)(b), 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30)
#define PK_FIRST(a, b)                                                                                   \
    __builtin_shufflevector(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23)
#define PK_SECOND(a, b)                                                                                  \
    __builtin_shufflevector(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31)
#endif
