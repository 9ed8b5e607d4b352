// Everything that generated code and the runtime share: plain C, versioned. A generated object holds one
// vae_image: a description in JSON (runtime/image.md says what is in it) and a table of loop kernels. `main`
// passes the image to vaert_main. The library operations (GEMM, convolution) are called through one table of
// functions, vae_library; each library has an implementation of it.
#ifndef VAE_ABI_H
#define VAE_ABI_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VAE_ABI_VERSION 9

/// What one loop kernel reads. All pointers outlive the call; strides count elements of 4 bytes.
typedef struct vae_loop {
  float* const* pointers;  // per access, loads before stores: address of the first element
  const int64_t* extents;  // the index space, outermost first: kept extents, then reduced ones
  const int64_t* strides;  // [access][axis] of the index space
  const float* scalars;    // immediates: the constants in which kernels with the same body differ
  uint64_t seed;           // random seed of the run
  uint64_t step;           // number of the training step or of the draw
  const uint32_t* sites;   // per random draw in the body: its site
  int64_t first;           // number of the draws' first element: the rows of earlier ranks come before it
} vae_loop;

/// Computes units [begin, end) of the kept index space. A unit is `unit` elements of that space (`unit`
/// stands in the description).
typedef void (*vae_kernel)(const vae_loop* loop, int64_t begin, int64_t end);

typedef struct vae_image {
  uint32_t abi_version;
  uint32_t kernel_count;
  const char* description;  // JSON, not zero-terminated
  uint64_t description_size;
  const vae_kernel* kernels;
  const char* ptx;  // PTX of the same loops and more, for GPUs (runtime/image.md), zero-terminated; or null
} vae_image;

/// C[m,n] = op(A) op(B), row-major; A is [m,k] ([k,m] if transpose_a), B is [k,n] ([n,k] if transpose_b).
typedef struct vae_gemm {
  int64_t m, n, k;
  int32_t transpose_a, transpose_b;
} vae_gemm;

enum vae_direction { VAE_FORWARD = 0, VAE_BACKWARD_DATA = 1, VAE_BACKWARD_WEIGHTS = 2 };

/// A convolution seen from its forward side. Activations are [batch, height, width, channels] (channels
/// last), weights [out_channels, in_channels, kernel_h, kernel_w]. A transposed convolution is the
/// backward-data of the convolution with the roles of its two sides swapped.
typedef struct vae_convolution {
  int32_t direction;
  int64_t batch;
  int64_t in_channels, in_h, in_w;
  int64_t out_channels, out_h, out_w;
  int64_t kernel_h, kernel_w, stride_h, stride_w, padding_h, padding_w;
} vae_convolution;

typedef struct vae_library_op vae_library_op;  // opaque: one prepared call

/// One implementation of the library operations. prepare_* may be slow; on failure it returns null and writes
/// at most error_size bytes to `error`. run is called by one thread at a time. oneDNN's run uses only the
/// scratch memory that was made in prepare_*, and it never fails. LibTorch's run takes memory from LibTorch,
/// and may have none left. No C++ exception leaves these functions.
typedef struct vae_library {
  const char* name;
  void (*set_threads)(int threads);
  vae_library_op* (*prepare_gemm)(const vae_gemm* shape, char* error, size_t error_size);
  vae_library_op* (*prepare_convolution)(const vae_convolution* shape, char* error, size_t error_size);
  /// forward: a = source, b = weights, c = destination.
  /// backward-data: a = destination's adjoint, b = weights, c = source's adjoint.
  /// backward-weights: a = source, b = destination's adjoint, c = weights' adjoint.
  /// Returns null, or in one line why it failed. The text is valid until the thread's next call.
  const char* (*run)(vae_library_op* op, const float* a, const float* b, float* c);
  /// The implementation's own name for the code that runs ("brg:avx512_core"). The text is valid while `op`
  /// lives.
  const char* (*describe)(const vae_library_op* op);
  double (*flops)(const vae_library_op* op);
  void (*release)(vae_library_op* op);
} vae_library;

const vae_library* vaert_onednn(void);
/// The same table, except that operations prepared by it compute in bf16 if that is faster. Returns null if
/// this processor has no instructions for bf16.
const vae_library* vaert_onednn_bf16(void);

/// VAE_TF32 is for CUDA devices only. Under VAE_BF16 the operands of products are rounded to bf16; sums and
/// all tensors stay fp32. The exception is a convolution by LibTorch: its result is rounded to bf16 before it
/// is stored as fp32.
enum vae_precision { VAE_FP32 = 0, VAE_TF32 = 1, VAE_BF16 = 2 };

typedef struct vae_torch_options {
  int32_t device;     // number of a CUDA device; -1: the CPU
  int32_t precision;  // vae_precision
  int32_t benchmark;  // 1: cuDNN chooses algorithms by timing; the order of sums may differ between runs
} vae_torch_options;

/// The same table with LibTorch, from libvaert_torch.so, which is opened when a command asks for it. Returns
/// null and sets `error` if this LibTorch has no such device or precision. The options hold for all
/// operations that are prepared afterwards. On a CUDA device all pointers are device pointers in its primary
/// context, and run enqueues on LibTorch's current stream of the thread that called vaert_torch. That stream
/// is from LibTorch's pool. It may be captured in a graph after every call in the graph has run once outside
/// of a capture.
const vae_library* vaert_torch(const vae_torch_options* options, char* error, size_t error_size);
/// The stream that vaert_torch describes, a CUstream; null on the CPU, and if LibTorch does not name it.
void* vaert_torch_stream(void);
/// LibTorch's version, such as "1.13.1".
const char* vaert_torch_version(void);

/// Functions of one element that kernels call.
float vaert_lgamma(float x);
float vaert_digamma(float x);
float vaert_trigamma(float x);
float vaert_log_i0(float x);
float vaert_i1_over_i0(float x);
float vaert_power(float x, float exponent);
float vaert_atan2(float y, float x);

/// Draws by rejection sampling. Each element has a random stream of its own (runtime/image.md). For gamma the
/// result is the logarithm of the draw. The result is NaN if a parameter is outside the distribution's range;
/// parameters 0 and infinity give the limit of the distribution.
float vaert_sample_gamma_log(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float shape);
float vaert_sample_beta(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float a, float b);
float vaert_sample_poisson(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float rate);
float vaert_sample_binomial(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float n,
                            float prob);
float vaert_sample_von_mises(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float mean,
                             float concentration);

/// The whole executable: takes the command line, returns the exit code.
int vaert_main(const vae_image* image, int argc, char** argv);

#ifdef __cplusplus
}
#endif
#endif
