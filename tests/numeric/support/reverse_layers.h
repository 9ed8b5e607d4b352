// The convolutions of the MNIST networks `ladder` and `reverse`, seen from their forward side. A transposed
// convolution is listed as the convolution whose backward-data it is.
#pragma once
#include <vector>

#include "runtime/abi.h"

inline std::vector<vae_convolution> reverse_layers(int64_t batch) {
  const auto layer = [batch](int64_t in, int64_t in_side, int64_t out, int64_t out_side, int64_t kernel,
                             int64_t stride, int64_t padding) {
    return vae_convolution{VAE_FORWARD, batch,  in,     in_side, in_side, out,     out_side,
                           out_side,    kernel, kernel, stride,  stride,  padding, padding};
  };
  return {
      // the encoder: 28 -> 28 -> 27 -> 13 -> 11 -> 9 -> 4 -> 1
      layer(1, 28, 32, 28, 3, 1, 1),
      layer(32, 28, 32, 27, 2, 1, 0),
      layer(32, 27, 64, 13, 3, 2, 0),
      layer(64, 13, 64, 11, 3, 1, 0),
      layer(64, 11, 64, 9, 3, 1, 0),
      layer(64, 9, 128, 4, 3, 2, 0),
      layer(128, 4, 600, 1, 4, 1, 0),
      // the generator: 1 -> 4 -> 9 -> 11 -> 13 -> 27 -> 28 -> 28
      layer(128, 4, 100, 1, 4, 1, 0),
      layer(64, 9, 128, 4, 3, 2, 0),
      layer(64, 11, 64, 9, 3, 1, 0),
      layer(64, 13, 64, 11, 3, 1, 0),
      layer(32, 27, 64, 13, 3, 2, 0),
      layer(32, 28, 32, 27, 2, 1, 0),
      layer(32, 28, 1, 28, 3, 1, 1),
  };
}
