/// The arithmetic of the perturbed step over ONE block: noise, reductions, update rules.
///
/// Knows neither Swift nor libtorch: raw pointers in, raw pointers out. Every kernel exists once per SIMD
/// level and gives the same bits at each, because all of them are compiled from the same straight-line
/// source with explicit fused multiply-add, IEEE division and square root, and no reassociation.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Where a block's random bits come from: a Philox key and the fixed part of the counter.
/// Counter q is (q mod 2³², q div 2³² | term << 16, step, parameter) and gives four words. Element
/// e = 32r + 16s + 2i + h (s, h < 2; i < 8) has word 2s + 1 − h of counter 8r + i.
typedef struct {
    uint32_t key[2];
    uint32_t step;
    uint32_t parameter;
    uint32_t term;  // 16 bits
} pk_stream;

/// What a noise kernel does with its variate ξ at each element (x is a second input, s a scale).
typedef enum {
    PK_STORE = 0,      // out  = s·ξ
    PK_ADD = 1,        // out += s·ξ
    PK_ADD_SCALED = 2  // out += s·x·ξ
} pk_mode;

/// Memory the update will need soon: a noise kernel touches it while it computes, so that arithmetic and
/// memory traffic overlap. The addresses are only asked for: they may lie beyond an array.
typedef struct {
    const char *arrays[6];
    int count;
} pk_prefetch;

/// The distributions; each has mean 0 and variance 1 except where said.
typedef enum {
    PK_NORMAL = 0,
    PK_UNIFORM = 1,     // √3·U(−1, 1)
    PK_LAPLACE = 2,     // density ½√2·exp(−√2|x|)
    PK_RADEMACHER = 3,  // ±1
    PK_DROP = 4         // b/(1−p) − 1 with b ~ Bernoulli(1−p): mean 0, variance p/(1−p)
} pk_distribution;

/// Functions of one element, odd ones.
typedef enum {
    PK_IDENTITY = 0,
    PK_SIGN,      // with sign(0) = 0
    PK_TANH,      // tanh x, within 3 units in the last place
    PK_SQUARE,    // x·|x|
    PK_ROOT       // sign(x)·√|x|
} pk_function;

/// Sums over a block, accumulated in double in a fixed order.
typedef struct {
    double sum_squares;
    double sum_absolute;
    double max_absolute;  // NaN-free: meaningful only when finite
    int64_t nonfinite;    // how many elements are NaN or ±∞
} pk_moments;

/// Sums over a block of an array with noise.
typedef struct {
    double noise;          // Σ ξ·x
    double squares;        // Σ x²
    double noise_squares;  // Σ ξ²
} pk_noise_sums;

/// Sums over a block of a curvature h.
typedef struct {
    double sizes;  // Σ |h|
    double roots;  // Σ √|h|
} pk_curvature_sums;

/// What a term of δ is; those up to PK_SIGN_DROP draw noise.
typedef enum {
    PK_NOISE = 0,           // scale·ξ(first + i)
    PK_NOISE_BY_GRADIENT,   // scale·g[i]·ξ(first + i)
    PK_SHAPED_NOISE,        // scale·c[i]·ξ(first + i), c = r^(quarters/2), r = √|h[i]|·input_scale + damping, h the input
    PK_SIGN_DROP,           // scale·(n where u·(p + n) < p − n, else −p), u ~ U(−1, 1), p = max(input[i]·input_scale, 0) and
                            // n = max(p − g[i], 0)
    PK_ALONG_GRADIENT,      // scale·g[i]
    PK_ALONG_PARAMETERS,    // scale·θ[i]
    PK_ALONG_SIGNS,         // scale·sign(θ[i]), with sign(0) = 0
    PK_ALONG_INPUT,         // scale·input[i]
    PK_ALONG_DIFFERENCE,    // scale·(θ[i] − input[i])
    PK_FUNCTION             // scale·f(input_scale·g[i])
} pk_term_kind;

/// One term of δ of a block.
typedef struct {
    pk_term_kind kind;
    double scale;
    pk_distribution distribution;  // of PK_NOISE and PK_NOISE_BY_GRADIENT; PK_SHAPED_NOISE is normal
    pk_stream stream;              // of noise, as is `first`
    uint64_t first;
    double p;                      // of PK_DROP
    const void *input;             // an array of T with the elements of the block
    double input_scale;
    double damping;                // of PK_SHAPED_NOISE; a NaN in h counts as 0, ∞ as the largest finite number
    int quarters;                  // of PK_SHAPED_NOISE: −4 … 4, not 0
    pk_function function;          // of PK_FUNCTION
} pk_term;

/// One block for an update rule. ĝ = gradient_scale·g + delta_scale·δ; δ may be NULL. `noise` is a sampler's
/// own, ξ ~ N(0, 1); other rules do not read it.
typedef struct {
    void *parameters;
    const void *gradient;
    const void *delta;
    const pk_term *terms;  // δ, in order, for the `…_drawn` kernels; not read by the others
    size_t term_count;
    void *state[4];
    size_t count;
    double gradient_scale;
    double delta_scale;
    const void *noise;
} pk_block;

