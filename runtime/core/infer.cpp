#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "runtime/core/commands.h"
#include "runtime/core/run_directory.h"
#include "runtime/core/value_files.h"
#include "runtime/failure.h"

namespace core {
namespace {
using nlohmann::json;

constexpr int64_t rows_at_once = 256;

struct Query {
  std::vector<int> targets;
  std::set<int> known;
};

std::vector<int> variables_in(const Image& image, const std::string& text, const std::string& query) {
  std::vector<int> found;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(',', begin), text.size());
    std::string name = text.substr(begin, end - begin);
    name.erase(std::remove_if(name.begin(), name.end(), [](unsigned char c) { return std::isspace(c); }),
               name.end());
    if (name.empty())
      throw Failure(Exit::usage, fmt::format("\"{}\": say \"targets | known\", as in \"z | x\"", query));
    const int variable = image.variable(name);
    if (variable < 0) {
      std::vector<std::string> names;
      for (const Variable& known : image.variables) names.push_back(known.name);
      throw Failure(Exit::usage, fmt::format("\"{}\": there is no variable `{}`; known: {}", query, name,
                                             fmt::join(names, ", ")));
    }
    found.push_back(variable);
    begin = end + 1;
  }
  return found;
}

Query parse_query(const Image& image, const std::string& text) {
  const size_t bar = text.find('|');
  if (bar == std::string::npos)
    throw Failure(Exit::usage, fmt::format("\"{}\": say \"targets | known\", as in \"z | x\"", text));
  Query query;
  query.targets = variables_in(image, text.substr(0, bar), text);
  for (int variable : variables_in(image, text.substr(bar + 1), text)) query.known.insert(variable);
  return query;
}

/// What a result says in one line.
json summary_of(const Result& result, int64_t rows) {
  const int64_t width = result.variable->elements();
  json summary = {{"variable", result.name}, {"rows", rows}, {"shape", result.variable->tensor_shape}};
  if (result.variable->domain == "category" && result.variable->shape.empty()) {
    std::vector<int64_t> counts(static_cast<size_t>(width));
    for (int64_t row = 0; row < rows; ++row) {
      const float* values = result.values.data() + row * width;
      ++counts[static_cast<size_t>(std::max_element(values, values + width) - values)];
    }
    summary["classes"] = counts;
    return summary;
  }
  double sum = 0;
  for (float value : result.values) sum += value;
  const auto [low, high] = std::minmax_element(result.values.begin(), result.values.end());
  summary.update(
      {{"mean", sum / static_cast<double>(result.values.size())}, {"lowest", *low}, {"highest", *high}});
  return summary;
}

void print(const json& summary) {
  std::string text =
      fmt::format("{}: {} rows", summary["variable"].get<std::string>(), summary["rows"].get<int64_t>());
  if (summary.contains("classes"))
    text +=
        fmt::format(", of the classes {}", fmt::join(summary["classes"].get<std::vector<int64_t>>(), " "));
  else
    text += fmt::format(", mean {:.4g} in [{:.4g}, {:.4g}]", summary["mean"].get<double>(),
                        summary["lowest"].get<double>(), summary["highest"].get<double>());
  fmt::print("{}\n", text);
}

/// The first target that the order draws without regard to anything known, or -1: from a prior, say, because
/// the conditional that would read what is known waits for more.
int uninformed_target(const Image& image, const DirectOrder& order, const Query& query) {
  std::set<int> informed = query.known;
  for (int index : order.conditionals) {
    const Conditional& conditional = image.conditionals[static_cast<size_t>(index)];
    if (std::ranges::any_of(conditional.parents, [&](int parent) { return informed.count(parent) > 0; }))
      informed.insert(conditional.target);
  }
  for (int target : query.targets)
    if (!informed.count(target)) return target;
  return -1;
}

/// The conditional of the order that gives the target, or -1 where the target is known.
int giver(const Image& image, const DirectOrder& order, int target) {
  for (int conditional : order.conditionals)
    if (image.conditionals[static_cast<size_t>(conditional)].target == target) return conditional;
  return -1;
}

}  // namespace

void infer(const Image& image, const InferRequest& request) {
  check_ending(request.out);
  const Query query = parse_query(image, request.query);
  const auto order = find_direct_order(image, query.known, query.targets);
  const auto name = [&](int variable) { return image.variables[static_cast<size_t>(variable)].name; };
  for (int target : query.targets)
    if (query.known.count(target))
      throw Failure(Exit::usage, fmt::format("\"{}\": {} is on both sides", request.query, name(target)));
  if (!order)
    throw Failure(
        Exit::bad_configuration,
        fmt::format("\"{}\": no order of the players' conditionals gives this directly", request.query));
  if (const int target = uninformed_target(image, *order, query); target >= 0)
    throw Failure(
        Exit::bad_configuration,
        fmt::format("\"{}\": no order of the players' conditionals gives {} directly from what is known",
                    request.query, name(target)));
  for (int known : query.known)
    if (!order->used.count(known))
      fmt::print(stderr, "note: {} is not used: no conditional that gives this directly depends on it\n",
                 name(known));
  const Checkpoint checkpoint = require_checkpoint(request.run);
  Session session(image, request.threads, request.device);
  session.load_parameters(checkpoint.path / "model.safetensors");
  Sampler sampler(session, request.seed);
  const Given given = read_given(image, sampler, request.given);
  for (int known : query.known)
    if (!given.values.count(known))
      throw Failure(Exit::usage,
                    fmt::format("the values of {} are needed: --given {}=FILE", name(known), name(known)));
  std::vector<Result> results;
  for (int target : query.targets)
    results.push_back({name(target), &image.variables[static_cast<size_t>(target)], {}});
  const int64_t at_once = std::min(rows_at_once, given.rows);
  for (int64_t first = 0; first < given.rows; first += at_once) {
    const Values known = some_rows(image, given.values, given.rows, first, at_once);
    const int64_t rows = std::min(at_once, given.rows - first);
    std::vector<std::vector<float>> sums(results.size());
    for (int64_t s = 0; s < request.samples; ++s) {
      Values values = known;
      sampler.follow(*order, values, at_once);
      for (size_t i = 0; i < results.size(); ++i) {
        const std::vector<float> mean = sampler.mean(giver(image, *order, query.targets[i]), values, at_once);
        sums[i].resize(mean.size());
        for (size_t k = 0; k < mean.size(); ++k) sums[i][k] += mean[k] / static_cast<float>(request.samples);
      }
    }
    for (size_t i = 0; i < results.size(); ++i)
      results[i].values.insert(results[i].values.end(), sums[i].begin(),
                               sums[i].begin() + rows * results[i].variable->elements());
  }
  write_results(request.out, results, given.rows);
  json summaries = json::array();
  for (const Result& result : results) {
    summaries.push_back(summary_of(result, given.rows));
    if (!request.json) print(summaries.back());
  }
  if (request.json) fmt::print("{}\n", summaries.dump());
}

}  // namespace core
