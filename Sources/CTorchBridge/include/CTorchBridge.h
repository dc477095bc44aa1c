// What PEO uses of libtorch, as plain C. Only the target `Torch` imports it (and `PerturbedTorch`, for the
// two calls that lend parameter memory); everything else uses the Swift types over it.
//
// The contract of every entry:
//   - No exception crosses. An entry that can fail returns a status: 0, or a `ptb_error`, whose message
//     `ptb_last_error` gives until the next failure on the same thread. Read it at once.
//   - A parameter of type `PTB_NEW` receives a NEW handle, which its caller releases once with
//     `ptb_release`; on failure it receives null. Every other pointer that comes out is BORROWED: it is good
//     as long as the handle it came from, and as nobody resizes or replaces that tensor.
//   - Handles that come in are never released or kept, and are not null unless the entry says so.
//   - Shapes are `ptrdiff_t` arrays with their length, which Swift sees as `Int`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define PTB_NOEXCEPT noexcept
extern "C" {
#else
#define PTB_NOEXCEPT
#endif

#pragma clang assume_nonnull begin

/// One owned reference to a tensor.
typedef struct ptb_tensor ptb_tensor;
/// Receives a new handle.
#define PTB_NEW ptb_tensor *_Nullable *_Nonnull
typedef int32_t ptb_status;

enum ptb_error {
  PTB_OK = 0,
  PTB_ERROR = 1,          // libtorch refused: a wrong shape, a wrong type
  PTB_INDEX_ERROR = 2,    // an index out of range
  PTB_OUT_OF_MEMORY = 3,  // no memory for the result
  PTB_NOT_IMPLEMENTED = 4,
  PTB_UNKNOWN = 5,        // an exception that is none of C++'s standard ones
  PTB_SCRIPT_ERROR = 6,   // a TorchScript module failed; no entry returns it, Swift holds it
};

// The numbers are those of c10::ScalarType.
enum ptb_dtype {
  PTB_UINT8 = 0,
  PTB_INT64 = 4,
  PTB_FLOAT32 = 6,
  PTB_FLOAT64 = 7,
  PTB_BOOL = 11,
  PTB_BFLOAT16 = 15,
};

// ---- Errors and handles (errors.cpp) ----------------------------------------------------------------------

/// The message of this thread's last failure. Borrowed, until the next failure.
const char *ptb_last_error(void) PTB_NOEXCEPT;
void ptb_release(ptb_tensor *tensor) PTB_NOEXCEPT;
/// How many handles exist in the process: leak tests watch it return to where it was.
int64_t ptb_live_handles(void) PTB_NOEXCEPT;
/// For an operation that cannot report its failure: holds it on this thread, unless one is held already, and returns a
/// NEW handle of an empty tensor to go on with; null where there is no memory even for that.
ptb_tensor *_Nullable ptb_hold_failure(ptb_status status, const char *operation, const char *message) PTB_NOEXCEPT;
/// The status of the failure that this thread holds; 0 where it holds none.
ptb_status ptb_held_status(void) PTB_NOEXCEPT;
/// The operation of the failure that this thread holds. Borrowed, until it is dropped.
const char *ptb_held_operation(void) PTB_NOEXCEPT;
/// The message of the failure that this thread holds. Borrowed, until it is dropped.
const char *ptb_held_message(void) PTB_NOEXCEPT;
void ptb_drop_held_failure(void) PTB_NOEXCEPT;
/// The version of the libtorch that the process has loaded, such as "2.13.0". Lives forever.
const char *ptb_libtorch_version(void) PTB_NOEXCEPT;
/// Tells the C library's allocator to keep up to 1 GiB of freed memory for the next allocation rather than give
/// it back to the system (memory.cpp). For the whole process. False where the C library has no such setting.
bool ptb_keep_freed_memory(void) PTB_NOEXCEPT;

// ---- Creation and memory (creation.cpp) -------------------------------------------------------------------

ptb_status ptb_full(const ptrdiff_t *shape, size_t rank, double value, int32_t dtype, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_arange(ptrdiff_t start, ptrdiff_t end, PTB_NEW out) PTB_NOEXCEPT;
/// Copies `byte_count` bytes, which must be exactly what the shape and type need.
ptb_status ptb_from_bytes(const void *_Nullable bytes, size_t byte_count, const ptrdiff_t *shape, size_t rank,
                          int32_t dtype, PTB_NEW out) PTB_NOEXCEPT;
/// Copies the elements, in row-major order, to `byte_count` bytes, which must be exactly their size.
ptb_status ptb_to_bytes(ptb_tensor *tensor, void *_Nullable bytes, size_t byte_count) PTB_NOEXCEPT;
/// Borrowed: the memory of a contiguous CPU tensor; fails for another one.
ptb_status ptb_data(ptb_tensor *tensor, void *_Nullable *_Nonnull out) PTB_NOEXCEPT;
ptb_status ptb_to_dtype(ptb_tensor *tensor, int32_t dtype, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_clone(ptb_tensor *tensor, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_contiguous(ptb_tensor *tensor, PTB_NEW out) PTB_NOEXCEPT;
/// Overwrites `target`, which may require gradients, without recording it. The shapes must be equal.
ptb_status ptb_copy_into(ptb_tensor *target, ptb_tensor *source) PTB_NOEXCEPT;
/// The same for each of `count` pairs, on a device in few kernels.
ptb_status ptb_copy_each(ptb_tensor *_Nonnull const *_Nonnull targets, ptb_tensor *_Nonnull const *_Nonnull sources,
                         size_t count) PTB_NOEXCEPT;

int32_t ptb_dtype_of(ptb_tensor *tensor) PTB_NOEXCEPT;
size_t ptb_rank(ptb_tensor *tensor) PTB_NOEXCEPT;
ptrdiff_t ptb_count(ptb_tensor *tensor) PTB_NOEXCEPT;
/// The size along `dimension`, which counts from 0; -1 where there is no such dimension.
ptrdiff_t ptb_size(ptb_tensor *tensor, size_t dimension) PTB_NOEXCEPT;
bool ptb_is_contiguous(ptb_tensor *tensor) PTB_NOEXCEPT;
/// The only element, as a number.
ptb_status ptb_item(ptb_tensor *tensor, double *out) PTB_NOEXCEPT;
ptb_status ptb_item_integer(ptb_tensor *tensor, int64_t *out) PTB_NOEXCEPT;

// ---- Arithmetic (arithmetic.cpp) --------------------------------------------------------------------------

enum ptb_unary_operation {
  PTB_NEGATE, PTB_EXP, PTB_LOG, PTB_SQRT, PTB_ABS, PTB_SQUARE, PTB_SIGN, PTB_RECIPROCAL,
  PTB_RELU, PTB_TANH, PTB_SIGMOID, PTB_SILU, PTB_SOFTPLUS, PTB_GELU, PTB_GELU_TANH, PTB_IS_FINITE,
};
ptb_status ptb_unary(int32_t operation, ptb_tensor *a, PTB_NEW out) PTB_NOEXCEPT;

enum ptb_binary_operation {
  PTB_ADD, PTB_SUBTRACT, PTB_MULTIPLY, PTB_DIVIDE, PTB_POWER, PTB_MAXIMUM, PTB_MINIMUM,
  PTB_EQUAL, PTB_NOT_EQUAL, PTB_LESS, PTB_LESS_OR_EQUAL, PTB_GREATER, PTB_GREATER_OR_EQUAL,
};
ptb_status ptb_binary(int32_t operation, ptb_tensor *a, ptb_tensor *b, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_binary_scalar(int32_t operation, ptb_tensor *a, double b, PTB_NEW out) PTB_NOEXCEPT;
/// a += scale * b, in place.
ptb_status ptb_add_in_place(ptb_tensor *a, ptb_tensor *b, double scale) PTB_NOEXCEPT;
ptb_status ptb_lerp_in_place(ptb_tensor *a, ptb_tensor *b, double weight) PTB_NOEXCEPT;
/// a *= b, in place.
ptb_status ptb_scale_in_place(ptb_tensor *a, double b) PTB_NOEXCEPT;
ptb_status ptb_fill_in_place(ptb_tensor *a, double value) PTB_NOEXCEPT;
/// a += 1, in place, of an int64 tensor.
ptb_status ptb_increment(ptb_tensor *a) PTB_NOEXCEPT;
ptb_status ptb_clamp(ptb_tensor *a, double low, double high, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_where(ptb_tensor *condition, ptb_tensor *a, ptb_tensor *b, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_matmul(ptb_tensor *a, ptb_tensor *b, PTB_NEW out) PTB_NOEXCEPT;

// ---- Shape (shape.cpp) ------------------------------------------------------------------------------------

/// One size may be -1: it is inferred.
ptb_status ptb_reshape(ptb_tensor *a, const ptrdiff_t *shape, size_t rank, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_expand(ptb_tensor *a, const ptrdiff_t *shape, size_t rank, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_permute(ptb_tensor *a, const ptrdiff_t *order, size_t rank, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_transpose(ptb_tensor *a, ptrdiff_t first, ptrdiff_t second, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_flatten(ptb_tensor *a, ptrdiff_t first, ptrdiff_t last, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_squeeze(ptb_tensor *a, ptrdiff_t dimension, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_unsqueeze(ptb_tensor *a, ptrdiff_t dimension, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_narrow(ptb_tensor *a, ptrdiff_t dimension, ptrdiff_t start, ptrdiff_t length, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_select(ptb_tensor *a, ptrdiff_t dimension, ptrdiff_t index, PTB_NEW out) PTB_NOEXCEPT;
/// `indices` is an int64 tensor of one dimension.
ptb_status ptb_index_select(ptb_tensor *a, ptrdiff_t dimension, ptb_tensor *indices, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_take_along(ptb_tensor *a, ptrdiff_t dimension, ptb_tensor *indices, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_concatenate(ptb_tensor *_Nonnull const *_Nonnull parts, size_t count, ptrdiff_t dimension,
                           PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_stack(ptb_tensor *_Nonnull const *_Nonnull parts, size_t count, ptrdiff_t dimension,
                     PTB_NEW out) PTB_NOEXCEPT;
/// Every `step`-th index of a dimension, from the first; a view.
ptb_status ptb_strided(ptb_tensor *a, ptrdiff_t dimension, ptrdiff_t step, PTB_NEW out) PTB_NOEXCEPT;
/// Zeros around: `amounts` are (before, after) pairs, the last dimension's first. Keeps the memory's layout.
ptb_status ptb_pad(ptb_tensor *a, const ptrdiff_t *amounts, size_t count, PTB_NEW out) PTB_NOEXCEPT;

// ---- Reductions (reduction.cpp) ---------------------------------------------------------------------------

enum ptb_reduction { PTB_SUM, PTB_MEAN, PTB_MAX, PTB_MIN, PTB_NORM };
ptb_status ptb_reduce(int32_t reduction, ptb_tensor *a, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_reduce_along(int32_t reduction, ptb_tensor *a, ptrdiff_t dimension, bool keep, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_variance(ptb_tensor *a, ptrdiff_t dimension, bool unbiased, bool keep, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_argmax(ptb_tensor *a, ptrdiff_t dimension, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_softmax(ptb_tensor *a, ptrdiff_t dimension, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_log_softmax(ptb_tensor *a, ptrdiff_t dimension, PTB_NEW out) PTB_NOEXCEPT;

// ---- Layers and losses (layers.cpp, perceptron.cpp, losses.cpp) -------------------------------------------

ptb_status ptb_linear(ptb_tensor *x, ptb_tensor *weight, ptb_tensor *_Nullable bias, PTB_NEW out) PTB_NOEXCEPT;
/// Linear layers with an activation, PTB_RELU or PTB_TANH, between each two (perceptron.cpp): x [n, inputs], and W
/// [outputs, inputs] and b [outputs] of each layer in turn.
ptb_status ptb_perceptron(ptb_tensor *x, ptb_tensor *_Nonnull const *_Nonnull weights, size_t layers, int32_t activation,
                          PTB_NEW out) PTB_NOEXCEPT;

/// The losses of a pass: −log softmax(y)_class, and factor·(y − target)², each a mean over the batch.
enum ptb_pass_loss { PTB_CROSS_ENTROPY, PTB_SQUARED_ERROR };
/// A perceptron on the CPU in float32 whose loss and gradient are computed without a graph (perceptron_pass.cpp).
typedef struct ptb_perceptron_pass ptb_perceptron_pass;
/// `weights` as in ptb_perceptron, and as many tensors of the same shapes for their gradients; it reads and writes the memory
/// that they have now. The new handle is released once. One thread at a time.
ptb_status ptb_perceptron_pass_make(ptb_tensor *_Nonnull const *_Nonnull weights,
                                    ptb_tensor *_Nonnull const *_Nonnull gradients, size_t layers, int32_t activation,
                                    ptb_perceptron_pass *_Nullable *_Nonnull out) PTB_NOEXCEPT;
/// Gives the mean loss of x [n, …] and writes its gradients. `targets`: classes, int64 [n], or numbers, float32 [n, outputs].
ptb_status ptb_perceptron_pass_run(ptb_perceptron_pass *pass, ptb_tensor *x, ptb_tensor *targets, int32_t loss,
                                   double factor, double *mean) PTB_NOEXCEPT;
void ptb_perceptron_pass_release(ptb_perceptron_pass *pass) PTB_NOEXCEPT;

typedef struct {
  ptrdiff_t kernel_height, kernel_width;  // pooling only
  ptrdiff_t stride_height, stride_width;
  ptrdiff_t padding_height, padding_width;
  ptrdiff_t dilation_height, dilation_width;
  ptrdiff_t groups;          // convolution only
  bool count_padding;        // average pooling only
  bool round_up;             // pooling only
} ptb_window;

ptb_status ptb_conv2d(ptb_tensor *x, ptb_tensor *weight, ptb_tensor *_Nullable bias, ptb_window window,
                      PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_max_pool2d(ptb_tensor *x, ptb_window window, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_average_pool2d(ptb_tensor *x, ptb_window window, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_adaptive_average_pool2d(ptb_tensor *x, ptrdiff_t height, ptrdiff_t width, PTB_NEW out) PTB_NOEXCEPT;
/// Updates `running_mean` and `running_variance` (both or neither null) in place where `training`.
ptb_status ptb_batch_norm(ptb_tensor *x, ptb_tensor *_Nullable weight, ptb_tensor *_Nullable bias,
                          ptb_tensor *_Nullable running_mean, ptb_tensor *_Nullable running_variance,
                          bool training, double momentum, double epsilon, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_layer_norm(ptb_tensor *x, const ptrdiff_t *shape, size_t rank, ptb_tensor *_Nullable weight,
                          ptb_tensor *_Nullable bias, double epsilon, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_embedding(ptb_tensor *weight, ptb_tensor *indices, ptrdiff_t padding_index, PTB_NEW out) PTB_NOEXCEPT;
/// Keeps each element with probability 1 - p and divides it by 1 - p. The mask depends on `seed` and the kind of device.
ptb_status ptb_dropout(ptb_tensor *x, double p, uint64_t seed, PTB_NEW out) PTB_NOEXCEPT;

/// Mean over the batch; `target` holds int64 classes, or probabilities of the shape of `logits`.
ptb_status ptb_cross_entropy(ptb_tensor *logits, ptb_tensor *target, double label_smoothing, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_mean_squared_error(ptb_tensor *a, ptb_tensor *b, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_binary_cross_entropy_with_logits(ptb_tensor *logits, ptb_tensor *target, PTB_NEW out) PTB_NOEXCEPT;
/// How many rows of `logits` [n, classes] have their largest element at `target` [n].
ptb_status ptb_count_correct(ptb_tensor *logits, ptb_tensor *target, int64_t *out) PTB_NOEXCEPT;

// ---- Sequences (sequences.cpp) ----------------------------------------------------------------------------

/// Whether attention and recurrent layers on this thread compute by operations that can be derived twice, slower than
/// the fused ones. Returns what was set before.
bool ptb_set_derives_twice(bool value) PTB_NOEXCEPT;

/// softmax(q kᵀ/√size) v of each head, for `packed` [n, length, 3 * heads * size]: all heads' queries, keys and values,
/// one after the other; the result is [n, length, heads * size]. `causal`: a place sees itself and those before it.
/// Dropout is of the softmax; its mask depends on `seed` and the kind of device.
ptb_status ptb_packed_attention(ptb_tensor *packed, ptrdiff_t heads, bool causal, double dropout, uint64_t seed,
                                PTB_NEW out) PTB_NOEXCEPT;

enum ptb_cell { PTB_LSTM, PTB_GRU };
/// The last of `layers` recurrent layers' outputs [n, length, hidden] for x [n, length, inputs], from states of zero.
/// `weights` are four per layer: input, hidden, and their biases. Dropout is between layers, as ptb_dropout's.
ptb_status ptb_recurrent(int32_t cell, ptb_tensor *x, ptb_tensor *_Nonnull const *_Nonnull weights, size_t layers,
                         double dropout, uint64_t seed, PTB_NEW out) PTB_NOEXCEPT;

// ---- Autograd (autograd.cpp) ------------------------------------------------------------------------------

/// Sets this thread's gradient mode and returns the old one.
bool ptb_set_gradient_mode(bool enabled) PTB_NOEXCEPT;
bool ptb_gradient_mode(void) PTB_NOEXCEPT;
ptb_status ptb_backward(ptb_tensor *loss, bool keep_graph) PTB_NOEXCEPT;
/// out[i] = ∂(Σ weights·outputs)/∂inputs[i], new, or null where the outputs do not depend on it. Without weights the
/// outputs are scalars. `differentiable` records the result for a further derivative, and keeps the graph too.
ptb_status ptb_gradients(ptb_tensor *_Nonnull const *_Nonnull outputs,
                         ptb_tensor *_Nonnull const *_Nullable weights, size_t output_count,
                         ptb_tensor *_Nonnull const *_Nonnull inputs, size_t count, bool keep_graph,
                         bool differentiable, ptb_tensor *_Nullable *_Nonnull out) PTB_NOEXCEPT;
ptb_status ptb_detach(ptb_tensor *tensor, PTB_NEW out) PTB_NOEXCEPT;
ptb_status ptb_set_requires_gradient(ptb_tensor *tensor, bool required) PTB_NOEXCEPT;
bool ptb_requires_gradient(ptb_tensor *tensor) PTB_NOEXCEPT;
/// New, or null where there is none.
ptb_status ptb_gradient(ptb_tensor *tensor, PTB_NEW out) PTB_NOEXCEPT;
/// Null removes it.
ptb_status ptb_set_gradient(ptb_tensor *tensor, ptb_tensor *_Nullable gradient) PTB_NOEXCEPT;
/// Removes every gradient (not: fills it with zeros), so that the next backward pass need not add.
ptb_status ptb_zero_gradients(ptb_tensor *_Nonnull const *_Nonnull tensors, size_t count) PTB_NOEXCEPT;

/// The memory of one parameter, all of it borrowed.
typedef struct {
  void *_Nullable data;
  void *_Nullable gradient;  // null where there is none
  ptrdiff_t count;           // elements
  int32_t dtype;             // of both
} ptb_parameter_view;
/// Lends the memory of `count` parameters in one call. A gradient that is not contiguous, or that another
/// tensor shares, is first replaced by a copy that is; a parameter that is not contiguous is an error.
ptb_status ptb_parameter_views(ptb_tensor *_Nonnull const *_Nonnull tensors, size_t count,
                               ptb_parameter_view *out) PTB_NOEXCEPT;

/// Copies on the host of leaves that are on a device, or on the CPU, and of their gradients (staging.cpp).
typedef struct ptb_staging ptb_staging;
/// Makes the copies and takes the parameters into them. The new handle is released once. One thread at a time.
ptb_status ptb_stage(ptb_tensor *_Nonnull const *_Nonnull tensors, size_t count,
                     ptb_staging *_Nullable *_Nonnull out) PTB_NOEXCEPT;
/// The copies become what the tensors are.
ptb_status ptb_stage_take_parameters(ptb_staging *staging) PTB_NOEXCEPT;
/// The copies of the gradients become what these are.
ptb_status ptb_stage_take_gradients(ptb_staging *staging) PTB_NOEXCEPT;
/// The tensors become what the copies are: for all operations from here on. Unless it `waits`, the copies may not be written
/// before ptb_stage_settle.
ptb_status ptb_stage_give_parameters(ptb_staging *staging, bool waits) PTB_NOEXCEPT;
ptb_status ptb_stage_settle(ptb_staging *staging) PTB_NOEXCEPT;
/// The copies' memory, which stays where it is; of the gradients where there were any when they were last taken. Borrowed.
const ptb_parameter_view *ptb_stage_views(ptb_staging *staging) PTB_NOEXCEPT;
void ptb_stage_release(ptb_staging *staging) PTB_NOEXCEPT;

/// How large the gradients of some tensors are, taken as each backward pass leaves them, while they are in the cache.
typedef struct ptb_gradient_watch ptb_gradient_watch;
/// max |x| of `count` elements; may be called on any thread that runs a backward pass.
typedef double (*ptb_largest)(const void *data, ptrdiff_t count, int32_t dtype);
/// Begins to watch leaves. Another watch of the same tensor takes its place.
ptb_status ptb_watch_gradients(ptb_tensor *_Nonnull const *_Nonnull tensors, size_t count, ptb_largest largest,
                               ptb_gradient_watch *_Nullable *_Nonnull out) PTB_NOEXCEPT;
/// Writes max |g| of each tensor's gradient; -1 where it is unknown: the tensor has none, or it has been replaced or
/// written to since the backward pass.
void ptb_watched_sizes(ptb_gradient_watch *watch, double *out) PTB_NOEXCEPT;
void ptb_end_watch(ptb_gradient_watch *watch) PTB_NOEXCEPT;

// ---- Threads (parallel.cpp) -------------------------------------------------------------------------------

/// The size of libtorch's thread pool for operations of this process.
void ptb_set_threads(int32_t threads) PTB_NOEXCEPT;
int32_t ptb_threads(void) PTB_NOEXCEPT;
/// Calls `body(index, context)` once for each index below `count`, on up to `threads` threads of libtorch's
/// own pool (libgomp's), and returns when all are done. A second pool beside it would fight for the cores.
void ptb_parallel_for(int32_t threads, ptrdiff_t count, void (*body)(ptrdiff_t index, void *_Nullable context),
                      void *_Nullable context) PTB_NOEXCEPT;

// ---- Random numbers (random.cpp) --------------------------------------------------------------------------
// Each call seeds a generator of its own: torch's global generator is never read.

ptb_status ptb_fill_uniform(ptb_tensor *tensor, double low, double high, uint64_t seed) PTB_NOEXCEPT;
ptb_status ptb_fill_normal(ptb_tensor *tensor, double mean, double deviation, uint64_t seed) PTB_NOEXCEPT;

// ---- libtorch's own steps (peers.cpp): what `peo bench step` measures against ------------------------------

/// torch.optim.Adam(fused=True).step(); each of `steps` is a float32 tensor of one element.
ptb_status ptb_peer_adam(ptb_tensor *_Nonnull const *_Nonnull parameters, ptb_tensor *_Nonnull const *_Nonnull gradients,
                         ptb_tensor *_Nonnull const *_Nonnull first, ptb_tensor *_Nonnull const *_Nonnull second,
                         ptb_tensor *_Nonnull const *_Nonnull steps, size_t count, double rate) PTB_NOEXCEPT;
/// torch.optim.Adam(foreach=True).step() at step number `step`, counted from 1.
ptb_status ptb_peer_adam_foreach(ptb_tensor *_Nonnull const *_Nonnull parameters, ptb_tensor *_Nonnull const *_Nonnull gradients,
                                 ptb_tensor *_Nonnull const *_Nonnull first, ptb_tensor *_Nonnull const *_Nonnull second,
                                 size_t count, int64_t step, double rate) PTB_NOEXCEPT;
/// torch.optim.SGD(fused=True).step(), without momentum.
ptb_status ptb_peer_sgd(ptb_tensor *_Nonnull const *_Nonnull parameters, ptb_tensor *_Nonnull const *_Nonnull gradients,
                        size_t count, double rate) PTB_NOEXCEPT;
/// gradient += deviation * torch.randn_like(gradient), from torch's global generator.
ptb_status ptb_peer_add_noise(ptb_tensor *gradient, double deviation) PTB_NOEXCEPT;

// ---- Devices (device.cpp) -----------------------------------------------------------------------------------
// A device is the number of a GPU, or -1: the CPU.

/// How many CUDA devices this libtorch sees; 0 where it was built without CUDA, or there is no driver.
int32_t ptb_cuda_count(void) PTB_NOEXCEPT;
/// Whether this libtorch was built with CUDA, and that half of it is loaded.
bool ptb_has_cuda_half(void) PTB_NOEXCEPT;
/// Why that half cannot be loaded; empty where it is, and where there is none. Lives forever.
const char *ptb_cuda_fault(void) PTB_NOEXCEPT;
int32_t ptb_device_of(ptb_tensor *tensor) PTB_NOEXCEPT;
/// The same tensor where it is there already.
ptb_status ptb_to_device(ptb_tensor *tensor, int32_t device, PTB_NEW out) PTB_NOEXCEPT;
/// Moves the tensor itself: every handle of it, and every module that has it, sees the new memory. Its gradient is removed.
ptb_status ptb_move_to_device(ptb_tensor *tensor, int32_t device) PTB_NOEXCEPT;
/// Converts the elements of the tensor itself, for all who hold it. Its gradient is removed.
ptb_status ptb_convert_in_place(ptb_tensor *tensor, int32_t dtype) PTB_NOEXCEPT;
/// How often the tensor was written by operations: tells whether anybody wrote since.
int64_t ptb_version_of(ptb_tensor *tensor) PTB_NOEXCEPT;

// ---- Mixed precision (autocast.cpp) -------------------------------------------------------------------------

/// Begins, or ends, a stretch on this thread in which matrix products and convolutions on the CPU, or on CUDA devices, take
/// bfloat16 operands, as in `torch.autocast("cpu", torch.bfloat16)`. Stretches do not nest.
ptb_status ptb_set_autocast(bool enabled, bool cuda) PTB_NOEXCEPT;

// ---- TorchScript (script.cpp) -------------------------------------------------------------------------------

/// A module that `torch.jit.save` wrote.
typedef struct ptb_script ptb_script;
/// Reads a file onto the CPU. Tensors that two attributes shared when they were saved are one again. The new handle is
/// released once with `ptb_script_release`.
ptb_status ptb_script_load(const char *path, ptb_script *_Nullable *_Nonnull out) PTB_NOEXCEPT;
void ptb_script_release(ptb_script *script) PTB_NOEXCEPT;
/// Writes a file, in evaluation mode, that `torch.jit.load` reads.
ptb_status ptb_script_save(ptb_script *script, const char *path) PTB_NOEXCEPT;
enum ptb_script_kind {
  PTB_SCRIPT_PARAMETERS,  // that require gradients
  PTB_SCRIPT_BUFFERS,
  PTB_SCRIPT_FROZEN,      // parameters that require none
};
size_t ptb_script_count(ptb_script *script, int32_t kind) PTB_NOEXCEPT;
/// Borrowed, as long as the script.
const char *ptb_script_name(ptb_script *script, int32_t kind, size_t index) PTB_NOEXCEPT;
ptb_status ptb_script_tensor(ptb_script *script, int32_t kind, size_t index, PTB_NEW out) PTB_NOEXCEPT;
/// `forward(x)`, without graph optimisation. `keeps_buffers` undoes what it does to buffers. Training draws depend on
/// `seed` alone.
ptb_status ptb_script_forward(ptb_script *script, ptb_tensor *x, bool training, bool keeps_buffers, uint64_t seed,
                              PTB_NEW out) PTB_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
