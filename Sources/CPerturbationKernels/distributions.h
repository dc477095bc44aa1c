// Random words to variates, a chunk at a time, without libm: polynomials, fma, IEEE sqrt.
#pragma once

#include "philox.h"

typedef struct {
    vfloat first, second;  // the halves of the chunk, in element order
} pk_chunk;

// (w + ½)·2⁻³², in (0, 1]; the spacing near 0 is 2⁻³², so the tails of what is made from it are fine.
PK_INLINE vfloat pk_unit(vuint w) {
    return PK_FMA(__builtin_convertvector(w, vfloat), (vfloat){} + 0x1p-32f, (vfloat){} + 0x1p-33f);
}

// (w + ½)·2⁻³¹ for signed w, in [−1, 1].
PK_INLINE vfloat pk_signed_unit(vuint w) {
    vfloat t = __builtin_convertvector((vint)w, vfloat);
    return PK_FMA(t, (vfloat){} + 0x1p-31f, (vfloat){} + 0x1p-32f);
}

// −2·ln u for u in (0, 1]: u = 2ᵉ·(1 + f), −2·ln u = −2e·ln 2 + f·(−2 + f·P(f)); P is a minimax polynomial of
// degree 6 on [√½ − 1, √2 − 1] (relative error below 3·10⁻⁷, least near u = 1). Never below −0.
typedef struct {
    vfloat f, e;  // e in units of 2²³
} pk_split;

PK_INLINE pk_split pk_log_split(vfloat u) {
    vint bits = (vint)u;
    vint e = (bits - 0x3f3504f3) & (int32_t)0xff800000;
    return (pk_split){(vfloat)(bits - e) - 1.0f, __builtin_convertvector(e, vfloat)};
}

PK_INLINE vfloat pk_log_begin(vfloat f) {
    vfloat p = PK_FMA((vfloat){} + 0x1.a8f680p-3f, f, (vfloat){} - 0x1.4d21aep-2f);
    return PK_FMA(p, f, (vfloat){} + 0x1.600278p-2f);
}

PK_INLINE vfloat pk_log_middle(vfloat p, vfloat f) {
    p = PK_FMA(p, f, (vfloat){} - 0x1.9775e6p-2f);
    return PK_FMA(p, f, (vfloat){} + 0x1.ff7b88p-2f);
}

PK_INLINE vfloat pk_log_end(vfloat p, vfloat f) {
    p = PK_FMA(p, f, (vfloat){} - 0x1.5559d0p-1f);
    return PK_FMA(p, f, (vfloat){} + 0x1.000056p-0f);
}

PK_INLINE vfloat pk_log_join(vfloat p, vfloat f, vfloat e) {
    return PK_FMA(e, (vfloat){} - 0x1.62e430p-23f, f * PK_FMA(p, f, (vfloat){} - 2.0f));
}

PK_INLINE vfloat pk_minus_two_log(vfloat u) {
    pk_split s = pk_log_split(u);
    return pk_log_join(pk_log_end(pk_log_middle(pk_log_begin(s.f), s.f), s.f), s.f, s.e);
}

// Box and Muller (1958): √(−2 ln u)·(cos φ, sin φ). A word w gives the angle's place in the first quadrant,
// φ = π/4 + a with a = π/4·w·2⁻³¹ for signed w, by cos φ = (cos a − sin a)/√2 and sin φ = (cos a + sin a)/√2
// (the 1/√2 is in the coefficients; absolute error below 3·10⁻⁸), and by its two lowest bits, which the
// rounding of a to 24 bits forgets, the signs.
//
// The steps are apart for PK_PIPELINE. They are the steps of pk_minus_two_log too.
typedef struct {
    vuint signs;
    vfloat u, f, p, e;       // −2 ln u so far; in the end p is the radius
    vfloat x, t, sine, cosine;  // the angle so far; in the end the directions
} pk_normal_steps;

PK_INLINE void pk_normal_0(pk_normal_steps *n, pk_words32 w) {
    n->signs = w.high;
    n->u = pk_unit(w.low);
    n->x = __builtin_convertvector((vint)w.high, vfloat) * 0x1p-31f;
}

PK_INLINE void pk_normal_1(pk_normal_steps *n) {
    pk_split s = pk_log_split(n->u);
    n->f = s.f;
    n->e = s.e;
    n->t = n->x * n->x;
}

PK_INLINE void pk_normal_2(pk_normal_steps *n) {
    n->p = pk_log_begin(n->f);
    n->sine = PK_FMA((vfloat){} - 0x1.aa89dcp-16f, n->t, (vfloat){} + 0x1.cd8ea4p-10f);
    n->cosine = PK_FMA((vfloat){} - 0x1.d8df08p-13f, n->t, (vfloat){} + 0x1.6f4004p-7f);
}

PK_INLINE void pk_normal_3(pk_normal_steps *n) {
    n->p = pk_log_middle(n->p, n->f);
    n->sine = PK_FMA(n->sine, n->t, (vfloat){} - 0x1.d3ba3ep-5f);
    n->cosine = PK_FMA(n->cosine, n->t, (vfloat){} - 0x1.bea562p-3f);
}

PK_INLINE void pk_normal_4(pk_normal_steps *n) {
    n->p = pk_log_end(n->p, n->f);
    n->sine = PK_FMA(n->sine, n->t, (vfloat){} + 0x1.1c5832p-1f);
    n->cosine = PK_FMA(n->cosine, n->t, (vfloat){} + 0x1.6a09e6p-1f);
}

PK_INLINE void pk_normal_5(pk_normal_steps *n, float scale) {
    vfloat sum = PK_FMA(n->sine, n->x, n->cosine), difference = PK_FMA(-n->sine, n->x, n->cosine);
    n->p = PK_SQRT(pk_log_join(n->p, n->f, n->e)) * scale;
    n->cosine = difference;
    n->sine = sum;
}

