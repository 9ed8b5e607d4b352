#include "runtime/core/evaluation/latents.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "runtime/core/evaluation/estimate_json.h"
#include "runtime/core/evaluation/importance.h"
#include "runtime/core/evaluation/shared_metrics.h"
#include "runtime/core/execution/rows_at_once.h"
#include "runtime/metrics/latent_use.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {
using nlohmann::json;

// the density of the codes of each of these rows is computed given every other row
constexpr int64_t rows_in_pairs = 500;
constexpr double least_active = 0.01;  // nats, or units of variance

bool is_discrete(const Variable& variable) {
  return variable.domain == "binary" || variable.domain == "category";
}

class Latents {
 public:
  Latents(const Image& image, Sampler& sampler, int source, const Importance& plan,
          const EvaluateRequest& request)
      : image_(image), sampler_(sampler), source_(source), plan_(plan), ranks_(sharing_ranks(request)) {
    const int64_t all = sampler.source_rows(source);
    rows_ = request.rows > 0 ? std::min(request.rows, all) : all;
    // If latents read other latents, their means are averages over draws of those.
    samples_ = std::any_of(plan.proposal.conditionals.begin(), plan.proposal.conditionals.end(),
                           [&](int conditional) { return reads_latents(conditional); })
                   ? request.samples
                   : 1;
  }

  json information() {
    json results = json::array();
    bool closed = true;
    for (int latent : plan_.drawn) {
      closed &= is_discrete(variable(latent));
      if (!is_discrete(variable(latent))) continue;
      const metrics::Information found = information_of(latent);
      json result = about("mi", variable(latent).name);
      result.update(to_json(found.total));
      for (const metrics::Estimate& unit : found.latents) result["units"].push_back(to_json(unit));
      results.push_back(result);
    }
    if (closed) return results;
    const int64_t pairs = std::min(rows_in_pairs, rows_);
    json result = about("mi", image_.names(plan_.drawn));
    result.update(to_json(metrics::information_of_draws(densities_of_pairs(pairs), pairs)));
    result["rows"] = pairs;
    result["at_most"] = std::log(static_cast<double>(pairs));
    results.push_back(result);
    return results;
  }

  json active_units() {
    json results = json::array();
    for (int latent : plan_.drawn) {
      const bool discrete = is_discrete(variable(latent));
      const std::vector<metrics::Estimate> units =
          discrete ? information_of(latent).latents : metrics::variances(means().at(latent));
      json result = about("active_units", variable(latent).name);
      result.update(to_json(metrics::count_above(units, least_active)));
      result["of_units"] = units.size();
      result["measure"] = discrete ? "mutual information" : "variance of the mean";
      result["threshold"] = least_active;
      for (const metrics::Estimate& unit : units) result["units"].push_back(to_json(unit));
      results.push_back(result);
    }
    return results;
  }

 private:
  const Variable& variable(int index) const { return image_.variables[static_cast<size_t>(index)]; }
  const Conditional& conditional(int index) const { return image_.conditionals[static_cast<size_t>(index)]; }

  bool is_latent(int variable) const {
    return std::find(plan_.drawn.begin(), plan_.drawn.end(), variable) != plan_.drawn.end();
  }
  bool reads_latents(int index) const {
    const std::vector<int>& parents = conditional(index).parents;
    return std::any_of(parents.begin(), parents.end(), [&](int parent) { return is_latent(parent); });
  }

  json about(const char* metric, const std::string& names) const {
    return {{"metric", metric},
            {"source", image_.sources[static_cast<size_t>(source_)].name},
            {"of", names},
            {"rows", rows_}};
  }

  /// The class axis comes first, as in the variable's tensor.
  metrics::Information information_of(int latent) {
    const Variable& entry = variable(latent);
    return metrics::mutual_information(means().at(latent),
                                       entry.elements() / (entry.domain == "category" ? entry.classes : 1));
  }

