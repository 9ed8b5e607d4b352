// The file that `vaec new` writes: a small model that runs without a data file, with a comment on each part.
#pragma once
#include <string_view>

namespace vaec {

inline constexpr std::string_view starting_file =
    R"vae(// A variational autoencoder of small pictures, trained by symmetric equilibrium learning.

// Known when compiling; `vaec build -D code=32` replaces it.
param code = 16

// The random variables: a picture of 28 x 28 bits and its code. The batch is never written.
var x : binary[28, 28]
var z : binary[code]

// What is known: pictures (here an embedded data set), and codes from the prior.
source images { x = glyphs(5000, seed = 1).image > 0.5 }
source codes  { z ~ Bernoulli(0) }

// A net is a function of tensors; each call has its own parameters.
net mlp(input, hidden, output) {
  h = relu(dense(input, hidden))
  return dense(h, output)
}

// The players: each gives the natural parameter of its distribution.
decoder p { x | z ~ Bernoulli(mlp(z, 256, 28 * 28)) }
encoder q { z | x ~ Bernoulli(mlp(x, 256, code)) }

// How they learn; `train --steps N` overrides.
learn symmetric { steps = 2000; batch = 128; optimizer = adam(1e-3) }
)vae";

}  // namespace vaec
