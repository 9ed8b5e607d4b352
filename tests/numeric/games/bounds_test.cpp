// links: vaec_pipeline
// The expected gradients of elbo, iwae, rws and libi's second phase on models of a few bits, over all
// possible draws. They equal the gradients of objectives that are computed by enumeration. Models: flat,
// ladder (the encoder reads the decoder's logits) and reverse.
#include <gtest/gtest.h>

#include "tests/numeric/support/enumerated_bounds.h"

namespace enumerated_bounds {
namespace {

const std::string learns = R"(
learn elbo { steps = 1 }
learn elbo as one_sample { steps = 1; analytic_kl = false; beta = 0.7 }
learn elbo as samples { steps = 1; samples = 2; beta = 0.7 }
learn iwae as one { steps = 1; samples = 1 }
learn iwae { steps = 1; samples = 2 }
learn rws { steps = 1; samples = 2 }
learn libi { steps = 1; samples = 2 }
learn symmetric { steps = 1; sources = [data] }
)";

/// Two latent bits with a learned prior, and three observed bits. The weight scales every gradient.
constexpr double weight = 2;
BitModel flat() {
  return {"flat",
          R"(
var x : binary[3]
var z : binary[2]
source data weight 2 { x = npy("x.npy") }
decoder p {
  z ~ Bernoulli(parameter([2]))
  x | z ~ Bernoulli(dense(z, 3))
}
encoder q { z | x ~ Bernoulli(dense(x, 2)) }
)" + learns,
          2,
          {{1, 0, 1}, {0, 1, 1}, {0, 0, 0}},
          [](const Parameters& p, const Row& x, const Row& z) {
            return Densities{log_bernoulli(x, dense(p, "p.x.dense1", z)),
                             log_bernoulli(z, p.at("p.z.parameter1")),
                             log_bernoulli(z, dense(p, "q.z.dense1", x))};
          }};
}

const std::string two_layers = R"(
var x : binary[2]
var z0 : binary[1]
var z1 : binary[2]
source data weight 2 { x = npy("x.npy") }
decoder p {
  z0 ~ Bernoulli(parameter([1]))
  z1 | z0 ~ Bernoulli(dense(z0, 2))
  x | z1 ~ Bernoulli(dense(z1, 2))
}
)";
const Rows pairs = {{1, 0}, {1, 1}};

double log_p_z(const Parameters& p, const Row& z0, const Row& z1) {
  return log_bernoulli(z0, p.at("p.z0.parameter1")) + log_bernoulli(z1, dense(p, "p.z1.dense1", z0));
}

/// q(z1 | z0, x) = sigmoid(f01(z0) + s1(x)): f01 gets gradients from the decoder and from the encoder.
BitModel ladder() {
  return {"ladder", two_layers + R"(
encoder q {
  let r = dense(x, 3)
  z0 | x ~ Bernoulli(r[0:1])
  z1 | z0, x ~ Bernoulli(p.z1(z0) + r[1:3])
}
)" + learns,
          3, pairs, [](const Parameters& p, const Row& x, const Row& latent) {
            const Row z0 = {latent[0]}, z1 = {latent[1], latent[2]}, r = dense(p, "q.r.dense1", x);
            Row logits = dense(p, "p.z1.dense1", z0);
            for (size_t i = 0; i < 2; ++i) logits[i] += r[1 + i];
            return Densities{log_bernoulli(x, dense(p, "p.x.dense1", z1)), log_p_z(p, z0, z1),
                             log_bernoulli(z0, {r[0]}) + log_bernoulli(z1, logits)};
          }};
}

/// z1 is drawn first. Its divergence has no closed form, because the parent of its prior is drawn later.
BitModel reverse() {
  return {"reverse", two_layers + R"(
encoder q {
  z1 | x ~ Bernoulli(dense(x, 2))
  z0 | z1 ~ Bernoulli(dense(z1, 1))
}
)" + learns,
          3, pairs, [](const Parameters& p, const Row& x, const Row& latent) {
            const Row z1 = {latent[0], latent[1]}, z0 = {latent[2]};
            return Densities{log_bernoulli(x, dense(p, "p.x.dense1", z1)), log_p_z(p, z0, z1),
                             log_bernoulli(z1, dense(p, "q.z1.dense1", x)) +
                                 log_bernoulli(z0, dense(p, "q.z0.dense1", z1))};
          }};
}

