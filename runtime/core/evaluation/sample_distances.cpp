#include "runtime/core/evaluation/sample_distances.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "runtime/core/evaluation/discrepancy.h"
#include "runtime/core/evaluation/estimate_json.h"
#include "runtime/core/evaluation/features/features.h"
#include "runtime/core/evaluation/shared_metrics.h"
#include "runtime/core/execution/rows_at_once.h"
#include "runtime/core/run/generation.h"
#include "runtime/core/run/progress.h"
#include "runtime/core/run/sample_grid.h"
#include "runtime/metrics/frechet.h"
#include "runtime/metrics/kernel_distance.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"

namespace core {
namespace {
using nlohmann::json;
using std::chrono::steady_clock;

constexpr std::chrono::seconds between_lines{10};  // between messages while samples are drawn

/// The variable that is asked for, or else the first that the model generates.
int chosen_variable(const Image& image, const std::string& name) {
  const std::vector<int> generated = generated_variables(image);
  if (generated.empty()) throw Failure(Exit::bad_configuration, "the model generates nothing");
  if (name.empty()) return generated.front();
  const int variable = image.variable(name);
  if (variable < 0 || generating_conditional(image, variable) < 0)
    throw Failure(Exit::usage, fmt::format("--of {}: the model generates no variable of this name", name));
  return variable;
}

/// The source with the most rows of the variable: among the sources that are learned from if `learned_from`
/// is set, else among the others; -1 if there is none.
int largest_source(const Image& image, Sampler& sampler, int variable, bool learned_from) {
  int found = -1;
  int64_t most = 0;
  for (size_t s = 0; s < image.sources.size(); ++s) {
    const Source& source = image.sources[s];
    if ((source.weight > 0) != learned_from ||
        std::find(source.known.begin(), source.known.end(), variable) == source.known.end())
      continue;
    const int64_t rows = sampler.source_rows(static_cast<int>(s));
    if (rows > most) most = rows, found = static_cast<int>(s);
  }
  return found;
}

/// Features of data and samples of one variable, and the distances between them.
class SampleDistances {
 public:
  SampleDistances(Session& session, const EvaluateRequest& request)
      : session_(session),
        request_(request),
        ranks_(sharing_ranks(request)),
        sampler_(session, request.seed),
        variable_(chosen_variable(session.image, request.variable)),
        learned_(largest_source(session.image, sampler_, variable_, true)),
        held_out_(largest_source(session.image, sampler_, variable_, false)) {
    if (learned_ < 0) std::swap(learned_, held_out_);
    if (learned_ < 0)
      throw Failure(Exit::bad_configuration,
                    fmt::format("no source has rows of {} to compare samples with", name()));
    const auto make = [&] {
      features_ = make_features(request.features, sampler_, session, variable_, learned_);
    };
    ranks_.first_alone(make);  // it may train a classifier, which the others then find in the cache
    if (!features_) make();
    data_ = features_of_source(learned_, features_->fitted_rows());
    if (held_out_ >= 0) {
      test_ = features_of_source(held_out_, 0);
    } else {
      const auto half = static_cast<int64_t>(data_.rows() / 2) * data_.width;
      test_ = {data_.width, {data_.values.begin() + half, data_.values.end()}};
      first_half_ = {data_.width, {data_.values.begin(), data_.values.begin() + half}};
    }
    require_rows(test_.rows(), source_name(held_out_ < 0 ? learned_ : held_out_));
    rows_ = request.n > 0 ? request.n : std::min(test_.rows(), data_.rows());
    require_rows(rows_, "--n");
    chain_ = request.limiting > 0 && find_chain(session.image, variable_);
  }

  json distances_from_data() {
    json result = about("fd");
    result["floor"] = distance(test_, floor_data());
    result["floor"]["rows"] = test_.rows();
    result["floor"]["source"] = source_name(held_out_ < 0 ? learned_ : held_out_);
    result["floor"]["data_rows"] = floor_data().rows();
    const auto add = [&](const char* codes, const Generated& generated) {
      for (const auto& [values, points] :
           {std::pair("draws", &generated.draws), {"means", &generated.means}}) {
        json entry = distance(*points, data_);
        entry.update({{"codes", codes}, {"values", values}});
        result["samples"].push_back(entry);
      }
    };
    add("random", from_random_codes());
    if (chain_)
      add("limiting", from_chain());
    else if (request_.limiting > 0 && ranks_.is_first())
      print_error("note: no limiting samples: nothing draws the parents of {} from it\n", name());
    return result;
  }

