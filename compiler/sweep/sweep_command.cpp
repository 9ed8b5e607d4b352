#include "compiler/sweep/sweep_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/schema/metric_flags.h"
#include "runtime/schema/setting_bounds.h"
#include "runtime/schema/training_flags.h"
#include "runtime/schema/training_metrics.h"

namespace vaec {
namespace {

/// "p=1,q=2" is one value with a part for each name. Whether all values have this form.
bool is_by_name(const std::vector<std::string>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](const std::string& value) { return value.find('=') != std::string::npos; });
}

/// Flags that mean something else in a sweep: the seeds of the runs, and the importance samples of
/// `evaluate`.
bool is_of_sweep(const std::string& key) { return key == "seed" || key == "samples"; }

}  // namespace

SweepCommand::SweepCommand(CLI::App& app)
    : command_(app.add_subcommand(
          "sweep", "train and measure a file for every combination of values, and make one table")) {
  command_->add_option("FILE", request_.file, "a .vae file")->required();
  command_
      ->add_option("-D", defines_,
                   "values of a param of the file; several -D multiply. Commas in brackets belong to a value")
      ->option_text("NAME=VALUE,...")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command_->add_option("--learn", request_.learns, "the learn blocks (default: the first)")
      ->option_text("NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  command_->add_option("--seeds", request_.seeds, "runs of each combination (default 1)")
      ->option_text("N")
      ->check(CLI::Range(1, 1'000'000));
  command_
      ->add_option("--seed", request_.seed,
                   "seed of the first run of each combination; the others count up from it (default 0)")
      ->option_text("N");
  command_
      ->add_option("--metrics", request_.metrics,
                   "as in evaluate (default: loglik, elbo and accuracy, where the model admits them)")
      ->option_text("NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  command_->add_option("--jobs", request_.jobs, "runs at the same time; they share the cores (default 1)")
      ->option_text("N")
      ->check(CLI::Range(1, 1024));
  command_
      ->add_option("--out", request_.out,
                   "the folder: finished runs in it are loaded, others go on (default: runs/NAME-sweep-N)")
      ->option_text("DIR");
  command_->add_option("--target", request_.target, "what training runs on, as in build")
      ->option_text("cpu|cuda|auto")
      ->check(CLI::IsMember({"cpu", "cuda", "auto"}));
  command_->add_flag("--json", request_.json, "print the table as JSON on stdout");
  for (const TrainingFlag& flag : training_flags()) {
    if (is_of_sweep(flag.key)) continue;
    command_->add_option(both_spellings(flag.key), training_[flag.key], flag.help)
        ->option_text(flag.several ? flag.value + ",..." : flag.value)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->group(flag.several ? "Flags of train; several values multiply" : "Flags of train");
  }
  add_flags("Flags of train and evaluate", {{"device", "NAME"}, {"backend", "NAME"}, {"threads", "N"}},
            machine_);
  add_flags("Flags of evaluate",
            {{"samples", "N"},
             {"query", "\"A | B\""},
             {"sweeps", "N"},
             {"rows", "N"},
             {"features", "NAME"},
             {"of", "NAME"},
             {"n", "N"},
             {"factors", "NAME"},
             {"limiting", "N"},
             {"draw", "NAME,..."},
             {"checkpoint", "NAME"},
             {"weights", "NAME"}},
            measured_);
  command_->footer("More on these flags: vaec run FILE train --help; vaec run FILE evaluate --help.");
}

void SweepCommand::add_flags(const std::string& group,
                             const std::vector<std::pair<std::string, std::string>>& flags,
                             std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : flags)
    command_->add_option("--" + name, values[name], "")->option_text(value)->group(group);
}

void SweepCommand::take_flags() {
  for (const std::string& define : defines_) {
    const size_t equals = define.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Failure(Exit::usage, fmt::format("-D {}: write -D name=value,...", define));
    const std::string name = define.substr(0, equals), flag = "-D " + name;
    add_values(request_.params, flag, name, split_values(flag + "=", define.substr(equals + 1)));
  }
  for (const TrainingFlag& flag : training_flags())
    for (const std::string& text : training_[flag.key]) {
      const std::string written = "--" + flag.key;
      std::vector<std::string> values = flag.several ? split_values(written + " ", text) : std::vector{text};
      if (is_by_name(values)) values = {text};
      add_values(flag.compiled_in ? request_.keys : request_.flags, written, flag.key, values);
    }
  std::vector<Axis> learns;
  add_values(learns, "--learn", "learn", request_.learns);
  for (const auto& [values, taken] :
       {std::pair(&measured_, &request_.measured), {&machine_, &request_.machine}})
    for (const auto& [name, value] : *values)
      if (command_->get_option("--" + name)->count() > 0) taken->emplace_back(name, value);
  const std::vector<std::string>& metrics = request_.metrics.empty() ? usual_metrics : request_.metrics;
  for (const auto& [flag, value] : request_.measured)
    if (!is_read_by(flag, metrics)) throw Failure(Exit::usage, why_not_read(flag, metrics));
}

Exit SweepCommand::run() {
  take_flags();
  return sweep(request_);
}

}  // namespace vaec
