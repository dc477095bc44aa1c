// Random words to variates, 32 elements at a time, without libm: polynomials, fma, IEEE sqrt.
#pragma once

#include "philox.h"

typedef struct {
    v16f lower, upper;  // elements 0…15 and 16…31 of the chunk
} pk_chunk;

// (w + ½)·2⁻³², in (0, 1]; the spacing near 0 is 2⁻³², so the tails of what is made from it are fine.
PK_INLINE v16f pk_unit(v16u w) {
    return PK_FMA(__builtin_convertvector(w, v16f), (v16f){} + 0x1p-32f, (v16f){} + 0x1p-33f);
}

// (w + ½)·2⁻³¹ for signed w, in [−1, 1].
PK_INLINE v16f pk_signed_unit(v16u w) {
    v16f t = __builtin_convertvector((v16i)w, v16f);
    return PK_FMA(t, (v16f){} + 0x1p-31f, (v16f){} + 0x1p-32f);
}

// ln u for u in (0, 1]: u = 2ᵉ·(1 + f), ln u = e·ln 2 + f + f²·P(f); P is a minimax polynomial of degree 6
// on [√½ − 1, √2 − 1] (relative error of ln below 3·10⁻⁷, least near u = 1).
PK_INLINE v16f pk_log(v16f u) {
    v16i bits = (v16i)u;
    v16i e = (bits - 0x3f3504f3) >> 23;
    v16f f = (v16f)(bits - (e << 23)) - 1.0f;
    v16f p = (v16f){} - 0x1.a8f680p-4f;
    p = PK_FMA(p, f, (v16f){} + 0x1.4d21aep-3f);
    p = PK_FMA(p, f, (v16f){} - 0x1.600278p-3f);
    p = PK_FMA(p, f, (v16f){} + 0x1.9775e6p-3f);
    p = PK_FMA(p, f, (v16f){} - 0x1.ff7b88p-3f);
    p = PK_FMA(p, f, (v16f){} + 0x1.5559d0p-2f);
    p = PK_FMA(p, f, (v16f){} - 0x1.000056p-1f);
    v16f log1p = PK_FMA(f * f, p, f);
    return PK_FMA(__builtin_convertvector(e, v16f), (v16f){} + 0x1.62e430p-1f, log1p);
}

// Box and Muller (1958): √(−2 ln u)·(cos φ, sin φ). The angle's first quadrant comes from the upper 30
// bits of a word as φ = π/4 + a, |a| ≤ π/4, with cos φ = (cos a − sin a)/√2 and sin φ = (cos a + sin a)/√2
// (the 1/√2 is in the coefficients; absolute error below 3·10⁻⁸); its two lowest bits give the signs.
PK_INLINE pk_chunk pk_normal(pk_words32 w, float scale) {
    v16f radius = PK_SQRT(PK_ABS(pk_log(pk_unit(w.low)) * -2.0f)) * scale;
    v16f x = __builtin_convertvector((v16i)(w.high & ~3u), v16f) * 0x1p-31f;
    v16f t = x * x;
    v16f s = (v16f){} - 0x1.aa89dcp-16f;
    s = PK_FMA(s, t, (v16f){} + 0x1.cd8ea4p-10f);
    s = PK_FMA(s, t, (v16f){} - 0x1.d3ba3ep-5f);
    s = PK_FMA(s, t, (v16f){} + 0x1.1c5832p-1f);
    s = s * x;
    v16f c = (v16f){} - 0x1.d8df08p-13f;
    c = PK_FMA(c, t, (v16f){} + 0x1.6f4004p-7f);
    c = PK_FMA(c, t, (v16f){} - 0x1.bea562p-3f);
    c = PK_FMA(c, t, (v16f){} + 0x1.6a09e6p-1f);
    v16f cosine = (v16f)((v16u)((c - s) * radius) ^ (w.high << 31));
    v16f sine = (v16f)((v16u)((c + s) * radius) ^ ((w.high << 30) & 0x80000000u));
    return (pk_chunk){PK_LOWER(cosine, sine), PK_UPPER(cosine, sine)};
}

PK_INLINE v16f pk_uniform_one(v16u w, float scale) {
    return pk_signed_unit(w) * (scale * 0x1.bb67aep+0f);  // √3
}

// An exponential magnitude from 31 bits, a sign from the last: variance 1 at scale 1.
PK_INLINE v16f pk_laplace_one(v16u w, float scale) {
    v16f u = PK_FMA(
        __builtin_convertvector((v16i)(w >> 1), v16f), (v16f){} + 0x1p-31f, (v16f){} + 0x1p-32f);
    v16f magnitude = PK_ABS(pk_log(u)) * (scale * 0x1.6a09e6p-1f);  // 1/√2
    return (v16f)((v16u)magnitude ^ (w << 31));
}

PK_INLINE v16f pk_rademacher_one(v16u w, float scale) {
    return (v16f)((v16u)((v16f){} + scale) ^ (w & 0x80000000u));
}

// b/(1−p) − 1: p/(1−p) where the element is kept, −1 where it is dropped. `kept` is p/(1−p)·scale.
PK_INLINE v16f pk_drop_one(v16u w, uint32_t threshold, float kept, float dropped) {
    v16i drop = w < threshold;
    v16u bits = ((v16u)drop & (v16u)((v16f){} + dropped)) | (~(v16u)drop & (v16u)((v16f){} + kept));
    return (v16f)bits;
}

PK_INLINE pk_chunk pk_in_order(v16f low, v16f high) {
    return (pk_chunk){PK_LOWER(low, high), PK_UPPER(low, high)};
}