  /// The distance between samples from random codes and samples at the end of the chain.
  json distance_to_limiting() {
    if (!chain_)
      throw Failure(
          Exit::bad_configuration,
          request_.limiting > 0
              ? fmt::format("consistency needs a chain of samples, but no player draws the parents of "
                            "`{0}` from `{0}`",
                            name())
              : "consistency needs steps of the chain: --limiting N");
    json result = about("consistency");
    result.update(distance(from_random_codes().draws, from_chain().draws));
    return result;
  }

 private:
  struct Generated {
    metrics::Points draws, means;
  };

  const std::string& name() const { return session_.image.name_of(variable_); }
  const std::string& source_name(int source) const {
    return session_.image.sources[static_cast<size_t>(source)].name;
  }

  static void require_rows(int64_t rows, const std::string& whose) {
    if (rows < metrics::least_rows_for_distances)
      throw Failure(Exit::bad_configuration, fmt::format("{}: distances need {} rows at least, not {}", whose,
                                                         metrics::least_rows_for_distances, rows));
  }

  const metrics::Points& floor_data() const { return held_out_ < 0 ? first_half_ : data_; }

  json about(const char* metric) const {
    json result = {{"metric", metric},
                   {"of", name()},
                   {"distance", features_->distance_name()},
                   {"rows", rows_},
                   {"source", source_name(learned_)},
                   {"data_rows", data_.rows()}};
    if (chain_) result["limiting"] = request_.limiting;
    result.update(features_->about());
    return result;
  }

  static json distance(const metrics::Points& a, const metrics::Points& b) {
    json result = to_json(metrics::frechet_distance(a, b));
    result["kid"] = to_json(metrics::polynomial_distance(a, b));
    return result;
  }

  metrics::Points features_of_source(int source, int64_t first) {
    metrics::Points points;
    append_features(*features_, ranks_, sampler_, session_, source, variable_, first, request_.rows, points);
    return points;
  }

  const Generated& from_random_codes() { return generated(random_, 0); }
  const Generated& from_chain() { return generated(limiting_, request_.limiting); }

  const Generated& generated(std::optional<Generated>& kept, int64_t steps) {
    if (kept) return *kept;
    kept.emplace();
    const auto begin = steady_clock::now();
    auto said = begin;
    const int64_t at_once = std::min(generated_rows_at_once, rows_);
    for_each_shared_rows(ranks_, sampler_, rows_, at_once, [&](int64_t first, int64_t rows) {
      const auto drawn = generate(session_.image, sampler_, {variable_}, {}, at_once, steps);
      if (!drawn)
        throw Failure(Exit::bad_configuration, fmt::format("nothing gives the codes of {}", name()));
      append_counted(*features_, drawn->values.at(variable_).data(), at_once, rows, kept->draws);
      append_counted(*features_, drawn->means.at(variable_).data(), at_once, rows, kept->means);
      if (!ranks_.is_first() || steady_clock::now() - said < between_lines) return;
      said = steady_clock::now();
      print_error("{} of {} rows drawn, {}\n", first + rows, rows_,
                  duration_text(std::chrono::duration<double>(said - begin).count()));
    });
    for (metrics::Points* points : {&kept->draws, &kept->means}) *points = joined(ranks_, *points);
    return *kept;
  }

  Session& session_;
  const EvaluateRequest& request_;
  Ranks& ranks_;
  Sampler sampler_;
  int variable_, learned_, held_out_;
  std::unique_ptr<Features> features_;
  metrics::Points data_, test_, first_half_;
  int64_t rows_ = 0;
  bool chain_ = false;
  std::optional<Generated> random_, limiting_;
};

}  // namespace

json measure_sample_distances(Session& session, const EvaluateRequest& request,
                              const std::set<std::string>& asked) {
  SampleDistances distances(session, request);
  json results = json::array();
  if (asked.contains("fd")) results.push_back(distances.distances_from_data());
  if (asked.contains("consistency")) {
    results.push_back(distances.distance_to_limiting());
    for (json& result : measure_encoder_fit(session, request)) results.push_back(std::move(result));
  }
  return results;
}

}  // namespace core
