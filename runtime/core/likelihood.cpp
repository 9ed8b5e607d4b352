#include "runtime/core/likelihood.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "runtime/core/evaluated_sources.h"
#include "runtime/core/sampler.h"
#include "runtime/failure.h"

namespace core {
namespace {
using nlohmann::json;

constexpr int64_t rows_at_once = 1024;  // rows times samples

/// The decoders' conditional of a variable, else (for a root) a source's own family; -1 where neither states
/// a density.
int density_of(const Image& image, int variable, bool decoders_only = false) {
  int found = -1;
  for (size_t i = 0; i < image.conditionals.size(); ++i) {
    const Conditional& conditional = image.conditionals[i];
    if (conditional.target != variable) continue;
    if (conditional.player < 0) {
      if (!decoders_only && found < 0 && conditional.source >= 0) found = static_cast<int>(i);
    } else if (image.players[static_cast<size_t>(conditional.player)].role == "decoder") {
      return static_cast<int>(i);
    }
  }
  return found;
}

/// log p of what a source knows, estimated with its encoders as proposal.
struct Estimate {
  std::vector<int> known, conditioned;  // log p(known | conditioned)
  std::vector<int> densities;           // conditionals of p: of what is known and of what is drawn
  DirectOrder proposal;                 // draws the rest
};

/// `name` of a source that gives nothing a decoder models: no estimate.
std::optional<Estimate> plan(const Image& image, const Source& source) {
  Estimate estimate;
  std::set<int> model;
  std::vector<int> waiting = source.known;
  const std::set<int> known(source.known.begin(), source.known.end());
  bool modelled = false;
  while (!waiting.empty()) {
    const int variable = waiting.back();
    waiting.pop_back();
    if (!model.insert(variable).second) continue;
    const int density = density_of(image, variable, true);
    if (density < 0) continue;
    const std::vector<int>& parents = image.conditionals[static_cast<size_t>(density)].parents;
    modelled |= known.count(variable) > 0 && !parents.empty();
    waiting.insert(waiting.end(), parents.begin(), parents.end());
  }
  if (!modelled) return std::nullopt;
  std::vector<int> drawn;
  for (int variable : model) {
    const int density = density_of(image, variable);
    if (known.count(variable)) (density < 0 ? estimate.conditioned : estimate.known).push_back(variable);
    if (!known.count(variable)) drawn.push_back(variable);
    if (density >= 0)
      estimate.densities.push_back(density);
    else if (!known.count(variable))
      throw Failure(
          Exit::bad_configuration,
          fmt::format("source {}: the log-likelihood needs the density of {}, which is only sampled",
                      source.name, image.variables[static_cast<size_t>(variable)].name));
  }
  std::optional<DirectOrder> proposal = find_direct_order(image, known, drawn);
  if (!proposal)
    throw Failure(
        Exit::bad_configuration,
        fmt::format("source {}: the log-likelihood needs draws that no player gives directly", source.name));
  estimate.proposal = *proposal;
  return estimate;
}

std::string text_of(const Image& image, const Estimate& estimate) {
  const auto names = [&](const std::vector<int>& variables) {
    std::vector<std::string> found;
    for (int variable : variables) found.push_back(image.variables[static_cast<size_t>(variable)].name);
    return found;
  };
  std::string text = fmt::format("log p({}", fmt::join(names(estimate.known), ", "));
  if (!estimate.conditioned.empty())
    text += fmt::format(" | {}", fmt::join(names(estimate.conditioned), ", "));
  return text + ")";
}

/// log sum exp over numbers that come one by one.
struct LogSum {
  double largest = -INFINITY, sum = 0;
  void add(double value) {
    if (value == -INFINITY) return;
    if (value > largest) {
      sum = sum * std::exp(largest - value) + 1;
      largest = value;
    } else {
      sum += std::exp(value - largest);
    }
  }
  double log() const { return largest + std::log(sum); }
};

/// Rows [first, first + count) of the source: log mean_k exp(log p - log q), a number a row.
std::vector<double> log_likelihood(Sampler& sampler, int source, const Estimate& estimate, int64_t first,
                                   int64_t count, int64_t samples) {
  const Values rows = sampler.source(source, count, first);
  const int64_t copies = estimate.proposal.conditionals.empty() ? 1 : std::min(samples, rows_at_once / count);
  const int64_t total = estimate.proposal.conditionals.empty() ? 1 : samples;
  Values repeated;
  for (const auto& [variable, values] : rows) {
    std::vector<float>& to = repeated[variable];
    for (int64_t copy = 0; copy < copies; ++copy) to.insert(to.end(), values.begin(), values.end());
  }
  std::vector<LogSum> sums(static_cast<size_t>(count));
  for (int64_t done = 0; done < total; done += copies) {
    Values values = repeated;
    std::vector<double> weight(static_cast<size_t>(count * copies));
    const auto add = [&](int conditional, double sign) {
      const std::vector<float> density = sampler.log_density(conditional, values, count * copies);
      for (size_t i = 0; i < weight.size(); ++i) weight[i] += sign * density[i];
    };
    sampler.follow(estimate.proposal, values, count * copies);
    for (int conditional : estimate.densities) add(conditional, 1);
    for (int conditional : estimate.proposal.conditionals) add(conditional, -1);
    for (int64_t copy = 0; copy < std::min(copies, total - done); ++copy)
      for (int64_t row = 0; row < count; ++row)
        sums[static_cast<size_t>(row)].add(weight[static_cast<size_t>(copy * count + row)]);
  }
  std::vector<double> result;
  for (const LogSum& sum : sums) result.push_back(sum.log() - std::log(static_cast<double>(total)));
  return result;
}

json measure(const Image& image, Sampler& sampler, int source, const Estimate& estimate, int64_t samples,
             int64_t most_rows) {
  const int64_t all = sampler.source_rows(source);
  const int64_t rows = most_rows > 0 ? std::min(most_rows, all) : all;
  const int64_t at_once = std::min(rows, std::max<int64_t>(1, rows_at_once / samples));
  double sum = 0, squares = 0;
  for (int64_t first = 0; first < rows; first += at_once) {
    const std::vector<double> batch = log_likelihood(sampler, source, estimate, first, at_once, samples);
    for (int64_t row = 0; row < std::min(at_once, rows - first); ++row) {
      sum += batch[static_cast<size_t>(row)];
      squares += batch[static_cast<size_t>(row)] * batch[static_cast<size_t>(row)];
    }
  }
  const auto n = static_cast<double>(rows);
  const double mean = sum / n, variance = std::max(0.0, squares / n - mean * mean);
  return {{"source", image.sources[static_cast<size_t>(source)].name},
          {"metric", "loglik"},
          {"of", text_of(image, estimate)},
          {"mean", mean},
          {"standard_error", rows > 1 ? std::sqrt(variance / (n - 1)) : 0},
          {"rows", rows},
          {"samples", samples}};
}

}  // namespace

json measure_log_likelihoods(Session& session, uint64_t seed, int64_t samples, int64_t rows) {
  const Image& image = session.image;
  Sampler sampler(session, seed);
  json results = json::array();
  for (int source : evaluated_sources(image, sampler))
    if (const auto estimate = plan(image, image.sources[static_cast<size_t>(source)]))
      results.push_back(measure(image, sampler, source, *estimate, samples, rows));
  const bool decoders = std::any_of(image.players.begin(), image.players.end(),
                                    [](const Player& player) { return player.role == "decoder"; });
  if (!decoders)
    throw Failure(
        Exit::bad_configuration,
        fmt::format("the log-likelihood is that of a decoder, and {} declares none: write `decoder` in "
                    "place of `player` for the model of the data",
                    image.file));
  if (results.empty())
    throw Failure(
        Exit::bad_configuration,
        "the log-likelihood is that of data given by a decoder, and no source has rows of such a variable");
  return results;
}

}  // namespace core
