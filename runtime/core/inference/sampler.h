// Draws, means and log-densities of single conditionals, and rows of sources, outside training. A program is
// loaded when it is first used, and then kept. Every run of a program counts as a step of its own, so that no
// two draws share random numbers.
#pragma once
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "runtime/core/execution/session.h"
#include "runtime/core/inference/direct.h"

namespace core {

/// Per variable: rows * elements floats.
using Values = std::map<int, std::vector<float>>;

std::set<int> variables_of(const Values& values);
/// `rows` rows of `values`, from row `first` on. After the last row it begins again.
Values some_rows(const Image& image, const Values& values, int64_t all_rows, int64_t first, int64_t rows);

/// The class of the greatest value at each position of a row; the class axis is first.
std::vector<int64_t> most_probable(const float* values, const Variable& variable);

/// Why a source answers nothing: each of its rows misses something. For messages.
std::string no_whole_rows(const std::string& source);

class Sampler {
 public:
  Sampler(Session& session, uint64_t seed, uint64_t first_step = 0)
      : session_(session), seed_(seed), step_(first_step) {}

  /// The target, drawn given the parents in `values`.
  std::vector<float> draw(int conditional, const Values& values, int64_t rows);
  bool has_mean(int conditional) const {
    return session_.image.conditionals[static_cast<size_t>(conditional)].mean >= 0;
  }
  /// E[target], or a draw if the family has no mean.
  std::vector<float> mean(int conditional, const Values& values, int64_t rows);
  /// For a conditional that has one: d E[target] / d parent, row by row [elements of target, elements of
  /// parent].
  std::vector<float> jacobian(int conditional, const Values& values, int64_t rows);
  /// The target, drawn from the family with its default parameters, as the start of a chain. Only for a
  /// player's conditional.
  std::vector<float> initial(int conditional, int64_t rows);
  /// The log-density of each row, in nats.
  std::vector<float> log_density(int conditional, const Values& values, int64_t rows);
  /// Draws all conditionals of the order into `values`.
  void follow(const DirectOrder& order, Values& values, int64_t rows);

  /// The values that a source knows: of its rows from `first` on, in order, or of random rows if first < 0.
  Values source(int source, int64_t rows, int64_t first = -1);
  /// How many rows of the source's data miss nothing; 0 if the source has no data.
  int64_t source_rows(int source);
  /// Whether the source has rows, but each of them misses something.
  bool misses_all(int source);
  /// Failure(bad_data) if it does. `asked`: the flag that names the source.
  void require_whole_rows(int source, const std::string& asked);
  /// Whether the source's rows can be drawn. They cannot if each of them misses something.
  bool has_rows(int source);

  /// Sets the step of the next draw's random numbers.
  void set_step(uint64_t step) { step_ = step; }
  uint64_t step() const { return step_; }
  void set_seed(uint64_t seed) { seed_ = seed; }

 private:
  Executor& program(int index, int64_t rows);
  Executor& run(int index, const Values& values, int64_t rows);

  Session& session_;
  uint64_t seed_, step_;
  std::map<std::pair<int, int64_t>, Executor> programs_;
};

}  // namespace core
