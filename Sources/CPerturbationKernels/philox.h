// Philox 4×32-7 over PK_CHUNK/4 consecutive counters at once: a random word for each of PK_CHUNK consecutive elements.
#pragma once

#include "CPerturbationKernels.h"
#include "vectors.h"

enum { PK_ROUNDS = 7, PK_CHUNK = 2 * PK_LANES };

// Elements whose numbers share their upper half: 2³² quads.
#define PK_SEGMENT (UINT64_C(1) << 34)

// Words of the elements in pairs: `low` holds words 0 and 1 of each counter, `high` words 2 and 3.
typedef struct {
    vuint low, high;
} pk_words32;

// The words live in 64-bit lanes whose upper halves may be dirty: a 32×32→64 multiplication reads the lower
// halves only, so no lane needs cleaning. x86 has exactly that instruction; left to itself the compiler
// sometimes takes the 64-bit product instead, which is three times as slow.
PK_INLINE vwide pk_multiply(vwide a, uint32_t b) {
#if PK_WIDTH == 512
    typedef int32_t half __attribute__((vector_size(64)));
    const half factor = (half)((uint64_t __attribute__((vector_size(64)))){} + b);
    half product[2], operand[2];
    memcpy(operand, &a, sizeof a);
    for (int i = 0; i < 2; i++) product[i] = (half)__builtin_ia32_pmuludq512(operand[i], factor);
    memcpy(&a, product, sizeof a);
    return a;
#else
    return (a & 0xffffffffu) * (uint64_t)b;
#endif
}

// The fixed words of a stream's counters, for elements that share the upper half of their number.
typedef struct {
    uint32_t key[2];
    uint32_t upper;  // counter word 1
    uint32_t step, parameter;
} pk_fixed;

PK_INLINE pk_fixed pk_fix(const pk_stream *s, uint64_t quad) {
    uint32_t upper = (uint32_t)((quad >> 32) & 0xffffu) | s->term << 16;
    return (pk_fixed){{s->key[0], s->key[1]}, upper, s->step, s->parameter};
}

// `quad` is the lower half of the number of the first of PK_CHUNK/4 counters, a multiple of their
// count: adding a lane never carries.
PK_INLINE pk_words32 pk_philox(pk_fixed s, uint32_t quad) {
    const vwide lane = PK_IOTA;
    vwide c0 = lane + (uint64_t)quad;
    vwide c1 = (vwide){} + (uint64_t)s.upper;
    vwide c2 = (vwide){} + (uint64_t)s.step;
    vwide c3 = (vwide){} + (uint64_t)s.parameter;
    uint32_t k0 = s.key[0], k1 = s.key[1];
#pragma clang loop unroll(full)
    for (int round = 0; round < PK_ROUNDS; round++) {
        vwide a = pk_multiply(c0, 0xD2511F53u);
        vwide b = pk_multiply(c2, 0xCD9E8D57u);
        c0 = (b >> 32) ^ c1 ^ (uint64_t)k0;
        c1 = b;
        c2 = (a >> 32) ^ c3 ^ (uint64_t)k1;
        c3 = a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    pk_words32 w;
    w.low = PK_LOWER_HALVES(c0, c1);
    w.high = PK_LOWER_HALVES(c2, c3);
    return w;
}
