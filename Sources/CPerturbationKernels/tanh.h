// tanh without libm, so that its bits are the same on every machine and its loop fills the vector units.
#pragma once

#include "vectors.h"

// tanh|x| = −E/(2 + E) with E = exp(y) − 1, y = −2|x|. y = k·ln 2 + r, |r| ≤ ½ln 2 (adding a large number rounds k, and leaves it in
// the lowest bits), and E = 2ᵏ·p + (2ᵏ − 1) with p = exp(r) − 1 = r + r²·Q(r). No step loses bits to cancellation, so that the
// result has an error below 3 units in its last place everywhere, the smallest x included. A NaN stays one.
//
// Beyond the largest |y| that is computed tanh rounds to ±1.

// Q is a minimax polynomial of degree 5 (relative error of p below 3·10⁻¹⁰).
PK_INLINE float pk_tanh_f32(float x) {
    float size = PK_ABS(x);
    float y = -2.0f * (size > 9.5f ? 9.5f : size);
    float shifted = PK_FMA(y, 0x1.715476p+0f, 0x1.8p+23f);
    float k = shifted - 0x1.8p+23f;
    float r = PK_FMA(k, 0x1.05c610p-29f, PK_FMA(k, -0x1.62e430p-1f, y));
    float q = PK_FMA(0x1.a032c4p-13f, r, 0x1.6d723ep-10f);
    q = PK_FMA(q, r, 0x1.11118ap-7f);
    q = PK_FMA(q, r, 0x1.5554b0p-5f);
    q = PK_FMA(q, r, 0x1.555554p-3f);
    q = PK_FMA(q, r, 0.5f);
    float p = PK_FMA(r * r, q, r);
    uint32_t bits, sign;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits - 0x4b400000u + 127u) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    float e = PK_FMA(power, p, power - 1.0f);
    float tanh = e / (-2.0f - e);
    memcpy(&bits, &tanh, sizeof bits);
    memcpy(&sign, &x, sizeof sign);
    bits = (bits & 0x7fffffffu) | (sign & 0x80000000u);
    memcpy(&tanh, &bits, sizeof tanh);
    return tanh;
}

// Q is the series of exp, to the term r¹³/13! of p (relative error below 2·10⁻¹⁷).
PK_INLINE double pk_tanh_f64(double x) {
    double size = PK_ABS(x);
    double y = -2.0 * (size > 20.0 ? 20.0 : size);
    double shifted = PK_FMA(y, 0x1.71547652b82fep+0, 0x1.8p+52);
    double k = shifted - 0x1.8p+52;
    double r = PK_FMA(k, -0x1.abc9e3b39803fp-56, PK_FMA(k, -0x1.62e42fefa39efp-1, y));
    double q = PK_FMA(1.0 / 6227020800.0, r, 1.0 / 479001600.0);
    q = PK_FMA(q, r, 1.0 / 39916800.0);
    q = PK_FMA(q, r, 1.0 / 3628800.0);
    q = PK_FMA(q, r, 1.0 / 362880.0);
    q = PK_FMA(q, r, 1.0 / 40320.0);
    q = PK_FMA(q, r, 1.0 / 5040.0);
    q = PK_FMA(q, r, 1.0 / 720.0);
    q = PK_FMA(q, r, 1.0 / 120.0);
    q = PK_FMA(q, r, 1.0 / 24.0);
    q = PK_FMA(q, r, 1.0 / 6.0);
    q = PK_FMA(q, r, 0.5);
    double p = PK_FMA(r * r, q, r);
    uint64_t bits, sign;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits - 0x4338000000000000u + 1023u) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    double e = PK_FMA(power, p, power - 1.0);
    double tanh = e / (-2.0 - e);
    memcpy(&bits, &tanh, sizeof bits);
    memcpy(&sign, &x, sizeof sign);
    bits = (bits & 0x7fffffffffffffffu) | (sign & 0x8000000000000000u);
    memcpy(&tanh, &bits, sizeof tanh);
    return tanh;
}
