/* Which image of an executable is run. An executable for several processors holds one image for each. */
#ifndef VAE_CHOOSE_IMAGE_H
#define VAE_CHOOSE_IMAGE_H
#include "runtime/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Of images of one program, the most demanding first: the first that this processor can run, else the last.
const vae_image* vaert_choose(const vae_image* const* images, int32_t count);

#ifdef __cplusplus
}
#endif
#endif
