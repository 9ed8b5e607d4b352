#include "runtime/core/commands/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <system_error>

#include "runtime/core/commands/commands.h"
#include "runtime/core/commands/exchange_flags.h"
#include "runtime/core/commands/export.h"
#include "runtime/core/commands/flag_checks.h"
#include "runtime/core/commands/flag_texts.h"
#include "runtime/core/commands/picture_commands.h"
#include "runtime/core/evaluation/features/features.h"
#include "runtime/core/learning/trainer.h"
#include "runtime/core/machine/cards.h"
#include "runtime/core/machine/thread_pool.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/core/run/output.h"
#include "runtime/out_of_memory.h"
#include "runtime/schema/training_flags.h"
#include "runtime/shared/command_table.h"
#include "runtime/shared/command_words.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"
#include "runtime/shared/printable.h"
#include "runtime/shared/standard_streams.h"

namespace core {
namespace {

/// The flag for a key of learn blocks.
CLI::Option* add_key(CLI::App* command, const TrainingFlag& flag, std::vector<std::string>& texts) {
  return one_at_a_time(command->add_option(both_spellings(flag.key), texts, flag.help));
}

/// Words the help for users: it shows what a flag takes instead of its type, and whether the flag is
/// required.
void word_the_help(CLI::App& app) {
  const std::map<std::string, std::string> words = {
      {"SUBCOMMAND", "COMMAND"}, {"TEXT", ""}, {"REQUIRED", ""}};
  for (const auto& [theirs, ours] : words) app.get_formatter()->label(theirs, ours);
  for (CLI::App* command : app.get_subcommands({})) {
    command->group("Commands");
    for (CLI::Option* option : command->get_options()) {
      const auto value = values_of_flags().find(option->get_single_name());
      if (value == values_of_flags().end()) continue;
      option->option_text(value->second + (option->get_required() ? " (required)" : ""));
    }
  }
}

/// The flags as CLI11 fills them, and the command that was chosen.
class CommandLine {
 public:
  explicit CommandLine(const Image& image)
      : image_(image),
        app_("The model " + printable(image.file) + ", compiled by vaec.", printable(image.file)) {
    app_.require_subcommand(1);
    app_.set_help_flag("-h,--help", "print this help");
    app_.set_version_flag("--version", "vaec " + image.vaec, "print the version of vaec that made it");
    add_train();
    add_sample();
    add_infer();
    pictures_.add(
        app_, [this](CLI::App* command, ModelRequest& request) { add_model_flags(command, request); },
        [this](const ModelRequest& request, const std::function<void()>& work) {
          run_ = [&request, work] { return check_machine(request), work(), 0; };
        });
    add_evaluate();
    add_export();
    add_compare();
    add_bench();
    CLI::App* command =
        app_.add_subcommand("info", "print the variables, players, sources and methods of the model");
    command->add_flag("--json", info_json_, "print it as JSON on stdout");
    command->callback([this] { run_ = [this] { return info(image_, info_json_), 0; }; });
    word_the_help(app_);
    app_.footer(fmt::format(
        "{} COMMAND --help says more. To begin: {} train --out runs/first, then open runs/first/report.html.",
        printable(image.file), printable(image.file)));
  }

  nlohmann::json table() {
    for (const auto& [option, name] : environment_) option->envname(name);
    return command_table(app_);
  }

  int run(int argc, char** argv) {
    std::vector<char*> words = with_help_as_flag(argc, argv);
    app_.parse(static_cast<int>(words.size()), words.data());
    read_environment();
    if (command() != " info") wait_briefly(argv);
    // Several ranks work on these together. Of other commands, rank 0 does all the work.
    const std::set<std::string> shared = {" train", " bench", " evaluate", " compare", " infer", " sample"};
    if (!shared.contains(command()) && is_other_rank()) return 0;
    return run_();
  }

  int report(const CLI::ParseError& error) {
    // Help and version go to stdout and are not errors.
    if (error.get_exit_code() == 0) {
      const int code = app_.exit(error);
      require_output();
      return code;
    }
    throw Failure(Exit::usage, cause_of(error));
  }

