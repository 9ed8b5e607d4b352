#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/core/commands/commands.h"
#include "runtime/core/commands/reports/chain_report.h"
#include "runtime/core/commands/values/given_values.h"
#include "runtime/core/commands/values/value_files.h"
#include "runtime/core/execution/rows_at_once.h"
#include "runtime/core/inference/conditioner.h"
#include "runtime/core/inference/query.h"
#include "runtime/core/inference/shared_batches.h"
#include "runtime/core/machine/memory_need.h"
#include "runtime/core/run/trained_model.h"
#include "runtime/schema/json_fields.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"

namespace core {
namespace {
using nlohmann::json;

/// A result in one line.
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
    if (!result.variable->words.empty()) summary["words"] = result.variable->words;
    return summary;
  }
  double sum = 0;
  for (float value : result.values) sum += value;
  const auto [low, high] = std::minmax_element(result.values.begin(), result.values.end());
  summary.update(
      {{"mean", sum / static_cast<double>(result.values.size())}, {"lowest", *low}, {"highest", *high}});
  return summary;
}

void print_summary(const json& summary) {
  const auto rows = summary["rows"].get<int64_t>();
  std::string text = fmt::format("{}: {}", summary["variable"].get<std::string>(), counted(rows, "row"));
  if (summary.contains("words"))
    for (size_t k = 0; k < summary["words"].size(); ++k)
      text += fmt::format(", {} {}", summary["classes"][k].get<int64_t>(),
                          summary["words"][k].get<std::string>());
  else if (summary.contains("classes"))
    text +=
        fmt::format(", of the classes {}", fmt::join(summary["classes"].get<std::vector<int64_t>>(), " "));
  else
    text += fmt::format(", mean {:.4g} in [{:.4g}, {:.4g}]", summary["mean"].get<double>(),
                        summary["lowest"].get<double>(), summary["highest"].get<double>());
  fmt::print("{}\n", text);
}

/// What the user must know about the plan before it is executed: one line each, on stderr.
void print_notes(const Image& image, const Query& query, const Plan& plan) {
  for (const Plan::Ignored& ignored : plan.ignored)
    print_error("note: {} ignores {}, which is known\n", name_of_conditional(image, ignored.conditional),
                image.name_of(ignored.variable));
  for (const Plan::Settled& settled : plan.settled) {
    const Conditional& chosen = image.conditionals[static_cast<size_t>(settled.chosen)];
    const Conditional& other = image.conditionals[static_cast<size_t>(settled.other)];
    if (other.player < 0 && chosen.player >= 0) continue;  // players always go before sources
    std::string choose;
    if (other.player >= 0)
      choose = fmt::format(" (--by {}={} chooses it)", image.name_of(other.target),
                           image.players[static_cast<size_t>(other.player)].name);
    print_error("note: {} is drawn by {}, not by {}{}\n", image.name_of(chosen.target),
                name_of_conditional(image, settled.chosen), name_of_conditional(image, settled.other),
                choose);
  }
  std::set<int> known = query.known;
  known.insert(query.partial.begin(), query.partial.end());
  for (const int variable : known)
    if (!plan.used.contains(variable) &&
        !(query.partial.contains(variable) && std::ranges::count(query.targets, variable) > 0))
      print_error("note: {} is not used: nothing that is drawn depends on it\n", image.name_of(variable));
}

/// A value that is missing in a file is unknown, even if a mask says that it is known.
Values all_masks(const Given& given, Values masks) {
  for (const auto& [variable, known] : given.masks) {
    const auto [mask, only] = masks.try_emplace(variable, known);
    if (!only)
      for (size_t i = 0; i < known.size(); ++i) mask->second[i] *= known[i];
  }
  return masks;
}

Evidence some_evidence(const Image& image, const Evidence& evidence, int64_t all_rows, int64_t first,
                       int64_t rows) {
  return {some_rows(image, evidence.values, all_rows, first, rows),
          some_rows(image, evidence.masks, all_rows, first, rows)};
}

/// Changes the results back to the units of the data.
void undo(Preprocessing& preprocessing, const Image& image, std::vector<Result>& results, bool picture) {
  for (Result& result : results) {
    const int variable = image.variable(result.variable->name);
    picture ? preprocessing.undo_for_picture(variable, result.values)
            : preprocessing.undo(variable, result.values);
  }
}

}  // namespace

