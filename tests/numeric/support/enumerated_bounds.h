// Computes learn blocks over a few bits exactly. Every random draw of a built phase becomes an input. The
// planned kernel program then runs in double precision on all values that the draws can have. In: a program's
// text. Out: the expected gradient of the phase, and central differences of an objective that the test writes
// by hand.
#pragma once
#include <cmath>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "compiler/tensor/build/build_bound.h"
#include "compiler/tensor/interpret.h"
#include "compiler/tensor/passes.h"
#include "tests/numeric/support/example_programs.h"

namespace enumerated_bounds {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

inline vaec::CheckedModel check_model(const std::string& text) {
  return programs::check_model({"bounds.vae", text, {}});
}

/// Replaces the draws by inputs `draw 0`, `draw 1`, ... in the order of the program.
inline tensor::Program with_given_draws(tensor::Program program) {
  int next = 0;
  for (tensor::Value& value : program.values) {
    if (tensor::info(value.op).group != semantics::OpGroup::random) continue;
    value.op = tensor::Op::input;
    value.name = "draw " + std::to_string(next++);
  }
  return program;
}

/// Values of all parameters by their names, row-major.
using Parameters = std::map<std::string, Row>;

/// Central differences of `objective` at `parameters`, for the parameters whose names begin with `owner`.
inline Parameters central_differences(Parameters parameters,
                                      const std::function<double(const Parameters&)>& objective,
                                      const std::string& owner) {
  Parameters result;
  constexpr double step = 1e-5;
  for (auto& [name, values] : parameters) {
    if (!name.starts_with(owner)) continue;
    for (double& value : values) {
      const double kept = value;
      value = kept + step;
      const double above = objective(parameters);
      value = kept - step;
      const double below = objective(parameters);
      value = kept;
      result[name].push_back((above - below) / (2 * step));
    }
  }
  return result;
}

/// weights [m, n] x + bias of the layer of this name.
inline Row dense(const Parameters& parameters, const std::string& name, const Row& x) {
  const Row &weights = parameters.at(name + ".weight"), &bias = parameters.at(name + ".bias");
  Row y = bias;
  for (size_t i = 0; i < y.size(); ++i)
    for (size_t j = 0; j < x.size(); ++j) y[i] += weights[i * x.size() + j] * x[j];
  return y;
}

inline double softplus(double a) { return std::max(a, 0.0) + std::log1p(std::exp(-std::abs(a))); }
inline double log_bernoulli(const Row& x, const Row& logits) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += x[i] * logits[i] - softplus(logits[i]);
  return sum;
}

/// Log-densities of one row with one value of its latent bits.
struct Densities {
  double evidence = 0, prior = 0, posterior = 0, recognised = 0;
  double log_weight() const { return evidence + prior - posterior; }
};

/// A model of bits. `densities` takes the values that the source gives, in the order of its lines, and the
/// latents in the order in which they are drawn; both as flat rows.
struct BitModel {
  std::string name, text;
  size_t latent_bits;
  Rows data;
  std::function<Densities(const Parameters&, const Row& given, const Row& latent)> densities;
};

inline Row bits_of(size_t number, size_t count) {
  Row bits(count);
  for (size_t i = 0; i < count; ++i) bits[i] = static_cast<double>(number >> i & 1);
  return bits;
}

/// Calls visit(numbers) for all tuples of `length` numbers below `base`.
inline void for_each_tuple(size_t length, size_t base,
                           const std::function<void(const std::vector<size_t>&)>& visit) {
  std::vector<size_t> tuple(length, 0);
  while (true) {
    visit(tuple);
    size_t i = 0;
    while (i < length && ++tuple[i] == base) tuple[i++] = 0;
    if (i == length) return;
  }
}

class Enumeration {
 public:
  explicit Enumeration(BitModel bits) : bits_(std::move(bits)), checked_(check_model(bits_.text)) {
    const semantics::Model& model = checked_.model;
    double angle = 1;
    for (const semantics::Parameter& parameter : model.parameters) {
      Row& values = parameters[parameter.name];
      for (int64_t i = 0; i < semantics::count(parameter.shape); ++i)
        values.push_back(1.3 * std::sin(angle += 2.1));
    }
  }

  Parameters parameters;
  const std::string& name() const { return bits_.name; }
  const semantics::Model& model() const { return checked_.model; }

  struct Expected {
    Parameters gradient;   // by parameter name
    double objective = 0;  // the objective that the phase's outputs add up to
  };
  /// Means over all choices of `batch` rows of the data and over all draws. `multiplier` is libi's.
  Expected expected(const std::string& learn, size_t batch = 1, size_t phase = 0,
                    double multiplier = 1) const {
    const size_t l = place_of(learn);
    const semantics::Learn& block = model().learns[l];
    const auto samples = static_cast<size_t>(block.own.value("samples", int64_t{1}));
    const tensor::Phase built = phases_of(l).at(phase);
    const size_t drawn = built.program.batches.size() > 1 ? samples : 1;
    const tensor::KernelProgram kernel_program = tensor::make_kernel_program(with_given_draws(built.program));
    tensor::Inputs inputs = inputs_of(batch, drawn, multiplier);
    Expected mean;
    double total = 0;
    const auto states = size_t{1} << bits_.latent_bits;
    for_each_tuple(batch, bits_.data.size(), [&](const std::vector<size_t>& rows) {
      give_columns(rows, inputs);
      for_each_tuple(batch * drawn, states, [&](const std::vector<size_t>& latents) {
        double probability = std::pow(1 / static_cast<double>(bits_.data.size()), static_cast<double>(batch));
        for (size_t i = 0; i < latents.size(); ++i)
          probability *= std::exp(at(parameters, rows[i / drawn], latents[i]).posterior);
        total += probability;
        give_draws(latents, inputs);
        const tensor::Results results = tensor::interpret(kernel_program, inputs);
        add(results.gradients, probability, mean.gradient);
        for (const tensor::Objective& part : built.objective)
          mean.objective +=
              probability * part.factor * inputs.coefficients[0] * results.outputs.at(part.output).at(0);
      });
    });
    if (std::abs(total - 1) > 1e-12) throw std::logic_error("the draws have mass " + std::to_string(total));
    return mean;
  }

