// The kernels for x86-64-v3.
#if defined(__x86_64__)
#define PK_WIDTH 256  // bits of a vector register
#include "CPerturbationKernels.h"
#include "levels.h"

#include <string.h>

#pragma clang fp contract(off)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#include "pipeline.h"

#define PK_LEVEL_NAME(name) pk_x86_64_v3_##name
#include "level.inc"
#pragma clang attribute pop
#endif