static void infer_on(const Image& compiled, const InferRequest& request, Ranks& ranks) {
  check_ending(request.out);
  Query query = parse_query(compiled, request.query, request.masks, request.by);
  check_picture(request.out, compiled, query.targets);
  TrainedModel model(compiled, request.run, request, request.checkpoint, request.weights);
  const Image& image = model.image();
  Session& session = model.session();
  Sampler sampler(session, request.seed);
  Preprocessing preprocessing(image, model.checkpoint().path);
  std::set<int> wanted = query.known;
  wanted.insert(query.partial.begin(), query.partial.end());
  const Given given = read_given(image, sampler, preprocessing, request.given, wanted);
  for (const std::string& note : session.rows.take_notes())
    if (ranks.is_first()) print_error("note: {}\n", note);
  for (const auto& [variable, values] : given.values)
    if (!query.known.contains(variable) && !query.partial.contains(variable))
      throw Failure(Exit::usage, fmt::format("--given {}: it does not stand after the bar of \"{}\"",
                                             image.name_of(variable), request.query));
  for (const std::set<int>& variables : {query.known, query.partial})
    for (const int known : variables)
      if (!given.values.contains(known)) {
        check_sides(image, query, request.query);
        throw Failure(Exit::usage, fmt::format("the values of {} are needed: --given {}=FILE",
                                               image.name_of(known), image.name_of(known)));
      }
  const int64_t all_rows = std::max<int64_t>(1, given.rows);  // if nothing is given: one row
  const Evidence evidence = {given.values, all_masks(given, read_masks(image, request.masks, all_rows))};
  for (const auto& [variable, mask] : evidence.masks)
    if (query.known.erase(variable)) query.partial.insert(variable);
  check_sides(image, query, request.query);
  const Plan plan = make_plan(image, query);
  if (ranks.is_first()) print_notes(image, query, plan);
  const Effort effort = {request.sweeps, request.chains, request.samples};
  Conditioner conditioner(sampler, image, plan, effort, request.seed, parse_drawn(image, request.draw));
  std::vector<Result> results, draws;
  for (const int target : query.targets) {
    const Variable* variable = &image.variables[static_cast<size_t>(target)];
    results.push_back({variable->name, variable, {}});
    if (holds_several(request.out))
      draws.push_back({variable->name + ".draws", variable, {}, effort.samples});
  }
  const int64_t copies = conditioner.has_chain() ? effort.chains : 1;
  const int64_t at_once = std::min(std::max<int64_t>(1, queried_rows_at_once / copies), all_rows);
  double numbers = 0;  // how many numbers the targets of a row have
  for (const Result& result : results) numbers += static_cast<double>(result.variable->elements());
  const auto bytes = [&](int64_t times) { return static_cast<double>(times) * numbers * sizeof(float); };
  require_memory(fmt::format("--chains {}", copies), static_cast<double>(at_once) * bytes(copies));
  require_memory(fmt::format("--samples {}", effort.samples),
                 static_cast<double>(draws.empty() ? at_once : all_rows) * bytes(effort.samples));
  const auto answer = [&](int64_t first, int64_t rows) {
    const Answer found = conditioner.answer(some_evidence(image, evidence, all_rows, first, at_once),
                                            query.targets, at_once, rows);
    for (size_t i = 0; i < query.targets.size(); ++i) {
      const int64_t width = results[i].variable->elements();
      const std::vector<float>& mean = found.means.at(query.targets[i]);
      results[i].values.insert(results[i].values.end(), mean.begin(), mean.begin() + rows * width);
      if (draws.empty()) continue;
      const std::vector<float>& drawn = found.draws.at(query.targets[i]);
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t sample = 0; sample < effort.samples; ++sample) {
          const auto begin = drawn.begin() + (sample * at_once + row) * width;
          draws[i].values.insert(draws[i].values.end(), begin, begin + width);
        }
    }
  };
  for_each_shared_rows(ranks, sampler, all_rows, at_once, answer, &conditioner);
  for (auto* found : {&results, &draws})
    for (Result& result : *found) result.values = joined(ranks, result.values);
  conditioner.join_mixing(ranks);
  ranks.agree();
  ranks.settle();
  if (!ranks.is_first()) return;
  std::vector<Result> written = results;
  std::ranges::move(draws, std::back_inserter(written));
  undo(preprocessing, image, written, request.out.extension() == ".png");
  undo(preprocessing, image, results, false);
  write_results(request.out, written, all_rows);
  json report = {{"query", request.query}, {"draws", describe(image, plan)}, {"results", json::array()}};
  for (const Result& result : results) report["results"].push_back(summary_of(result, all_rows));
  report["exact"] = conditioner.is_exact();
  std::vector<std::string> summed;
  for (const int variable : conditioner.summed()) summed.push_back(image.name_of(variable));
  report["summed"] = summed;
  if (conditioner.has_chain()) {
    report["chain"] = chain_report(image, conditioner);
    warn_of_chain(report["chain"]);
  }
  if (request.json) {
    fmt::print("{}\n", schema::json_text(report));
    return;
  }
  fmt::print("{}\n", describe(image, plan));
  if (!summed.empty())
    fmt::print("means: {}, summed over {}\n", conditioner.is_exact() ? "exact" : "of draws",
               fmt::join(summed, ", "));
  if (report.contains("chain")) print_chain(report["chain"]);
  for (const json& summary : report["results"]) print_summary(summary);
}

void infer(const Image& compiled, const InferRequest& request) {
  Ranks ranks(request.ranks, compiled.file + " infer");
  InferRequest shared = request;
  ranks.share_cores(shared);
  ranks.run([&] {
    ranks.patiently([&] { infer_on(compiled, shared, ranks); });
    return 0;
  });
}

}  // namespace core
