// links: vaec_pipeline
// Sums over discrete variables. On tables, the gradients are those of objectives that are summed by hand. If
// other variables are drawn, the summed gradients are the mean of the sampled ones and have a smaller
// variance.
#include <gtest/gtest.h>

#include "tests/numeric/support/enumerated_bounds.h"

namespace {
using enumerated_bounds::Parameters;
using enumerated_bounds::Row;

/// The learn blocks of a file, evaluated at parameters that the test knows.
class Learned {
 public:
  explicit Learned(const std::string& text, double scale = 0.9)
      : checked_(enumerated_bounds::check_model(text)) {
    double angle = 1;
    for (const semantics::Parameter& parameter : checked_.model.parameters) {
      Row& values = parameters[parameter.name];
      for (int64_t i = 0; i < semantics::count(parameter.shape); ++i)
        values.push_back(scale * std::sin(angle += 2.1));
    }
  }

  Parameters parameters;
  const semantics::Model& model() const { return checked_.model; }

  tensor::Phase phase(const std::string& name, size_t number = 0) const {
    for (size_t l = 0; l < model().learns.size(); ++l) {
      const semantics::Learn& learn = model().learns[l];
      if (learn.name != name) continue;
      if (learn.method == "symmetric")
        return tensor::build_phases(model(), checked_.game, learn, true).at(number);
      return tensor::build_bound_phases({model(), checked_.game.graph}, checked_.game.bounds.at(l), learn)
          .at(number);
    }
    throw std::logic_error("no learn " + name);
  }

  /// `classes`: the values of the only column, a category, one per row.
  tensor::Inputs inputs(const tensor::Program& program, const std::vector<int>& classes,
                        uint64_t seed) const {
    tensor::Inputs inputs;
    inputs.seed = seed;
    const auto rows = static_cast<int64_t>(classes.size());
    for (const tensor::BatchClass& batch : program.batches) inputs.rows.push_back(rows * batch.times);
    for (const semantics::Source& source : model().sources)
      inputs.coefficients.push_back(source.weight / static_cast<double>(rows));
    inputs.coefficients.resize(static_cast<size_t>(model().first_free_coefficient()));
    inputs.coefficients.push_back(1);  // libi's multiplier
    const auto places = tensor::parameter_places(model());
    for (size_t p = 0; p < model().players.size(); ++p)
      inputs.parameters.emplace_back(
          static_cast<size_t>(tensor::parameter_layout(model(), {static_cast<int32_t>(p)}).elements));
    for (size_t i = 0; i < places.size(); ++i)
      std::ranges::copy(parameters.at(model().parameters[i].name),
                        inputs.parameters[static_cast<size_t>(places[i].player)].begin() + places[i].offset);
    const int64_t width = model()[model().columns.at(0).variable].domain.classes;
    for (const int one : classes)
      for (int64_t k = 0; k < width; ++k) inputs.columns[{0, 0}].push_back(k == one ? 1 : 0);
    return inputs;
  }

  struct Seen {
    Parameters gradient;
    double objective = 0;
  };
  Seen run(const tensor::Phase& phase, const tensor::KernelProgram& kernel_program,
           const std::vector<int>& classes, uint64_t seed) const {
    const tensor::Inputs given = inputs(phase.program, classes, seed);
    const tensor::Results results = tensor::interpret(kernel_program, given);
    Seen seen;
    for (const tensor::Objective& part : phase.objective)
      seen.objective += part.factor * given.coefficients[0] * results.outputs.at(part.output).at(0);
    const auto places = tensor::parameter_places(model());
    for (size_t i = 0; i < places.size(); ++i) {
      Row& to = seen.gradient[model().parameters[i].name];
      to.resize(static_cast<size_t>(semantics::count(model().parameters[i].shape)));
      const auto found = results.gradients.find(places[i].player);
      for (size_t k = 0; found != results.gradients.end() && k < to.size(); ++k)
        to[k] = found->second[static_cast<size_t>(places[i].offset) + k];
    }
    return seen;
  }
  Seen run(const std::string& learn, const std::vector<int>& classes, uint64_t seed = 1,
           size_t number = 0) const {
    const tensor::Phase built = phase(learn, number);
    return run(built, tensor::make_kernel_program(built.program), classes, seed);
  }