/// θ ← (1 − decay)·θ − rate·(u), ĝ ← ĝ + penalty·θ first.
/// u = buffer or ĝ + momentum·buffer (Nesterov); buffer ← momentum·buffer + intake·ĝ.
typedef struct {
    double rate, penalty, decay;
    double momentum, intake;
    int nesterov;
} pk_sgd;

/// m ← m + (1−β₁)(ĝ−m); v ← β₂v + (1−β₂)ĝ²; θ ← (1−decay)θ − rate·m/(√v·root_scale + ε).
/// `rate` and `root_scale` carry the bias corrections. With `amsgrad`, v is replaced by its running maximum.
typedef struct {
    double rate, penalty, decay;
    double beta1, beta2, epsilon, root_scale;
    int amsgrad;
} pk_adam;

/// s ← αs + (1−α)ĝ²; centred: a ← a + (1−α)(ĝ−a), s−a²; u = ĝ/(√·+ε); buffer ← momentum·buffer + u.
/// State: s, then a if centred, then the buffer (NULL: no momentum).
typedef struct {
    double rate, penalty, decay;
    double alpha, epsilon, momentum;
    int centred;
} pk_rmsprop;

/// s ← s + start + ĝ²; θ ← (1−decay)θ − rate·ĝ/(√s + ε).
typedef struct {
    double rate, penalty, decay;
    double start, epsilon;
} pk_adagrad;

/// m ← m + (1−beta)(ĝ−m), u = positive·m + negative·m'; θ ← (1−decay)θ − rate·u. State: m, then m'.
typedef struct {
    double rate, penalty, decay;
    double beta, positive, negative;
} pk_pnm;

/// As pk_pnm, with u over √v·root_scale + ε, v ← β₂v + (1−β₂)ĝ². State: m, m', v, then v's running maximum
/// (NULL: none).
typedef struct {
    double rate, penalty, decay;
    double beta, positive, negative;
    double beta2, epsilon, root_scale;
} pk_adapnm;

/// A second moment without the known part of ĝ's variance, v ← beta·v + intake·ĝ² − (constant + along·g²),
/// of which max(v, floor) is used.
typedef struct {
    double beta, intake, constant, along, floor;
} pk_known_noise;

/// Adam with that second moment.
typedef struct {
    double rate, penalty, decay;
    double beta1, epsilon, root_scale;
    pk_known_noise noise;
} pk_adam_pe;

/// RMSProp with that second moment. State: it, then the buffer (NULL: no momentum).
typedef struct {
    double rate, penalty, decay;
    double epsilon, momentum;
    pk_known_noise noise;
} pk_rms_pe;

/// v ← (1−friction)·v − rate·ĝ + strength·ξ, θ ← θ + v. State: v (NULL: v starts at 0 every time).
typedef struct {
    double rate, penalty, decay;
    double friction, strength;
} pk_langevin;

/// s ← αs + (1−α)ĝ², G = 1/(√s + ε); θ ← θ − rate·Gĝ + strength·√G·ξ.
typedef struct {
    double rate, penalty, decay;
    double alpha, epsilon, strength;
} pk_psgld;

/// The examples of a linear model, as rows of features with a target each; T is the kernels' scalar type. Rows are dense, or
/// bits where every feature is 0 or 1, or sparse.
typedef struct {
    const void *values;       // T, of dense rows or of sparse entries; NULL: bits, or entries that are all 1
    const uint16_t *bits;     // of each 16 columns, the first in the lowest bit; NULL: rows of another kind
    const uint32_t *columns;  // of each entry of sparse rows; NULL: rows of another kind
    const int64_t *starts;    // sparse row i has the entries starts[i] ..< starts[i + 1]
    size_t width;             // features of a row
    size_t stride;            // columns from one dense row or row of bits to the next: a multiple of 16 ≥ width, filled up with 0
    const void *targets;      // T, of each row; ±1 for PK_LOGISTIC
} pk_rows;

/// The loss of a row with the target y and the margin z.
typedef enum {
    PK_LOGISTIC = 0,  // log(1 + exp(−y·z))
    PK_GAUSSIAN = 1   // ½·precision·(z − y)²
} pk_family;