  /// The central differences in this model's own parameters.
  Parameters differences(const std::function<double(const Parameters&)>& objective,
                         const std::string& owner = "") const {
    return central_differences(parameters, objective, owner);
  }

  Densities at(const Parameters& values, size_t row, size_t latent) const {
    return bits_.densities(values, bits_.data[row], bits_of(latent, bits_.latent_bits));
  }

  /// Mean over the data of `of(row)`.
  double over_data(const std::function<double(size_t)>& of) const {
    double sum = 0;
    for (size_t row = 0; row < bits_.data.size(); ++row) sum += of(row);
    return sum / static_cast<double>(bits_.data.size());
  }
  /// The expectation over `samples` latents of a row, drawn from q with these parameters.
  double over_draws(
      const Parameters& values, size_t row, size_t samples,
      const std::function<double(const std::vector<Densities>&, const std::vector<size_t>&)>& of) const {
    double sum = 0;
    const auto states = size_t{1} << bits_.latent_bits;
    for_each_tuple(samples, states, [&](const std::vector<size_t>& latents) {
      double log_probability = 0;
      std::vector<Densities> densities;
      for (const size_t latent : latents) {
        densities.push_back(at(values, row, latent));
        log_probability += densities.back().posterior;
      }
      sum += std::exp(log_probability) * of(densities, latents);
    });
    return sum;
  }

 private:
  size_t place_of(const std::string& learn) const {
    for (size_t l = 0; l < model().learns.size(); ++l)
      if (model().learns[l].name == learn) return l;
    throw std::logic_error("no learn " + learn);
  }

  std::vector<tensor::Phase> phases_of(size_t l) const {
    semantics::Learn block = model().learns[l];
    if (block.method == "symmetric") return tensor::build_phases(model(), checked_.game, block, true);
    block.own["estimator"] = {{"kind", "score"}};  // iwae and libi choose it themselves for discrete latents
    return tensor::build_bound_phases({model(), checked_.game.graph}, checked_.game.bounds.at(l), block);
  }

  tensor::Inputs inputs_of(size_t batch, size_t drawn, double multiplier) const {
    tensor::Inputs inputs;
    inputs.rows = {static_cast<int64_t>(batch), static_cast<int64_t>(batch * drawn)};
    for (const semantics::Source& source : model().sources)
      inputs.coefficients.push_back(source.weight / static_cast<double>(batch));
    inputs.coefficients.resize(static_cast<size_t>(model().first_free_coefficient()));
    inputs.coefficients.push_back(multiplier);
    const auto places = tensor::parameter_places(model());
    for (size_t p = 0; p < model().players.size(); ++p)
      inputs.parameters.emplace_back(
          static_cast<size_t>(tensor::parameter_layout(model(), {static_cast<int32_t>(p)}).elements));
    for (size_t i = 0; i < places.size(); ++i)
      std::ranges::copy(parameters.at(model().parameters[i].name),
                        inputs.parameters[static_cast<size_t>(places[i].player)].begin() + places[i].offset);
    return inputs;
  }

  /// Fills the columns of the first source with the given rows, in order.
  void give_columns(const std::vector<size_t>& rows, tensor::Inputs& inputs) const {
    inputs.columns.clear();
    size_t begin = 0;
    for (size_t c = 0; c < model().columns.size(); ++c) {
      const auto width = static_cast<size_t>(semantics::count(model()[model().columns[c].variable].shape));
      tensor::Numbers& column = inputs.columns[{static_cast<int>(c), 0}];
      for (const size_t row : rows)
        column.insert(column.end(), bits_.data[row].begin() + static_cast<int64_t>(begin),
                      bits_.data[row].begin() + static_cast<int64_t>(begin + width));
      begin += width;
    }
  }

  /// Uniform numbers far below or above every probability, so that the bit becomes 1 or 0.
  void give_draws(const std::vector<size_t>& latents, tensor::Inputs& inputs) const {
    size_t begin = 0, draw = 0;
    for (const game::Latent& latent : checked_.game.bounds.at(0).sources.at(0).latents) {
      const auto width =
          static_cast<size_t>(semantics::count(model()[model()[latent.posterior].target].shape));
      tensor::Numbers& uniform = inputs.values["draw " + std::to_string(draw++)];
      uniform.clear();
      for (const size_t state : latents)
        for (size_t i = begin; i < begin + width; ++i)
          uniform.push_back((state >> i & 1) != 0 ? 1e-12 : 1 - 1e-12);
      begin += width;
    }
  }

  void add(const std::map<int, tensor::Numbers>& gradients, double factor, Parameters& sum) const {
    const auto places = tensor::parameter_places(model());
    for (size_t i = 0; i < places.size(); ++i) {
      const auto found = gradients.find(places[i].player);
      if (found == gradients.end()) continue;
      const semantics::Parameter& parameter = model().parameters[i];
      Row& to = sum[parameter.name];
      to.resize(static_cast<size_t>(semantics::count(parameter.shape)));
      for (size_t k = 0; k < to.size(); ++k)
        to[k] += factor * found->second[static_cast<size_t>(places[i].offset) + k];
    }
  }

  BitModel bits_;
  vaec::CheckedModel checked_;
};

}  // namespace enumerated_bounds
