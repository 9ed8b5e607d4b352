// The command line of vaec. Exit codes: 0; 1 diagnostics; 64 usage; 66 missing input; 70 internal; 73 cannot
// write.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <optional>

#include "compiler/commands/compile.h"
#include "compiler/commands/completions.h"
#include "compiler/commands/data_get.h"
#include "compiler/commands/doctor.h"
#include "compiler/commands/format_files.h"
#include "compiler/commands/manual.h"
#include "compiler/lower/processor.h"
#include "compiler/lsp/server.h"
#include "compiler/print_stage.h"
#include "compiler/runtime_function.h"
#include "compiler/sweep/sweep_command.h"
#include "runtime/shared/command_table.h"
#include "runtime/shared/command_words.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/printable.h"
#include "runtime/shared/standard_streams.h"

namespace vaec {
namespace {

/// The table of the commands that executables have.
nlohmann::json program_table() {
  return nlohmann::json::parse(runtime_function<const char* (*)()>("vaert_command_table")());
}

/// The error in one line. (CLI11 lists unexpected words backwards, and calls a misspelt command a missing
/// one.)
std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  const std::vector<std::string> extra = chosen.empty() ? app.remaining() : chosen.front()->remaining();
  if (chosen.empty()) {
    const auto flag = [](const std::string& word) { return word.rfind('-', 0) == 0; };
    if (!extra.empty() && flag(extra.front()))
      return fmt::format("vaec: {}; see vaec --help", no_such_flag(app, extra.front()));
    return "vaec: " + no_such_command(app, extra.empty() ? "" : extra.front());
  }
  const std::string command = "vaec " + chosen.front()->get_name();
  std::string cause = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) && !extra.empty()) {
    const auto flag = std::find_if(extra.begin(), extra.end(),
                                   [](const std::string& word) { return word.rfind('-', 0) == 0; });
    cause =
        flag != extra.end() ? no_such_flag(*chosen.front(), *flag) : extra.front() + " is one word too many";
  }
  return fmt::format("{}: {}; see {} --help", command, cause, command);
}

Exit report(const std::string& cause, Exit code) {
  std::cerr << "vaec: " << printable(cause) << "\n";
  return code;
}

/// Returns `code`. If printed text could not be written, reports that instead.
Exit output_written(Exit code) {
  const int cause = flush_standard_output();
  if (cause == 0) return code;
  return report(fmt::format("cannot write the output: {}", std::strerror(cause)), Exit::cannot_write);
}

/// The flags and words of all commands, and the command that the user chose.
class CommandLine {
 public:
  CommandLine()
      : app_("Compiles .vae files: probabilistic models trained by symmetric equilibrium learning.", "vaec") {
    app_.set_help_flag("-h,--help", "print this help");
    app_.set_version_flag("--version", "vaec " VAEC_VERSION, "print the version");
    app_.require_subcommand(1);
    // Replaces CLI11's words for commands and values. Flags describe their values themselves.
    const std::map<std::string, std::string> words = {
        {"SUBCOMMAND", "COMMAND"}, {"TEXT", ""}, {"REQUIRED", ""}};
    for (const auto& [theirs, ours] : words) app_.get_formatter()->label(theirs, ours);
    add_build();
    add_run();
    add_check_and_explain();
    add_format();
    add_new_and_data();
    sweep_.emplace(app_);
    add_tools();
    for (CLI::App* command : app_.get_subcommands({})) command->group("Commands");
    app_.footer("vaec COMMAND --help says more. To begin: vaec new mine, then vaec run mine.vae train.");
  }

  CLI::App& app() { return app_; }

  /// Runs the command that the parsed words name.
  Exit run_chosen() {
    for (const auto& [command, run_it] : commands_)
      if (command->parsed()) return run_it();
    return sweep_->run();
  }

 private:
  CLI::App* add(const char* name, const char* help, std::function<Exit()> run_it) {
    CLI::App* command = app_.add_subcommand(name, help);
    commands_.emplace_back(command, std::move(run_it));
    return command;
  }

