// The entry point of an executable. It has an object file of its own: programs that define `vaert_main`
// themselves, as tests do, then do not link it.
#include "runtime/core/commands/command_line.h"

extern "C" __attribute__((visibility("default"))) int vaert_main(const vae_image* image, int argc,
                                                                 char** argv) {
  return core::run_command_line(*image, argc, argv);
}
