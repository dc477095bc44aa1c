// Philox 4×32-7 over PK_CHUNK/4 consecutive counters at once: a random word for each of PK_CHUNK consecutive elements.
#pragma once

#include "CPerturbationKernels.h"
#include "vectors.h"

enum { PK_ROUNDS = 7, PK_CHUNK = 2 * PK_LANES };

// Elements whose counters share their upper half.
#define PK_SEGMENT (UINT64_C(1) << 34)

// Whether a pipeline can draw these elements: they begin with a chunk, and their counters share the upper half.
PK_INLINE int pk_are_chunks(uint64_t first, size_t count) {
    return PK_PIPELINES && first % PK_CHUNK == 0 && first % PK_SEGMENT + count <= PK_SEGMENT;
}

// A random word for each of 2·PK_LANES elements. Elements come in runs of 32, of which eight counters give the
// words: element 32r + 16s + 2i + h (s, h < 2; i < 8) has word (s, h) of counter 8r + i, where (0, 0) … (1, 1)
// are the words 1, 0, 3, 2. That is the order in which the words leave the last round, so none is moved.
// `low` holds the elements with s = 0, `high` those with s = 1.
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

PK_INLINE pk_fixed pk_fix(const pk_stream *s, uint64_t counter) {
    uint32_t upper = (uint32_t)((counter >> 32) & 0xffffu) | s->term << 16;
    return (pk_fixed){{s->key[0], s->key[1]}, upper, s->step, s->parameter};
}

// a·2³² in the 64-bit lanes. Seeing that `a` is a product, the compiler would multiply by b·2³² instead, for
// which x86 has only a slow instruction.
PK_INLINE vwide pk_raise(vwide a) {
#if PK_WIDTH == 512
    uint64_t __attribute__((vector_size(64))) half[2];
    memcpy(half, &a, sizeof a);
    __asm__("" : "+v"(half[0]), "+v"(half[1]));
    memcpy(&a, half, sizeof a);
#endif
    return a << 32;
}

// PK_CHUNK/4 counters on their way through the rounds. Three words of four are the same for all of them at first, and so is half
// of what the first two rounds compute: `same`.
typedef struct {
    vwide c0, c1, c2, c3;
    uint64_t same;
    uint32_t k0, k1;
} pk_mixing;

#define PK_FIRST_FACTOR 0xD2511F53u
#define PK_SECOND_FACTOR 0xCD9E8D57u
#define PK_FIRST_WEYL 0x9E3779B9u
#define PK_SECOND_WEYL 0xBB67AE85u

PK_INLINE void pk_next_keys(pk_mixing *m) {
    m->k0 += PK_FIRST_WEYL;
    m->k1 += PK_SECOND_WEYL;
}

// The first round. `counter` is the lower half of the number of the first counter, a multiple of their count: adding a lane never
// carries.
PK_INLINE pk_mixing pk_philox_start(pk_fixed s, uint32_t counter) {
    const vwide lane = PK_IOTA;
    pk_mixing m = {.same = (uint64_t)s.step * PK_SECOND_FACTOR, .k0 = s.key[0], .k1 = s.key[1]};
    m.same ^= (uint64_t)(s.upper ^ m.k0) << 32;
    m.c3 = pk_multiply(lane + (uint64_t)counter, PK_FIRST_FACTOR);
    m.c2 = (m.c3 >> 32) ^ (uint64_t)(s.parameter ^ m.k1);
    pk_next_keys(&m);
    return m;
}

// The second.
PK_INLINE void pk_philox_second(pk_mixing *m) {
    const uint64_t a = (m->same >> 32) * PK_FIRST_FACTOR;
    vwide b = pk_multiply(m->c2, PK_SECOND_FACTOR);
    m->c0 = (b >> 32) ^ (uint64_t)((uint32_t)m->same ^ m->k0);
    m->c1 = b;
    m->c2 = m->c3 ^ (uint64_t)((uint32_t)(a >> 32) ^ m->k1);
    m->c3 = (vwide){} + (uint64_t)(uint32_t)a;
    pk_next_keys(m);
}

// Any round but the first two and the last.
PK_INLINE void pk_philox_round(pk_mixing *m) {
    vwide a = pk_multiply(m->c0, PK_FIRST_FACTOR);
    vwide b = pk_multiply(m->c2, PK_SECOND_FACTOR);
    m->c0 = (b >> 32) ^ m->c1 ^ (uint64_t)m->k0;
    m->c1 = b;
    m->c2 = (a >> 32) ^ m->c3 ^ (uint64_t)m->k1;
    m->c3 = a;
    pk_next_keys(m);
}

// The last round: the upper half of a lane becomes word 0 (or 2), the lower half word 1 (or 3).
PK_INLINE pk_words32 pk_philox_finish(pk_mixing m) {
    vwide a = pk_multiply(m.c0, PK_FIRST_FACTOR);
    vwide b = pk_multiply(m.c2, PK_SECOND_FACTOR);
    return (pk_words32){
        (vuint)(b ^ pk_raise(m.c1) ^ ((uint64_t)m.k0 << 32)),
        (vuint)(a ^ pk_raise(m.c3) ^ ((uint64_t)m.k1 << 32)),
    };
}

PK_INLINE pk_words32 pk_philox(pk_fixed s, uint32_t counter) {
    pk_mixing m = pk_philox_start(s, counter);
    pk_philox_second(&m);
#pragma clang loop unroll(full)
    for (int round = 3; round < PK_ROUNDS; round++) pk_philox_round(&m);
    return pk_philox_finish(m);
}
