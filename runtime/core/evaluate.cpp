#include <fmt/format.h>

#include "runtime/core/commands.h"
#include "runtime/core/likelihood.h"
#include "runtime/core/run_directory.h"
#include "runtime/failure.h"

namespace core {
using nlohmann::json;

void evaluate(const Image& image, const EvaluateRequest& request) {
  for (const std::string& metric : request.metrics)
    if (metric != "loglik")
      throw Failure(Exit::usage, fmt::format("there is no metric {}; known: loglik", metric));
  const Checkpoint checkpoint = require_checkpoint(request.run);
  Session session(image, request.threads, request.device);
  session.load_parameters(checkpoint.path / "model.safetensors");
  const json results = measure_log_likelihoods(session, request.seed, request.samples, request.rows);
  if (request.json) {
    fmt::print("{}\n", json{{"program", image.file}, {"step", checkpoint.step}, {"results", results}}.dump());
    return;
  }
  for (const json& result : results)
    fmt::print("{}: {} = {:.3f} +- {:.3f} nats ({} rows, {} samples each)\n",
               result["source"].get<std::string>(), result["of"].get<std::string>(),
               result["mean"].get<double>(), result["standard_error"].get<double>(),
               result["rows"].get<int64_t>(), request.samples);
}

}  // namespace core
