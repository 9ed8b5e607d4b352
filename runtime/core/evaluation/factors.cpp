#include "runtime/core/evaluation/factors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/core/evaluation/evaluated_sources.h"
#include "runtime/core/evaluation/importance.h"
#include "runtime/core/evaluation/shared_metrics.h"
#include "runtime/core/execution/rows_at_once.h"
#include "runtime/core/inference/conditioner.h"
#include "runtime/core/inference/query.h"
#include "runtime/metrics/frechet.h"
#include "runtime/metrics/matching.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {
using nlohmann::json;

constexpr int64_t most_columns = 2048;

bool is_known(const Source& source, int variable) {
  return std::find(source.known.begin(), source.known.end(), variable) != source.known.end();
}

bool is_mentioned(const Image& image, int variable) {
  return std::any_of(image.conditionals.begin(), image.conditionals.end(), [&](const Conditional& entry) {
    return entry.player >= 0 &&
           (entry.target == variable ||
            std::find(entry.parents.begin(), entry.parents.end(), variable) != entry.parents.end());
  });
}

bool is_encoded(const Image& image, int variable) {
  return std::any_of(image.conditionals.begin(), image.conditionals.end(), [&](const Conditional& entry) {
    return entry.target == variable && entry.player >= 0 &&
           image.players[static_cast<size_t>(entry.player)].role == Role::encoder;
  });
}

/// The variable of the true factors, among those that the sources know.
int find_factors(const Image& image, const std::vector<int>& sources, const std::string& name) {
  if (!name.empty()) {
    const int variable = image.variable(name);
    if (variable >= 0) return variable;
    std::vector<std::string> names;
    for (const Variable& entry : image.variables) names.push_back(entry.name);
    throw Failure(Exit::usage, fmt::format("--factors {}: there is no variable of this name; known: {}", name,
                                           fmt::join(names, ", ")));
  }
  std::vector<int> beside, encoded;
  for (size_t i = 0; i < image.variables.size(); ++i) {
    const int variable = static_cast<int>(i);
    const bool known = std::any_of(sources.begin(), sources.end(), [&](int source) {
      return is_known(image.sources[static_cast<size_t>(source)], variable);
    });
    if (!known || image.variables[i].domain == "category") continue;  // classes have no order
    if (!is_mentioned(image, variable)) beside.push_back(variable);
    if (is_encoded(image, variable)) encoded.push_back(variable);
  }
  const std::vector<int>& found = beside.empty() ? encoded : beside;
  if (found.empty())
    throw Failure(
        Exit::bad_configuration,
        "mcc compares codes with true factors, and no source with rows knows any: give it a variable "
        "of its own, as in `s = moebius(1000, 3, 0).s`");
  if (found.size() > 1)
    throw Failure(Exit::usage, fmt::format("several variables could be the true factors: say --factors {}",
                                           image.names(found, " or --factors ")));
  return found.front();
}

/// The query that infers codes from the source's rows without the factors. Nothing if the source does not
/// know the factors, or what the query is given.
std::optional<Query> query_for(const Image& image, int source, int factors, const std::string& text) {
  const Source& entry = image.sources[static_cast<size_t>(source)];
  if (!is_known(entry, factors)) return std::nullopt;
  if (!text.empty()) {
    const Query query = parse_query(image, text, {}, {});
    const bool knows = std::all_of(query.known.begin(), query.known.end(),
                                   [&](int variable) { return is_known(entry, variable); });
    return knows ? std::optional(query) : std::nullopt;
  }
  Query query;
  query.known = {entry.known.begin(), entry.known.end()};
  query.known.erase(factors);
  if (is_encoded(image, factors)) {
    query.targets = {factors};
    return query;
  }
  Source without = entry;
  std::erase(without.known, factors);
  const std::optional<Importance> plan = plan_importance(image, without, Need::draws);
  if (!plan || plan->drawn.empty()) return std::nullopt;
  query.targets = plan->drawn;
  return query;
}

void append(metrics::Points& points, const Values& values, const std::vector<int>& variables, int64_t row,
            const Image& image) {
  for (int variable : variables) {
    const int64_t width = image.variables[static_cast<size_t>(variable)].elements();
    const float* from = values.at(variable).data() + row * width;
    points.values.insert(points.values.end(), from, from + width);
  }
}

int64_t width_of(const Image& image, const std::vector<int>& variables) {
  int64_t width = 0;
  for (int variable : variables) width += image.variables[static_cast<size_t>(variable)].elements();
  return width;
}

json measure(const Image& image, Sampler& sampler, int source, int factors, const Query& query,
             const EvaluateRequest& request) {
  const Plan plan = make_plan(image, query);
  const int64_t all = sampler.source_rows(source);
  const int64_t rows = request.rows > 0 ? std::min(request.rows, all) : all;
  if (rows < metrics::least_rows_for_distances)
    throw Failure(Exit::bad_configuration,
                  fmt::format("mcc needs {} rows at least, and {} has {}", metrics::least_rows_for_distances,
                              image.sources[static_cast<size_t>(source)].name, rows));
  // The means of a single draw are the same each time, so one sample is enough.
  const Effort effort = {request.sweeps, 1, plan.steps.size() == 1 ? 1 : request.samples};
  const int64_t columns = width_of(image, {factors}) + width_of(image, query.targets);
  if (columns > most_columns)
    throw Failure(Exit::bad_configuration,
                  fmt::format("mcc takes {} factors and codes together at most, and {} and {} have {}",
                              most_columns, image.name_of(factors), image.names(query.targets), columns));
  Conditioner conditioner(sampler, image, plan, effort, request.seed);
  metrics::Points truth{width_of(image, {factors}), {}}, codes{width_of(image, query.targets), {}};
  const int64_t at_once = std::min(encoded_rows_at_once, rows);
  const auto infer = [&](int64_t first, int64_t counted) {
    const Values values = sampler.source(source, at_once, first);
    Evidence evidence;
    for (int known : query.known) evidence.values[known] = values.at(known);
    const Answer answer = conditioner.answer(evidence, query.targets, at_once, counted);
    for (int64_t row = 0; row < counted; ++row) {
      append(truth, values, {factors}, row, image);
      append(codes, answer.means, query.targets, row, image);
    }
  };
  Ranks& ranks = sharing_ranks(request);
  for_each_shared_rows(ranks, sampler, rows, at_once, infer, &conditioner);
  for (metrics::Points* points : {&truth, &codes}) *points = joined(ranks, *points);
  const metrics::Correlation found = metrics::correlate(truth, codes);
  return {{"metric", "mcc"},
          {"source", image.sources[static_cast<size_t>(source)].name},
          {"of", image.names(query.targets)},
          {"factors", image.name_of(factors)},
          {"draws", describe(image, plan)},
          {"value", found.mean.value},
          {"standard_error", found.mean.standard_error},
          {"codes", found.latents},
          {"correlations", found.matched},
          {"rows", rows}};
}

}  // namespace

json measure_factors(Session& session, const EvaluateRequest& request, const std::set<std::string>&) {
  const Image& image = session.image;
  Sampler sampler(session, request.seed);
  const std::vector<int> sources = evaluated_sources(image, sampler);
  const int factors = find_factors(image, sources, request.factors);
  json results = json::array();
  for (int source : sources)
    if (const auto query = query_for(image, source, factors, request.query))
      results.push_back(measure(image, sampler, source, factors, *query, request));
  if (results.empty())
    throw Failure(Exit::bad_configuration,
                  fmt::format("no source with rows knows the factors {} and what codes are inferred from",
                              image.name_of(factors)));
  return results;
}

}  // namespace core
