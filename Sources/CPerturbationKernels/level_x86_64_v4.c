// The kernels for x86-64-v4.
#if defined(__x86_64__)
#define PK_WIDTH 512  // bits of a vector register
#include "CPerturbationKernels.h"
#include "levels.h"

#include <string.h>

#pragma clang fp contract(off)
// Whole registers: left to itself the compiler takes half of one, for the sake of processors that then ran slower.
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,no-prefer-256-bit"))), apply_to = function)
#include "pipeline.h"

#define PK_LEVEL_NAME(name) pk_x86_64_v4_##name
#include "level.inc"
#pragma clang attribute pop
#endif
