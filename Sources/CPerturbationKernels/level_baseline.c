// The kernels for the build's own target: SSE2 on x86-64, NEON on arm64.
#define PK_WIDTH 128  // bits of a vector register
#include "CPerturbationKernels.h"
#include "levels.h"
#pragma clang fp contract(off)
#include "pipeline.h"

#define PK_LEVEL_NAME(name) pk_baseline_##name
#include "level.inc"