  std::string command() const {
    const auto chosen = app_.get_subcommands();
    return chosen.empty() ? "" : " " + chosen.front()->get_name();
  }

 private:
  static bool is_other_rank() {
    const std::optional<Launched> launched = find_launcher();
    return launched && launched->rank > 0;
  }

  std::string see_help() const { return fmt::format("; see {}{} --help", image_.file, command()); }

  /// A flag whose value may also come from the environment variable VAEC_<NAME>. CLI11 knows such variables
  /// too, but it reads them for all commands, also for --help, and version 2.4 ignores values that a flag
  /// refuses.
  CLI::Option* with_environment(CLI::Option* option) {
    environment_[option] = environment_name(option->get_single_name());
    return option;
  }

  /// Gives the flags of the chosen command that were not written the values of their environment variables.
  void read_environment() {
    for (CLI::Option* option : app_.get_subcommands().front()->get_options()) {
      const auto name = environment_.find(option);
      if (name == environment_.end() || option->count() > 0) continue;
      const char* value = std::getenv(name->second.c_str());
      if (!value || !*value) continue;
      option->add_result(value);
      option->run_callback();
    }
  }

  /// CLI11 lists unexpected words in reverse order, and reports a misspelt command as a missing one.
  std::string cause_of(const CLI::ParseError& error) const {
    const auto chosen = app_.get_subcommands();
    std::vector<std::string> extra = chosen.empty() ? app_.remaining() : chosen.front()->remaining();
    if (chosen.empty()) return no_such_command(app_, extra.empty() ? "" : extra.front());
    if (dynamic_cast<const CLI::ExtrasError*>(&error) && !extra.empty()) {
      const auto flag = std::find_if(extra.begin(), extra.end(),
                                     [](const std::string& word) { return word.rfind('-', 0) == 0; });
      if (flag != extra.end()) return no_such_flag(*chosen.front(), *flag) + see_help();
      return fmt::format("{} is one word too many{}", extra.front(), see_help());
    }
    return error.what() + see_help();
  }

  void add_train() {
    CLI::App* command =
        app_.add_subcommand("train", "train by a learn block of the file, into a run directory");
    with_environment(command->add_option("--learn", train_.learn, "the learn block (default: the first)"));
    for (const TrainingFlag& flag : training_flags())
      with_environment(add_key(command, flag, flags_[flag.key]));
    add_machine_flags(command, train_);
    add_rank_flags(command, train_);
    add_cudnn_flag(command, train_);
    add_exchange_flags(command, train_.exchange);
    CLI::Option* out =
        command->add_option("--out", train_.out, "the run directory, made anew (default: runs/NAME-LEARN-N)")
            ->check(not_empty());
    command->add_option("--resume", train_.resume, "continue this run from its last checkpoint")
        ->excludes(out);
    command->add_option("--checkpoint", train_.checkpoint,
                        "checkpoint of the run that --start names: last (default), best, or a step");
    command->add_flag("--profile", train_.profile,
                      "write trace-step-N.json: the first steps, kernel by kernel, for Perfetto");
    command->add_flag("--json", json_, "print metrics as JSON lines on stdout");
    command->add_flag("--quiet", quiet_, "print errors only");
    command->footer(
        "A flag overrides an environment variable (VAEC_STEPS for --steps, and so on), and both override the "
        "file.");
    command->callback([this] {
      run_ = [this] {
        check_machine(train_, true);
        train_.voice = json_ ? Voice::json : quiet_ ? Voice::quiet : Voice::normal;
        for (const TrainingFlag& flag : training_flags())
          for (const std::string& text : flags_.at(flag.key)) train_.overrides.emplace_back(flag.key, text);
        return train(image_, train_);
      };
    });
  }

  void add_machine_flags(CLI::App* command, MachineRequest& request) {
    with_environment(
        command->add_option("--device", request.device,
                            "auto (default), cpu or cuda; of several ranks, each takes a GPU of its "
                            "machine"));
    with_environment(
        command->add_option("--backend", request.backend,
                            fmt::format("library of matrix products and convolutions: {} (default: onednn)",
                                        fmt::join(backend_names(), " or "))));
    with_environment(command->add_option("--threads", request.threads,
                                         "number of threads; 0 (default): one for each core"))
        ->check(at_least(0));
    command->add_flag("--pin", request.pin, "keep each thread on a processor of its own");
  }

