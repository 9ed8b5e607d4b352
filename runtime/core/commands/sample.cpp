#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/core/commands/commands.h"
#include "runtime/core/commands/values/given_values.h"
#include "runtime/core/commands/values/value_files.h"
#include "runtime/core/execution/rows_at_once.h"
#include "runtime/core/inference/shared_batches.h"
#include "runtime/core/machine/memory_need.h"
#include "runtime/core/run/generation.h"
#include "runtime/core/run/sample_grid.h"
#include "runtime/core/run/trained_model.h"
#include "runtime/schema/json_fields.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"
#include "runtime/shared/printable.h"

namespace core {
namespace {

Drawn condition(const Image& image, Sampler& sampler, Conditioner& conditioner,
                const std::vector<int>& targets, const Evidence& given, int64_t rows) {
  Drawn drawn;
  drawn.values = conditioner.draw(given, rows);
  for (const int target : targets)
    drawn.means[target] = sampler.mean(conditioner.plan().sampler(image, target), drawn.values, rows);
  return drawn;
}

/// Draws batches. Given values are used as in `infer`. Without given values, the model generates the rows if
/// it can.
class Batches {
 public:
  /// `partial`: variables that are given in part, by masks.
  Batches(const Image& image, Sampler& sampler, std::vector<int> targets, const std::set<int>& given,
          const std::set<int>& partial, const SampleRequest& request, bool says)
      : image_(image),
        sampler_(sampler),
        targets_(std::move(targets)),
        limiting_(request.limiting),
        noted_(!says) {
    if (limiting_ > 0) return;
    const Query query = {targets_, given, partial, {}};
    Effort effort;
    effort.sweeps = request.sweeps;
    try {
      conditioner_.emplace(sampler, image, make_plan(image, query), effort, request.seed);
      plan_first_ = !partial.empty() || (!given.empty() && conditioner_->plan().ignored.empty());
    } catch (const Failure& failure) {
      if (!partial.empty()) throw;
      no_plan_ = failure.what();
    }
  }

  Drawn draw(const Evidence& given, int64_t rows) {
    if (!plan_first_)
      if (auto drawn = generate(image_, sampler_, targets_, given.values, rows, limiting_)) return *drawn;
    if (conditioner_) {
      note_ignored();
      return condition(image_, sampler_, *conditioner_, targets_, given, rows);
    }
    throw Failure(Exit::bad_configuration,
                  limiting_ > 0 ? "nothing gives the codes from which the chain could start" : no_plan_);
  }

  /// What draws rows that are given in part or must be inferred; null if the model generates all.
  Conditioner* conditioner() { return conditioner_ ? &*conditioner_ : nullptr; }

 private:
  void note_ignored() {
    if (!noted_)
      for (const Plan::Ignored& ignored : conditioner_->plan().ignored)
        print_error("note: {} ignores {}, which is known\n", name_of_conditional(image_, ignored.conditional),
                    image_.name_of(ignored.variable));
    noted_ = true;
  }

