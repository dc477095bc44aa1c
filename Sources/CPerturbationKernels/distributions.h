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
PK_INLINE vfloat pk_minus_two_log(vfloat u) {
    vint bits = (vint)u;
    vint e = (bits - 0x3f3504f3) >> 23;
    vfloat f = (vfloat)(bits - (e << 23)) - 1.0f;
    vfloat p = (vfloat){} + 0x1.a8f680p-3f;
    p = PK_FMA(p, f, (vfloat){} - 0x1.4d21aep-2f);
    p = PK_FMA(p, f, (vfloat){} + 0x1.600278p-2f);
    p = PK_FMA(p, f, (vfloat){} - 0x1.9775e6p-2f);
    p = PK_FMA(p, f, (vfloat){} + 0x1.ff7b88p-2f);
    p = PK_FMA(p, f, (vfloat){} - 0x1.5559d0p-1f);
    p = PK_FMA(p, f, (vfloat){} + 0x1.000056p-0f);
    p = PK_FMA(p, f, (vfloat){} - 2.0f);
    return PK_FMA(__builtin_convertvector(e, vfloat), (vfloat){} - 0x1.62e430p-0f, f * p);
}

// Box and Muller (1958): √(−2 ln u)·(cos φ, sin φ). A word w gives the angle's place in the first quadrant,
// φ = π/4 + a with a = π/4·w·2⁻³¹ for signed w, by cos φ = (cos a − sin a)/√2 and sin φ = (cos a + sin a)/√2
// (the 1/√2 is in the coefficients; absolute error below 3·10⁻⁸), and by its two lowest bits, which the
// rounding of a to 24 bits forgets, the signs.
PK_INLINE pk_chunk pk_normal(pk_words32 w, float scale) {
    vfloat radius = PK_SQRT(pk_minus_two_log(pk_unit(w.low))) * scale;
    vfloat x = __builtin_convertvector((vint)w.high, vfloat) * 0x1p-31f;
    vfloat t = x * x;
    vfloat s = (vfloat){} - 0x1.aa89dcp-16f;
    s = PK_FMA(s, t, (vfloat){} + 0x1.cd8ea4p-10f);
    s = PK_FMA(s, t, (vfloat){} - 0x1.d3ba3ep-5f);
    s = PK_FMA(s, t, (vfloat){} + 0x1.1c5832p-1f);
    vfloat c = (vfloat){} - 0x1.d8df08p-13f;
    c = PK_FMA(c, t, (vfloat){} + 0x1.6f4004p-7f);
    c = PK_FMA(c, t, (vfloat){} - 0x1.bea562p-3f);
    c = PK_FMA(c, t, (vfloat){} + 0x1.6a09e6p-1f);
    vfloat cosine = (vfloat)((vuint)(PK_FMA(-s, x, c) * radius) ^ (w.high << 31));
    vfloat sine = (vfloat)((vuint)(PK_FMA(s, x, c) * radius) ^ ((w.high << 30) & 0x80000000u));
    return (pk_chunk){PK_FIRST(cosine, sine), PK_SECOND(cosine, sine)};
}

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