  void add_rank_flags(CLI::App* command, MachineRequest& request) {
    with_environment(command->add_option(
        "--ranks", request.ranks.ranks,
        "processes that share the rows: auto (default: as many as the launcher started), off, or how many to "
        "start on this machine"));
    with_environment(
        command->add_option("--ranks-transport", request.ranks.transport,
                            "how ranks exchange numbers: c10d or mpi (default: as the launcher does)"))
        ->check(CLI::IsMember({"c10d", "mpi"}));
    with_environment(
        command->add_option("--rank-timeout", request.ranks.timeout,
                            "seconds that a rank waits for another before it gives up (default 60)"))
        ->check(CLI::PositiveNumber);
    with_environment(
        command->add_option("--exact-ranks", request.ranks.exact,
                            "on processors: slices of each batch, which the ranks divide; the "
                            "parameters have the same bits for every number of ranks that divides "
                            "it"))
        ->check(at_least(1));
  }

  static void add_cudnn_flag(CLI::App* command, MachineRequest& request) {
    command->add_flag("--cudnn-benchmark", request.cudnn_benchmark,
                      "on a GPU: choose the algorithms of convolutions by timing them; results then differ "
                      "in their last bits from run to run");
  }

  void add_model_flags(CLI::App* command, ModelRequest& request) {
    command->add_option("--run", request.run, "a run directory that train made")->required();
    add_parameter_flags(command, request);
    add_drawing_flags(command, request);
  }

  /// Flags that choose which parameters of a run are used.
  static void add_parameter_flags(CLI::App* command, ModelRequest& request) {
    command->add_option("--checkpoint", request.checkpoint,
                        "checkpoint to use: last (default), best (of `stop = early(...)`), or a step");
    command
        ->add_option("--weights", request.weights,
                     "average or last (default: the average of the parameters where the run keeps one)")
        ->check(CLI::IsMember({"average", "last"}));
  }

  void add_drawing_flags(CLI::App* command, ModelRequest& request) {
    add_machine_flags(command, request);
    with_environment(command->add_option("--seed", request.seed, "random seed (default 0)"))
        ->check(at_least(0, bounds::seed.most));
    command->add_flag("--json", request.json, "print the result as JSON on stdout");
  }

  void add_sample() {
    CLI::App* command = app_.add_subcommand("sample", "draw rows from a trained model");
    add_model_flags(command, sample_);
    add_rank_flags(command, sample_);
    command->add_option("--n", sample_.n, "rows to draw (default 64)")->check(at_least(1));
    command
        ->add_option("--limiting", sample_.limiting,
                     "draw from the limiting distribution: N steps of the chain x -> z -> x")
        ->check(at_least(0));
    command
        ->add_option("--sweeps", sample_.sweeps, "sweeps of the Gibbs chain, if one is needed (default 100)")
        ->check(at_least(1));
    one_at_a_time(
        command->add_option("--given", sample_.given,
                            "known values: x=FILE, x=7, or a source of the program (x=heldout, heldout)"));
    command
        ->add_option("--columns", sample_.columns, "columns of a picture (default: as many as it has rows)")
        ->check(at_least(1));
    command->add_option("--out", sample_.out, "FILE.png, .npy, .npz, .csv or .safetensors")->required();
    command->callback(
        [this] { run_ = [this] { return check_machine(sample_), sample(image_, sample_), 0; }; });
  }