  const Image& image_;
  Sampler& sampler_;
  const std::vector<int> targets_;
  int64_t limiting_;
  std::optional<Conditioner> conditioner_;
  bool plan_first_ = false, noted_;
  std::string no_plan_;
};

void append(Values& all, const Values& batch, const Image& image, int64_t rows) {
  for (const auto& [variable, values] : batch) {
    const int64_t width = image.variables[static_cast<size_t>(variable)].elements();
    std::vector<float>& to = all[variable];
    to.insert(to.end(), values.begin(), values.begin() + rows * width);
  }
}

}  // namespace

static void sample_on(const Image& compiled, const SampleRequest& request, Ranks& ranks) {
  check_ending(request.out);
  if (request.columns > 0 && request.out.extension() != ".png")
    throw Failure(Exit::usage, fmt::format("--columns {}: only a picture has columns, and --out {} is none",
                                           request.columns, request.out.string()));
  TrainedModel model(compiled, request.run, request, request.checkpoint, request.weights);
  const Image& image = model.image();
  const Checkpoint& checkpoint = model.checkpoint();
  Sampler sampler(model.session(), request.seed);
  Preprocessing preprocessing(image, checkpoint.path);
  const Given given = read_given(image, sampler, preprocessing, request.given);
  std::vector<int> targets = generated_variables(image);
  if (targets.empty()) throw Failure(Exit::bad_configuration, "the model generates nothing");
  std::set<int> whole = variables_of(given.values);
  for (const auto& [variable, mask] : given.masks) whole.erase(variable);
  std::erase_if(targets, [&](int target) { return whole.contains(target); });
  if (targets.empty()) throw Failure(Exit::usage, "everything that the model generates is given");
  check_picture(request.out, image, targets);
  if (!given.masks.empty() && request.limiting > 0)
    throw Failure(Exit::usage, fmt::format("--limiting: {} is known in part only",
                                           image.name_of(given.masks.begin()->first)));
  Batches batches(image, sampler, targets, whole, variables_of(given.masks), request, ranks.is_first());
  double numbers = 0;  // in a row: its draws and means
  for (const int target : targets)
    numbers += 2.0 * static_cast<double>(image.variables[static_cast<size_t>(target)].elements());
  require_memory(fmt::format("--n {}", request.n), static_cast<double>(request.n) * numbers * sizeof(float));
  Values values, means;
  const int64_t at_once = std::min(queried_rows_at_once, request.n);
  const auto draw = [&](int64_t first, int64_t rows) {
    const int64_t given_rows = std::max<int64_t>(1, given.rows);
    const Evidence known = {some_rows(image, given.values, given_rows, first, at_once),
                            some_rows(image, given.masks, given_rows, first, at_once)};
    const Drawn drawn = batches.draw(known, at_once);
    append(values, drawn.values, image, rows);
    append(means, drawn.means, image, rows);
  };
  for_each_shared_rows(ranks, sampler, request.n, at_once, draw, batches.conditioner());
  for (Values* all : {&values, &means})
    for (auto& [variable, numbers] : *all) numbers = joined(ranks, numbers);
  ranks.agree();
  ranks.settle();
  if (!ranks.is_first()) return;
  // A picture shows means. Arrays contain draws, and if the file holds several tensors, also means.
  const bool picture = request.out.extension() == ".png", several = holds_several(request.out);
  std::vector<Result> results;
  const auto add = [&](int variable, const std::string& suffix, const std::vector<float>& numbers) {
    const Variable& entry = image.variables[static_cast<size_t>(variable)];
    results.push_back({entry.name + suffix, &entry, numbers});
    std::vector<float>& shown = results.back().values;
    picture ? preprocessing.undo_for_picture(variable, shown) : preprocessing.undo(variable, shown);
  };
  for (int target : targets) add(target, "", picture ? means.at(target) : values.at(target));
  for (const auto& [variable, numbers] : values)
    if (!picture && std::count(targets.begin(), targets.end(), variable) == 0) add(variable, "", numbers);
  if (several)
    for (const auto& [variable, numbers] : means) add(variable, ".mean", numbers);
  write_results(request.out, results, request.n, request.columns);
  if (request.json)
    fmt::print("{}\n", schema::json_text({{"file", request.out.string()},
                                          {"rows", request.n},
                                          {"step", checkpoint.step},
                                          {"limiting", request.limiting}}));
  else
    fmt::print("{} of step {} in {}\n", counted(request.n, "row"), checkpoint.step,
               printable(request.out.string()));
}

void sample(const Image& compiled, const SampleRequest& request) {
  Ranks ranks(request.ranks, compiled.file + " sample");
  SampleRequest shared = request;
  ranks.share_cores(shared);
  ranks.run([&] {
    ranks.patiently([&] { sample_on(compiled, shared, ranks); });
    return 0;
  });
}

}  // namespace core
