#include "compiler/commands/library_header.h"

#include <string_view>

namespace vaec {
namespace {

constexpr std::string_view header =
    R"h(/* NAME: a model compiled by vaec. Link with libNAME.so.

   Functions that can fail return NULL or a number other than 0, the exit code that the model's executable would have
   ended with, and write one line of text into `error`, of at most error_size bytes; `error` may be NULL. No function
   ends the process or prints. Threads may share a model: its calls follow one another. All arrays are the caller's. */
#ifndef VAEC_LIBRARY_NAME_H
#define VAEC_LIBRARY_NAME_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef VAE_MODEL_TYPES
#define VAE_MODEL_TYPES
typedef struct vae_model vae_model;

typedef struct vae_variable {
  const char* name;
  const char* domain;          /* "binary", "category", "count", "real", "positive", "unit", "angle" or "simplex" */
  int64_t classes;             /* of a category or simplex, else 0 */
  int64_t elements;            /* floats of one row in results */
  int32_t rank;                /* of shape */
  int32_t given_rank;          /* of given_shape */
  const int64_t* shape;        /* of one row in results: a category has its classes first */
  const int64_t* given_shape;  /* of one row that is given: a category is an index */
} vae_variable;

typedef struct vae_given {
  const char* variable;
  const float* values; /* [rows, given_shape] */
  int64_t size;        /* floats in values, at least rows * the product of given_shape */
} vae_given;

typedef struct vae_result {
  const char* variable;
  float* values; /* [rows, shape] */
  int64_t size;  /* floats that fit in values, at least rows * elements */
} vae_result;
#endif

/* Opens the last checkpoint of a run directory. threads: 0 takes all cores. */
vae_model* NAME_open(const char* run, int32_t threads, char* error, size_t error_size);
void NAME_close(vae_model* model);

/* The training step of the checkpoint; -1 without a model. */
int64_t NAME_step(const vae_model* model);

/* Variable 0, 1, ...; NULL past the last. It lives as long as the model. */
const vae_variable* NAME_variable(const vae_model* model, int32_t index);

/* Draws rows of the variables that the results name, given others (none: given = NULL, given_count = 0). Equal seeds
   give equal draws. */
int32_t NAME_sample(vae_model* model, uint64_t seed, int64_t rows, const vae_given* given, int32_t given_count,
                    const vae_result* results, int32_t result_count, char* error, size_t error_size);

/* Answers a query such as "c, z | x", in any direction: the means of variables before the bar, which the results name,
   given all of those behind it. */
int32_t NAME_infer(vae_model* model, const char* query, uint64_t seed, int64_t rows, const vae_given* given,
                   int32_t given_count, const vae_result* results, int32_t result_count, char* error,
                   size_t error_size);

/* The log-density of one conditional, such as "p.x" for x of player p, in nats for each row; its variable and its
   parents are given. size: floats that fit in values, at least rows. */
int32_t NAME_log_density(vae_model* model, const char* conditional, int64_t rows, const vae_given* given,
                         int32_t given_count, float* values, int64_t size, char* error, size_t error_size);

#ifdef __cplusplus
}
#endif
#endif
)h";

}  // namespace

std::string library_header(const std::string& name) {
  std::string text(header);
  for (size_t at = text.find("NAME"); at != std::string::npos; at = text.find("NAME", at + name.size()))
    text.replace(at, 4, name);
  return text;
}

}  // namespace vaec
