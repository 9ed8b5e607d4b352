#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/core/commands.h"
#include "runtime/core/run_directory.h"
#include "runtime/core/sample_grid.h"
#include "runtime/core/value_files.h"
#include "runtime/failure.h"

namespace core {
namespace {

constexpr int64_t rows_at_once = 256;

/// What the model generates: variables with a generating conditional that are no parents of another's.
std::vector<int> leaves(const Image& image) {
  std::vector<int> found;
  for (size_t v = 0; v < image.variables.size(); ++v) {
    const int variable = static_cast<int>(v);
    if (generating_conditional(image, variable) < 0) continue;
    bool inner = false;
    for (size_t other = 0; other < image.variables.size(); ++other) {
      const int generating = generating_conditional(image, static_cast<int>(other));
      if (generating < 0 || static_cast<int>(other) == variable) continue;
      const Conditional& conditional = image.conditionals[static_cast<size_t>(generating)];
      const bool decoder = image.players[static_cast<size_t>(conditional.player)].role == "decoder";
      inner |= decoder && std::count(conditional.parents.begin(), conditional.parents.end(), variable) > 0;
    }
    const Conditional& own = image.conditionals[static_cast<size_t>(generating_conditional(image, variable))];
    if (!inner && image.players[static_cast<size_t>(own.player)].role == "decoder") found.push_back(variable);
  }
  if (found.empty())
    for (size_t v = 0; v < image.variables.size(); ++v)
      if (generating_conditional(image, static_cast<int>(v)) >= 0) found.push_back(static_cast<int>(v));
  // Images first: they are what .png and .npy show.
  std::stable_partition(found.begin(), found.end(),
                        [&](int v) { return is_image(image.variables[static_cast<size_t>(v)]); });
  return found;
}

std::string name_of(const Image& image, int variable) {
  return image.variables[static_cast<size_t>(variable)].name;
}

/// One batch: draws and means of the leaves, and what they came from.
struct Drawn {
  Values values;
  Values means;
};

Drawn draw_batch(const Image& image, Sampler& sampler, const std::vector<int>& targets, const Values& given,
                 int64_t rows, int64_t limiting) {
  Drawn drawn;
  for (int target : targets) {
    if (given.count(target)) continue;
    const int generating = generating_conditional(image, target);
    const std::vector<int>& parents = image.conditionals[static_cast<size_t>(generating)].parents;
    const bool ready = std::all_of(parents.begin(), parents.end(),
                                   [&](int parent) { return drawn.values.count(parent) > 0; });
    if (!ready) {
      std::optional<Values> codes = draw_codes(sampler, image, target, rows, given);
      if (!codes)
        throw Failure(Exit::bad_configuration,
                      fmt::format("{} cannot be drawn: nothing gives {} directly", name_of(image, target),
                                  name_of(image, parents.front())));
      drawn.values.merge(*codes);
    }
    if (limiting > 0) {
      const std::optional<Chain> chain = find_chain(image, target, variables_of(given));
      if (!chain)
        throw Failure(Exit::bad_configuration,
                      fmt::format("there is no chain through {}: nothing draws its parents from it",
                                  name_of(image, target)));
      follow_chain(sampler, *chain, given, drawn.values, rows, limiting);
    }
    drawn.means[target] = sampler.mean(generating, drawn.values, rows);
    drawn.values[target] = sampler.draw(generating, drawn.values, rows);
  }
  return drawn;
}

void append(Values& all, const Values& batch, const Image& image, int64_t rows) {
  for (const auto& [variable, values] : batch) {
    const int64_t width = image.variables[static_cast<size_t>(variable)].elements();
    std::vector<float>& to = all[variable];
    to.insert(to.end(), values.begin(), values.begin() + rows * width);
  }
}

}  // namespace

void sample(const Image& image, const SampleRequest& request) {
  check_ending(request.out);
  const Checkpoint checkpoint = require_checkpoint(request.run);
  Session session(image, request.threads, request.device);
  session.load_parameters(checkpoint.path / "model.safetensors");
  Sampler sampler(session, request.seed);
  const Given given = read_given(image, sampler, request.given);
  const std::vector<int> targets = leaves(image);
  if (targets.empty()) throw Failure(Exit::bad_configuration, "the model generates nothing");
  Values values, means;
  const int64_t at_once = std::min(rows_at_once, request.n);
  for (int64_t first = 0; first < request.n; first += at_once) {
    const Values known = some_rows(image, given.values, std::max<int64_t>(1, given.rows), first, at_once);
    const Drawn drawn = draw_batch(image, sampler, targets, known, at_once, request.limiting);
    const int64_t rows = std::min(at_once, request.n - first);
    append(values, drawn.values, image, rows);
    append(means, drawn.means, image, rows);
  }
  // A picture shows means; arrays hold draws, and means beside them where several tensors go into a file.
  const bool picture = request.out.extension() == ".png", several = request.out.extension() == ".safetensors";
  std::vector<Result> results;
  const auto add = [&](int variable, const std::string& suffix, const std::vector<float>& numbers) {
    const Variable& entry = image.variables[static_cast<size_t>(variable)];
    results.push_back({entry.name + suffix, &entry, numbers});
  };
  for (int target : targets)
    if (values.count(target)) add(target, "", picture ? means.at(target) : values.at(target));
  for (const auto& [variable, numbers] : values)
    if (!picture && std::count(targets.begin(), targets.end(), variable) == 0) add(variable, "", numbers);
  if (several)
    for (const auto& [variable, numbers] : means) add(variable, ".mean", numbers);
  if (results.empty()) throw Failure(Exit::usage, "everything that the model generates is given");
  write_results(request.out, results, request.n);
  if (request.json)
    fmt::print("{}\n", nlohmann::json{{"file", request.out.string()},
                                      {"rows", request.n},
                                      {"step", checkpoint.step},
                                      {"limiting", request.limiting}}
                           .dump());
  else
    fmt::print("{} rows of step {} in {}\n", request.n, checkpoint.step, request.out.string());
}

}  // namespace core
