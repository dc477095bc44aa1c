// Philox 4×32-7 over eight consecutive counters at once: 32 random words for 32 consecutive elements.
#pragma once

#include "CPerturbationKernels.h"
#include "vectors.h"

enum { PK_ROUNDS = 7, PK_CHUNK = 32 };

// Words of the elements in pairs: `low` holds words 0 and 1 of each counter, `high` words 2 and 3.
typedef struct {
    v16u low, high;
} pk_words32;

// The words live in 64-bit lanes whose upper halves are left dirty: a 32×32→64 multiplication reads the
// lower halves only, so no lane ever needs cleaning before the end.
PK_INLINE v8u64 pk_multiply(v8u64 a, uint32_t b) {
    return (a & 0xffffffffu) * (uint64_t)b;
}

PK_INLINE pk_words32 pk_philox(const pk_stream *s, uint64_t quad) {
    v8u64 lane = {0, 1, 2, 3, 4, 5, 6, 7};
    // `quad` is a multiple of 8, so adding a lane never carries out of its low word.
    v8u64 c0 = lane + (quad & 0xffffffffu);
    v8u64 c1 = (v8u64){} + (((quad >> 32) & 0xffffu) | ((uint64_t)s->term << 16));
    v8u64 c2 = (v8u64){} + (uint64_t)s->step;
    v8u64 c3 = (v8u64){} + (uint64_t)s->parameter;
    uint32_t k0 = s->key[0], k1 = s->key[1];
#pragma clang loop unroll(full)
    for (int round = 0; round < PK_ROUNDS; round++) {
        v8u64 a = pk_multiply(c0, 0xD2511F53u);
        v8u64 b = pk_multiply(c2, 0xCD9E8D57u);
        c0 = (b >> 32) ^ c1 ^ (uint64_t)k0;
        c1 = b;
        c2 = (a >> 32) ^ c3 ^ (uint64_t)k1;
        c3 = a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    pk_words32 w;
    w.low = (v16u)((c0 & 0xffffffffu) | (c1 << 32));
    w.high = (v16u)((c2 & 0xffffffffu) | (c3 << 32));
    return w;
}

// From the pair layout back to element order: first the 16 lower elements, then the 16 upper ones.
#define PK_LOWER(a, b)                                                                                   \
    __builtin_shufflevector(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23)
#define PK_UPPER(a, b)                                                                                   \
    __builtin_shufflevector(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31)