  void add_infer() {
    CLI::App* command = app_.add_subcommand("infer", "infer some variables from others by a trained model");
    add_model_flags(command, infer_);
    add_rank_flags(command, infer_);
    command->add_option("query", infer_.query, "\"c, z | x\": c and z given x")->required();
    one_at_a_time(
        command->add_option("--given", infer_.given,
                            "known values: x=FILE, x=7, or a source of the program (x=heldout, heldout)"));
    one_at_a_time(command->add_option("--mask", infer_.masks,
                                      "x=FILE: 1 where an element of x is known, 0 where it is completed"));
    one_at_a_time(
        command->add_option("--by", infer_.by, "z=PLAYER: the player that draws z, if several could"));
    add_draw_flag(command, infer_.draw);
    command->add_option("--samples", infer_.samples, "draws that means are taken over (default 1)")
        ->check(at_least(1));
    command
        ->add_option("--sweeps", infer_.sweeps,
                     "sweeps of the Gibbs chain, if one is needed (default 100; the first half is discarded)")
        ->check(at_least(1));
    command->add_option("--chains", infer_.chains, "Gibbs chains of each row, if they are needed (default 2)")
        ->check(at_least(1));
    command->add_option("--out", infer_.out, "FILE.png, .npy, .npz, .csv or .safetensors")->required();
    command->callback([this] { run_ = [this] { return check_machine(infer_), infer(image_, infer_), 0; }; });
  }

  static void add_draw_flag(CLI::App* command, std::vector<std::string>& names) {
    one_at_a_time(command->add_option("--draw", names,
                                      "discrete variables to draw; by default, means and densities sum over "
                                      "their values where possible"))
        ->delimiter(',');
  }

  void add_evaluate() {
    CLI::App* command = app_.add_subcommand("evaluate", "measure a trained model on held-out data");
    command->footer(metric_help());
    add_model_flags(command, evaluate_);
    add_rank_flags(command, evaluate_);
    add_metric_flags(command, evaluate_, "loglik");
    command->callback(
        [this] { run_ = [this] { return check_machine(evaluate_), evaluate(image_, evaluate_), 0; }; });
  }

  void add_metric_flags(CLI::App* command, EvaluateRequest& request, const std::string& usual) {
    one_at_a_time(command->add_option("--metrics", request.metrics,
                                      fmt::format("metrics, from the list below (default: {})", usual)))
        ->delimiter(',');
    add_draw_flag(command, request.draw);
    command->add_option("--samples", request.samples, "importance samples for each row (default 100)")
        ->check(at_least(1));
    command->add_option("--query", request.query, "\"c | x\": the prediction that accuracy and mcc measure");
    command
        ->add_option("--sweeps", request.sweeps,
                     "sweeps of the Gibbs chain, if accuracy needs one (default 100)")
        ->check(at_least(1));
    command->add_option("--rows", request.rows, "rows of each source (default: all)")->check(at_least(0));
    command->add_option("--features", request.features,
                        fmt::format("features that fd is measured on: {} (default: lenet), or FILE.pt, a "
                                    "TorchScript file. It is a program "
                                    "that runs with your rights: use it only if you trust its author",
                                    fmt::join(feature_names(), ", ")));
    command->add_option("--of", request.variable,
                        "variable that fd measures (default: the first generated one)");
    command
        ->add_option("--n", request.n,
                     "rows to draw for distances (default: as many as the held-out source has)")
        ->check(at_least(1));
    command->add_option("--factors", request.factors,
                        "variable of true factors, which mcc compares codes with");
    command
        ->add_option("--limiting", request.limiting,
                     "steps of the chain x -> z -> x to the limiting samples (default 1000; 0: none)")
        ->check(at_least(0));
  }

  void add_export() {
    CLI::App* command = app_.add_subcommand("export", "write a trained model for other programs");
    command->add_option("--run", export_.run, "a run directory that train made")->required();
    add_parameter_flags(command, export_);
    command
        ->add_option("--format", export_.format,
                     "onnx (default): a folder with graphs of each conditional; safetensors: a file with the "
                     "parameters")
        ->check(CLI::IsMember({"onnx", "safetensors"}));
    command->add_option("--out", export_.out, "the folder or the file; it must be new")->required();
    command->add_flag("--json", export_.json, "print what was written as JSON on stdout");
    command->callback([this] { run_ = [this] { return export_model(image_, export_), 0; }; });
  }

