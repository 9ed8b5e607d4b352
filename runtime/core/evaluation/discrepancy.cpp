#include "runtime/core/evaluation/discrepancy.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/core/evaluation/estimate_json.h"
#include "runtime/core/evaluation/importance.h"
#include "runtime/core/evaluation/shared_metrics.h"
#include "runtime/core/execution/rows_at_once.h"
#include "runtime/core/run/generation.h"
#include "runtime/metrics/frechet.h"
#include "runtime/metrics/kernel_distance.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {
using nlohmann::json;

// Without --n: for this many rows, blocks of many dimensions take about a second
constexpr int64_t rows_of_blocks = 5000;

/// The data of a source, completed by the encoders, and equally many rows drawn from the model.
class Sides {
 public:
  Sides(const Image& image, Sampler& sampler, int source, const Importance& plan,
        const EvaluateRequest& request)
      : image_(image), sampler_(sampler), source_(source), plan_(plan), ranks_(sharing_ranks(request)) {
    const int64_t all = sampler.source_rows(source), asked = request.n > 0 ? request.n : rows_of_blocks;
    rows_ = std::min(asked, request.rows > 0 ? std::min(request.rows, all) : all);
    for (int variable : plan.known)
      if (generating_conditional(image, variable) >= 0) generated_.push_back(variable);
  }

  int64_t rows() const { return rows_; }
  Ranks& ranks() const { return ranks_; }
  /// The variables that the source knows and the model generates.
  const std::vector<int>& generated() const { return generated_; }

  /// Visits rows of data with codes drawn by the encoders. `visit` gets the values, their rows, and how many
  /// of these count: none if another rank has them.
  template <typename Visit>
  void each_completed(const Visit& visit) {
    const int64_t at_once = std::min(generated_rows_at_once, rows_);
    for_each_shared_rows(ranks_, sampler_, rows_, at_once, [&](int64_t first, int64_t counted) {
      Values values = sampler_.source(source_, at_once, first);
      sampler_.follow(plan_.proposal, values, at_once);
      visit(values, at_once, counted);
    });
  }

  /// Visits rows drawn from the model. False if nothing gives the codes from which the model generates.
  template <typename Visit>
  bool each_sampled(const Visit& visit) {
    const int64_t at_once = std::min(generated_rows_at_once, rows_);
    bool gives = true;
    for_each_shared_rows(ranks_, sampler_, rows_, at_once, [&](int64_t, int64_t counted) {
      const auto drawn = generate(image_, sampler_, generated_, {}, at_once, 0);
      gives = gives && drawn;
      if (drawn) visit(drawn->values, at_once, counted);
    });
    return gives;
  }

  /// log q of the codes in `values`, for each row.
  std::vector<double> log_densities_of_codes(const Values& values, int64_t rows) {
    std::vector<double> sums(static_cast<size_t>(rows));
    for (int conditional : plan_.proposal.conditionals) {
      const std::vector<float> found = sampler_.log_density(conditional, values, rows);
      for (size_t row = 0; row < sums.size(); ++row) sums[row] += found[row];
    }
    return sums;
  }

 private:
  const Image& image_;
  Sampler& sampler_;
  int source_;
  const Importance& plan_;
  Ranks& ranks_;
  int64_t rows_ = 0;
  std::vector<int> generated_;
};

void append(metrics::Points& points, const Image& image, const Values& values,
            const std::vector<int>& variables, int64_t rows) {
  points.width = 0;
  for (int variable : variables) points.width += image.variables[static_cast<size_t>(variable)].elements();
  for (int64_t row = 0; row < rows; ++row)
    for (int variable : variables) {
      const int64_t width = image.variables[static_cast<size_t>(variable)].elements();
      const float* from = values.at(variable).data() + row * width;
      points.values.insert(points.values.end(), from, from + width);
    }
}

bool gives_all(const Values& values, const std::vector<int>& variables) {
  return std::all_of(variables.begin(), variables.end(),
                     [&](int variable) { return values.contains(variable); });
}

