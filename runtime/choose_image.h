/* Chooses which image an executable runs. An executable for several processors holds one image for each. */
#ifndef VAE_CHOOSE_IMAGE_H
#define VAE_CHOOSE_IMAGE_H
#include "runtime/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// `images`: the same program for several processors, the most demanding processor first. Returns the first
/// image that this processor can run, or the last image if it can run none.
const vae_image* vaert_choose(const vae_image* const* images, int32_t count);

#ifdef __cplusplus
}
#endif
#endif