  void add_compare() {
    CLI::App* command = app_.add_subcommand(
        "compare", "train several learn blocks and compare them in a table and a picture");
    add_parameter_flags(command, compare_);
    add_rank_flags(command, compare_);
    add_drawing_flags(command, compare_);
    compare_.metrics.clear();
    one_at_a_time(command->add_option("--learn", compare_.learns, "the learn blocks (default: all)"))
        ->delimiter(',');
    command->add_option("--seeds", compare_.seeds, "runs of each, from --seed on (default 1)")
        ->check(at_least(1));
    for (const char* key : {"steps", "batch", "optimizer", "lr", "schedule", "every"})
      add_key(command, training_flag(key), compared_[key]);
    command
        ->add_option("--out", compare_.out,
                     "the folder: finished runs in it are loaded, others continued (default: runs/"
                     "NAME-compare-N)")
        ->check(not_empty());
    add_metric_flags(command, compare_, "loglik, elbo and accuracy, where the model admits them");
    command->footer("Without --steps, all blocks train for the steps of the first one.\n\n" + metric_help());
    command->callback([this] {
      run_ = [this] {
        check_machine(compare_);
        for (const auto& [key, texts] : compared_)
          for (const std::string& text : texts) compare_.overrides.emplace_back(key, text);
        return compare(image_, compare_), 0;
      };
    });
  }

  void add_bench() {
    CLI::App* command = app_.add_subcommand(
        "bench", "measure the time of training steps, and of each kernel against the processor's peak");
    with_environment(command->add_option("--learn", bench_.learn, "the learn block (default: the first)"));
    for (const char* key : {"batch", "order", "precision", "seed", "sources"})
      add_key(command, training_flag(key), benched_[key]);
    for (const TrainingFlag& flag : training_flags())
      if (flag.own) add_key(command, flag, benched_[flag.key]);
    command->add_option("--steps", bench_.steps, "steps to measure (default: for 3 seconds)")
        ->check(at_least(1));
    command
        ->add_option("--count", bench_.count,
                     "count the work of a step on a GPU of this kind, and estimate its time; needs no GPU")
        ->check(CLI::IsMember(card_ids()));
    add_machine_flags(command, bench_);
    add_rank_flags(command, bench_);
    add_cudnn_flag(command, bench_);
    command->add_flag("--json", bench_.json, "print the result as JSON on stdout");
    command->footer(
        "Every second step is timed as a whole, the others kernel by kernel. `f`: share of the peak of fused "
        "multiply-adds; `m`: share of what memory can move (data in a cache may exceed it).");
    command->callback([this] {
      run_ = [this] {
        check_machine(bench_, true);
        for (const auto& [key, texts] : benched_)
          for (const std::string& text : texts) bench_.overrides.emplace_back(key, text);
        return bench(image_, bench_), 0;
      };
    });
  }

  static void check_machine(const MachineRequest& request, bool learns = false) {
    if (request.threads > most_threads())
      throw Failure(Exit::usage,
                    fmt::format("--threads {}: this machine has {}; at most {} threads are allowed",
                                request.threads, counted(usable_cores(), "core"), most_threads()));
    const std::string& device = request.device;
    if (!is_device(device))
      throw Failure(Exit::usage,
                    fmt::format("--device {}: this must be one of auto, cpu, cuda, cuda:0 ...", device));
    if (!learns && gpu_of(device) >= 0)
      throw Failure(
          Exit::bad_configuration,
          fmt::format("--device {}: in this version only train and bench use a GPU; leave it out", device));
    const std::vector<std::string>& backends = backend_names();
    if (!request.backend.empty() &&
        std::find(backends.begin(), backends.end(), request.backend) == backends.end())
      throw Failure(Exit::usage, fmt::format("--backend {}: this must be one of {}", request.backend,
                                             fmt::join(backends, ", ")));
  }

