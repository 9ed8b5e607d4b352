#include "runtime/core/accuracy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "runtime/core/evaluated_sources.h"
#include "runtime/failure.h"

namespace core {
namespace {
using nlohmann::json;

constexpr int64_t rows_at_once = 256;

/// What is inferred of one source's rows, and how.
struct Question {
  int source = -1, target = -1;
  DirectOrder order;  // its last conditional gives the target
};

/// Counts of positions, in all and per row.
class Tally {
 public:
  explicit Tally(int64_t classes) : classes_(static_cast<size_t>(classes)) {
    confusion_.assign(classes_, std::vector<int64_t>(classes_));
  }

  /// One row: one-hot truth and means, [classes, positions].
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

  /// The mean over rows of the fraction of positions that are right, and its standard error.
  std::pair<double, double> accuracy() const {
    const auto n = static_cast<double>(fractions_.size());
    double sum = 0, squares = 0;
    for (double fraction : fractions_) sum += fraction;
    for (double fraction : fractions_) squares += (fraction - sum / n) * (fraction - sum / n);
    return {sum / n, n > 1 ? std::sqrt(squares / (n * (n - 1))) : 0};
  }

  /// The mean over the classes that occur of |truth and found| / |truth or found|, counted over all rows. Its
  /// standard error by the delta method: a row moves the ratio B / E by about (b - B / E * e) / E.
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

std::vector<Question> questions(const Image& image, Sampler& sampler) {
  std::vector<Question> found;
  for (int source : evaluated_sources(image, sampler)) {
    const std::vector<int>& known = image.sources[static_cast<size_t>(source)].known;
    for (int target : known) {
      if (image.variables[static_cast<size_t>(target)].domain != "category") continue;
      std::set<int> rest(known.begin(), known.end());
      rest.erase(target);
      std::optional<DirectOrder> order = find_direct_order(image, rest, {target});
      // An order that uses nothing of the row is a prior, not an inference.
      if (order && !order->used.empty()) found.push_back({source, target, std::move(*order)});
    }
  }
  return found;
}

Tally tally(const Image& image, Sampler& sampler, const Question& question, int64_t samples, int64_t rows) {
  const Variable& variable = image.variables[static_cast<size_t>(question.target)];
  const int64_t width = variable.elements(), draws = question.order.conditionals.size() > 1 ? samples : 1;
  Tally result(variable.classes);
  const int64_t at_once = std::min(rows, rows_at_once);
  for (int64_t first = 0; first < rows; first += at_once) {
    Values known = sampler.source(question.source, at_once, first);
    const std::vector<float> truth = known.at(question.target);
    known.erase(question.target);
    std::vector<float> sums(truth.size());
    for (int64_t s = 0; s < draws; ++s) {
      Values values = known;
      sampler.follow(question.order, values, at_once);
      const std::vector<float> mean = sampler.mean(question.order.conditionals.back(), values, at_once);
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += mean[i];
    }
    for (int64_t row = 0; row < std::min(at_once, rows - first); ++row)
      result.add(truth.data() + row * width, sums.data() + row * width, width / variable.classes);
  }
  return result;
}

std::string text_of(const Image& image, const Question& question) {
  std::vector<std::string> used;
  for (int variable : question.order.used)
    used.push_back(image.variables[static_cast<size_t>(variable)].name);
  return fmt::format("{} | {}", image.variables[static_cast<size_t>(question.target)].name,
                     fmt::join(used, ", "));
}

}  // namespace

json measure_accuracies(Session& session, uint64_t seed, int64_t samples, int64_t rows) {
  const Image& image = session.image;
  Sampler sampler(session, seed);
  json results = json::array();
  for (const Question& question : questions(image, sampler)) {
    const int64_t all = sampler.source_rows(question.source), used = rows > 0 ? std::min(rows, all) : all;
    const Tally counts = tally(image, sampler, question, samples, used);
    const auto result = [&](const char* metric, std::pair<double, double> value) {
      return json{{"source", image.sources[static_cast<size_t>(question.source)].name},
                  {"metric", metric},
                  {"of", text_of(image, question)},
                  {"mean", value.first},
                  {"standard_error", value.second},
                  {"rows", used}};
    };
    results.push_back(result("accuracy", counts.accuracy()));
    results.back()["confusion"] = counts.confusion();
    if (!image.variables[static_cast<size_t>(question.target)].shape.empty())
      results.push_back(result("mean_iou", counts.mean_iou()));
  }
  if (results.empty())
    throw Failure(Exit::bad_configuration,
                  "no source with rows knows a category that the players give directly from the rest");
  return results;
}

}  // namespace core
