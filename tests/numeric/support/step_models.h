// Models for tests of whole steps, each with the name of what it covers.
#pragma once
#include <string>
#include <utility>
#include <vector>

inline const std::vector<std::pair<std::string, std::string>>& step_models() {
  static const std::vector<std::pair<std::string, std::string>> models = {
      {"NormalAndCategoricalConditionals", R"(
var x : real[3, 5]
var c : category(4)[2]
var z : real[3]
source data  { x = npy("x.npy") }
source codes { z ~ Normal(0); c ~ Categorical(0) }
decoder p { x | z, c ~ Normal(dense(tanh(dense(concat(z, flatten(c)), 9)), 15), parameter([])) }
encoder q {
  let h = gelu(layer_norm(dense(x, 12)))
  c | x ~ Categorical(dense(h, 8))
  z | x, c ~ Normal(dense(h, 3) + dense(c, 3), 0.1 * dense(h, 3))
}
learn symmetric { steps = 1 }
)"},
      {"PoissonCountsWithAWeightedSourceOfPairs", R"(
var x : count[7]
var z : binary[6]
source pairs weight 3 { x = npy("x.npy"); z = npy("z.npy") }
source data  { x = npy("x.npy") }
decoder p { x | z ~ Poisson(dense(silu(dense(z, 11)), 7)) }
encoder q { z | x ~ Bernoulli(dense(softplus(dense(x, 11)), 6)) }
learn symmetric { steps = 1 }
)"},
      // The scans share one set of parameters over twelve and five steps. One has a state of two parts, one a
      // number as its first state.
      {"ScansOverTheFirstAxis", R"(
net gru(h, v, width = 5) {
  both = concat(h, v)
  keep = sigmoid(dense(both, width))
  fresh = tanh(dense(concat(sigmoid(dense(both, width)) * h, v), width))
  return keep * h + (1 - keep) * fresh
}
var x : real[12, 3]
var y : real[5, 4]
var z : real[5]
source data { x = npy("x.npy"); y = npy("y.npy"); z = npy("z.npy") }
decoder p { x | z ~ Normal(dense(scan(gru, reshape(dense(z, 24), [12, 2]), init = z), 36)) }
encoder q {
  net lstm(state, v) {
    (h, c) = state
    g = dense(concat(h, v), 12)
    c = sigmoid(g[0:4]) * c + sigmoid(g[4:8]) * tanh(g[8:12])
    return (tanh(c), c)
  }
  let (hs, cs) = scan(lstm, y, init = (0, parameter([4], init = 0.5)))
  z | x, y ~ Normal(scan(gru, x, init = 0)[11] + dense(hs + cs, 5), 0.1)
}
learn supervised { steps = 1 }
)"},
      // Uses every function of the library file `nets` at least once: passed as arguments, called by nets
      // that call themselves, shared within a player, and unpacked from tuples.
      {"EveryFunctionOfNets", R"(
import nets
param widths = [8, 4]
var x : real[2, 8, 8]
var y : binary[10]
var c : category(5)[4, 4]
var d : category(7)
var z : real[6]
source a { x = npy("x.npy"); y = npy("y.npy"); c = npy("c.npy"); d = npy("d.npy") }
source b { z ~ Normal(0) }
net twice(h) = 2 * h
net apply(f, h, n) = f(h, n)
net two(h, act = tanh) { h = act(dense(h, 4)); return (h, dense(h, 3)) }
net rec(h, n) {
  if n > 0 { return rec(tanh(dense(h, 5)), n - 1) }
  return h
}
net chooser(h, kind) {
  if kind == "relu" { h = relu(h) } else if kind == "gelu" { h = gelu(h) } else { h = silu(h) }
  return h
}
net everything(h) {
  a = relu(h) + tanh(h) * sigmoid(h) - softplus(h) / (1 + exp(-h))
  b = log(1 + h * h) + log1p(abs(h)) + sqrt(square(h) + 1) + elu(h) + leaky_relu(h, slope = 0.2) + elu(h, alpha = 0.5)
  e = sin(h) + cos(h) + atan2(h, 1 + square(h)) + floor(h) + min(h, 0.5) + max(h, -0.5, 0.1 * h)
  f = where(h > 0 and h < 1 or not h > -1, h, -h) + (h ** 2) ** 0.5 + h % 2
  return a + b + e + f + chooser(h, "relu") + chooser(h, "gelu") + chooser(h, "none")
}
decoder p {
  let h = everything(dense(z, 6))
  let (s, t) = two(h)
  let (s2, t2) = two(h, act = relu)
  let w = parameter([4, 6], init = "orthogonal")
  let m = w @ h
  let v = parameter([], init = 0.5) * m + parameter([4], init = 1)
  let g = softmax(v) + logsumexp(v) + sum(v) + mean(v) + max(v, 0)
  let im = reshape(dense(z, 32), [2, 4, 4])
  let im2 = upsample(im, 2) + deconv(im, 2, kernel = 2, stride = 2) + deconv(im, 2, [3, 3], stride = [2, 2], padding = [1, 1])[0:1, 0:1, 0:1]
  let im3 = conv(im2, 3, kernel = 3, padding = 1, bias = false, init = "kaiming")
  let im4 = avg_pool(im3, 2) + max_pool(im3, [2, 2])
  let im5 = group_norm(im4 + softmax(im4) + mean(im4, axis = 0)[0, 0], 3)
  let q = transpose(im5, [1, 2, 0])
  let q2 = sum(q, axis = -1)
  x | z ~ Normal(conv(concat(im3, im2), 2, 1), -1)
  y | z ~ Bernoulli(concat(g, s + s2, flatten(q2)[0:2]) + layer_norm(dense(stop(h), 10, init = "xavier")))
  c | z ~ Categorical(reshape(dense(q2, 5 * 16, init = 0.01), [5, 4, 4]))
  d | z ~ Categorical(apply(dense, concat(t, t2, h[1], h[-2:]), 7) + rec(h, 3)[0])
}
encoder q {
  net cell(h, u) = tanh(dense(h, 6) + dense(u, 6))
  let e = embedding(c, 3)
  let de = embedding(d, 6)
  let h0 = cell(de, y)
  let h1 = cell(h0, y)
  let r = residual(h1, 12)
  let enc = conv_encoder(x, [4, 8], 6)
  let un = unet(x, 4, 2)
  z | x, y, c, d ~ Normal(mlp(concat(r, enc, flatten(avg_pool(un, 4)), flatten(e)), widths, 6, act = gelu), 0.5 * tanh(dense(h1, 6)))
}
learn symmetric { steps = 1 }
)"},
      // The slices begin inside rows of the pooled image. Each needs the flat copy, which is made once for
      // both.
      {"SlicesThroughAFlattenedPool", R"(
var x : binary[3, 8, 8]
var z : binary[6]
source data  { x = npy("x.npy") }
source codes { z ~ Bernoulli(0) }
net slices(x) {
  h = flatten(avg_pool(tanh(conv(x, 4, kernel = 1)), 2))
  return dense(concat(h[10 : 17], h[5 : 11], sum(h)), 6)
}
decoder p { x | z ~ Bernoulli(dense(z, 192)) }
encoder q { z | x ~ Bernoulli(slices(x)) }
learn symmetric { steps = 1 }
)"},
      {"AGibbsChainAndItsParts", R"(
var c : binary[3]
var x : binary[4, 5]
var z : binary[6]
source pairs { x = npy("x.npy"); c = npy("c.npy") }
source few   { c = npy("c.npy"); complete gibbs(sweeps = 3) { z ~ Bernoulli(1) } }
source generated { }
decoder p { x | c, z ~ Bernoulli(dense(tanh(dense(concat(c, z), 9)), 20)) }
encoder q {
  let h = tanh(dense(x, 7))
  c | x ~ Bernoulli(dense(h, 3))
  z | x, c ~ Bernoulli(dense(h, 6) + dense(c, 6))
}
learn symmetric { steps = 1 }
)"},
      // Every estimator and every bound, with several samples per row.
      {"Bounds", R"(
var x : binary[4, 5]
var a : real[3]
var b : binary[6]
var c : category(4)
var n : count[2]
source data { x = npy("x.npy") }
source pairs weight 3 { x = npy("x.npy"); b = npy("b.npy") }
decoder p {
  a ~ Normal(0)
  b | a ~ Bernoulli(dense(a, 6))
  c ~ Categorical(parameter([4]))
  n ~ Geometric(parameter([2]))
  x | a, b, c, n ~ Bernoulli(dense(tanh(dense(concat(a, b, c, n), 9)), 20))
}
encoder q {
  let h = tanh(dense(x, 7))
  a | x ~ Normal(dense(h, 3), 0.1 * dense(h, 3))
  b | a, x ~ Bernoulli(p.b(a) + dense(h, 6))
  c | x ~ Categorical(dense(h, 4))
  n | x ~ Geometric(dense(h, 2))
}
source all weight 0 { x = npy("x.npy") }
learn elbo { steps = 1; sources = [data] }
learn elbo as relaxed { steps = 1; sources = [data]; samples = 2; estimator = {a: reparam, b: gumbel(0.5), c: gumbel(1), n: score}; beta = 0.5 }
learn elbo as straight { steps = 1; sources = [data]; estimator = {a: score, b: st, c: score, n: score} }
learn iwae { steps = 1; sources = [data]; samples = 4 }
learn rws { steps = 1; sources = [data]; samples = 4 }
learn libi { steps = 1; sources = [data]; samples = 3 }
)"},
  };
  return models;
}
