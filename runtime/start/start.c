// The beginning of a bundled executable, which must run on machines without vaec. It opens lib/libvaert.so.0
// beside the executable and calls its main function. It defines every function of abi.h that generated code
// calls, so that the executable itself needs only the C library. An $ORIGIN in the executable would not be
// enough: the loader finds it through /proc, which may be missing in a chroot.
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "runtime/abi.h"
#include "runtime/choose_image.h"

enum { bad_configuration = 78 };

// NOLINTBEGIN(bugprone-macro-parentheses): parameter lists cannot stand in more of them.
/// A function of libvaert.so behind a pointer, and one of its name that calls it.
#define FORWARD(result, name, parameters, arguments) \
  static result(*open_##name) parameters;            \
  result name parameters { return open_##name arguments; }
// NOLINTEND(bugprone-macro-parentheses)

FORWARD(float, vaert_lgamma, (float x), (x))
FORWARD(float, vaert_digamma, (float x), (x))
FORWARD(float, vaert_trigamma, (float x), (x))
FORWARD(float, vaert_log_i0, (float x), (x))
FORWARD(float, vaert_i1_over_i0, (float x), (x))
FORWARD(float, vaert_power, (float x, float exponent), (x, exponent))
FORWARD(float, vaert_atan2, (float y, float x), (y, x))
FORWARD(float, vaert_sample_gamma_log,
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
static const vae_image* (*open_vaert_choose)(const vae_image* const* images, int32_t count);

/// Every function of the library that is used: its name, and the pointer that gets its address.
static const struct {
  const char* name;
  void* place;
} functions[] = {
#define FUNCTION(name) {#name, (void*)&open_##name},
    FUNCTION(vaert_main) FUNCTION(vaert_choose) FUNCTION(vaert_lgamma) FUNCTION(vaert_digamma)
        FUNCTION(vaert_trigamma) FUNCTION(vaert_log_i0) FUNCTION(vaert_i1_over_i0) FUNCTION(vaert_power)
            FUNCTION(vaert_atan2) FUNCTION(vaert_sample_gamma_log) FUNCTION(vaert_sample_beta)
                FUNCTION(vaert_sample_poisson) FUNCTION(vaert_sample_binomial)
                    FUNCTION(vaert_sample_von_mises)
#undef FUNCTION
};

/// The executable's own path, as runtime/shared/own_executable.h finds it.
static int find_self(char* path) {
  const ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
  if (size > 0) {
    path[size] = '\0';
    return 1;
  }
  const char* started_as = (const char*)getauxval(AT_EXECFN);  // NOLINT(performance-no-int-to-ptr)
  return started_as != NULL && realpath(started_as, path) != NULL;
}

static char cause[PATH_MAX + 256];

static void* refuse(const char* why) {
  snprintf(cause, sizeof cause, "%s", why);
  return NULL;
}

/// Opens the runtime and finds all its functions. Returns NULL, with a text in `cause`, if that fails.
static void* open_runtime(void) {
  static void* runtime;
  if (runtime != NULL) return runtime;
  char own[PATH_MAX], library[PATH_MAX + 32];
  if (!find_self(own)) return refuse("the folder that it lies in cannot be known");
  *strrchr(own, '/') = '\0';
  snprintf(library, sizeof library, "%s/lib/libvaert.so.0", own);
  // Must be set before the library loads its thread pool (runtime/core/machine/thread_pool.h says why).
  if (getenv("OMP_WAIT_POLICY") == NULL) setenv("GOMP_SPINCOUNT", "2000", 0);
  void* opened = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (opened == NULL) return refuse(dlerror());
  for (size_t i = 0; i < sizeof functions / sizeof *functions; ++i) {
    void* found = dlsym(opened, functions[i].name);
    if (found == NULL) return refuse(dlerror());
    memcpy(functions[i].place, (const void*)&found, sizeof found);
  }
  return runtime = opened;
}

const vae_image* vaert_choose(const vae_image* const* images, int32_t count) {
  return open_runtime() != NULL ? open_vaert_choose(images, count) : images[0];
}

int vaert_main(const vae_image* image, int argc, char** argv) {
  if (open_runtime() != NULL) return open_vaert_main(image, argc, argv);
  fprintf(stderr, "%s: this bundle cannot open its runtime: %s\n", argc > 0 ? argv[0] : "vaec", cause);
  return bad_configuration;
}
