#include "runtime/core/evaluation/likelihood.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/core/evaluation/importance.h"
#include "runtime/core/inference/shared_batches.h"
#include "runtime/metrics/points.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {
using nlohmann::json;

constexpr int64_t draws_at_once = 1024;  // rows times samples

/// log sum exp of numbers that are added one by one.
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

/// The estimates for each row, in nats: log mean_k p / r, mean_k log p / q, and the mean of log q - log p
/// over what is drawn. r is q, or the mixture of q and the prior in equal parts, from each of which equally
/// many draws are made.
struct RowEstimates {
  std::vector<double> likelihood, bound, divergence;
};

/// Log-densities of rows and of what was drawn for them, one number per row. `prior`: of all variables that
/// the source does not know. `drawn_prior` and `proposal`: of those that are drawn, not summed over.
struct Densities {
  std::vector<double> joint, prior, drawn_prior, proposal;
};

Densities densities_of(Sampler& sampler, const Image& image, const Importance& plan, const Values& values,
                       int64_t rows) {
  Densities found;
  for (auto* sum : {&found.joint, &found.prior, &found.drawn_prior, &found.proposal})
    sum->resize(static_cast<size_t>(rows));
  const auto add = [&](int conditional, std::vector<double>& sum) {
    const std::vector<float> density = sampler.log_density(conditional, values, rows);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += density[i];
    return density;
  };
  for (int conditional : plan.densities) {
    const std::vector<float> density = add(conditional, found.joint);
    const int target = image.conditionals[static_cast<size_t>(conditional)].target;
    if (std::find(plan.drawn.begin(), plan.drawn.end(), target) == plan.drawn.end()) continue;
    const bool drawn = !plan.summed.variables().contains(target);
    for (size_t i = 0; i < density.size(); ++i) {
      found.prior[i] += density[i];
      if (drawn) found.drawn_prior[i] += density[i];
    }
  }
  for (int conditional : plan.proposal.conditionals) add(conditional, found.proposal);
  return found;
}

double log_mean(double a, double b) {
  const double top = std::max(a, b);
  return top + std::log((std::exp(a - top) + std::exp(b - top)) / 2);
}

/// Rows [first, first + count) of the source, all of them repeated `copies` times.
Values repeated_rows(Sampler& sampler, int source, int64_t first, int64_t count, int64_t copies) {
  Values repeated;
  for (const auto& [variable, values] : sampler.source(source, count, first)) {
    std::vector<float>& to = repeated[variable];
    for (int64_t copy = 0; copy < copies; ++copy) to.insert(to.end(), values.begin(), values.end());
  }
  return repeated;
}

/// The estimates for rows [first, first + count). Draws the variables that the plan does not sum over, and
/// sums over the states of the others. In the bound, a state counts with the probability that the encoders
/// give it.
RowEstimates estimate(Sampler& sampler, const Image& image, int source, const Importance& plan, int64_t first,
                      int64_t count, int64_t samples) {
  const bool draws = !plan.proposal.conditionals.empty(), mixed = plan.prior.has_value();
  const int64_t copies = draws ? std::min(samples, draws_at_once / count) : 1;
  const int64_t total = draws ? samples : 1;
  Values repeated = repeated_rows(sampler, source, first, count, copies);
  std::vector<LogSum> sums(static_cast<size_t>(count));
  RowEstimates result;
  result.bound.resize(static_cast<size_t>(count));
  result.divergence.resize(static_cast<size_t>(count));
  for (int64_t state = 0; state < plan.summed.states(); ++state) {
    plan.summed.put(state, count * copies, repeated);
    const std::vector<double> log_weight = plan.summed.log_probability(sampler, repeated, count * copies);
    for (int64_t done = 0; done < total; done += copies) {
      const auto draw = [&](const DirectOrder& order, bool of_encoders) {
        Values values = repeated;
        sampler.follow(order, values, count * copies);
        const Densities found = densities_of(sampler, image, plan, values, count * copies);
        for (int64_t copy = 0; copy < std::min(copies, total - done); ++copy)
          for (int64_t row = 0; row < count; ++row) {
            const auto at = static_cast<size_t>(row), i = static_cast<size_t>(copy * count + row);
            const double proposal =
                mixed ? log_mean(found.proposal[i], found.drawn_prior[i]) : found.proposal[i];
            sums[at].add(found.joint[i] - proposal);
            // A state that the encoders never give adds nothing to the bound, no matter how small its density
            // is.
            const double weight = std::exp(log_weight[i]) / static_cast<double>(total);
            if (!of_encoders || weight == 0) continue;
            const double of_encoder = log_weight[i] + found.proposal[i];
            result.bound[at] += weight * (found.joint[i] - of_encoder);
            result.divergence[at] += weight * (of_encoder - found.prior[i]);
          }
      };
      draw(plan.proposal, true);
      if (mixed) draw(*plan.prior, false);
    }
  }
  for (const LogSum& sum : sums)
    result.likelihood.push_back(sum.log() - std::log(static_cast<double>(mixed ? 2 * total : total)));
  return result;
}

