// Normal variates where there are many: four chunks under way at once.
//
// A variate is a chain of some fifty operations, each of which waits for the one before, and a processor looks ahead over few
// that wait. So each turn moves four chunks on, each by a quarter of its chain, in twelve slots: few operations of a slot wait
// for each other. The quarters are
// - counters and the levels 1 … 4 of Philox (`m`),
// - its other levels (`late`), f and the beginning of the logarithm's polynomial,
// - the rest of the logarithm, its root, and the direction,
// - the variates, and what they are used for.
#pragma once

#include "distributions.h"

// What one turn leaves to the next.
typedef struct {
    vwide product;                         // of the next counters: see pk_mixing
    vwide lead2, lead3, trail4, lead4;     // of the chunk whose words are half made
    vuint high;                            // of the chunk before it: its second words,
    vint power;                            // and of the logarithm of the first the power,
    vfloat rest, sum;                      // f, and the polynomial so far
    vuint signs;                           // of the oldest, whose variates come next
    vfloat radius;
    pk_direction direction;
} pk_flight;

// From this many elements on a flight is worth its taking off.
enum { PK_LONG = 4 * PK_CHUNK };

// Whether a flight can draw these elements, and is worth it: they begin with a chunk, and their counters share the upper half.
PK_INLINE int pk_can_fly(uint64_t first, size_t count) {
    return PK_PIPELINES && count >= PK_LONG && first % PK_CHUNK == 0 && first % PK_SEGMENT + count <= PK_SEGMENT;
}

// One turn. The variates of the oldest chunk, `xi`, are used in SLOT(0) … SLOT(8), which are the fourth slot to the twelfth.
#define PK_TURN(flight, fixed, scale, xi, SLOT)                                                          \
    do {                                                                                                 \
        pk_mixing m = {.product = (flight).product};                                                     \
        pk_mixing late = {.leads = {[2] = (flight).lead2, [3] = (flight).lead3, [4] = (flight).lead4},   \
                          .trails = {[4] = (flight).trail4}};                                            \
        vfloat f = (flight).rest, p = (flight).sum, radius = (flight).radius;                            \
        pk_direction d = (flight).direction;                                                             \
        vuint signs = (flight).signs, high = (flight).high;                                              \
        vint power = (flight).power;                                                                     \
                                                                                                         \
        /* Keys are read anew: each in a register of its own, they would be stored, and read all the same. */ \
        const pk_fixed *keys = fixed;                                                                    \
        __asm__ volatile("" : "+r"(keys));                                                               \
        pk_philox_start(&m);                                                                             \
        pk_philox_shift(&late, 4);                                                                       \
        p = pk_log_term(p, f, 3);                                                                        \
        radius = radius * (scale);                                                                       \
        PK_PIN(&m.trail, &late.trail, &late.lead, &p, &radius);                                          \
                                                                                                         \
        pk_philox_enter(&m, keys);                                                                       \
        pk_philox_mix(&late, keys, 4);                                                                   \
        p = pk_log_term(p, f, 4);                                                                        \
        d.cosine = d.cosine * radius, d.sine = d.sine * radius;                                          \
        vuint cosine_sign = signs << 31, sine_sign = signs << 30;                                        \
        PK_PIN(&m.trail, &m.lead, &late.trail, &late.lead, &p, &d.cosine, &d.sine, &cosine_sign, &sine_sign); \
                                                                                                         \
        pk_philox_multiply(&m, 1);                                                                       \
        pk_philox_multiply(&late, 5);                                                                    \
        p = pk_log_term(p, f, 5);                                                                        \
        d.cosine = pk_with_sign(d.cosine, cosine_sign), d.sine = pk_with_sign(d.sine, sine_sign);        \
        pk_philox_next(&m);                                                                              \
        PK_PIN(&m.trails[1], &m.leads[1], &late.trails[5], &late.leads[5], &p, &d.cosine, &d.sine, &m.product); \
        xi = pk_in_order(d.cosine, d.sine);                                                              \
                                                                                                         \
        pk_philox_shift(&m, 1);                                                                          \
        pk_philox_shift(&late, 5);                                                                       \
        p = pk_log_term(p, f, 6);                                                                        \
        SLOT(0);                                                                                         \
        PK_PIN(&m.trail, &m.lead, &late.trail, &p);                                                      \
                                                                                                         \
        pk_philox_mix(&m, keys, 1);                                                                      \
        pk_philox_mix(&late, keys, 5);                                                                   \
        p = pk_log_term(p, f, 7);                                                                        \
        vfloat e = __builtin_convertvector(power, vfloat);                                               \
        SLOT(1);                                                                                         \
        PK_PIN(&m.trail, &m.lead, &late.trail, &late.words.low, &p, &e);                                 \
                                                                                                         \
        pk_philox_multiply(&m, 2);                                                                       \
        pk_philox_multiply(&late, 6);                                                                    \
        vfloat u = __builtin_convertvector(late.words.low, vfloat);                                      \
        p = f * p;                                                                                       \
        vfloat angle = __builtin_convertvector((vint)high, vfloat);                                      \
        signs = high;                                                                                    \
        SLOT(2);                                                                                         \
        PK_PIN(&m.trails[2], &m.leads[2], &late.trails[6], &u, &p, &angle, &signs);                      \
                                                                                                         \
        pk_philox_shift(&m, 2);                                                                          \
        pk_philox_finish(&late, keys);                                                                   \
        u = PK_FMA(u, (vfloat){} + 0x1p-32f, (vfloat){} + 0x1p-33f);                                     \
        p = pk_log_join(e, p);                                                                           \
        angle = angle * 0x1p-31f;                                                                        \
        SLOT(3);                                                                                         \
        PK_PIN(&m.trail, &m.lead, &late.words.high, &u, &p, &angle);                                     \
                                                                                                         \
        pk_philox_mix(&m, keys, 2);                                                                      \
        power = pk_log_power(u);                                                                         \
        radius = PK_SQRT(p);                                                                             \
        vfloat t = angle * angle;                                                                        \
        SLOT(4);                                                                                         \
        PK_PIN(&m.trail, &m.lead, &power, &radius, &t);                                                  \
                                                                                                         \
        pk_philox_multiply(&m, 3);                                                                       \
        f = (vfloat)((vint)u - power);                                                                   \
        pk_angle_term(&d, t, 1);                                                                         \
        SLOT(5);                                                                                         \
        PK_PIN(&m.trails[3], &m.leads[3], &f, &d.cosine, &d.sine);                                       \
                                                                                                         \
        pk_philox_shift(&m, 3);                                                                          \
        f = f - 1.0f;                                                                                    \
        pk_angle_term(&d, t, 2);                                                                         \
        SLOT(6);                                                                                         \
        PK_PIN(&m.trail, &m.lead, &f, &d.cosine, &d.sine);                                               \
                                                                                                         \
        pk_philox_mix(&m, keys, 3);                                                                      \
        p = pk_log_term(p, f, 1);                                                                        \
        pk_angle_term(&d, t, 3);                                                                         \
        SLOT(7);                                                                                         \
        PK_PIN(&m.trail, &m.lead, &p, &d.cosine, &d.sine);                                               \
                                                                                                         \
        pk_philox_multiply(&m, 4);                                                                       \
        p = pk_log_term(p, f, 2);                                                                        \
        d = pk_direct(d, angle);                                                                         \
        SLOT(8);                                                                                         \
        PK_PIN(&m.trails[4], &m.leads[4], &p, &d.cosine, &d.sine);                                       \
                                                                                                         \
        flight = (pk_flight){                                                                            \
            .product = m.product,                                                                        \
            .lead2 = m.leads[2], .lead3 = m.leads[3], .trail4 = m.trails[4], .lead4 = m.leads[4],        \
            .high = late.words.high, .power = power, .rest = f, .sum = p,                                \
            .signs = signs, .radius = radius, .direction = d,                                            \
        };                                                                                               \
    } while (0)