  void prints_errors(CLI::App* command) {
    command->add_option("--error-format", arguments_.error_format, "format of diagnostics")
        ->option_text("text|json")
        ->check(CLI::IsMember({"text", "json"}));
  }
  void reads_model(CLI::App* command) {
    command->add_option("FILE", arguments_.file, "a .vae file")->required();
    prints_errors(command);
    command
        ->add_option("-D", arguments_.defines, "replaces the value of a param of the file; may be repeated")
        ->option_text("NAME=VALUE")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  void emits(CLI::App* command, const char* help, const std::vector<std::string>& names) {
    auto* emit = command->add_option("--emit", arguments_.emit, help)
                     ->option_text(fmt::format("{}", fmt::join(names, "|")))
                     ->check(CLI::IsMember(names));
    command->add_option("--after", arguments_.after, "with --emit=tensor: print the programs after this pass")
        ->option_text("PASS")
        ->needs(emit);
  }
  void has_target(CLI::App* command) {
    command
        ->add_option("--target", arguments_.target,
                     "what training runs on: cpu (default), cuda, or auto: a GPU where there is one")
        ->option_text("cpu|cuda|auto")
        ->check(CLI::IsMember({"cpu", "cuda", "auto"}));
  }

  void add_build() {
    auto* command = add("build", "compile to an executable that trains, samples, infers and evaluates",
                        [this] { return build(arguments_); });
    reads_model(command);
    std::vector<std::string> made = stages;
    made.emplace_back("library");
    emits(command,
          "print this stage of the compilation instead; library: make a shared library and its C header",
          made);
    has_target(command);
    command
        ->add_option("--cpu", arguments_.cpus,
                     "processors to compile for: native (default), or levels of x86-64; of several, the "
                     "executable chooses when it starts")
        ->option_text("native|x86-64-v2|x86-64-v3|x86-64-v4[,...]")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(CLI::IsMember(lower::cpus));
    auto* output =
        command->add_option("-o", arguments_.output,
                            "path of the executable (default: FILE's name without .vae, in this folder)");
    output->option_text("PATH");
    command
        ->add_option("--bundle", arguments_.bundle,
                     "a folder for the executable and all it needs besides the C library")
        ->option_text("DIR")
        ->check([](const std::string& folder) { return std::string(folder.empty() ? "DIR is empty" : ""); })
        ->excludes(output)
        ->excludes(command->get_option("--emit"));
    arguments_.learn_flags.add_to(command);
    command->add_flag("--timings", arguments_.timings,
                      "print the time of each part of the compilation, and how much came from the cache");
  }

  void add_run() {
    auto* command = add("run", "compile in memory and run a command of the executable", {});
    commands_.back().second = [this, command] { return run(arguments_, command->remaining()); };
    reads_model(command);
    has_target(command);
    command->prefix_command();
    command->footer(
        "What follows FILE goes to the program: vaec run model.vae train --steps 100; vaec run model.vae "
        "info.");
  }

  void add_check_and_explain() {
    auto* check_command =
        add("check", "print the errors and warnings of a file", [this] { return check(arguments_); });
    reads_model(check_command);
    emits(check_command, "print this stage of the compilation instead", stages);
    auto* command = add("explain", "print who draws what for each source, and what each player maximizes",
                        [this] { return explain(arguments_); });
    reads_model(command);
    command
        ->add_option("--format", arguments_.explain_format,
                     "text (default), a document for pdflatex, a picture for Graphviz, or data")
        ->option_text("text|latex|dot|json")
        ->check(CLI::IsMember({"text", "latex", "dot", "json"}));
  }

  void add_format() {
    auto* command = add("fmt", "rewrite files in canonical layout, or standard input", [this] {
      return format_files({arguments_.files, arguments_.check_only, arguments_.error_format == "json"});
    });
    prints_errors(command);
    command
        ->add_option("FILE", arguments_.files,
                     "a .vae file, a folder of them, or - for standard input, written to standard output")
        ->option_text("...")
        ->required();
    command->add_flag("--check", arguments_.check_only,
                      "write nothing; name each file whose layout is not canonical, and exit 1");
  }

  void add_new_and_data() {
    auto* new_command =
        add("new", "write NAME.vae, a commented file to start from", [this] { return start(arguments_); });
    new_command->add_option("NAME", arguments_.name, "the model's name")->required();
    auto* data = add("data", "find or fetch a known data set: vaec data get mnist",
                     [this] { return get_data(arguments_.name, arguments_.to); });
    data->require_subcommand(1);
    auto* get = data->add_subcommand("get", "find a known data set, or fetch it");
    get->add_option("NAME", arguments_.name, "mnist, fashion_mnist")->required();
    get->add_option("--to", arguments_.to,
                    "folder to put it in (default: the cache, which `vaec doctor` names)")
        ->option_text("DIR");
    get->group("Commands");
  }

  void add_tools() {
    auto* shell = add("completions", "print what a shell needs to complete the words of vaec", [this] {
      std::cout << completions(arguments_.shell, command_table(app_), program_table());
      return Exit::ok;
    });
    shell->add_option("SHELL", arguments_.shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    shell->footer("To use them in this shell: source <(vaec completions bash).");
    auto* manual = add("manual", "print a manual page, as roff: vaec manual | man -l -", [this] {
      const bool of_executables = arguments_.page == "model";
      std::cout << manual_page(of_executables ? program_table() : command_table(app_), of_executables);
      return Exit::ok;
    });
    manual->add_option("PAGE", arguments_.page, "vaec (default), or model: the commands of executables")
        ->check(CLI::IsMember({"vaec", "model"}));
    auto* editor = add("lsp", "serve an editor by the Language Server Protocol, on standard input",
                       [] { return static_cast<Exit>(lsp::serve(STDIN_FILENO, STDOUT_FILENO)); });
    editor->add_flag("--stdio")->description("no effect: for editors that always give this flag");
    add("doctor", "print what is installed and what is missing",
        [] { return doctor(std::cout) ? Exit::ok : Exit::bad_configuration; });
  }

  Arguments arguments_;
  CLI::App app_;
  std::vector<std::pair<CLI::App*, std::function<Exit()>>> commands_;
  std::optional<SweepCommand> sweep_;
};

int main(int count, char** values) {
  CommandLine line;
  try {
    std::vector<char*> words = with_help_as_flag(count, values);
    line.app().parse(static_cast<int>(words.size()), words.data());
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)
      return static_cast<int>(output_written(static_cast<Exit>(line.app().exit(error))));
    std::cerr << printable(usage_error(line.app(), error)) << "\n";
    return static_cast<int>(Exit::usage);
  }
  try {
    return static_cast<int>(output_written(line.run_chosen()));
  } catch (const Failure& failure) {
    return static_cast<int>(report(failure.what(), failure.exit_code));
  } catch (const std::bad_alloc&) {
    return static_cast<int>(report("out of memory", Exit::bad_configuration));
  } catch (const std::exception& failure) {
    return static_cast<int>(report(std::string("internal error: ") + failure.what(), Exit::internal));
  }
}

}  // namespace
}  // namespace vaec

int main(int count, char** values) {
  hold_standard_streams();
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond a limit on file sizes then fails, and is reported
  std::signal(SIGABRT, [](int) { _exit(static_cast<int>(Exit::internal)); });  // a failed assertion
  return vaec::main(count, values);
}