void append(std::vector<double>& all, const std::vector<double>& added, int64_t count) {
  all.insert(all.end(), added.begin(), added.begin() + count);
}

RowEstimates estimate_all(Sampler& sampler, const Image& image, int source, const Importance& plan,
                          int64_t samples, int64_t rows, Ranks& ranks) {
  const int64_t at_once = std::min(rows, std::max<int64_t>(1, draws_at_once / samples));
  RowEstimates all;
  for_each_shared_batch(
      ranks, sampler, rows == 0 ? 0 : (rows + at_once - 1) / at_once, [&](int64_t batch, bool counts) {
        const int64_t first = batch * at_once;
        const int64_t count = counts ? std::min(at_once, rows - first) : 0;
        const RowEstimates found = estimate(sampler, image, source, plan, first, at_once, samples);
        append(all.likelihood, found.likelihood, count);
        append(all.bound, found.bound, count);
        append(all.divergence, found.divergence, count);
      });
  for (auto* numbers : {&all.likelihood, &all.bound, &all.divergence}) *numbers = joined(ranks, *numbers);
  return all;
}

std::string text_of_divergence(const Image& image, const Importance& plan) {
  const std::string drawn = image.names(plan.drawn);
  return fmt::format("KL(q({} | {}) || p({}))", drawn,
                     image.names({plan.proposal.used.begin(), plan.proposal.used.end()}), drawn);
}

}  // namespace

json measure_bounds(Session& session, uint64_t seed, int64_t samples, int64_t most_rows,
                    const std::set<std::string>& asked, const std::set<int>& drawn, Ranks* together) {
  const Image& image = session.image;
  Ranks& ranks = together ? *together : Ranks::alone();
  Sampler sampler(session, seed);
  json results = json::array();
  for (const auto& [source, plan] : plan_evaluation(image, sampler, Need::densities, drawn)) {
    const int64_t all = sampler.source_rows(source), rows = most_rows > 0 ? std::min(most_rows, all) : all;
    const RowEstimates found = estimate_all(sampler, image, source, plan, samples, rows, ranks);
    std::vector<double> gap;
    for (size_t row = 0; row < found.bound.size(); ++row)
      gap.push_back(found.likelihood[row] - found.bound[row]);
    const std::string name = image.sources[static_cast<size_t>(source)].name;
    const auto add = [&](const char* metric, const std::string& subject, const std::vector<double>& numbers) {
      if (!asked.contains(metric)) return;
      const metrics::Estimate mean = metrics::mean_of(numbers);
      const bool exact = plan.proposal.conditionals.empty();  // nothing is drawn: the density itself
      results.push_back({{"source", name},
                         {"metric", metric},
                         {"of", subject},
                         {"mean", mean.value},
                         {"standard_error", mean.standard_error},
                         {"rows", rows},
                         {"samples", exact ? 0 : samples},
                         {"exact", exact}});
      if (!plan.summed.empty())
        results.back()["summed"] =
            image.names({plan.summed.variables().begin(), plan.summed.variables().end()});
    };
    const std::string likelihood = text_of_likelihood(image, plan);
    add("loglik", likelihood, found.likelihood);
    add("elbo", "the bound of " + likelihood, found.bound);
    if (plan.drawn.empty()) continue;
    add("kl", text_of_divergence(image, plan), found.divergence);
    add("gap", likelihood + " - its bound", gap);
  }
  if (results.empty())
    throw Failure(Exit::bad_configuration,
                  "kl and gap need a source that does not know every variable; each source knows all");
  return results;
}

json measure_log_likelihoods(Session& session, uint64_t seed, int64_t samples, int64_t rows) {
  return measure_bounds(session, seed, samples, rows, {"loglik"});
}

}  // namespace core