  /// Central differences in the parameters whose names begin with `owner`.
  Parameters differences(const std::function<double(const Parameters&)>& objective,
                         const std::string& owner = "") const {
    return enumerated_bounds::central_differences(parameters, objective, owner);
  }

 private:
  vaec::CheckedModel checked_;
};

void expect_same(const Parameters& seen, const Parameters& expected, const std::string& what) {
  for (const auto& [name, values] : expected)
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(seen.at(name)[i], values[i], 1e-7) << what << ": " << name << " " << i;
}

Row one_hot(int value, int classes) {
  Row row(static_cast<size_t>(classes), 0.0);
  row[static_cast<size_t>(value)] = 1;
  return row;
}
Row joined(Row a, const Row& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
double log_category(int value, const Row& logits) {
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  return logits[static_cast<size_t>(value)] - std::log(sum);
}
using enumerated_bounds::bits_of;
using enumerated_bounds::dense;
using enumerated_bounds::log_bernoulli;

// ---- tables: a class and two bits behind another class

const std::string table_players = R"(
var x : category(3)
var c : category(4)
var b : binary[2]
source rows weight 2 { x = npy("x.npy") }
decoder p {
  c ~ Categorical(parameter([4]))
  b | c ~ Bernoulli(dense(c, 2))
  x | c, b ~ Categorical(dense(concat(c, b), 3))
}
encoder q {
  c | x ~ Categorical(dense(x, 4))
  b | c, x ~ Bernoulli(dense(concat(c, x), 2))
}
)";

const std::string tables = table_players + R"(
source made { }
learn elbo { steps = 1; estimator = enumerate; sources = [rows] }
learn elbo as scaled { steps = 1; estimator = {c: enumerate, b: enumerate}; beta = 0.7; analytic_kl = false; samples = 3; sources = [rows] }
learn iwae { steps = 1; estimator = enumerate; samples = 2; sources = [rows] }
learn rws { steps = 1; estimator = {b: enumerate, c: enumerate}; samples = 2; sources = [rows] }
learn libi { steps = 1; estimator = enumerate; samples = 2; sources = [rows] }
learn symmetric { steps = 1; enumerate = [c, b, x] }
learn symmetric as some { steps = 1; enumerate = [c] }
learn symmetric as drawn { steps = 1 }
learn elbo as scores { steps = 1; estimator = score; samples = 2; sources = [rows] }
learn iwae as drawn_iwae { steps = 1; samples = 64; sources = [rows] }
learn rws as drawn_rws { steps = 1; samples = 64; sources = [rows] }
)";

struct Densities {
  double c_p, b_p, x_p, c_q, b_q;
  double joint() const { return c_p + b_p + x_p; }
  double posterior() const { return c_q + b_q; }
};
Densities densities(const Parameters& p, int c, size_t bits, int x) {
  const Row code = one_hot(c, 4), b = bits_of(bits, 2), seen = one_hot(x, 3);
  return {log_category(c, p.at("p.c.parameter1")), log_bernoulli(b, dense(p, "p.b.dense1", code)),
          log_category(x, dense(p, "p.x.dense1", joined(code, b))),
          log_category(c, dense(p, "q.c.dense1", seen)),
          log_bernoulli(b, dense(p, "q.b.dense1", joined(code, seen)))};
}
double over_codes(const std::function<double(int, size_t)>& of) {
  double sum = 0;
  for (int c = 0; c < 4; ++c)
    for (size_t b = 0; b < 4; ++b) sum += of(c, b);
  return sum;
}
const std::vector<int> observed = {2, 0, 1, 0};
double over_rows(const std::function<double(int)>& of) {
  double sum = 0;
  for (const int x : observed) sum += of(x);
  return 2 * sum / static_cast<double>(observed.size());
}
double elbo(const Parameters& at, double beta) {
  return over_rows([&](int x) {
    return over_codes([&](int c, size_t b) {
      const Densities d = densities(at, c, b, x);
      return std::exp(d.posterior()) * (d.x_p + beta * (d.c_p + d.b_p - d.posterior()));
    });
  });
}
double log_likelihood(const Parameters& at, int x) {
  return std::log(over_codes([&](int c, size_t b) { return std::exp(densities(at, c, b, x).joint()); }));
}
double likelihood(const Parameters& at) {
  return over_rows([&](int x) { return log_likelihood(at, x); });
}

