#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/core/accuracy.h"
#include "runtime/core/commands.h"
#include "runtime/core/discrepancy.h"
#include "runtime/core/evaluate_report.h"
#include "runtime/core/factors.h"
#include "runtime/core/latents.h"
#include "runtime/core/likelihood.h"
#include "runtime/core/run_directory.h"
#include "runtime/core/sample_distances.h"
#include "runtime/failure.h"

namespace core {
namespace {
using nlohmann::json;
using Asked = std::set<std::string>;

json bounds(Session& session, const EvaluateRequest& request, const Asked& asked) {
  return measure_bounds(session, request.seed, request.samples, request.rows, asked);
}

json accuracies(Session& session, const EvaluateRequest& request, const Asked&) {
  return measure_accuracies(session, request.seed, {request.sweeps, 1, request.samples}, request.rows,
                            request.query);
}

/// Metrics of one function are measured together, on the same draws.
struct Metric {
  const char* name;
  json (*measure)(Session&, const EvaluateRequest&, const Asked&);
};

const std::vector<Metric> metric_table = {
    {"loglik", bounds},
    {"elbo", bounds},
    {"kl", bounds},
    {"gap", bounds},
    {"mi", measure_latents},
    {"active_units", measure_latents},
    {"accuracy", accuracies},
    {"fd", measure_sample_distances},
    {"consistency", measure_sample_distances},
    {"mmd", measure_discrepancies},
    {"mcc", measure_factors},
};

}  // namespace

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : metric_table) names.emplace_back(metric.name);
  return names;
}

void evaluate(const Image& image, const EvaluateRequest& request) {
  const std::vector<std::string> known = metric_names();
  for (const std::string& metric : request.metrics)
    if (std::find(known.begin(), known.end(), metric) == known.end())
      throw Failure(Exit::usage,
                    fmt::format("there is no metric {}; known: {}", metric, fmt::join(known, ", ")));
  const Checkpoint checkpoint = require_checkpoint(request.run);
  Session session(image, request.threads, request.device);
  session.load_parameters(checkpoint.path / "model.safetensors");
  const Asked asked(request.metrics.begin(), request.metrics.end());
  std::vector<decltype(Metric::measure)> done;
  json results = json::array();
  for (const std::string& name : request.metrics) {
    const auto metric = std::find_if(metric_table.begin(), metric_table.end(),
                                     [&](const Metric& entry) { return entry.name == name; });
    if (std::find(done.begin(), done.end(), metric->measure) != done.end()) continue;
    done.push_back(metric->measure);
    for (json& result : metric->measure(session, request, asked)) results.push_back(std::move(result));
  }
  for (const std::string& note : session.rows.take_notes()) fmt::print(stderr, "note: {}\n", note);
  if (request.json)
    fmt::print("{}\n", json{{"program", image.file}, {"step", checkpoint.step}, {"results", results}}.dump());
  else
    for (const json& result : results) print_result(result);
}

}  // namespace core
