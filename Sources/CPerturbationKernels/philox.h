// Philox 4×32-7 over PK_CHUNK/4 consecutive counters at once: a random word for each of PK_CHUNK consecutive elements.
#pragma once

#include "CPerturbationKernels.h"
#include "vectors.h"

enum { PK_ROUNDS = 7, PK_CHUNK = 2 * PK_LANES };

// Elements whose counters share their upper half.
#define PK_SEGMENT (UINT64_C(1) << 34)

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

// The halves of the 64-bit lanes, each pair the other way round.
PK_INLINE vwide pk_turned(vwide a) {
    const vuint halves = (vuint)a;
    return (vwide)__builtin_shufflevector(halves, halves, PK_TURNED);
}

// `product`, its upper halves ^ those of `other` and `key`, which bring lower halves that are not looked at.
PK_INLINE vuint pk_onto_upper(vwide product, vwide other, uint64_t key) {
#if PK_WIDTH == 512
    typedef int32_t half __attribute__((vector_size(64)));
    const half keys = (half)((uint64_t __attribute__((vector_size(64)))){} + key);
    half result[2], added[2];
    memcpy(result, &product, sizeof result);
    memcpy(added, &other, sizeof added);
    for (int i = 0; i < 2; i++)
        result[i] = (half)__builtin_ia32_pternlogd512_mask(result[i], added[i], keys, 0x96, 0xaaaa);
    memcpy(&product, result, sizeof product);
    return (vuint)product;
#else
    return (vuint)(product ^ ((other ^ key) & 0xffffffff00000000u));
#endif
}

#define PK_FIRST_FACTOR 0xD2511F53u
#define PK_SECOND_FACTOR 0xCD9E8D57u
#define PK_FIRST_WEYL 0x9E3779B9u
#define PK_SECOND_WEYL 0xBB67AE85u

// The rounds of Philox are two chains a round apart, `lead` of five levels and `trail` of six: a product with one factor or the
// other, its upper half, and an exclusive or with the lower half of an earlier product and a key. Three words of four are
// the same for all counters at first, and so is half of what the first two rounds compute: it is in the keys.
_Static_assert(PK_ROUNDS == 7, "the levels and the keys are those of seven rounds");

// The keys of a stream's counters, for elements that share the upper half of their number: [0] before the first level, and
// those after each; the last of each are the words'.
typedef struct {
    uint64_t trail[7], lead[6];
} pk_fixed;

PK_INLINE pk_fixed pk_fix(const pk_stream *s, uint64_t counter) {
    const uint32_t upper = (uint32_t)((counter >> 32) & 0xffffu) | s->term << 16;
    uint32_t k0[PK_ROUNDS], k1[PK_ROUNDS];
    for (uint32_t r = 0; r < PK_ROUNDS; r++) {
        k0[r] = s->key[0] + r * PK_FIRST_WEYL;
        k1[r] = s->key[1] + r * PK_SECOND_WEYL;
    }
    const uint64_t first = (uint64_t)s->step * PK_SECOND_FACTOR;
    const uint64_t second = (uint64_t)((uint32_t)(first >> 32) ^ upper ^ k0[0]) * PK_FIRST_FACTOR;
    return (pk_fixed){
        {s->parameter ^ k1[0], (uint32_t)first ^ k0[1], (uint32_t)second ^ k1[2], k0[3], k1[4], k0[5], (uint64_t)k1[6] << 32},
        {(uint32_t)(second >> 32) ^ k1[1], k0[2], k1[3], k0[4], k1[5], (uint64_t)k0[6] << 32},
    };
}

// PK_CHUNK/4 counters on their way through the levels.
typedef struct {
    vwide product;              // of the counters and the first factor
    vwide trail, lead;          // what becomes of the products of a level
    vwide trails[7], leads[6];  // the products, from level 1 on
    vwide turned;               // leads[4], for the last words
    pk_words32 words;
} pk_mixing;

// `counter` is the lower half of the number of the first counter, a multiple of their count: adding a lane never carries.
PK_INLINE void pk_philox_count(pk_mixing *m, uint32_t counter) {
    const vwide lane = PK_IOTA;
    m->product = pk_multiply(lane + (uint64_t)counter, PK_FIRST_FACTOR);
}

// The counters after these.
PK_INLINE void pk_philox_next(pk_mixing *m) { m->product += (uint64_t)(PK_CHUNK / 4) * PK_FIRST_FACTOR; }

PK_INLINE void pk_philox_start(pk_mixing *m) { m->trail = m->product >> 32; }

PK_INLINE void pk_philox_enter(pk_mixing *m, const pk_fixed *s) {
    m->trail ^= s->trail[0];
    m->lead = m->product ^ s->lead[0];
}

PK_INLINE void pk_philox_multiply(pk_mixing *m, int level) {
    const uint32_t factor = level % 2 ? PK_SECOND_FACTOR : PK_FIRST_FACTOR;
    m->trails[level] = pk_multiply(m->trail, factor);
    if (level < 6) m->leads[level] = pk_multiply(m->lead, factor);
}

// The upper halves of the products, where the next product reads. Of the last but one of each chain the words want the lower
// halves, and in the upper ones: there the halves change places.
PK_INLINE void pk_philox_shift(pk_mixing *m, int level) {
    m->trail = level == 5 ? pk_turned(m->trails[5]) : m->trails[level] >> 32;
    if (level == 4) m->turned = m->lead = pk_turned(m->leads[4]);
    if (level < 4) m->lead = m->leads[level] >> 32;
}

// What is multiplied next, and after level 5 the first words.
PK_INLINE void pk_philox_mix(pk_mixing *m, const pk_fixed *s, int level) {
    if (level == 5) m->words.low = pk_onto_upper(m->leads[5], m->trail, s->lead[5]);
    if (level < 5) m->lead = m->lead ^ m->trails[level] ^ s->lead[level];
    m->trail = (level < 3 ? m->trail : m->trail ^ m->leads[level - 2]) ^ s->trail[level];
}

// The other words.
PK_INLINE void pk_philox_finish(pk_mixing *m, const pk_fixed *s) {
    m->words.high = pk_onto_upper(m->trails[6], m->turned, s->trail[6]);
}

// The levels 1 … `last` of the counters from `counter` on, one after the other.
PK_INLINE pk_mixing pk_philox_levels(const pk_fixed *s, uint32_t counter, int last) {
    pk_mixing m;
    pk_philox_count(&m, counter);
    pk_philox_start(&m);
    pk_philox_enter(&m, s);
#pragma clang loop unroll(full)
    for (int level = 1; level <= last; level++) {
        pk_philox_multiply(&m, level);
        pk_philox_shift(&m, level);
        pk_philox_mix(&m, s, level);
    }
    return m;
}

PK_INLINE pk_words32 pk_philox(const pk_fixed *s, uint32_t counter) {
    pk_mixing m = pk_philox_levels(s, counter, 5);
    pk_philox_multiply(&m, 6);
    pk_philox_finish(&m, s);
    return m.words;
}
