#include "runtime/core/evaluation/accuracy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "runtime/core/evaluation/evaluated_sources.h"
#include "runtime/core/execution/rows_at_once.h"
#include "runtime/core/inference/query.h"
#include "runtime/core/inference/shared_batches.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {
using nlohmann::json;

/// What is inferred for the rows of a source, and how.
struct Question {
  int source = -1;
  Query query;
  Plan plan;
};

bool has_chain(const Question& question) { return question.plan.first_chain() < question.plan.steps.size(); }

/// Counts positions, over all rows and per row.
class Tally {
 public:
  explicit Tally(int64_t classes) : classes_(static_cast<size_t>(classes)) {
    confusion_.assign(classes_, std::vector<int64_t>(classes_));
  }

  /// Adds one row: one-hot truth and means, [classes, positions].
  void add(const float* truth, const float* means, int64_t positions) {
    Row row{std::vector<double>(classes_), std::vector<double>(classes_)};
    int64_t right = 0;
    for (int64_t i = 0; i < positions; ++i) {
      const size_t is = largest(truth + i, positions), found = largest(means + i, positions);
      ++confusion_[is][found];
      right += is == found;
      ++row.either[is];
      if (is == found) ++row.both[is];
      if (is != found) ++row.either[found];
    }
    fractions_.push_back(static_cast<double>(right) / static_cast<double>(positions));
    rows_.push_back(std::move(row));
  }

  const std::vector<std::vector<int64_t>>& confusion() const { return confusion_; }

  /// Takes the rows of all ranks, in their order.
  void join(Ranks& ranks) {
    fractions_ = joined(ranks, fractions_);
    std::vector<double> numbers;
    for (const Row& row : rows_)
      for (const auto* counts : {&row.both, &row.either})
        std::ranges::copy(*counts, std::back_inserter(numbers));
    numbers = joined(ranks, numbers);
    rows_.clear();
    for (auto at = numbers.cbegin(); at != numbers.cend(); at += 2 * static_cast<std::ptrdiff_t>(classes_)) {
      const auto middle = at + static_cast<std::ptrdiff_t>(classes_);
      rows_.push_back({{at, middle}, {middle, middle + static_cast<std::ptrdiff_t>(classes_)}});
    }
    for (std::vector<int64_t>& counts : confusion_) {
      const std::vector<int64_t> all = joined(ranks, counts);
      std::ranges::fill(counts, 0);
      for (size_t i = 0; i < all.size(); ++i) counts[i % classes_] += all[i];
    }
  }

  /// The mean over rows of the fraction of correct positions, and its standard error.
  std::pair<double, double> accuracy() const {
    const auto n = static_cast<double>(fractions_.size());
    double sum = 0, squares = 0;
    for (double fraction : fractions_) sum += fraction;
    for (double fraction : fractions_) squares += (fraction - sum / n) * (fraction - sum / n);
    return {sum / n, n > 1 ? std::sqrt(squares / (n * (n - 1))) : 0};
  }

  /// The mean over the classes that occur of |truth and found| / |truth or found|, counted over all rows. Its
  /// standard error is by the delta method: a row changes the ratio B / E by about (b - B / E * e) / E.
  std::pair<double, double> mean_iou() const {
    std::vector<double> both(classes_), either(classes_);
    for (const Row& row : rows_)
      for (size_t k = 0; k < classes_; ++k) both[k] += row.both[k], either[k] += row.either[k];
    double sum = 0, occurring = 0, squares = 0;
    for (size_t k = 0; k < classes_; ++k)
      if (either[k] > 0) sum += both[k] / either[k], ++occurring;
    for (const Row& row : rows_) {
      double moved = 0;
      for (size_t k = 0; k < classes_; ++k)
        if (either[k] > 0) moved += (row.both[k] - both[k] / either[k] * row.either[k]) / either[k];
      squares += moved * moved;
    }
    return {sum / occurring, std::sqrt(squares) / occurring};
  }

 private:
  struct Row {
    std::vector<double> both, either;  // per class: positions of the intersection, of the union
  };

  size_t largest(const float* values, int64_t stride) const {
    size_t best = 0;
    for (size_t k = 1; k < classes_; ++k)
      if (values[static_cast<int64_t>(k) * stride] > values[static_cast<int64_t>(best) * stride]) best = k;
    return best;
  }

  size_t classes_;
  std::vector<std::vector<int64_t>> confusion_;
  std::vector<double> fractions_;
  std::vector<Row> rows_;
};

/// A question for each category that the source knows, given the rest of what it knows. Categories that
/// nothing can give are left out.
std::vector<Question> every_question(const Image& image, int source) {
  std::vector<Question> found;
  const std::vector<int>& known = image.sources[static_cast<size_t>(source)].known;
  for (int target : known) {
    if (image.variables[static_cast<size_t>(target)].domain != "category") continue;
    Question question{source, {{target}, {known.begin(), known.end()}, {}, {}}, {}};
    question.query.known.erase(target);
    try {
      question.plan = make_plan(image, question.query);
    } catch (const Failure& failure) {
      if (failure.exit_code != Exit::bad_configuration) throw;
      continue;
    }
    found.push_back(std::move(question));
  }
  return found;
}