  const Image& image_;
  CLI::App app_;
  std::function<int()> run_;
  TrainRequest train_;
  std::map<std::string, std::vector<std::string>> flags_;
  bool json_ = false, quiet_ = false, info_json_ = false;
  SampleRequest sample_;
  PictureCommands pictures_{image_};
  InferRequest infer_;
  EvaluateRequest evaluate_;
  ExportRequest export_;
  CompareRequest compare_;
  BenchRequest bench_;
  std::map<std::string, std::vector<std::string>> benched_;   // settings of bench
  std::map<std::string, std::vector<std::string>> compared_;  // settings for all blocks of compare
  std::map<CLI::Option*, std::string> environment_;           // the environment variables of flags
};

/// If the value of a flag came from the environment, the message names the environment variable.
std::string naming_the_environment(const std::string& cause, int argc, char** argv) {
  const size_t end = cause.find_first_of(" :=");
  if (cause.rfind("--", 0) != 0 || end == std::string::npos) return cause;
  const std::string flag = cause.substr(0, end), name = environment_name(flag.substr(2));
  const bool written =
      std::any_of(argv, argv + argc, [&](const char* word) { return std::string(word).rfind(flag, 0) == 0; });
  if (written || !std::getenv(name.c_str())) return cause;
  return name + (cause[end] == ' ' ? "=" + cause.substr(end + 1) : cause.substr(end));
}

int report(const std::string& who, const std::string& cause, Exit code) {
  std::string line = cause;
  std::replace(line.begin(), line.end(), '\n', ' ');
  print_error("{}: {}\n", printable(who), printable(line));
  return static_cast<int>(code);
}

/// Returns the exit code. A group of ranks that is still open cannot be closed, so the process then ends
/// here.
int end_rank(int code) {
  if (!ranks_are_open()) return code;
  std::fflush(nullptr);
  _exit(code);
}

/// The setting that makes a command use less memory, for the message that memory is not sufficient.
std::string less_memory(const std::string& who) {
  static const std::map<std::string, std::string> keys = {
      {"train", "a smaller --batch"},
      {"bench", "a smaller --batch"},
      {"compare", "a smaller --batch or --rows"},
      {"sample", "a smaller --n"},
      {"infer", "fewer given rows, --samples or --chains"},
      {"latents", "fewer --rows"},
      {"interpolate", "fewer --rows or --columns"},
      {"evaluate", "fewer --rows or --samples"}};
  const auto found = keys.find(who.substr(who.rfind(' ') + 1));
  return found == keys.end() ? "" : fmt::format(": {} needs less", found->second);
}

}  // namespace

int run_command_line(const vae_image& binary, int argc, char** argv) {
  std::string who = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "vaec";
  hold_standard_streams();
  // If a limit on file sizes is exceeded, a write then fails and is reported; otherwise the process would
  // end.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const Image image = read_image(binary);
    who = image.file;
    CommandLine line(image);
    try {
      const int code = line.run(argc, argv);
      require_output();
      return code;
    } catch (const CLI::ParseError& error) {
      who += line.command();
      return line.report(error);
    } catch (...) {
      who += line.command();
      throw;
    }
  } catch (const SharedFailure& failure) {
    if (!failure.is_reported_here) return end_rank(static_cast<int>(failure.exit_code));
    return end_rank(report(who, failure.what(), failure.exit_code));
  } catch (const Failure& failure) {
    return end_rank(report(who, naming_the_environment(failure.what(), argc, argv), failure.exit_code));
  } catch (const OutOfMemory& failure) {
    return end_rank(report(who, failure.what() + less_memory(who), Exit::bad_configuration));
  } catch (const std::bad_alloc&) {
    return end_rank(report(who, out_of_memory + less_memory(who), Exit::bad_configuration));
  } catch (const std::exception& failure) {
    // fmt throws this if stdout cannot be written.
    const auto* system = dynamic_cast<const std::system_error*>(&failure);
    if (system && std::ferror(stdout) != 0)
      return report(who, fmt::format("cannot write the output: {}", system->code().message()),
                    Exit::cannot_write);
    return end_rank(report(who, fmt::format("internal error: {}", failure.what()), Exit::internal));
  }
}

}  // namespace core

/// The commands of executables as JSON, in the form that runtime/shared/command_table.h describes.
extern "C" __attribute__((visibility("default"))) const char* vaert_command_table() {
  static const std::string text = [] {
    core::Image image;
    image.file = "MODEL";
    return core::CommandLine(image).table().dump();  // no command is run
  }();
  return text.c_str();
}
