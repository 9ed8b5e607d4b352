// The functions behind a library that `vaec build --emit=library` makes: a trained model as plain C. The
// header NAME.h, which vaec writes, says what each function does and has the same types. No function ends the
// process or prints.
#ifndef VAE_MODEL_API_H
#define VAE_MODEL_API_H
#include <stddef.h>
#include <stdint.h>

#include "runtime/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vae_model vae_model;

typedef struct vae_variable {
  const char* name;
  const char* domain;    // "binary", "category", "count", "real", "positive", "unit", "angle" or "simplex"
  int64_t classes;       // number of classes of a category or simplex, else 0
  int64_t elements;      // number of floats of one row in results
  int32_t rank;          // number of axes in `shape`
  int32_t given_rank;    // number of axes in `given_shape`
  const int64_t* shape;  // shape of one row in results; the first axis of a category counts its classes
  const int64_t* given_shape;  // shape of one row of given values; a category is given as class indices
} vae_variable;

typedef struct vae_given {
  const char* variable;
  const float* values;  // [rows, given_shape]
  int64_t size;         // number of floats in `values`
} vae_given;

typedef struct vae_result {
  const char* variable;
  float* values;  // [rows, shape]; the caller owns this memory
  int64_t size;   // number of floats that fit in `values`
} vae_result;

vae_model* vaert_model_open(const vae_image* image, const char* run, int32_t threads, char* error,
                            size_t error_size);
void vaert_model_close(vae_model* model);
int64_t vaert_model_step(const vae_model* model);
const vae_variable* vaert_model_variable(const vae_model* model, int32_t index);
int32_t vaert_model_sample(vae_model* model, uint64_t seed, int64_t rows, const vae_given* given,
                           int32_t given_count, const vae_result* results, int32_t result_count, char* error,
                           size_t error_size);
int32_t vaert_model_infer(vae_model* model, const char* query, uint64_t seed, int64_t rows,
                          const vae_given* given, int32_t given_count, const vae_result* results,
                          int32_t result_count, char* error, size_t error_size);
int32_t vaert_model_log_density(vae_model* model, const char* conditional, int64_t rows,
                                const vae_given* given, int32_t given_count, float* values, int64_t size,
                                char* error, size_t error_size);

#ifdef __cplusplus
}
#endif
#endif
