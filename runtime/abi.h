// All that generated code and the runtime share: plain C, versioned. Generated objects hold one vae_image:
// a description in JSON (runtime/image.md says what it holds) and a table of loop kernels; `main` hands it
// to vaert_main. The library operations (GEMM, convolution) sit behind one table with one implementation a
// library.
#ifndef VAE_ABI_H
#define VAE_ABI_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VAE_ABI_VERSION 6

/// What one loop kernel reads. All pointers outlive the call; strides count elements of 4 bytes.
typedef struct vae_loop {
  float* const* pointers;  // per access (loads first, then stores): first element, offset included
  const int64_t* extents;  // the index space, outermost first: kept extents, then reduced ones
  const int64_t* strides;  // [access][axis] of the index space
  const float* scalars;    // immediates that kernels of one body differ in
  uint64_t seed;           // of the run
  uint64_t step;           // of the training step or the draw
  const uint32_t* sites;   // per random draw in the body: its site
} vae_loop;

/// Does units [begin, end) of the kept index space; a unit is `unit` elements of it (description).
typedef void (*vae_kernel)(const vae_loop* loop, int64_t begin, int64_t end);

typedef struct vae_image {
  uint32_t abi_version;
  uint32_t kernel_count;
  const char* description;  // JSON, not zero-terminated
  uint64_t description_size;
  const vae_kernel* kernels;
  const char* ptx;  // the same loops and more for GPUs (runtime/image.md), zero-terminated; or null
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

/// One implementation of the library operations. prepare_* may be slow and return null with `error` set (at
/// most error_size bytes). run is called by one thread at a time; oneDNN's allocates no more than scratch
/// made when prepared and never fails, LibTorch's takes memory from LibTorch and throws std::runtime_error
/// where there is none.
typedef struct vae_library {
  const char* name;
  void (*set_threads)(int threads);
  vae_library_op* (*prepare_gemm)(const vae_gemm* shape, char* error, size_t error_size);
  vae_library_op* (*prepare_convolution)(const vae_convolution* shape, char* error, size_t error_size);
  /// forward: a = source, b = weights, c = destination; backward-data: a = destination's adjoint, b =
  /// weights, c = source's adjoint; backward-weights: a = source, b = destination's adjoint, c = weights'
  /// adjoint.
  void (*run)(vae_library_op* op, const float* a, const float* b, float* c);
  /// What does the work, as the implementation names it ("brg:avx512_core"); valid while op lives.
  const char* (*describe)(const vae_library_op* op);
  double (*flops)(const vae_library_op* op);
  void (*release)(vae_library_op* op);
} vae_library;

const vae_library* vaert_onednn(void);
/// The same, but what is prepared by it computes in bf16 where that is faster; null where this processor has
/// no instructions for it.
const vae_library* vaert_onednn_bf16(void);

/// TF32 is of CUDA devices; under bf16 operands are rounded to bf16, sums and all tensors are fp32.
enum vae_precision { VAE_FP32 = 0, VAE_TF32 = 1, VAE_BF16 = 2 };

typedef struct vae_torch_options {
  int32_t device;     // a CUDA device by its number; -1: the CPU
  int32_t precision;  // vae_precision
  int32_t benchmark;  // 1: cuDNN chooses how to convolve by timing, and may add up in another order each time
} vae_torch_options;

/// libvaert_torch.so, opened when a command asks for it: the same table on LibTorch tensors. Null, with
/// `error` set, where this LibTorch has no such device or precision. What is prepared afterwards runs so; on
/// a CUDA device pointers are the device's (its primary context), and run enqueues on LibTorch's current
/// stream of the thread that called this: a stream from LibTorch's pool, which may be captured in a graph
/// once every call in it has run outside.
const vae_library* vaert_torch(const vae_torch_options* options, char* error, size_t error_size);
/// That stream, a CUstream; null on the CPU.
void* vaert_torch_stream(void);
/// "1.13.1".
const char* vaert_torch_version(void);

/// Functions that kernels call for single elements.
float vaert_lgamma(float x);
float vaert_digamma(float x);
float vaert_trigamma(float x);
float vaert_log_i0(float x);
float vaert_i1_over_i0(float x);
float vaert_power(float x, float exponent);
float vaert_atan2(float y, float x);

/// Draws by rejection, each from a stream of its own per element (runtime/image.md), of gamma the logarithm
/// of the draw. NaN where a parameter is outside the distribution's range; 0 and infinity are limits.
float vaert_sample_gamma_log(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float shape);
float vaert_sample_beta(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float a, float b);
float vaert_sample_poisson(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float rate);
float vaert_sample_binomial(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float n,
                            float prob);
float vaert_sample_von_mises(uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float mean,
                             float concentration);

/// The whole executable: command line in, exit code out.
int vaert_main(const vae_image* image, int argc, char** argv);

#ifdef __cplusplus
}
#endif
#endif