json compare(const Image& image, Sides& sides, int source, const Importance& plan) {
  const std::string& name = image.sources[static_cast<size_t>(source)].name;
  if (sides.rows() < metrics::least_rows_for_distances)
    throw Failure(Exit::bad_configuration, fmt::format("{}: distances need {} rows at least, not {}", name,
                                                       metrics::least_rows_for_distances, sides.rows()));
  metrics::Points data, codes, samples, prior;
  sides.each_completed([&](const Values& values, int64_t, int64_t rows) {
    append(data, image, values, sides.generated(), rows);
    append(codes, image, values, plan.drawn, rows);
  });
  bool has_codes = !plan.drawn.empty();
  const bool drawn = sides.each_sampled([&](const Values& values, int64_t, int64_t rows) {
    append(samples, image, values, sides.generated(), rows);
    has_codes &= gives_all(values, plan.drawn);
    if (has_codes) append(prior, image, values, plan.drawn, rows);
  });
  json results = json::array();
  if (!drawn) return results;
  for (metrics::Points* points : {&data, &codes, &samples, &prior}) *points = joined(sides.ranks(), *points);
  const auto add = [&](const std::string& subject, const char* between, const metrics::Points& a,
                       const metrics::Points& b) {
    json result = {
        {"metric", "mmd"}, {"source", name}, {"of", subject}, {"between", between}, {"rows", sides.rows()}};
    result.update(to_json(metrics::gaussian_distance(a, b)));
    results.push_back(result);
  };
  add(image.names(sides.generated()), "samples and data", samples, data);
  if (has_codes) add(image.names(plan.drawn), "codes of the data and their prior", codes, prior);
  return results;
}

}  // namespace

json measure_discrepancies(Session& session, const EvaluateRequest& request, const std::set<std::string>&) {
  const Image& image = session.image;
  Sampler sampler(session, request.seed);
  json results = json::array();
  for (const auto& [source, plan] : plan_evaluation(image, sampler, Need::draws)) {
    Sides sides(image, sampler, source, plan, request);
    if (sides.generated().empty()) continue;
    for (json& result : compare(image, sides, source, plan)) results.push_back(std::move(result));
  }
  if (results.empty())
    throw Failure(
        Exit::bad_configuration,
        "mmd needs a variable that the players can draw without data and of which a source has rows");
  return results;
}

json measure_encoder_fit(Session& session, const EvaluateRequest& request) {
  const Image& image = session.image;
  Sampler sampler(session, request.seed);
  json results = json::array();
  for (const auto& [source, plan] : plan_evaluation(image, sampler, Need::draws)) {
    Sides sides(image, sampler, source, plan, request);
    if (plan.drawn.empty() || sides.generated().empty()) continue;
    std::vector<double> on_data, on_samples;
    const auto add = [&](std::vector<double>& to, const Values& values, int64_t at_once, int64_t rows) {
      const std::vector<double> found = sides.log_densities_of_codes(values, at_once);
      to.insert(to.end(), found.begin(), found.begin() + rows);
    };
    std::vector<int> read = plan.drawn;
    read.insert(read.end(), plan.proposal.used.begin(), plan.proposal.used.end());
    bool whole = true;
    const bool drawn = sides.each_sampled([&](const Values& values, int64_t at_once, int64_t rows) {
      whole = whole && gives_all(values, read);
      if (whole) add(on_samples, values, at_once, rows);
    });
    if (!drawn || !whole) continue;
    sides.each_completed(
        [&](const Values& values, int64_t at_once, int64_t rows) { add(on_data, values, at_once, rows); });
    for (auto* found : {&on_data, &on_samples}) *found = joined(sides.ranks(), *found);
    results.push_back(
        {{"metric", "encoder_fit"},
         {"source", image.sources[static_cast<size_t>(source)].name},
         {"of", fmt::format("log q({} | {})", image.names(plan.drawn),
                            image.names({plan.proposal.used.begin(), plan.proposal.used.end()}))},
         {"on_samples", to_json(metrics::mean_of(on_samples))},
         {"on_data", to_json(metrics::mean_of(on_data))},
         {"rows", sides.rows()}});
  }
  return results;
}

}  // namespace core
