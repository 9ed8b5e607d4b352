// The settings of a run: those of a learn block of the file, overridden by the environment and the flags, and
// fixed from then on. They are written to config.json, from which a resumed run reads them.
#pragma once
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/schema/learn_keys.h"
#include "runtime/schema/settings.h"

namespace core {

using schema::NumberSchedule;
using schema::OptimizerSettings;
using schema::RateSchedule;
using schema::Settings;
using schema::settings_from;
using schema::StopSettings;
using schema::to_json;

/// The precision as a vae_precision.
int precision_of(const Settings& settings);

/// The learn block of this name, or the first one if the name is empty. Failure(usage) with the list of
/// names. Failure(bad_configuration) with the reason, if this version cannot run it.
const Learn& find_learn(const Image& image, const std::string& name);

Settings settings_of(const Learn& learn, const Image& image);

/// Gives sources that have no weight in `settings` the weight that the program declares.
void add_own_weights(Settings& settings, const Image& image);

/// The sources that the players learn from: those of `sources` whose weight is not 0 at all steps.
std::vector<std::string> learned_sources(const Settings& settings);

/// Sets a key. `text` is as on the command line: "100", "labelled=10,codes=5", "adam(1e-3)", "p=none".
/// Failure(usage).
void override_key(Settings& settings, const std::string& key, const std::string& text);

/// The flags of keys as they were given.
using KeysOfFlags = std::vector<std::pair<std::string, std::string>>;
/// Sets the keys one after the other. If `steps` was the sum of the steps of the method's phases, and no flag
/// gives it, it is their new sum. Failure(usage).
void override_keys(Settings& settings, const KeysOfFlags& flags);
/// The steps of all phases of `libi`; 0 if `own` does not give them.
int64_t steps_of_phases(const nlohmann::json& own);

/// Sets one of the method's own keys from its flag. Failure(usage) if the method does not have the key.
void override_own_key(Settings& settings, const LearnKey& key, const std::string& text);
/// Adds the method's compiled-in keys that the settings leave open. If the settings need another program,
/// Failure(bad_configuration) names the command that builds it.
void fit_to_program(Settings& settings, const Image& image);
/// Reads "0.5" or "linear(0, 1, 100)". Failure(usage).
NumberSchedule number_schedule(const std::string& key, const std::string& text);
/// Reads a number of 0 or more, or a whole number of 1 or more. Failure(usage).
double number_of_flag(const std::string& key, const std::string& text);
int64_t whole_of_flag(const std::string& key, const std::string& text);

/// Failure(bad_configuration) if no run can follow these settings.
void check(const Settings& settings, const Image& image);

/// The absolute path of the run that `start` names: in the working folder if it exists there, else in the
/// program's folders.
std::filesystem::path start_run(const Settings& settings, const Image& image);
/// Whether `kept`, the `start` that another run keeps, can be the run that `settings` name. It need not
/// exist.
bool is_start(const std::string& kept, const Settings& settings, const Image& image);

}  // namespace core
