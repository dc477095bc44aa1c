// Chooses a level by what the processor says of itself.
#include "levels.h"

#define PK_WIDTH 128
#include "philox.h"

pk_level pk_highest_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return PK_X86_64_V4;
    if (__builtin_cpu_supports("x86-64-v3")) return PK_X86_64_V3;
#endif
    return PK_BASELINE;
}

const pk_kernels *pk_kernels_f32(pk_level level) {
    switch (level) {
#if defined(__x86_64__)
    case PK_X86_64_V4: return pk_x86_64_v4_f32();
    case PK_X86_64_V3: return pk_x86_64_v3_f32();
#endif
    case PK_BASELINE: return pk_baseline_f32();
    default: return NULL;
    }
}

const pk_kernels *pk_kernels_f64(pk_level level) {
    switch (level) {
#if defined(__x86_64__)
    case PK_X86_64_V4: return pk_x86_64_v4_f64();
    case PK_X86_64_V3: return pk_x86_64_v3_f64();
#endif
    case PK_BASELINE: return pk_baseline_f64();
    default: return NULL;
    }
}

const pk_bfloat16 *pk_kernels_bf16(pk_level level) {
    switch (level) {
#if defined(__x86_64__)
    case PK_X86_64_V4: return pk_x86_64_v4_bf16();
    case PK_X86_64_V3: return pk_x86_64_v3_bf16();
#endif
    case PK_BASELINE: return pk_baseline_bf16();
    default: return NULL;
    }
}

void pk_words(uint32_t *out, size_t count, const pk_stream *stream, uint64_t first) {
    uint64_t chunk = first / PK_CHUNK;
    size_t skip = (size_t)(first % PK_CHUNK), done = 0;
    while (done < count) {
        uint64_t counter = chunk++ * (PK_CHUNK / 4);
        const pk_fixed fixed = pk_fix(stream, counter);
        pk_words32 w = pk_philox(&fixed, (uint32_t)counter);
        uint32_t words[PK_CHUNK];
        vuint first_half = PK_FIRST(w.low, w.high), second_half = PK_SECOND(w.low, w.high);
        memcpy(words, &first_half, sizeof first_half);
        memcpy(words + PK_LANES, &second_half, sizeof second_half);
        size_t n = PK_CHUNK - skip < count - done ? PK_CHUNK - skip : count - done;
        memcpy(out + done, words + skip, n * sizeof *words);
        done += n;
        skip = 0;
    }
}
