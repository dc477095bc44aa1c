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
// With 32 registers four chunks can be under way at once (see PK_TURN); with 16 the values in flight would go through
// memory.
enum { PK_PIPELINES = 1 };
#else
#define PK_LANES 16
enum { PK_PIPELINES = 0 };
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
// The halves of those lanes, each pair the other way round.
#define PK_TURNED                                                                                        \
    1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14, 17, 16, 19, 18, 21, 20, 23, 22, 25, 24, 27, 26, \
        29, 28, 31, 30
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
#define PK_TURNED 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14
#define PK_FIRST(a, b) (a)
#define PK_SECOND(a, b) (b)
#endif

// Says when a vector is computed: what makes it comes before this place, what uses it after. Between independent chains that
// take turns the compiler would otherwise put one whole chain after the other.
PK_INLINE void pk_pin(void *a) {
#if PK_WIDTH == 512
    float __attribute__((vector_size(64))) half[2];
    memcpy(half, a, 128);
    __asm__ volatile("" : "+v"(half[0]), "+v"(half[1]));
    memcpy(a, half, 128);
#else
    (void)a;
#endif
}

PK_INLINE void pk_pin_each(void *const *vectors, size_t count) {
    for (size_t i = 0; i < count; i++) pk_pin(vectors[i]);
}
#define PK_PIN(...)                                                                                      \
    pk_pin_each((void *const[]){__VA_ARGS__}, sizeof((void *const[]){__VA_ARGS__}) / sizeof(void *))