// See pk_take_off.
static inline __attribute__((noinline)) void pk_first_quarters(
    pk_flight *flight, const pk_fixed *fixed, uint32_t counter) {
    const pk_words32 oldest = pk_philox(fixed, counter), second = pk_philox(fixed, counter + PK_CHUNK / 4);
    const vfloat angle = pk_angle(oldest), u = pk_unit(second.low);
    const vint power = pk_log_power(u);
    const vfloat f = pk_log_rest(u, power);
    pk_mixing m = pk_philox_levels(fixed, counter + 2 * (PK_CHUNK / 4), 3);
    pk_philox_multiply(&m, 4);
    pk_philox_next(&m);
    *flight = (pk_flight){
        .product = m.product,
        .lead2 = m.leads[2],
        .lead3 = m.leads[3],
        .trail4 = m.trails[4],
        .lead4 = m.leads[4],
        .high = second.high,
        .power = power,
        .rest = f,
        .sum = pk_log_term(pk_log_term(f, f, 1), f, 2),
        .signs = oldest.high,
        .radius = PK_SQRT(pk_minus_two_log(pk_unit(oldest.low))),
        .direction = pk_directed(angle),
    };
}

// The flight of which the next turn brings the variates of the chunk whose first counter is `counter`.
PK_INLINE pk_flight pk_take_off(const pk_fixed *fixed, uint32_t counter) {
    // Copied, so that nobody knows the address of what the caller has: that can be in registers. It aligns the frame besides,
    // and what finds no register does not lie across two lines of the cache.
    pk_flight ready;
    pk_first_quarters(&ready, fixed, counter);
    return ready;
}

// A flight between two runs of a stream's elements: what was begun in the one goes on in the other, whose first element is `next`;
// no element's number where nothing is under way.
typedef struct {
    pk_flight flight;
    uint64_t next;
} pk_carried;

#define PK_NOWHERE UINT64_MAX

// Whether to draw the whole chunks of `count` elements by a flight, which then is ready for `first`. That begins a chunk, and
// the counters share the upper half.
PK_INLINE int pk_board(
    pk_flight *flight, const pk_carried *carried, uint64_t first, size_t count, const pk_fixed *fixed) {
    if (carried && carried->next == first && first % PK_SEGMENT != 0) {
        *flight = carried->flight;
        return 1;
    }
    if (!carried && count < PK_LONG) return 0;
    *flight = pk_take_off(fixed, (uint32_t)(first / 4));
    return 1;
}

// So many terms of a block, the first, carry their flights from piece to piece.
enum { PK_FLIGHTS = 4 };

// Readies them, if the block is long enough; else none.
PK_INLINE pk_carried *pk_flights(pk_carried flights[PK_FLIGHTS], size_t count) {
    for (size_t k = 0; k < PK_FLIGHTS; k++) flights[k].next = PK_NOWHERE;
    return PK_PIPELINES && count >= PK_LONG ? flights : NULL;
}