TEST(Enumeration, TheElboOfTablesIsExact) {
  const Learned all(tables);
  for (const auto& [name, beta] : {std::pair{"elbo", 1.0}, std::pair{"scaled", 0.7}}) {
    const auto objective = [&, beta = beta](const Parameters& at) { return elbo(at, beta); };
    const auto seen = all.run(name, observed);
    EXPECT_NEAR(seen.objective, objective(all.parameters), 1e-12) << name;
    expect_same(seen.gradient, all.differences(objective), name);
  }
}

// Nothing else is drawn, so the bound is the likelihood, which does not depend on q.
TEST(Enumeration, IwaeOfTablesIsTheLikelihood) {
  const Learned all(tables);
  const auto seen = all.run("iwae", observed);
  EXPECT_NEAR(seen.objective, likelihood(all.parameters), 1e-12);
  expect_same(seen.gradient, all.differences(likelihood), "iwae");
}

TEST(Enumeration, RwsOfTablesWeighsByThePosterior) {
  const Learned all(tables);
  const auto of_q = [&](const Parameters& at) {
    return over_rows([&](int x) {
      return over_codes([&](int c, size_t b) {
        const double posterior =
            densities(all.parameters, c, b, x).joint() - log_likelihood(all.parameters, x);
        return std::exp(posterior) * densities(at, c, b, x).posterior();
      });
    });
  };
  Parameters expected = all.differences(likelihood, "p.");
  expected.merge(all.differences(of_q, "q."));
  const auto seen = all.run("rws", observed);
  EXPECT_NEAR(seen.objective, likelihood(all.parameters), 1e-12);
  expect_same(seen.gradient, expected, "rws");
}

TEST(Enumeration, LibiConstrainsByExactBounds) {
  const Learned all(tables);
  const auto elbo_alone = [](const Parameters& at) { return elbo(at, 1); };  // the multiplier is 1
  expect_same(all.run("libi", observed, 1, 1).gradient, all.differences(elbo_alone), "constrain");
  expect_same(all.run("libi", observed, 1, 0).gradient, all.differences(likelihood), "fit");
}

/// `densities`, with the prior of c learned or, if it has no parameters, uniform.
Densities with_uniform(Parameters at, int c, size_t bits, int x) {
  at.try_emplace("p.c.parameter1", Row(4));
  return densities(at, c, bits, x);
}

// The probabilities of one player are constants for the other player, as its draws are.
void expect_exact_symmetric(const Learned& all) {
  const auto of_p = [&](const Parameters& at) {
    return over_rows([&](int x) {
      return over_codes([&](int c, size_t b) {
        return std::exp(with_uniform(all.parameters, c, b, x).posterior()) *
               with_uniform(at, c, b, x).joint();
      });
    });
  };
  const auto of_q = [&](const Parameters& at) {
    double sum = 0;
    for (int x = 0; x < 3; ++x)
      sum += over_codes([&](int c, size_t b) {
        return std::exp(with_uniform(all.parameters, c, b, x).joint()) *
               with_uniform(at, c, b, x).posterior();
      });
    return sum;
  };
  Parameters expected = all.differences(of_p, "p.");
  expected.merge(all.differences(of_q, "q."));
  expect_same(all.run("symmetric", observed).gradient, expected, "symmetric");
}

TEST(Enumeration, SymmetricOfTablesIsExact) { expect_exact_symmetric(Learned(tables)); }

// Probabilities that are equal for all values do not depend on an axis.
TEST(Enumeration, AUniformPriorIsSummed) {
  std::string uniform = tables;
  const std::string learned = "c ~ Categorical(parameter([4]))";
  uniform.replace(uniform.find(learned), learned.size(), "c ~ Categorical(0)");
  expect_exact_symmetric(Learned(uniform));
}

