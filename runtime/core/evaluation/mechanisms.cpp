#include "runtime/core/evaluation/mechanisms.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "runtime/core/evaluation/estimate_json.h"
#include "runtime/core/evaluation/importance.h"
#include "runtime/core/evaluation/shared_metrics.h"
#include "runtime/metrics/mechanisms.h"
#include "runtime/metrics/points.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {
using nlohmann::json;
using Numbers = std::vector<double>;

constexpr int64_t default_rows = 5000;      // without --rows
constexpr int64_t most_row_copies = 16384;  // the Jacobian of a row needs a copy of the row for each output
constexpr int64_t rows_in_mean = 64;        // rows per mean Jacobian, as in the published figures

/// A source's rows, and the conditional of the decoder that is examined.
class Mechanisms {
 public:
  Mechanisms(const Image& image, Sampler& sampler, int source, const Importance& plan, int decoder,
             const EvaluateRequest& request)
      : image_(image),
        sampler_(sampler),
        source_(source),
        plan_(plan),
        ranks_(sharing_ranks(request)),
        decoder_(decoder) {
    const int64_t all = sampler.source_rows(source);
    rows_ = std::min(request.rows > 0 ? request.rows : default_rows, all);
    samples_ = std::max<int64_t>(request.samples, 2);
    data_ = conditional(decoder).target;
    code_ = conditional(decoder).parents.front();
    outputs_ = variable(data_).elements();
    codes_ = variable(code_).elements();
    // A power of two, so that the rows of a mean Jacobian are whole batches, or a part of one.
    at_once_ = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(
        std::clamp<int64_t>(most_row_copies / outputs_, 1, std::min<int64_t>(512, rows_)))));
    if (outputs_ < codes_)
      throw Failure(
          Exit::bad_configuration,
          fmt::format("ima and self_consistency need at least as many outputs as codes: `{}` has size {}, "
                      "`{}` has size {}",
                      variable(data_).name, outputs_, variable(code_).name, codes_));
  }

  json contrast() {
    Numbers local, of_means, sum;
    int64_t summed = 0, dependent = 0;
    const auto end_batch = [&] {
      for (double& number : sum) number /= static_cast<double>(summed);
      of_means.push_back(contrast_of(sum));
      summed = 0;
    };
    each_batch([&](const Values& codes, int64_t counted) {
      const std::vector<float> jacobians = sampler_.jacobian(decoder_, codes, at_once_);
      for (int64_t row = 0; row < counted; ++row) {
        const Numbers jacobian = row_of(jacobians, row, outputs_ * codes_);
        const double found = contrast_of(jacobian);
        std::isfinite(found) ? local.push_back(found) : static_cast<void>(++dependent);
        if (summed == 0) sum.assign(jacobian.size(), 0);
        for (size_t i = 0; i < jacobian.size(); ++i) sum[i] += jacobian[i];
        if (++summed == rows_in_mean) end_batch();
      }
    });
    if (rows_ < rows_in_mean && summed > 0) end_batch();
    local = joined(ranks_, local);
    of_means = joined(ranks_, of_means);
    const std::vector<int64_t> all_dependent = joined(ranks_, std::vector<int64_t>{dependent});
    dependent = std::accumulate(all_dependent.begin(), all_dependent.end(), int64_t{0});
    std::erase_if(of_means, [](double found) { return !std::isfinite(found); });
    if (local.empty() || of_means.empty())
      throw Failure(
          Exit::bad_configuration,
          fmt::format("ima has no value: in every row the derivatives of `{1}` by the numbers of `{0}` are "
                      "linearly dependent",
                      variable(code_).name, variable(data_).name));
    json result = about("ima");
    result.update(to_json(metrics::mean_of(local)));
    result["mean_jacobian"] = to_json(metrics::mean_of(of_means));
    result["mean_jacobian"]["rows"] = std::min(rows_in_mean, rows_);
    result["dependent"] = dependent;
    return result;
  }

  json self_consistency() {
    const int encoder = find_encoder(), prior = find_prior();
    const Numbers precisions = decoder_precisions();
    Numbers errors;
    std::vector<Numbers> variances(static_cast<size_t>(codes_)), predicted(static_cast<size_t>(codes_));
    each_batch([&](const Values& codes, int64_t counted) {
      const std::vector<float> jacobians = sampler_.jacobian(decoder_, codes, at_once_);
      const Values decoded = {{data_, sampler_.mean(decoder_, codes, at_once_)}};
      const Posterior posterior = look_back(encoder, decoded);
      const Numbers curvature = prior_curvature(prior, codes);
      for (int64_t row = 0; row < counted; ++row) {
        double error = 0;
        for (int64_t k = 0; k < codes_; ++k) {
          const auto at = static_cast<size_t>(row * codes_ + k);
          const double off = codes.at(code_)[at] - posterior.mean[at];
          error += off * off - posterior.variance_of_mean[at];
          variances[static_cast<size_t>(k)].push_back(posterior.variance[at]);
          double information = curvature[at];
          for (int64_t i = 0; i < outputs_; ++i) {
            const double slope = jacobians[static_cast<size_t>((row * outputs_ + i) * codes_ + k)];
            information += precisions[static_cast<size_t>(i)] * slope * slope;
          }
          if (information > 0) predicted[static_cast<size_t>(k)].push_back(1 / information);
        }
        errors.push_back(error / static_cast<double>(codes_));
      }
    });
    errors = joined(ranks_, errors);
    for (auto* units : {&variances, &predicted})
      for (Numbers& numbers : *units) numbers = joined(ranks_, numbers);
    json result = about("self_consistency");
    result.update(to_json(metrics::mean_of(errors)));
    result["samples"] = samples_;
    for (size_t k = 0; k < variances.size(); ++k) {
      json unit = to_json(metrics::mean_of(variances[k]));
      if (!predicted[k].empty()) unit["predicted"] = to_json(metrics::mean_of(predicted[k]));
      result["variances"].push_back(unit);
    }
    return result;
  }

 private:
  const Variable& variable(int index) const { return image_.variables[static_cast<size_t>(index)]; }
  const Conditional& conditional(int index) const { return image_.conditionals[static_cast<size_t>(index)]; }

  json about(const char* metric) const {
    return {{"metric", metric},
            {"source", image_.sources[static_cast<size_t>(source_)].name},
            {"of", variable(data_).name},
            {"codes", variable(code_).name},
            {"rows", rows_}};
  }

  /// Visits the codes of the source's rows, and how many of them count: none if another rank has them. A rank
  /// has all rows of a mean Jacobian.
  template <typename Visit>
  void each_batch(const Visit& visit) {
    const int64_t together = std::max(rows_in_mean, at_once_);
    for_each_shared_rows(ranks_, sampler_, rows_, together, [&](int64_t first, int64_t count) {
      for (int64_t done = 0; done < together; done += at_once_) {
        Values values = sampler_.source(source_, at_once_, first + done);
        if (values.count(code_) == 0) sampler_.follow(plan_.proposal, values, at_once_);
        visit(Values{{code_, values.at(code_)}}, std::clamp<int64_t>(count - done, 0, at_once_));
      }
    });
  }

  static Numbers row_of(const std::vector<float>& values, int64_t row, int64_t width) {
    return {values.begin() + row * width, values.begin() + (row + 1) * width};
  }
  double contrast_of(const Numbers& jacobian) const {
    return metrics::column_contrast(jacobian, static_cast<int>(outputs_), static_cast<int>(codes_));
  }

  int find_encoder() const {
    for (size_t i = 0; i < image_.conditionals.size(); ++i) {
      const Conditional& entry = image_.conditionals[i];
      if (entry.target == code_ && entry.player >= 0 && entry.parents == std::vector<int>{data_} &&
          image_.players[static_cast<size_t>(entry.player)].role == Role::encoder)
        return static_cast<int>(i);
    }
    throw Failure(Exit::bad_configuration,
                  fmt::format("self_consistency needs an encoder's conditional `{} | {}`; there is none",
                              variable(code_).name, variable(data_).name));
  }

  int find_prior() const {
    for (const int density : plan_.densities)
      if (conditional(density).target == code_ && conditional(density).parents.empty()) return density;
    throw Failure(
        Exit::bad_configuration,
        fmt::format("self_consistency needs a prior of `{0}`: `{0} ~ ...` in the decoder or in a source",
                    variable(code_).name));
  }

  /// For each output: 1 / variance given the codes, over all rows.
  Numbers decoder_precisions() {
    Numbers of_batches;  // [batch, outputs]
    each_batch([&](const Values& codes, int64_t counted) {
      Numbers squares(static_cast<size_t>(outputs_));
      const std::vector<float> means = sampler_.mean(decoder_, codes, at_once_);
      for (int64_t sample = 0; sample < samples_; ++sample) {
        const std::vector<float> draws = sampler_.draw(decoder_, codes, at_once_);
        for (int64_t i = 0; i < counted * outputs_; ++i) {
          const double off = double{draws[static_cast<size_t>(i)]} - means[static_cast<size_t>(i)];
          squares[static_cast<size_t>(i % outputs_)] += off * off;
        }
      }
      if (counted > 0) of_batches.insert(of_batches.end(), squares.begin(), squares.end());
    });
    of_batches = joined(ranks_, of_batches);
    Numbers squares(static_cast<size_t>(outputs_));
    for (size_t i = 0; i < of_batches.size(); ++i) squares[i % squares.size()] += of_batches[i];
    for (double& number : squares) number = static_cast<double>(rows_ * samples_) / number;
    return squares;
  }

  struct Posterior {
    Numbers mean, variance, variance_of_mean;  // [rows, codes]; variance_of_mean is 0 if the mean is exact
  };
  /// The posterior, estimated by draws. If the family has a mean, it is taken from the family.
  Posterior look_back(int encoder, const Values& decoded) {
    const auto size = static_cast<size_t>(at_once_ * codes_);
    const std::vector<float> closed = sampler_.mean(encoder, decoded, at_once_);
    Numbers sum(size), squares(size);  // of differences from `closed`, which is near
    for (int64_t sample = 0; sample < samples_; ++sample) {
      const std::vector<float> draws = sampler_.draw(encoder, decoded, at_once_);
      for (size_t i = 0; i < size; ++i) {
        const double off = double{draws[i]} - closed[i];
        sum[i] += off;
        squares[i] += off * off;
      }
    }
    Posterior posterior{Numbers(closed.begin(), closed.end()), Numbers(size), Numbers(size)};
    const auto n = static_cast<double>(samples_);
    for (size_t i = 0; i < size; ++i) {
      posterior.variance[i] = (squares[i] - sum[i] * sum[i] / n) / (n - 1);
      if (sampler_.has_mean(encoder)) continue;
      posterior.mean[i] += sum[i] / n;
      posterior.variance_of_mean[i] = posterior.variance[i] / n;
    }
    return posterior;
  }

  /// -(log p0)'' for each code of each row, by central differences with steps that stay in the domain.
  Numbers prior_curvature(int prior, const Values& codes) {
    const std::vector<float>& at = codes.at(code_);
    const std::string& domain = variable(code_).domain;
    const std::vector<float> here = sampler_.log_density(prior, codes, at_once_);
    Numbers curvature(at.size());
    for (int64_t k = 0; k < codes_; ++k) {
      Values above = codes, below = codes;
      for (int64_t row = 0; row < at_once_; ++row) {
        const auto i = static_cast<size_t>(row * codes_ + k);
        float step = 0.125F;
        if (domain == "positive" || domain == "unit") step = std::min(step, at[i] / 2);
        if (domain == "unit") step = std::min(step, (1 - at[i]) / 2);
        above[code_][i] = at[i] + step;
        below[code_][i] = at[i] - step;
      }
      const std::vector<float> right = sampler_.log_density(prior, above, at_once_),
                               left = sampler_.log_density(prior, below, at_once_);
      for (int64_t row = 0; row < at_once_; ++row) {
        const auto r = static_cast<size_t>(row), i = static_cast<size_t>(row * codes_ + k);
        const double step = (double{above[code_][i]} - below[code_][i]) / 2;
        curvature[i] = (2 * double{here[r]} - right[r] - left[r]) / (step * step);
      }
    }
    return curvature;
  }

  const Image& image_;
  Sampler& sampler_;
  int source_;
  const Importance& plan_;
  Ranks& ranks_;
  int decoder_, data_ = -1, code_ = -1;
  int64_t rows_ = 0, samples_ = 0, outputs_ = 0, codes_ = 0, at_once_ = 0;
};