PK_INLINE pk_chunk pk_normal_6(const pk_normal_steps *n) {
    vfloat cosine = (vfloat)((vuint)(n->cosine * n->p) ^ (n->signs << 31));
    vfloat sine = (vfloat)((vuint)(n->sine * n->p) ^ ((n->signs << 30) & 0x80000000u));
    return (pk_chunk){PK_FIRST(cosine, sine), PK_SECOND(cosine, sine)};
}

PK_INLINE pk_chunk pk_normal(pk_words32 w, float scale) {
    pk_normal_steps n;
    pk_normal_0(&n, w);
    pk_normal_1(&n);
    pk_normal_2(&n);
    pk_normal_3(&n);
    pk_normal_4(&n);
    pk_normal_5(&n, scale);
    return pk_normal_6(&n);
}

// One turn of a loop in which three chunks are under way: `words` of one become the steps 0 … 5 of normal variates
// in `normal`, the words of the next, whose first counter is `counter`, take their place, and SLOT(0) … SLOT(6) are
// what is to be done with the chunk before, which SLOT(0) takes out of `normal` by step 6.
//
// Each is a long chain of operations that wait for each other, and a processor does not look far enough ahead to
// overlap them by itself: so they take turns, and pins keep the turns.
#define PK_PIPELINE(normal, words, scale, stream, counter, SLOT)                                         \
    do {                                                                                                 \
        _Static_assert(PK_ROUNDS == 7, "the rounds are dealt between seven steps");                      \
        pk_mixing mixing = pk_philox_start(stream, counter);                                             \
        SLOT(0);                                                                                         \
        pk_normal_0(&normal, words);                                                                     \
        pk_pin_four(&mixing.c3, &mixing.c2, &normal.u, &normal.x);                                       \
        pk_philox_second(&mixing);                                                                       \
        pk_normal_1(&normal);                                                                            \
        SLOT(1);                                                                                         \
        pk_pin_four(&mixing.c0, &mixing.c2, &normal.f, &normal.t);                                       \
        pk_philox_round(&mixing);                                                                        \
        pk_normal_2(&normal);                                                                            \
        SLOT(2);                                                                                         \
        pk_pin_four(&mixing.c0, &mixing.c2, &normal.p, &normal.sine), pk_pin_one(&normal.cosine);        \
        pk_philox_round(&mixing);                                                                        \
        pk_normal_3(&normal);                                                                            \
        SLOT(3);                                                                                         \
        pk_pin_four(&mixing.c0, &mixing.c2, &normal.p, &normal.sine), pk_pin_one(&normal.cosine);        \
        pk_philox_round(&mixing);                                                                        \
        pk_normal_4(&normal);                                                                            \
        SLOT(4);                                                                                         \
        pk_pin_four(&mixing.c0, &mixing.c2, &normal.p, &normal.sine), pk_pin_one(&normal.cosine);        \
        pk_philox_round(&mixing);                                                                        \
        SLOT(5);                                                                                         \
        pk_normal_5(&normal, scale);                                                                     \
        pk_pin(&mixing.c0, &mixing.c2);                                                                  \
        SLOT(6);                                                                                         \
        words = pk_philox_finish(mixing);                                                                \
    } while (0)

// The turn before the last, in which no more words begin.
#define PK_PIPELINE_END(normal, words, scale, SLOT)                                                      \
    do {                                                                                                 \
        SLOT(0);                                                                                         \
        pk_normal_0(&normal, words);                                                                     \
        pk_normal_1(&normal);                                                                            \
        SLOT(1);                                                                                         \
        pk_normal_2(&normal);                                                                            \
        SLOT(2);                                                                                         \
        pk_normal_3(&normal);                                                                            \
        SLOT(3);                                                                                         \
        pk_normal_4(&normal);                                                                            \
        SLOT(4);                                                                                         \
        SLOT(5);                                                                                         \
        pk_normal_5(&normal, scale);                                                                     \
        SLOT(6);                                                                                         \
    } while (0)

PK_INLINE vfloat pk_uniform_one(vuint w, float scale) {
    return pk_signed_unit(w) * (scale * 0x1.bb67aep+0f);  // √3
}

// An exponential magnitude from 31 bits, a sign from the last: variance 1 at scale 1.
PK_INLINE vfloat pk_laplace_one(vuint w, float scale) {
    vfloat u = PK_FMA(
        __builtin_convertvector((vint)(w >> 1), vfloat), (vfloat){} + 0x1p-31f, (vfloat){} + 0x1p-32f);
    vfloat magnitude = pk_minus_two_log(u) * (scale * 0x1.6a09e6p-2f);  // ½·1/√2
    return (vfloat)((vuint)magnitude ^ (w << 31));
}

PK_INLINE vfloat pk_rademacher_one(vuint w, float scale) {
    return (vfloat)((vuint)((vfloat){} + scale) ^ (w & 0x80000000u));
}

// b/(1−p) − 1: p/(1−p) where the element is kept, −1 where it is dropped. `kept` is p/(1−p)·scale.
PK_INLINE vfloat pk_drop_one(vuint w, uint32_t threshold, float kept, float dropped) {
    vint drop = w < threshold;
    vuint bits = ((vuint)drop & (vuint)((vfloat){} + dropped)) | (~(vuint)drop & (vuint)((vfloat){} + kept));
    return (vfloat)bits;
}

PK_INLINE pk_chunk pk_in_order(vfloat low, vfloat high) {
    return (pk_chunk){PK_FIRST(low, high), PK_SECOND(low, high)};
}
