// The table of each SIMD level (one .c file each).
#pragma once

#include "CPerturbationKernels.h"

const pk_kernels *pk_baseline_f32(void);
const pk_kernels *pk_baseline_f64(void);
const pk_bfloat16 *pk_baseline_bf16(void);
#if defined(__x86_64__)
const pk_kernels *pk_x86_64_v3_f32(void);
const pk_kernels *pk_x86_64_v3_f64(void);
const pk_bfloat16 *pk_x86_64_v3_bf16(void);
const pk_kernels *pk_x86_64_v4_f32(void);
const pk_kernels *pk_x86_64_v4_f64(void);
const pk_bfloat16 *pk_x86_64_v4_bf16(void);
#endif