const auto models = {flat, ladder, reverse};

void expect_same(const Parameters& seen, const Parameters& expected, const std::string& what) {
  ASSERT_EQ(seen.size(), expected.size()) << what;
  for (const auto& [name, values] : expected)
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(seen.at(name)[i], values[i], 1e-7) << what << ": " << name << " " << i;
}

double elbo(const Enumeration& all, const Parameters& at, double beta) {
  return all.over_data([&](size_t row) {
    return all.over_draws(at, row, 1, [&](const auto& z, const auto&) {
      return z[0].evidence + beta * (z[0].prior - z[0].posterior);
    });
  });
}

double log_mean_weight(const std::vector<Densities>& samples) {
  double sum = 0;
  for (const Densities& sample : samples) sum += std::exp(sample.log_weight());
  return std::log(sum / static_cast<double>(samples.size()));
}

double iwae(const Enumeration& all, const Parameters& at, size_t samples) {
  return all.over_data([&](size_t row) {
    return all.over_draws(at, row, samples, [](const auto& z, const auto&) { return log_mean_weight(z); });
  });
}

TEST(Bounds, ElboByScoresMaximizesTheEnumeratedBound) {
  for (const auto& model : models) {
    const Enumeration all(model());
    const auto gradient_of = [&](double beta) {
      return all.differences([&](const Parameters& at) { return weight * elbo(all, at, beta); });
    };
    const Parameters plain = gradient_of(1), scaled = gradient_of(0.7);
    expect_same(all.expected("elbo").gradient, plain, all.name() + " alone in its batch");
    expect_same(all.expected("elbo", 2).gradient, plain, all.name() + " against the batch's other row");
    expect_same(all.expected("one_sample").gradient, scaled, all.name() + " by one-sample divergences");
    expect_same(all.expected("samples").gradient, scaled, all.name() + " against the other samples");
    for (const auto& [learn, beta] :
         {std::pair{"elbo", 1.0}, std::pair{"one_sample", 0.7}, std::pair{"samples", 0.7}})
      EXPECT_NEAR(all.expected(learn).objective, weight * elbo(all, all.parameters, beta), 1e-12) << learn;
  }
}

TEST(Bounds, IwaeByScoresMaximizesTheEnumeratedBound) {
  for (const auto& model : models) {
    const Enumeration all(model());
    for (const auto& [learn, samples] : {std::pair{"one", 1}, std::pair{"iwae", 2}}) {
      EXPECT_NEAR(all.expected(learn).objective,
                  weight * iwae(all, all.parameters, static_cast<size_t>(samples)), 1e-12);
      expect_same(all.expected(learn).gradient,
                  all.differences([&, n = static_cast<size_t>(samples)](const Parameters& at) {
                    return weight * iwae(all, at, n);
                  }),
                  all.name() + " " + learn);
    }
  }
}

// The weights are normalised over the samples, and this bias is part of the objective. Neither the weights
// nor the draws have a gradient.
TEST(Bounds, RwsMaximizesBothDensitiesByNormalisedWeights) {
  for (const auto& model : models) {
    const Enumeration all(model());
    Parameters expected;
    for (const bool decoder : {true, false}) {
      const auto objective = [&](const Parameters& at) {
        return weight * all.over_data([&](size_t row) {
          return all.over_draws(all.parameters, row, 2, [&](const auto& z, const auto& latents) {
            double sum = 0;
            for (size_t k = 0; k < z.size(); ++k) {
              const Densities moved = all.at(at, row, latents[k]);
              const double share = std::exp(z[k].log_weight() - log_mean_weight(z)) / 2;
              sum += share * (decoder ? moved.evidence + moved.prior : moved.posterior);
            }
            return sum;
          });
        });
      };
      expected.merge(all.differences(objective, decoder ? "p." : "q."));
    }
    expect_same(all.expected("rws").gradient, expected, all.name());
  }
}

