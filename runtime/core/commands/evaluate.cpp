#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "runtime/core/commands/commands.h"
#include "runtime/core/commands/reports/evaluate_report.h"
#include "runtime/core/evaluation/accuracy.h"
#include "runtime/core/evaluation/discrepancy.h"
#include "runtime/core/evaluation/factors.h"
#include "runtime/core/evaluation/latents.h"
#include "runtime/core/evaluation/likelihood.h"
#include "runtime/core/evaluation/mechanisms.h"
#include "runtime/core/evaluation/sample_distances.h"
#include "runtime/core/inference/query.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/core/run/output.h"
#include "runtime/core/run/trained_model.h"
#include "runtime/schema/json_fields.h"
#include "runtime/schema/metric_flags.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"

namespace core {
namespace {
using nlohmann::json;
using Asked = std::set<std::string>;

json bounds(Session& session, const EvaluateRequest& request, const Asked& asked) {
  return measure_bounds(session, request.seed, request.samples, request.rows, asked,
                        parse_drawn(session.image, request.draw), request.together);
}

json accuracies(Session& session, const EvaluateRequest& request, const Asked&) {
  return measure_accuracies(session, request.seed, {request.sweeps, 1, request.samples}, request.rows,
                            request.query, parse_drawn(session.image, request.draw), request.together);
}

/// A metric. Metrics with the same function are measured together, on the same draws.
struct Metric {
  const char* name;
  json (*measure)(Session&, const EvaluateRequest&, const Asked&);
  const char* says;  // what it measures, and what it needs of the model if that is much
};

const std::vector<Metric> metric_table = {
    {"loglik", bounds,
     "log p(x) by importance sampling; needs a decoder, and encoders that draw its codes directly"},
    {"elbo", bounds, "the lower bound of loglik"},
    {"kl", bounds, "the divergence in elbo, of the encoders from the prior of the codes"},
    {"gap", bounds, "loglik - elbo"},
    {"mi", measure_latents, "mutual information of data and codes"},
    {"active_units", measure_latents, "number of units of the codes that vary with the data"},
    {"accuracy", accuracies,
     "share of categories that are inferred rightly, and the confusion matrix; needs a source that knows "
     "them"},
    {"fd", measure_sample_distances, "Frechet and kernel distance between samples and data, on features"},
    {"consistency", measure_sample_distances,
     "the same distance between samples from random codes and limiting samples; the encoder on samples"},
    {"mmd", measure_discrepancies,
     "maximum mean discrepancy of samples and data, and of codes and their prior"},
    {"mcc", measure_factors, "correlation of codes with true factors; needs a source that knows these"},
    {"ima", measure_mechanisms,
     "IMA contrast: how far the columns of the Jacobian of the decoder's mean are from orthogonal"},
    {"self_consistency", measure_mechanisms,
     "whether the encoder inverts the decoder's mean, and has the variances that this implies"},
};

/// The metric of this name, which must exist.
const Metric& metric_of(const std::string& name) {
  return *std::find_if(metric_table.begin(), metric_table.end(),
                       [&](const Metric& entry) { return entry.name == name; });
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : metric_table) names.emplace_back(metric.name);
  return names;
}

/// If the ranks share the rows, they fail together.
json measure_together(decltype(*Metric::measure) measure, Session& session, const EvaluateRequest& request,
                      const Asked& asked) {
  if (!request.together) return measure(session, request, asked);
  request.together->unsettle();
  json results = measure(session, request, asked);
  request.together->agree();
  request.together->settle();
  return results;
}

}  // namespace

std::string metric_help() {
  std::string text = "The metrics:";
  for (const Metric& metric : metric_table) text += fmt::format("\n  {:<16} {}", metric.name, metric.says);
  return text;
}

void require_metrics(const std::vector<std::string>& metrics) {
  const std::vector<std::string> known = metric_names();
  for (const std::string& metric : metrics)
    if (std::find(known.begin(), known.end(), metric) == known.end())
      throw Failure(Exit::usage,
                    fmt::format("there is no metric {}; known: {}", metric, fmt::join(known, ", ")));
}

void require_readers(const EvaluateRequest& request, const std::vector<std::string>& metrics) {
  const EvaluateRequest usual;
  const std::vector<std::pair<std::string, bool>> flags = {{"query", !request.query.empty()},
                                                           {"features", request.features != usual.features},
                                                           {"of", !request.variable.empty()},
                                                           {"factors", !request.factors.empty()}};
  for (const auto& [flag, given] : flags)
    if (given && !is_read_by(flag, metrics)) throw Failure(Exit::usage, why_not_read(flag, metrics));
}

json measure_metrics(Session& session, const EvaluateRequest& request,
                     const std::function<void(const json&)>& measured) {
  const Asked asked(request.metrics.begin(), request.metrics.end());
  std::vector<decltype(Metric::measure)> done;
  json results = json::array();
  for (const std::string& name : request.metrics) {
    const auto measure = metric_of(name).measure;
    if (std::find(done.begin(), done.end(), measure) != done.end()) continue;
    done.push_back(measure);
    for (json& result : measure_together(*measure, session, request, asked)) {
      if (measured) measured(result);
      results.push_back(std::move(result));
    }
  }
  return results;
}

std::vector<std::vector<std::string>> measured_together(const std::vector<std::string>& metrics) {
  std::vector<std::vector<std::string>> groups;
  for (const std::string& name : metrics) {
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& other) {
      return metric_of(other.front()).measure == metric_of(name).measure;
    });
    (group == groups.end() ? groups.emplace_back() : *group).push_back(name);
  }
  return groups;
}

json evaluate_run(const Image& image, const EvaluateRequest& request,
                  const std::function<void(const json&)>& measured, std::set<std::string>* said) {
  TrainedModel model(image, request.run, request, request.checkpoint, request.weights);
  Session& session = model.session();
  if (request.together) {
    request.together->agree();
    request.together->settle();
  }
  const json results = measure_metrics(session, request, measured);
  for (const std::string& note : session.rows.take_notes())
    if (request.together && !request.together->is_first())
      continue;
    else if (!said || said->insert(note).second)
      print_error("note: {}\n", note);
  return {{"program", image.file}, {"step", model.checkpoint().step}, {"results", results}};
}

static void evaluate_on(const Image& image, const EvaluateRequest& request, bool speaks) {
  require_metrics(request.metrics);
  require_readers(request, request.metrics);
  // Each result is printed at once, because the next metric may take long or fail.
  const json found = evaluate_run(image, request, [&](const json& result) {
    if (!request.json && speaks) print_result(result);
    require_output();
  });
  if (!speaks) return;
  if (request.json) fmt::print("{}\n", schema::json_text(found));
  require_output();
  for (const json& result : found.at("results"))
    for (const char* key : {"mean", "value"})
      if (const json number = result.value(key, json());
          number.is_number() && std::isnan(number.get<double>()))
        throw Failure(Exit::diagnostics,
                      fmt::format("{} of {} is not a number: the parameters of step {} give none",
                                  result.value("of", result.at("metric").get<std::string>()),
                                  result.value("source", "the model"), found.at("step").get<int64_t>()));
}

void evaluate(const Image& image, const EvaluateRequest& request) {
  Ranks ranks(request.ranks, image.file + " evaluate");
  EvaluateRequest shared = request;
  if (ranks.is_several()) {
    shared.together = &ranks;
    ranks.share_cores(shared);
  }
  ranks.run([&] {
    ranks.patiently([&] { evaluate_on(image, shared, ranks.is_first()); });
    return 0;
  });
}

}  // namespace core
