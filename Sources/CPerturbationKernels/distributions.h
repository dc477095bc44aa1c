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
//
// These steps, and those of the angle, are apart for PK_TURN.
PK_INLINE vint pk_log_power(vfloat u) { return ((vint)u - 0x3f3504f3) & (int32_t)0xff800000; }  // 2²³·e

PK_INLINE vfloat pk_log_rest(vfloat u, vint power) { return (vfloat)((vint)u - power) - 1.0f; }  // f

// The polynomial −2 + f·P(f), by Horner's rule: from p of one degree less, nothing at first, up to degree 7.
PK_INLINE vfloat pk_log_term(vfloat p, vfloat f, int degree) {
    static const float terms[] = {0x1.a8f680p-3f, -0x1.4d21aep-2f, 0x1.600278p-2f, -0x1.9775e6p-2f,
                                  0x1.ff7b88p-2f, -0x1.5559d0p-1f, 0x1.000056p-0f, -2.0f};
    return PK_FMA(degree == 1 ? (vfloat){} + terms[0] : p, f, (vfloat){} + terms[degree]);
}

PK_INLINE vfloat pk_log_join(vfloat power, vfloat product) {
    return PK_FMA(power, (vfloat){} - 0x1.62e430p-23f, product);
}

PK_INLINE vfloat pk_minus_two_log(vfloat u) {
    const vint power = pk_log_power(u);
    const vfloat f = pk_log_rest(u, power);
    vfloat p = f;
    for (int degree = 1; degree <= 7; degree++) p = pk_log_term(p, f, degree);
    return pk_log_join(__builtin_convertvector(power, vfloat), f * p);
}

// Box and Muller (1958): √(−2 ln u)·(cos φ, sin φ). A word w gives the angle's place in the first quadrant,
// φ = π/4 + a with a = π/4·w·2⁻³¹ for signed w, by cos φ = (cos a − sin a)/√2 and sin φ = (cos a + sin a)/√2
// (the 1/√2 is in the coefficients; absolute error below 3·10⁻⁸), and by its two lowest bits, which the
// rounding of a to 24 bits forgets, the signs.
typedef struct {
    vfloat cosine, sine;
} pk_direction;

// cos a and (sin a)/a by Horner's rule in t = a²: of one degree less, nothing at first, up to degree 3.
PK_INLINE void pk_angle_term(pk_direction *d, vfloat t, int degree) {
    static const float sine[] = {-0x1.aa89dcp-16f, 0x1.cd8ea4p-10f, -0x1.d3ba3ep-5f, 0x1.1c5832p-1f};
    static const float cosine[] = {-0x1.d8df08p-13f, 0x1.6f4004p-7f, -0x1.bea562p-3f, 0x1.6a09e6p-1f};
    const vfloat zero = {};
    d->sine = PK_FMA(degree == 1 ? zero + sine[0] : d->sine, t, zero + sine[degree]);
    d->cosine = PK_FMA(degree == 1 ? zero + cosine[0] : d->cosine, t, zero + cosine[degree]);
}

// cos φ and sin φ from them.
PK_INLINE pk_direction pk_direct(pk_direction d, vfloat a) {
    return (pk_direction){PK_FMA(-d.sine, a, d.cosine), PK_FMA(d.sine, a, d.cosine)};
}

PK_INLINE vfloat pk_angle(pk_words32 w) { return __builtin_convertvector((vint)w.high, vfloat) * 0x1p-31f; }

PK_INLINE pk_direction pk_directed(vfloat a) {
    pk_direction d = {a, a};
    for (int degree = 1; degree <= 3; degree++) pk_angle_term(&d, a * a, degree);
    return pk_direct(d, a);
}

PK_INLINE vfloat pk_with_sign(vfloat value, vuint sign) { return (vfloat)((vuint)value ^ (sign & 0x80000000u)); }

PK_INLINE pk_chunk pk_in_order(vfloat low, vfloat high) {
    return (pk_chunk){PK_FIRST(low, high), PK_SECOND(low, high)};
}

PK_INLINE pk_chunk pk_normal(pk_words32 w, float scale) {
    const vfloat radius = PK_SQRT(pk_minus_two_log(pk_unit(w.low))) * scale;
    const pk_direction d = pk_directed(pk_angle(w));
    return pk_in_order(pk_with_sign(d.cosine * radius, w.high << 31), pk_with_sign(d.sine * radius, w.high << 30));
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