/// The first conditional that has a Jacobian and whose target the source knows, or -1.
int find_decoder(const Image& image, const Importance& plan) {
  for (const int density : plan.densities) {
    const Conditional& entry = image.conditionals[static_cast<size_t>(density)];
    if (entry.jacobian >= 0 && std::count(plan.known.begin(), plan.known.end(), entry.target) > 0)
      return density;
  }
  return -1;
}

}  // namespace

json measure_mechanisms(Session& session, const EvaluateRequest& request,
                        const std::set<std::string>& asked) {
  const Image& image = session.image;
  Sampler sampler(session, request.seed);
  json results = json::array();
  for (const auto& [source, plan] : plan_evaluation(image, sampler, Need::draws)) {
    const int decoder = find_decoder(image, plan);
    if (decoder < 0) continue;
    Mechanisms mechanisms(image, sampler, source, plan, decoder, request);
    if (asked.contains("ima")) results.push_back(mechanisms.contrast());
    if (asked.contains("self_consistency")) results.push_back(mechanisms.self_consistency());
  }
  if (results.empty())
    throw Failure(
        Exit::bad_configuration,
        "ima and self_consistency need a decoder's mean that depends on one real variable of at most "
        "1024 numbers; no source has rows of such a variable");
  return results;
}

}  // namespace core