// What is cut out of a tensor that depends on the summed class alone: slices, elements, and a scan over rows.
TEST(Enumeration, TensorsOfTheClassAloneAreCut) {
  const Learned all(R"(
var x : category(3)
var c : category(4)
source rows weight 2 { x = npy("x.npy") }
net running(h, v) = h + v
decoder p {
  let h = dense(c, 7)
  c ~ Categorical(parameter([4]))
  x | c ~ Categorical(h[1:4] * c[2] + h[4:7] + scan(running, h[0:3], init = 0) + sum(reshape(h[0:6], [3, 2]), axis = 1)[0])
}
encoder q { c | x ~ Categorical(dense(x, 4)) }
learn elbo { steps = 1; estimator = enumerate }
learn iwae { steps = 1; estimator = enumerate }
)");
  const auto joint = [](const Parameters& at, int c, int x) {
    const Row h = dense(at, "p.h.dense1", one_hot(c, 4));
    Row logits(3);
    double running = 0;
    for (size_t i = 0; i < 3; ++i) {
      running += h[i];
      logits[i] = (c == 2 ? h[1 + i] : 0) + h[4 + i] + running + h[0] + h[1];
    }
    return log_category(c, at.at("p.c.parameter1")) + log_category(x, logits);
  };
  const auto bound = [&](const Parameters& at) {
    return over_rows([&](int x) {
      double sum = 0;
      for (int c = 0; c < 4; ++c) {
        const double posterior = log_category(c, dense(at, "q.c.dense1", one_hot(x, 3)));
        sum += std::exp(posterior) * (joint(at, c, x) - posterior);
      }
      return sum;
    });
  };
  const auto likelihood = [&](const Parameters& at) {
    return over_rows([&](int x) {
      double sum = 0;
      for (int c = 0; c < 4; ++c) sum += std::exp(joint(at, c, x));
      return std::log(sum);
    });
  };
  const Learned::Seen elbo = all.run("elbo", observed), iwae = all.run("iwae", observed);
  EXPECT_NEAR(elbo.objective, bound(all.parameters), 1e-9);
  EXPECT_NEAR(iwae.objective, likelihood(all.parameters), 1e-9);
  expect_same(elbo.gradient, all.differences(bound), "elbo");
  expect_same(iwae.gradient, all.differences(likelihood), "iwae");
}

// ---- means of samples

struct Moments {
  Parameters mean, variance;
  double total_variance = 0;
};
Moments moments(const Learned& learned, const std::string& learn, int draws) {
  const tensor::Phase phase = learned.phase(learn);
  const tensor::KernelProgram kernel_program = tensor::make_kernel_program(phase.program);
  Parameters sum, squares;
  for (int i = 0; i < draws; ++i) {
    const auto seen = learned.run(phase, kernel_program, observed, static_cast<uint64_t>(i) + 1);
    for (const auto& [name, values] : seen.gradient) {
      sum[name].resize(values.size());
      squares[name].resize(values.size());
      for (size_t k = 0; k < values.size(); ++k) {
        sum[name][k] += values[k] / draws;
        squares[name][k] += values[k] * values[k] / draws;
      }
    }
  }
  Moments result{sum, squares};
  for (auto& [name, values] : result.variance)
    for (size_t k = 0; k < values.size(); ++k) {
      values[k] = std::max(values[k] - sum[name][k] * sum[name][k], 0.0);
      result.total_variance += values[k];
    }
  return result;
}

/// The sampled mean must lie within five standard errors plus `bias` of the exact value.
void expect_mean(const Moments& sampled, const Parameters& exact, int draws, double bias,
                 const std::string& what) {
  for (const auto& [name, values] : exact)
    for (size_t k = 0; k < values.size(); ++k)
      EXPECT_NEAR(sampled.mean.at(name)[k], values[k],
                  5 * std::sqrt(sampled.variance.at(name)[k] / draws) + bias)
          << what << ": " << name << " " << k;
}

TEST(Enumeration, SampledGradientsHaveTheSummedOnesAsTheirMean) {
  const Learned all(tables);
  constexpr int draws = 3000, few = 150;
  expect_mean(moments(all, "scores", draws), all.run("elbo", observed).gradient, draws, 1e-9, "elbo");
  expect_mean(moments(all, "drawn", draws), all.run("symmetric", observed).gradient, draws, 1e-9,
              "symmetric");
  // These are biased: the bound with 64 samples is a little below the likelihood.
  Parameters decoder = all.run("iwae", observed).gradient;
  std::erase_if(decoder, [](const auto& entry) { return entry.first.starts_with("q."); });
  expect_mean(moments(all, "drawn_iwae", few), decoder, few, 0.02, "iwae");
  expect_mean(moments(all, "drawn_rws", few), all.run("rws", observed).gradient, few, 0.02, "rws");
}

