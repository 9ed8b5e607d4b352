#include "runtime/version.h"

// VAEC_VERSION is the version of the CMake project.
const char* vaert_version(void) { return VAEC_VERSION; }