/// The kernels of one scalar type at one SIMD level.
typedef struct {
    /// out[i] ∘= scale·ξ(first + i), by `mode`; x is read by PK_ADD_SCALED only; `p` by PK_DROP only.
    void (*noise)(
        pk_distribution distribution, pk_mode mode, void *out, const void *x, size_t count, double scale,
        double p, const pk_stream *stream, uint64_t first, const pk_prefetch *prefetch);
    /// out[i] += scale·x[i]
    void (*add_scaled)(void *out, const void *x, size_t count, double scale);
    /// The terms of δ in order, `terms[0 ..< term_count]`: added to out or, with `stores`, put there. `prefetch` as of `noise`.
    void (*add_terms)(
        const pk_term *terms, size_t term_count, void *out, const void *theta, const void *gradient, size_t count,
        int stores, const pk_prefetch *prefetch);
    /// Σ (x[i] − y[i])² in double, fixed order
    double (*distance)(const void *x, const void *y, size_t count);
    /// Σ |h[i]| and Σ √|h[i]| in double, fixed order; a NaN counts as 0, ∞ as the largest finite number
    pk_curvature_sums (*curvature_sums)(const void *h, size_t count);
    /// Σ of c² as of PK_SHAPED_NOISE, in double, fixed order
    double (*shape_sum)(const void *h, size_t count, double scale, double damping, int quarters);
    /// Σ p·n as of PK_SIGN_DROP, in double, fixed order
    double (*sign_drop_sum)(const void *positive, const void *g, size_t count, double clip);
    /// Σ x[i]·y[i] in double, fixed order
    double (*dot)(const void *x, const void *y, size_t count);
    /// Σ ξ(first + i)·x[i], Σ x[i]² and Σ ξ(first + i)², ξ ~ N(0, 1), in double, fixed order; the last alone where x is NULL
    pk_noise_sums (*noise_sums)(const void *x, size_t count, const pk_stream *stream, uint64_t first);
    /// Σ x[i]·ξ(first + i)/√v[i], ξ ~ N(0, 1), 0 where v[i] is not above 0; in double, fixed order
    double (*noise_over_root)(const void *x, const void *v, size_t count, const pk_stream *stream, uint64_t first);
    pk_moments (*moments)(const void *x, size_t count);
    /// How many elements are NaN or ±∞ (one read of x and nothing else).
    int64_t (*nonfinite)(const void *x, size_t count);
    /// max |x[i]|, 0 for none; NaN where there is one. At the price of `nonfinite`.
    double (*largest)(const void *x, size_t count);
    /// x[i] clamped to ±limit into out (may be the same)
    void (*clamp)(void *out, const void *x, size_t count, double limit);
    /// Σ of the losses over the rows batch[0 ..< count], z = w·x + b; adds their gradient to `gradient`. θ is (w, b), or w
    /// without an intercept. Losses are summed in double, all in a fixed order (linear_model.inc).
    double (*linear_losses)(
        const pk_rows *rows, pk_family family, double precision, const void *theta, int has_intercept,
        const ptrdiff_t *batch, size_t count, void *gradient);
    void (*sgd)(const pk_block *block, const pk_sgd *rule);
    void (*adam)(const pk_block *block, const pk_adam *rule);
    /// The same with δ made from `block->terms`, one at least, on the way: the same bits without a stored δ. NULL for
    /// float64; adam_drawn has no amsgrad.
    void (*sgd_drawn)(const pk_block *block, const pk_sgd *rule);
    void (*adam_drawn)(const pk_block *block, const pk_adam *rule);
    void (*rmsprop)(const pk_block *block, const pk_rmsprop *rule);
    void (*adagrad)(const pk_block *block, const pk_adagrad *rule);
    void (*pnm)(const pk_block *block, const pk_pnm *rule);
    void (*adapnm)(const pk_block *block, const pk_adapnm *rule);
    void (*adam_pe)(const pk_block *block, const pk_adam_pe *rule);
    void (*rms_pe)(const pk_block *block, const pk_rms_pe *rule);
    void (*langevin)(const pk_block *block, const pk_langevin *rule);
    void (*psgld)(const pk_block *block, const pk_psgld *rule);
} pk_kernels;

/// bfloat16 (the upper half of a float32) to float32 and back. A NaN stays a NaN, ±∞ and ±0 themselves.
typedef struct {
    /// out[i] = x[i], exactly; float32 from bfloat16
    void (*widen)(void *out, const void *x, size_t count);
    /// out[i] = the nearest bfloat16, the even one of two; finite values beyond the largest become ±∞
    void (*round_nearest)(void *out, const void *x, size_t count);
    /// out[i] = one of the two neighbours with mean x[i], by the stream's word of element first + i. Finite values
    /// beyond the largest bfloat16 become that one.
    void (*round_stochastic)(
        void *out, const void *x, size_t count, const pk_stream *stream, uint64_t first);
} pk_bfloat16;

/// The SIMD levels a build may hold. A machine supports every level up to its own.
typedef enum { PK_BASELINE = 0, PK_X86_64_V3 = 1, PK_X86_64_V4 = 2 } pk_level;

/// The highest level this machine can run.
pk_level pk_highest_level(void);
/// The kernels of a level, for float32 and float64. NULL where the build does not hold the level.
const pk_kernels *pk_kernels_f32(pk_level level);
const pk_kernels *pk_kernels_f64(pk_level level);
/// The conversions of a level.
const pk_bfloat16 *pk_kernels_bf16(pk_level level);

/// The raw 32-bit words first … first + count − 1 of a stream, in element order: the stream as a statistical
/// battery sees it, and what the known-answer tests check.
void pk_words(uint32_t *out, size_t count, const pk_stream *stream, uint64_t first);
