#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/core/accuracy.h"
#include "runtime/core/commands.h"
#include "runtime/core/likelihood.h"
#include "runtime/core/run_directory.h"
#include "runtime/failure.h"

namespace core {
namespace {
using nlohmann::json;

constexpr size_t most_classes_shown = 20;

json measure(const std::string& metric, Session& session, const EvaluateRequest& request) {
  if (metric == "loglik")
    return measure_log_likelihoods(session, request.seed, request.samples, request.rows);
  return measure_accuracies(session, request.seed, {request.sweeps, 1, request.samples}, request.rows,
                            request.query);
}

void print(const json& result) {
  const auto metric = result["metric"].get<std::string>();
  const auto text = [&](const char* key) { return result[key].get<std::string>(); };
  const auto number = [&](const char* key) { return result[key].get<double>(); };
  if (metric == "loglik") {
    fmt::print("{}: {} = {:.3f} +- {:.3f} nats ({} rows, {} samples each)\n", text("source"), text("of"),
               number("mean"), number("standard_error"), result["rows"].get<int64_t>(),
               result["samples"].get<int64_t>());
    return;
  }
  const std::string sweeps = result.contains("sweeps")
                                 ? fmt::format(", a chain of {} sweeps each", result["sweeps"].get<int64_t>())
                                 : "";
  fmt::print("{}: {} of {} = {:.4f} +- {:.4f} ({} rows{})\n", text("source"),
             metric == "mean_iou" ? "mean IoU" : metric, text("of"), number("mean"), number("standard_error"),
             result["rows"].get<int64_t>(), sweeps);
  if (!result.contains("confusion") || result["confusion"].size() > most_classes_shown) return;
  fmt::print("  true class, and how often each class was found\n");
  for (size_t k = 0; k < result["confusion"].size(); ++k)
    fmt::print("  {:>3} {:>7}\n", k, fmt::join(result["confusion"][k].get<std::vector<int64_t>>(), " "));
}

}  // namespace

void evaluate(const Image& image, const EvaluateRequest& request) {
  const std::vector<std::string> known = {"loglik", "accuracy"};
  for (const std::string& metric : request.metrics)
    if (std::find(known.begin(), known.end(), metric) == known.end())
      throw Failure(Exit::usage,
                    fmt::format("there is no metric {}; known: {}", metric, fmt::join(known, ", ")));
  const Checkpoint checkpoint = require_checkpoint(request.run);
  Session session(image, request.threads, request.device);
  session.load_parameters(checkpoint.path / "model.safetensors");
  json results = json::array();
  for (const std::string& metric : request.metrics)
    for (json& result : measure(metric, session, request)) results.push_back(std::move(result));
  if (request.json) {
    fmt::print("{}\n", json{{"program", image.file}, {"step", checkpoint.step}, {"results", results}}.dump());
    return;
  }
  for (const json& result : results) print(result);
}

}  // namespace core
