// How a run learns: a learn block of the file, overridden by the environment and the flags, and fixed from
// then on. The settings are written to config.json, from which a resumed run reads them.
#pragma once
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/core/learning/optimizer.h"
#include "runtime/schema/learn_keys.h"

namespace core {

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
  nlohmann::json own = nlohmann::json::object();    // the method's other own keys
  std::map<std::string, int64_t> every;             // log, sample, checkpoint, evaluate; 0 is never
  std::vector<std::string> evaluate = {"loglik"};   // the metrics that are evaluated during training
  StopSettings stop;
  int64_t keep = 0;  // how many of the last checkpoints are kept; 0: all
};

/// The precision as a vae_precision.
int precision_of(const Settings& settings);

/// The learn block of this name, or the first one if the name is empty. Failure(usage) with the list of
/// names. Failure(bad_configuration) with the reason, if this version cannot run it.
const Learn& find_learn(const Image& image, const std::string& name);

Settings settings_of(const Learn& learn, const Image& image);

/// Gives sources that have no weight in `settings` the weight that the program declares.
void add_own_weights(Settings& settings, const Image& image);

/// Sets a key. `text` is as on the command line: "100", "labelled=10,codes=5", "adam(1e-3)", "p=none".
/// Failure(usage).
void override_key(Settings& settings, const std::string& key, const std::string& text);

/// The method's own keys by name, as they were when the program was built: numbers, schedules, words.
nlohmann::json built_keys(const Learn& learn);
/// Sets one of the method's own keys from its flag. Failure(usage) if the method does not have the key.
void override_own_key(Settings& settings, const LearnKey& key, const std::string& text);
/// Adds the method's compiled-in keys that the settings leave open. If the settings need another program,
/// Failure(bad_configuration) names the command that builds it.
void fit_to_program(Settings& settings, const Image& image);
/// Reads "0.5" or "linear(0, 1, 100)". Failure(usage).
NumberSchedule number_schedule(const std::string& key, const std::string& text);
/// Reads a number. Failure(usage).
double number_of_flag(const std::string& key, const std::string& text, bool whole);

/// Failure(bad_configuration) if no run can follow these settings.
void check(const Settings& settings, const Image& image);

/// The absolute path of the run that `start` names: in the working folder if it exists there, else in the
/// program's folders.
std::filesystem::path start_run(const Settings& settings, const Image& image);
/// Whether `kept`, the `start` that another run keeps, can be the run that `settings` name. It need not
/// exist.
bool is_start(const std::string& kept, const Settings& settings, const Image& image);

nlohmann::json to_json(const Settings& settings);
/// Failure(bad_data) names `where`, the key, and the range that its value must be in.
Settings settings_from(const nlohmann::json& text, const std::string& where);

}  // namespace core
