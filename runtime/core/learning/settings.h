// How a run learns: a learn block of the file, then what the environment and the flags override, then fixed.
// Written to config.json, from which a resumed run takes it.
#pragma once
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/core/learning/optimizer.h"
#include "runtime/learn_keys.h"

namespace core {

/// A number that changes with the step: from `from` to `to` over `steps`, then it stays (linear); or again in
/// each period of `steps`, up in the first half of it (cyclical).
struct NumberSchedule {
  std::string kind = "constant";  // constant: `to`; linear; cyclical
  double from = 0, to = 0, steps = 1;
  double at(int64_t step) const;
  bool operator==(const NumberSchedule&) const = default;
};

/// `early(metric, patience)`: a run ends after so many evaluations in a row that are no better than the best.
struct StopSettings {
  std::string metric;  // empty: it ends at its last step
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
  nlohmann::json own = nlohmann::json::object();    // its other ones
  std::map<std::string, int64_t> every;             // log, sample, checkpoint, evaluate; 0 is never
  std::vector<std::string> evaluate = {"loglik"};   // the metrics of evaluations while it trains
  StopSettings stop;
  int64_t keep = 0;  // of the last checkpoints; 0: all
};

/// The precision as a vae_precision.
int precision_of(const Settings& settings);

/// The learn block of this name (the first where it is empty). Failure(usage) with the list of names,
/// Failure(bad_configuration) with the reason where this version cannot run it.
const Learn& find_learn(const Image& image, const std::string& name);

Settings settings_of(const Learn& learn, const Image& image);

/// Sources whose weight `settings` do not have get their own.
void add_own_weights(Settings& settings, const Image& image);

/// `text` as on the command line: "100", "labelled=10,codes=5", "adam(1e-3)", "p=none". Failure(usage).
void override_key(Settings& settings, const std::string& key, const std::string& text);

/// The method's own keys as the program has them, by their names: numbers, schedules, words.
nlohmann::json built_keys(const Learn& learn);
/// Takes the flag of one of the method's own keys. Failure(usage) where the method does not have it.
void override_own_key(Settings& settings, const LearnKey& key, const std::string& text);
/// Adds the keys of the method that are compiled in and that the settings leave open.
/// Failure(bad_configuration) naming the command that builds a program for these settings, if it is another.
void fit_to_program(Settings& settings, const Image& image);
/// "0.5", "linear(0, 1, 100)". Failure(usage).
NumberSchedule number_schedule(const std::string& key, const std::string& text);
/// Failure(usage).
double number_of_flag(const std::string& key, const std::string& text, bool whole);

/// Failure(bad_configuration) where no run could follow these settings.
void check(const Settings& settings, const Image& image);

/// The run that `start` names, absolute: from the working folder where it is there, else from the program's.
std::filesystem::path start_run(const Settings& settings, const Image& image);
/// Whether `kept`, which another run keeps as its `start`, can be what `settings` name, there or not.
bool is_start(const std::string& kept, const Settings& settings, const Image& image);

nlohmann::json to_json(const Settings& settings);
/// Failure(bad_data) naming `where`, the key and the range that its value is not in.
Settings settings_from(const nlohmann::json& text, const std::string& where);

}  // namespace core