/// The user's question, if the source knows all of its variables.
std::vector<Question> asked_question(const Image& image, int source, const Query& query) {
  const std::vector<int>& known = image.sources[static_cast<size_t>(source)].known;
  const auto knows = [&](int variable) {
    return std::find(known.begin(), known.end(), variable) != known.end();
  };
  if (!std::all_of(query.targets.begin(), query.targets.end(), knows) ||
      !std::all_of(query.known.begin(), query.known.end(), knows))
    return {};
  return {{source, query, make_plan(image, query)}};
}

/// A tally for each target of the question.
std::vector<Tally> tally(const Image& image, Sampler& sampler, const Question& question, const Effort& effort,
                         uint64_t seed, int64_t rows, const std::set<int>& drawn, Ranks& ranks, bool& exact) {
  std::vector<Tally> result;
  for (int target : question.query.targets)
    result.emplace_back(image.variables[static_cast<size_t>(target)].classes);
  Effort spent = effort;
  // A chain takes its means over its sweeps. The mean of a single conditional is the same for every draw. In
  // both cases one sample is enough.
  if (has_chain(question) || question.plan.steps.size() == 1) spent.samples = 1;
  Conditioner conditioner(sampler, image, question.plan, spent, seed, drawn);
  exact = conditioner.is_exact();
  const int64_t at_once = std::min(rows, queried_rows_at_once);
  const auto count = [&](int64_t first, int64_t counted) {
    const Values row_values = sampler.source(question.source, at_once, first);
    Evidence evidence;
    for (int known : question.query.known) evidence.values[known] = row_values.at(known);
    const Answer answer = conditioner.answer(evidence, question.query.targets, at_once, counted);
    for (size_t i = 0; i < result.size(); ++i) {
      const int target = question.query.targets[i];
      const Variable& variable = image.variables[static_cast<size_t>(target)];
      const int64_t width = variable.elements();
      for (int64_t row = 0; row < counted; ++row)
        result[i].add(row_values.at(target).data() + row * width,
                      answer.means.at(target).data() + row * width, width / variable.classes);
    }
  };
  for_each_shared_rows(ranks, sampler, rows, at_once, count, &conditioner);
  for (Tally& counts : result) counts.join(ranks);
  return result;
}

std::string text_of(const Image& image, const Question& question, int target) {
  std::vector<std::string> used;
  for (int variable : question.plan.used) used.push_back(image.name_of(variable));
  return fmt::format("{} | {}", image.name_of(target), fmt::join(used, ", "));
}

Query read_query(const Image& image, const std::string& text) {
  Query query = parse_query(image, text, {}, {});
  for (int target : query.targets)
    if (image.variables[static_cast<size_t>(target)].domain != "category")
      throw Failure(Exit::usage, fmt::format("\"{}\": {} is no category; accuracy is counted of categories",
                                             text, image.name_of(target)));
  return query;
}

}  // namespace

json measure_accuracies(Session& session, uint64_t seed, const Effort& effort, int64_t rows,
                        const std::string& query_text, const std::set<int>& drawn, Ranks* together) {
  const Image& image = session.image;
  Ranks& ranks = together ? *together : Ranks::alone();
  Sampler sampler(session, seed);
  std::vector<Question> questions;
  const Query query = query_text.empty() ? Query{} : read_query(image, query_text);
  for (int source : evaluated_sources(image, sampler))
    for (Question& question :
         query_text.empty() ? every_question(image, source) : asked_question(image, source, query))
      questions.push_back(std::move(question));
  if (questions.empty())
    throw Failure(Exit::bad_configuration,
                  query_text.empty()
                      ? "no source with rows knows a category that the players give from the rest"
                      : fmt::format("no source with rows knows all variables of \"{}\"", query_text));
  json results = json::array();
  for (const Question& question : questions) {
    const int64_t all = sampler.source_rows(question.source), used = rows > 0 ? std::min(rows, all) : all;
    bool exact = false;
    const std::vector<Tally> counts =
        tally(image, sampler, question, effort, seed, used, drawn, ranks, exact);
    for (size_t i = 0; i < counts.size(); ++i) {
      const int target = question.query.targets[i];
      const auto result = [&](const char* metric, std::pair<double, double> value) {
        json entry = {{"source", image.sources[static_cast<size_t>(question.source)].name},
                      {"metric", metric},
                      {"of", text_of(image, question, target)},
                      {"mean", value.first},
                      {"standard_error", value.second},
                      {"rows", used},
                      {"exact", exact}};
        if (has_chain(question)) entry["sweeps"] = effort.sweeps;
        return entry;
      };
      results.push_back(result("accuracy", counts[i].accuracy()));
      results.back()["confusion"] = counts[i].confusion();
      const Variable& variable = image.variables[static_cast<size_t>(target)];
      if (!variable.words.empty()) results.back()["words"] = variable.words;
      if (!variable.shape.empty()) results.push_back(result("mean_iou", counts[i].mean_iou()));
    }
  }
  return results;
}

}  // namespace core