TEST(Bounds, LibiConstrainsByTheMultiplier) {
  for (const auto& model : models) {
    const Enumeration all(model());
    for (const double multiplier : {0.0, 1.0, 3.0})
      expect_same(all.expected("libi", 1, 1, multiplier).gradient, all.differences([&](const Parameters& at) {
        return weight * (elbo(all, at, 1) + (multiplier - 1) * iwae(all, at, 2));
      }),
                  all.name());
  }
}

/// Bits c and x are given by one source. `prior` is the decoder's line for c, or empty.
BitModel labelled(const std::string& prior, double stated_log_odds) {
  const bool learned = !prior.empty();
  return {"labelled",
          R"(
var x, c : binary[2]
var z : binary[2]
source rows weight 2 { x = npy("x.npy"); c = npy("c.npy") }
source codes weight 0 { z ~ Bernoulli(0.4) }
decoder p {
  )" + prior + R"(
  x | c, z ~ Bernoulli(dense(concat(c, z), 2))
}
encoder q {
  c | x ~ Bernoulli(dense(x, 2))
  z | c, x ~ Bernoulli(dense(concat(c, x), 2))
}
learn elbo { steps = 1; sources = [rows]; alpha = 1.5; beta = 0.5; samples = 2 }
)",
          2,
          {{1, 0, 0, 1}, {1, 1, 1, 0}, {0, 1, 1, 0}},
          [=](const Parameters& p, const Row& given, const Row& z) {
            const Row x = {given[0], given[1]}, c = {given[2], given[3]};
            const Row code = {c[0], c[1], z[0], z[1]}, both = {c[0], c[1], x[0], x[1]};
            Densities at;
            at.evidence = log_bernoulli(x, dense(p, "p.x.dense1", code));
            if (learned) at.evidence += log_bernoulli(c, p.at("p.c.parameter1"));
            at.prior = log_bernoulli(z, {stated_log_odds, stated_log_odds});
            at.posterior = log_bernoulli(z, dense(p, "q.z.dense1", both));
            at.recognised = log_bernoulli(c, dense(p, "q.c.dense1", x));
            return at;
          }};
}

// If c is given and its density is known, that density is evidence. If only samples of c are known, c is a
// condition. alpha is the weight of learning q(c | x). Another source states the prior of z.
TEST(Bounds, GivenLatentsAreEvidence) {
  for (const char* prior : {"", "c ~ Bernoulli(parameter([2]))"}) {
    const Enumeration all(labelled(prior, 0.4));
    const auto objective = [&](const Parameters& at) {
      return weight * all.over_data([&](size_t row) {
        return all.over_draws(at, row, 1, [](const auto& z, const auto&) {
          return z[0].evidence + 0.5 * (z[0].prior - z[0].posterior) + 1.5 * z[0].recognised;
        });
      });
    };
    const Enumeration::Expected seen = all.expected("elbo");
    EXPECT_NEAR(seen.objective, objective(all.parameters), 1e-12);
    expect_same(seen.gradient, all.differences(objective), prior);
  }
}

// A decoder and an encoder that share nets, as in a ladder. Under symmetric the decoder maximizes only log p,
// and the draws have no gradient. Under elbo f01 also gets a gradient because the encoder reads it, and r
// learns what its draws are worth to the decoder.
TEST(Bounds, TheLadderSharesOneObjectiveOnlyUnderElbo) {
  const Enumeration all(ladder());
  const auto by_itself = [&](const Parameters& at) {
    return weight * all.over_data([&](size_t row) {
      return all.over_draws(all.parameters, row, 1, [&](const auto&, const auto& latents) {
        const Densities moved = all.at(at, row, latents[0]);
        return moved.evidence + moved.prior;
      });
    });
  };
  const Parameters alone = all.differences(by_itself, "p."), symmetric = all.expected("symmetric").gradient;
  expect_same(symmetric, alone, "the decoder under symmetric, and nothing of r");
  const Parameters joint = all.expected("elbo").gradient;
  EXPECT_GT(std::abs(joint.at("p.z1.dense1.bias")[0] - alone.at("p.z1.dense1.bias")[0]), 0.01);
  EXPECT_GT(std::abs(joint.at("q.r.dense1.bias")[1]), 0.01);
}

}  // namespace
}  // namespace enumerated_bounds
