// The beginning of a bundled executable, which must run where nothing of vaec is installed: opens
// lib/libvaert.so.0 beside the executable and hands over to it. Defines every function of abi.h that
// generated code calls, so that the executable itself needs the C library alone. An $ORIGIN in the executable
// would not do: the loader finds it by /proc, which a chroot may not have.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "runtime/abi.h"

enum { bad_configuration = 78 };

/// A function of libvaert.so behind a pointer, and one of its name that calls it.
#define FORWARD(result, name, parameters, arguments) \
  static result(*open_##name) parameters;            \
  result name parameters { return open_##name arguments; }

FORWARD(float, vaert_lgamma, (float x), (x))
FORWARD(float, vaert_digamma, (float x), (x))
FORWARD(float, vaert_trigamma, (float x), (x))
FORWARD(float, vaert_log_i0, (float x), (x))
FORWARD(float, vaert_i1_over_i0, (float x), (x))
FORWARD(float, vaert_power, (float x, float exponent), (x, exponent))
FORWARD(float, vaert_atan2, (float y, float x), (y, x))
FORWARD(float, vaert_sample_gamma,
        (uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float shape),
        (seed, step, site, element, shape))
FORWARD(float, vaert_sample_beta,
        (uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float a, float b),
        (seed, step, site, element, a, b))
FORWARD(float, vaert_sample_poisson,
        (uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float rate),
        (seed, step, site, element, rate))
FORWARD(float, vaert_sample_binomial,
        (uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float n, float prob),
        (seed, step, site, element, n, prob))
FORWARD(float, vaert_sample_von_mises,
        (uint64_t seed, uint64_t step, uint32_t site, uint64_t element, float mean, float concentration),
        (seed, step, site, element, mean, concentration))

static int (*open_vaert_main)(const vae_image* image, int argc, char** argv);

/// Every function of the library: its name, and where its address goes.
static const struct {
  const char* name;
  void* place;
} functions[] = {
#define FUNCTION(name) {#name, &open_##name},
    FUNCTION(vaert_main) FUNCTION(vaert_lgamma) FUNCTION(vaert_digamma) FUNCTION(vaert_trigamma)
        FUNCTION(vaert_log_i0) FUNCTION(vaert_i1_over_i0) FUNCTION(vaert_power) FUNCTION(vaert_atan2)
            FUNCTION(vaert_sample_gamma) FUNCTION(vaert_sample_beta) FUNCTION(vaert_sample_poisson)
                FUNCTION(vaert_sample_binomial) FUNCTION(vaert_sample_von_mises)
#undef FUNCTION
};

/// The executable's own path, as runtime/own_executable.h finds it.
static int find_self(char* path) {
  const ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
  if (size > 0) {
    path[size] = '\0';
    return 1;
  }
  const char* started_as = (const char*)getauxval(AT_EXECFN);
  return started_as != NULL && realpath(started_as, path) != NULL;
}

static int refuse(const char* program, const char* cause) {
  fprintf(stderr, "%s: this bundle cannot open its runtime: %s\n", program, cause);
  return bad_configuration;
}

int vaert_main(const vae_image* image, int argc, char** argv) {
  const char* program = argc > 0 ? argv[0] : "vaec";
  char own[PATH_MAX], library[PATH_MAX + 32];
  if (!find_self(own)) return refuse(program, "the folder that it lies in cannot be known");
  *strrchr(own, '/') = '\0';
  snprintf(library, sizeof library, "%s/lib/libvaert.so.0", own);
  // Before the library loads its thread pool (runtime/core/thread_pool.h says why).
  if (getenv("OMP_WAIT_POLICY") == NULL) setenv("GOMP_SPINCOUNT", "2000", 0);
  void* runtime = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (runtime == NULL) return refuse(program, dlerror());
  for (size_t i = 0; i < sizeof functions / sizeof *functions; ++i) {
    void* found = dlsym(runtime, functions[i].name);
    if (found == NULL) return refuse(program, dlerror());
    memcpy(functions[i].place, &found, sizeof found);
  }
  return open_vaert_main(image, argc, argv);
}
