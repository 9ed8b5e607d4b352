// How a run learns: the keys of a learn block, each with a value. The compiler writes those of the file into
// the image; config.json keeps those of a run, which the environment and the flags may have changed. Both
// have the same text.
#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/schema/fields.h"
#include "runtime/schema/optimizer_words.h"

namespace schema {

using ::OptimizerSettings;

/// The factor of the learning rate at step `step` (from 0) of `steps`.
struct RateSchedule {
  std::string kind = "constant";  // constant, cosine, step
  double warmup = 0, every = 0, factor = 1;
  double rate(int64_t step, int64_t steps) const;
};

/// A number that changes with the step. Linear: from `from` to `to` over `steps`, then it stays. Cyclical:
/// the same in each period of `steps`, rising during the first half of the period.
struct NumberSchedule {
  std::string kind = "constant";  // constant: `to`; linear; cyclical
  double from = 0, to = 0, steps = 1;
  double at(int64_t step) const;
  bool operator==(const NumberSchedule&) const = default;
};

/// `early(metric, patience)`: a run ends after `patience` evaluations in a row that are no better than the
/// best.
struct StopSettings {
  std::string metric;  // empty: the run ends at its last step
  int64_t patience = 0;
};

struct Settings {
  std::string method, learn;
  int64_t steps = 0;
  std::map<std::string, int64_t> batch;                 // per source
  std::map<std::string, OptimizerSettings> optimizers;  // per player
  RateSchedule schedule;
  std::map<std::string, double> clip;  // per player: the largest norm of its gradient; 0: none
  double average = 0;                  // decay of the moving average of all parameters; 0: none
  uint64_t seed = 0;
  std::string order = "alternating", precision = "fp32", start;
  std::vector<std::string> sources;
  std::map<std::string, NumberSchedule> weights;    // per source
  std::map<std::string, NumberSchedule> scheduled;  // the method's own keys of kind number
  nlohmann::json own = nlohmann::json::object();   // the method's other own keys: numbers, words, true, false
  std::map<std::string, int64_t> every;            // log, sample, checkpoint, evaluate; 0 is never
  std::vector<std::string> evaluate = {"loglik"};  // the metrics that are evaluated during training
  StopSettings stop;
  int64_t keep = 0;  // how many of the last checkpoints are kept; 0: all

  nlohmann::json to_json() const;
  /// Malformed if the text is not that of settings, or a value is out of its range.
  static Settings from_json(const nlohmann::json& text, const Place& place);
};

inline nlohmann::json to_json(const Settings& settings) { return settings.to_json(); }
/// Failure(bad_data) names `where`, the key, and the range that its value must be in.
Settings settings_from(const nlohmann::json& text, const std::string& where);

/// A number as settings keep it: whole numbers without a fraction, 3 and not 3.0.
nlohmann::json json_of_number(double number);
/// Sorts the items of a list such as `c=enumerate,z=zgr`, so that equal lists have equal texts. Commas in
/// brackets do not separate items.
std::string in_order(const std::string& list);

}  // namespace schema
