// What the drawn kernels do with memory: float32 vectors in and out, and asking for what comes later.
#pragma once

#include "philox.h"

PK_INLINE vfloat pk_load(const float *p) {
    vfloat v;
    memcpy(&v, p, sizeof v);
    return v;
}

PK_INLINE void pk_store(float *p, vfloat v) { memcpy(p, &v, sizeof v); }

// An address that may lie beyond the array: only for asking.
PK_INLINE const char *pk_ahead(const float *p, int ahead) {
    return (const char *)((uintptr_t)p + (uintptr_t)ahead * sizeof *p);
}

// Asks for the lines of a chunk that comes `ahead` elements later. The processor's own prefetching begins anew at each page, and
// the arithmetic of the noise fills the window in which it would see loads that come later. How far ahead is best was
// measured: what comes too early is gone again, and Adam has twice as many arrays as SGD.
enum { PK_ADAM_AHEAD = 512, PK_SGD_AHEAD = 1024, PK_TERMS_AHEAD = 512, PK_SUMS_AHEAD = 1024 };

// Asks for `bytes` that lie PK_PASS_AHEAD bytes after p: for passes that only read, which wait for memory all the time.
enum { PK_PASS_AHEAD = 4096 };

PK_INLINE void pk_ask_ahead(const void *p, size_t bytes) {
    for (size_t line = 0; line < bytes; line += 64)
        __builtin_prefetch((const char *)((uintptr_t)p + PK_PASS_AHEAD + line));
}

PK_INLINE void pk_ask_for(const float *p, int ahead) {
    for (int line = 0; line < PK_CHUNK / 16; line++) __builtin_prefetch(pk_ahead(p + 16 * line, ahead));
}