TEST(Enumeration, SummingOneOfSeveralVariablesLowersTheVariance) {
  const Learned all(tables);
  constexpr int draws = 2000;
  const Moments some = moments(all, "some", draws), drawn = moments(all, "drawn", draws);
  expect_mean(some, all.run("symmetric", observed).gradient, draws, 1e-9, "c summed, b and x drawn");
  EXPECT_LT(some.total_variance, 0.7 * drawn.total_variance);
  std::printf("total variance: all drawn %.4f, c summed %.4f\n", drawn.total_variance, some.total_variance);
}

// ---- a class that is summed above a code that is drawn, as in M2

const std::string classes_and_codes = R"(
var x : category(20)
var c : category(5)
var z : real[3]
source rows { x = npy("x.npy") }
decoder p {
  c ~ Categorical(0)
  z ~ Normal(0)
  x | c, z ~ Categorical(dense(tanh(dense(concat(c, z), 6)), 20))
}
encoder q {
  c | x ~ Categorical(dense(x, 5))
  let h = tanh(dense(concat(x, c), 7))
  z | c, x ~ Normal(dense(h, 3), dense(h, 3))
}
learn elbo { steps = 1; estimator = {c: enumerate} }
learn elbo as scores { steps = 1; estimator = {c: score, z: reparam} }
learn elbo as samples { steps = 1; estimator = {c: enumerate}; samples = 2 }
learn iwae { steps = 1; estimator = {c: enumerate}; samples = 3 }
learn rws { steps = 1; estimator = {c: enumerate}; samples = 3 }
learn libi { steps = 1; estimator = {c: enumerate}; samples = 3 }
)";

TEST(Enumeration, ASummedClassAboveADrawnCode) {
  const Learned all(classes_and_codes, 0.3);
  constexpr int draws = 2000;
  const Moments summed = moments(all, "elbo", draws), drawn = moments(all, "scores", draws);
  for (const auto& [name, values] : summed.mean)
    for (size_t k = 0; k < values.size(); ++k) {
      const double error = std::sqrt((summed.variance.at(name)[k] + drawn.variance.at(name)[k]) / draws);
      EXPECT_NEAR(values[k], drawn.mean.at(name)[k], 5 * error + 1e-9) << name << " " << k;
    }
  EXPECT_LT(summed.total_variance, 0.5 * drawn.total_variance);
  std::printf("total variance: c drawn %.4f, c summed %.4f\n", drawn.total_variance, summed.total_variance);
}

// The passes do not change the numbers of these programs, and neither does planning.
TEST(Enumeration, PassesKeepWhatIsSummed) {
  for (const std::string& text : {tables, classes_and_codes}) {
    const Learned all(text);
    for (const semantics::Learn& learn : all.model().learns) {
      const tensor::Phase phase = all.phase(learn.name);
      const tensor::Inputs inputs = all.inputs(phase.program, observed, 5);
      ASSERT_EQ(tensor::verify(phase.program), std::nullopt) << learn.name;
      const tensor::Results before = tensor::interpret(phase.program, inputs);
      const tensor::Results after = tensor::interpret(tensor::make_kernel_program(phase.program), inputs);
      for (const auto& [name, numbers] : before.outputs)
        EXPECT_NEAR(numbers[0], after.outputs.at(name)[0], 1e-9 * (1 + std::abs(numbers[0])))
            << learn.name << " " << name;
    }
  }
}