  /// E[z | x] for each row.
  const std::map<int, metrics::Points>& means() {
    if (!means_.empty()) return means_;
    const int64_t at_once = std::min(encoded_rows_at_once, rows_);
    for_each_shared_rows(ranks_, sampler_, rows_, at_once, [&](int64_t first, int64_t counted) {
      const Values rows = sampler_.source(source_, at_once, first);
      std::map<int, std::vector<double>> sums;
      for (int64_t sample = 0; sample < samples_; ++sample) {
        Values values = rows;
        for (int index : plan_.proposal.conditionals) {
          const int target = conditional(index).target;
          values[target] = sampler_.draw(index, values, at_once);
          const std::vector<float> mean =
              sampler_.has_mean(index) ? sampler_.mean(index, values, at_once) : values[target];
          std::vector<double>& sum = sums[target];
          sum.resize(mean.size());
          for (size_t i = 0; i < mean.size(); ++i) sum[i] += mean[i] / static_cast<double>(samples_);
        }
      }
      for (const auto& [latent, sum] : sums) {
        metrics::Points& points = means_[latent];
        points.width = variable(latent).elements();
        points.values.insert(points.values.end(), sum.begin(), sum.begin() + counted * points.width);
      }
    });
    for (auto& [latent, points] : means_) points = joined(ranks_, points);
    return means_;
  }

  /// [k, j] = log q(z_k | x_j) for the first n rows, where z_k ~ q(z | x_k).
  std::vector<double> densities_of_pairs(int64_t n) {
    const Values rows = sampler_.source(source_, n, 0);
    Values drawn = rows;
    sampler_.follow(plan_.proposal, drawn, n);
    std::vector<double> by_shift;  // [shift, k]
    for_each_shared_batch(ranks_, sampler_, n, [&](int64_t shift, bool counts) {
      Values values = drawn;
      for (const auto& [known, numbers] : rows) {
        const int64_t width = static_cast<int64_t>(numbers.size()) / n;
        std::rotate_copy(numbers.begin(), numbers.begin() + shift * width, numbers.end(),
                         values[known].begin());
      }
      std::vector<double> sums(static_cast<size_t>(n));
      for (int index : plan_.proposal.conditionals) {
        const std::vector<float> found = sampler_.log_density(index, values, n);
        for (size_t k = 0; k < sums.size(); ++k) sums[k] += found[k];
      }
      if (counts) by_shift.insert(by_shift.end(), sums.begin(), sums.end());
    });
    by_shift = joined(ranks_, by_shift);
    std::vector<double> densities(static_cast<size_t>(n * n));
    for (int64_t shift = 0; shift < n; ++shift)
      for (int64_t k = 0; k < n; ++k)
        densities[static_cast<size_t>(k * n + (k + shift) % n)] =
            by_shift[static_cast<size_t>(shift * n + k)];
    return densities;
  }

  const Image& image_;
  Sampler& sampler_;
  int source_;
  const Importance& plan_;
  Ranks& ranks_;
  int64_t rows_ = 0, samples_ = 1;
  std::map<int, metrics::Points> means_;
};

}  // namespace

json measure_latents(Session& session, const EvaluateRequest& request, const std::set<std::string>& asked) {
  const Image& image = session.image;
  Sampler sampler(session, request.seed);
  json results = json::array();
  for (const auto& [source, plan] : plan_evaluation(image, sampler, Need::draws)) {
    if (plan.drawn.empty()) continue;
    Latents latents(image, sampler, source, plan, request);
    if (asked.contains("mi"))
      for (json& result : latents.information()) results.push_back(std::move(result));
    if (asked.contains("active_units"))
      for (json& result : latents.active_units()) results.push_back(std::move(result));
  }
  if (results.empty())
    throw Failure(
        Exit::bad_configuration,
        "mi and active_units need a source that does not know every variable; each source knows all");
  return results;
}

}  // namespace core
