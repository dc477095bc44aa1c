// What the kernels of linear models share: the tile of rows, and a logarithm of their own.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vectors.h"

// Rows whose margins are known before their losses are taken: a whole number of the widest registers.
enum { PK_TILE = 64 };

// ln x for 1 ≤ x < ∞ within 1 ulp, by fma alone: x = 2ᵉ·m, √½ ≤ m < √2, and ln m = 2·artanh s with s = (m − 1)/(m + 1),
// |s| ≤ 0.172, whose series is cut where its terms are below 2⁻⁵⁶. What is not finite stays so.
PK_INLINE double pk_log(double x) {
    if (!(x < INFINITY)) return x;
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int64_t e = (bits - 0x3fe6a09e667f3bcd) >> 52;
    bits -= (int64_t)((uint64_t)e << 52);
    double m;
    memcpy(&m, &bits, sizeof m);
    double s = (m - 1.0) / (m + 1.0), t = s * s, p = 1.0 / 21;
    for (int k = 19; k > 1; k -= 2) p = PK_FMA(p, t, 1.0 / k);
    // 2s + 2s³·p + e·ln 2, with ln 2 in two parts, the first of which times e is exact.
    double tail = PK_FMA((double)e, 0x1.ef35793c7673p-45, 2.0 * s * t * p);
    return PK_FMA((double)e, 0x1.62e42fefa38p-1, PK_FMA(2.0, s, tail));
}