// The product of x with its columns of the weights is computed once per row, not once per row and class. The
// product of the classes is computed once per class.
TEST(Enumeration, WhatDoesNotDependOnTheClassIsComputedOnce) {
  const Learned all(classes_and_codes);
  const tensor::KernelProgram kernel_program = tensor::make_kernel_program(all.phase("elbo").program);
  int of_x = 0, of_c = 0;
  for (const tensor::Instruction& instruction : kernel_program.instructions) {
    const auto* gemm = std::get_if<tensor::Gemm>(&instruction);
    if (gemm == nullptr) continue;
    const std::vector<tensor::Extent> sides = {gemm->m, gemm->n, gemm->k};
    const auto has = [&](int64_t size) { return std::ranges::count(sides, tensor::Extent{size, -1}) > 0; };
    const auto batch = std::ranges::find_if(sides, [](const auto& side) { return side.batch >= 0; });
    if (has(7) && has(20)) {
      ++of_x;
      ASSERT_NE(batch, sides.end());
      EXPECT_EQ(kernel_program.batches[static_cast<size_t>(batch->batch)].times, 1);
    }
    if (has(7) && has(5) && !has(20)) {
      ++of_c;
      EXPECT_EQ(batch, sides.end());
    }
  }
  EXPECT_EQ(of_x, 2);  // forward, and the gradient of the weights
  EXPECT_EQ(of_c, 2);
}

// ---- a chain of classes: summed one after the other

std::string chain_of(int classes, const std::string& learn) {
  const std::string k = std::to_string(classes);
  return "var x : category(3)\nvar c[4] : category(" + k + R"()
source rows { x = npy("x.npy") }
decoder p {
  c[0] ~ Categorical(parameter([)" +
         k + R"(]))
  c[1] | c[0] ~ Categorical(dense(c[0], )" +
         k + R"())
  c[2] | c[1] ~ Categorical(dense(c[1], )" +
         k + R"())
  c[3] | c[2] ~ Categorical(dense(c[2], )" +
         k + R"())
  x | c[3] ~ Categorical(dense(c[3], 3))
}
encoder q {
  c[3] | x ~ Categorical(dense(x, )" +
         k + R"())
  c[2] | c[3] ~ Categorical(dense(c[3], )" +
         k + R"())
  c[1] | c[2] ~ Categorical(dense(c[2], )" +
         k + R"())
  c[0] | c[1] ~ Categorical(dense(c[1], )" +
         k + R"())
}
)" + learn;
}

double chain_elbo(const Parameters& p, int classes) {
  double total = 0;
  enumerated_bounds::for_each_tuple(4, static_cast<size_t>(classes), [&](const std::vector<size_t>& c) {
    const auto at = [&](size_t i) { return one_hot(static_cast<int>(c[i]), classes); };
    const auto density = [&](size_t i, const Row& logits) {
      return log_category(static_cast<int>(c[i]), logits);
    };
    const double prior =
        density(0, p.at("p.c[0].parameter1")) + density(1, dense(p, "p.c[1].dense1", at(0))) +
        density(2, dense(p, "p.c[2].dense1", at(1))) + density(3, dense(p, "p.c[3].dense1", at(2)));
    const double above = density(2, dense(p, "q.c[2].dense1", at(3))) +
                         density(1, dense(p, "q.c[1].dense1", at(2))) +
                         density(0, dense(p, "q.c[0].dense1", at(1)));
    for (const int x : observed) {
      const double posterior = density(3, dense(p, "q.c[3].dense1", one_hot(x, 3))) + above;
      const double evidence = log_category(x, dense(p, "p.x.dense1", at(3)));
      total += std::exp(posterior) * (evidence + prior - posterior) / static_cast<double>(observed.size());
    }
  });
  return total;
}

TEST(Enumeration, ChainsAreSummedByElimination) {
  const std::string learn = "learn elbo { steps = 1; estimator = {c: enumerate}; analytic_kl = false }\n";
  const Learned all(chain_of(3, learn));
  const auto objective = [](const Parameters& at) { return chain_elbo(at, 3); };
  const auto seen = all.run("elbo", observed);
  EXPECT_NEAR(seen.objective, objective(all.parameters), 1e-12);
  expect_same(seen.gradient, all.differences(objective), "chain");
  // With 50 values per variable a sum has 2,500 terms at a time, not 6,250,000.
  EXPECT_NO_THROW(Learned(chain_of(50, learn)));
  try {
    const Learned joint(chain_of(50, "learn iwae { steps = 1; estimator = {c: enumerate} }\n"));
    FAIL() << "a joint sum of 6,250,000 terms is made";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("6250000"), std::string::npos) << error.what();
  }
}

}  // namespace
