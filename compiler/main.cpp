// The command line of vaec. Exit codes: 0; 1 diagnostics; 64 usage; 66 missing input; 70 internal; 73 cannot
// write.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <set>

#include "compiler/bundle.h"
#include "compiler/completions.h"
#include "compiler/data_get.h"
#include "compiler/doctor.h"
#include "compiler/failure.h"
#include "compiler/files.h"
#include "compiler/format_files.h"
#include "compiler/library_header.h"
#include "compiler/lower/link.h"
#include "compiler/lower/processor.h"
#include "compiler/lsp/server.h"
#include "compiler/manual.h"
#include "compiler/pipeline.h"
#include "compiler/print_report.h"
#include "compiler/runtime_function.h"
#include "compiler/starting_file.h"
#include "compiler/sweep_command.h"
#include "compiler/tensor/passes.h"
#include "compiler/timings.h"
#include "runtime/command_table.h"
#include "runtime/command_words.h"
#include "runtime/printable.h"
#include "runtime/standard_streams.h"

namespace vaec {
namespace {
namespace fs = std::filesystem;

const std::map<std::string, lower::Target> targets = {
    {"cpu", lower::Target::cpu}, {"cuda", lower::Target::cuda}, {"auto", lower::Target::any}};

struct Arguments {
  std::string file, output, bundle, emit, after, error_format = "text", explain_format = "text", name, to,
                                                 target = "cpu", shell, page;
  std::vector<std::string> files, defines, cpus = {"native"};
  bool check_only = false, timings = false;
  LearnFlags learn_flags;
};

/// The sources and diagnostics of one file, and how they are printed.
class Session {
 public:
  explicit Session(const Arguments& arguments) : arguments_(arguments) {}

  Request request() const {
    Request request{arguments_.file, read_file(arguments_.file), {}, targets.at(arguments_.target)};
    for (const std::string& define : arguments_.defines) {
      const size_t equals = define.find('=');
      if (equals == std::string::npos || equals == 0) {
        throw Failure(Exit::usage, "`-D " + define + "`: write -D name=value");
      }
      request.defines.emplace_back(define.substr(0, equals), define.substr(equals + 1));
    }
    request.learn_flags = arguments_.learn_flags;
    return request;
  }

  /// Prints the diagnostics. Returns 1 if there are errors.
  Exit finish() {
    refuse_wrong_flags();
    print_report(report, arguments_.error_format == "json");
    return report.has_errors() ? Exit::diagnostics : Exit::ok;
  }

  base::SourceSet sources;
  base::Report report{sources};

 private:
  /// A key from the command line is not part of the file, so an error in it is printed as one line.
  void refuse_wrong_flags() const {
    for (const base::Diagnostic& error : report.diagnostics()) {
      if (!error.span || base::info(error.code).severity != base::Severity::error) continue;
      const std::string& flag = sources.file(error.span->file).name;
      if (!flag.starts_with("--")) continue;
      std::string cause = flag + ": " + error.message;
      if (!error.text_label.empty()) cause += ": " + error.text_label;
      if (!error.text_help.empty()) cause += "; " + error.text_help;
      throw Failure(Exit::usage, cause);
    }
  }

  const Arguments& arguments_;
};

/// Turns an error about the target into a Failure. If this vaec does not have what a GPU needs, that is
/// neither an error of the program nor a bug of vaec.
template <class Function>
auto on_target(const Function& make) {
  try {
    return make();
  } catch (const std::runtime_error& failure) {
    if (dynamic_cast<const Failure*>(&failure)) throw;
    const bool no_space_left = dynamic_cast<const lower::CannotWrite*>(&failure) != nullptr;
    throw Failure(no_space_left ? Exit::cannot_write : Exit::bad_configuration, failure.what());
  }
}

Exit emit_stage(const Arguments& arguments) {
  if (!arguments.after.empty()) {
    std::vector<std::string> names = {"build"};
    for (const tensor::Pass& pass : tensor::program_passes) names.emplace_back(pass.name);
    if (arguments.emit != "tensor") throw Failure(Exit::usage, "--after goes with --emit=tensor");
    if (std::find(names.begin(), names.end(), arguments.after) == names.end())
      throw Failure(Exit::usage, fmt::format("--after {}: there is no such pass; known: {}", arguments.after,
                                             fmt::join(names, ", ")));
  }
  Session session(arguments);
  const auto text = on_target([&] {
    return print_stage(arguments.emit, arguments.after, session.request(), session.sources, session.report);
  });
  const Exit exit = session.finish();
  if (!text) return exit;
  if (arguments.output.empty()) {
    std::cout << *text;
  } else {
    write_file(arguments.output, *text);
  }
  return exit;
}

/// The runtime that an executable links, and where the loader looks for it.
lower::Runtime runtime_for(bool bundled) {
  if (bundled) return {bundle_start(), "$ORIGIN/lib"};
  return lower::runtime_in_place(runtime_library());
}

/// Turns the linker's failure into a Failure. Its cause is the machine: there is no linker, or the disk is
/// full.
template <class Link>
void link(const fs::path& output, const Link& call_linker) {
  try {
    call_linker();
  } catch (const lower::CannotWrite&) {
    throw Failure(Exit::cannot_write,
                  fmt::format("cannot write {}: No space left on device", output.string()));
  } catch (const std::runtime_error& failure) {
    if (dynamic_cast<const Failure*>(&failure)) throw;
    throw Failure(Exit::bad_configuration, failure.what());
  }
}

/// The library's name: "libdigits.so" gives `digits`. The names of its functions begin with it.
std::string library_name(const fs::path& output) {
  std::string name = output.stem().string();
  if (name.starts_with("lib")) name.erase(0, 3);
  for (char& letter : name)
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  return name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0 ? "_" + name : name;
}

void refuse_input_as_output(const fs::path& output, const Arguments& arguments) {
  std::error_code differs;
  if (fs::equivalent(output, arguments.file, differs))
    throw Failure(Exit::cannot_write,
                  fmt::format("cannot write {}: it is the input, name another with -o", output.string()));
}

/// The processor levels for which code is generated, the most demanding first.
std::set<lower::Cpu> levels_of(const Arguments& arguments) {
  std::set<lower::Cpu> levels;
  for (const std::string& name : arguments.cpus) levels.insert(lower::cpus.at(name));
  return levels;
}

std::vector<lower::Image> make_images(const CheckedModel& checked, const Request& request,
                                      const std::set<lower::Cpu>& levels) {
  std::vector<lower::Image> images;
  for (const lower::Cpu level : levels) {
    lower::choose_cpu(level);
    images.push_back(on_target([&] { return make_image(checked, request); }));
  }
  return images;
}

/// Builds a shared library, and its header beside it.
Exit build_library(const Arguments& arguments) {
  const fs::path output = arguments.output.empty()
                              ? fs::path("lib" + fs::path(arguments.file).stem().string() + ".so")
                              : fs::path(arguments.output);
  const std::string name = library_name(output);
  const fs::path header = output.parent_path() / (name + ".h");
  if (header == output)
    throw Failure(Exit::usage,
                  fmt::format("-o {}: the header has that name; name a .so file", output.string()));
  Session session(arguments);
  const Request request = session.request();
  const auto checked = check_model(request, session.sources, session.report);
  if (!checked) return session.finish();
  std::vector<lower::Image> images = make_images(*checked, request, levels_of(arguments));
  const Exit exit = session.finish();
  refuse_input_as_output(output, arguments);
  const Aside archive(output, ".a"), library(output, ".linked");
  archive.write(lower::archive_of(images, name));
  link(output, [&] {
    lower::link_library(archive.path(), runtime_for(false), name, library.path(), output.filename().string());
  });
  write_file(header, library_header(name));
  library.become_output();
  return exit;
}

/// The path of the executable.
fs::path output_of(const Arguments& arguments) {
  const fs::path name = fs::path(arguments.file).stem();
  if (!arguments.bundle.empty()) {
    if (name == "lib")
      throw Failure(Exit::usage, "--bundle: lib is the folder of the libraries: give FILE another name");
    return fs::path(arguments.bundle) / name;
  }
  return arguments.output.empty() ? name : fs::path(arguments.output);
}

/// The folder of `output`, in the form in which a running executable finds its own folder.
std::string folder_of(const fs::path& output) {
  std::error_code none;
  return fs::weakly_canonical(fs::absolute(output).parent_path(), none).string();
}

Exit build(const Arguments& arguments) {
  if (arguments.emit == "library") return build_library(arguments);
  const std::set<lower::Cpu> levels = levels_of(arguments);
  if (!arguments.emit.empty()) {
    if (levels.size() > 1) throw Failure(Exit::usage, "--emit prints code for one processor: name one --cpu");
    lower::choose_cpu(*levels.begin());
    return emit_stage(arguments);
  }
  Session session(arguments);
  Timings timings(arguments.timings);
  const bool bundled = !arguments.bundle.empty();
  const fs::path output = output_of(arguments);
  Request request = session.request();
  request.built_in = bundled ? "." : folder_of(output);
  const auto checked = check_model(request, session.sources, session.report);
  timings.end("analyze");
  if (!checked) return session.finish();
  std::vector<lower::Image> images = make_images(*checked, request, levels);
  const Exit exit = session.finish();
  timings.end("programs");
  refuse_input_as_output(output, arguments);
  if (bundled) make_bundle_folder(arguments.bundle);
  const Aside archive(output, ".a"), executable(output, ".linked");
  archive.write(lower::archive_of(images));
  size_t kernels = 0, made = 0;
  for (const lower::Image& image : images) kernels += image.kernel_count(), made += image.made_count();
  timings.end("kernels", fmt::format("  {} kernels, {} compiled anew", kernels, made));
  link(output, [&] { lower::link_executable(archive.path(), runtime_for(bundled), executable.path()); });
  if (bundled) copy_runtime(arguments.bundle);
  executable.become_output();
  timings.end("link");
  timings.end_all();
  return exit;
}

Exit run(Arguments arguments, std::vector<std::string> passed_on) {
  arguments.learn_flags = take_learn_flags(passed_on);
  Session session(arguments);
  auto image = on_target([&] { return compile(session.request(), session.sources, session.report); });
  const Exit exit = session.finish();
  if (!image) return exit;
  std::vector<std::string> all = {fs::path(arguments.file).stem().string()};
  all.insert(all.end(), passed_on.begin(), passed_on.end());
  return static_cast<Exit>(image->run(runtime_library(), all));
}

Exit check(const Arguments& arguments) {
  if (!arguments.emit.empty()) return emit_stage(arguments);
  Session session(arguments);
  check_model(session.request(), session.sources, session.report);
  return session.finish();
}

Exit explain(const Arguments& arguments) {
  Session session(arguments);
  const auto checked = check_model(session.request(), session.sources, session.report);
  const Exit exit = session.finish();
  if (!checked) return exit;
  const semantics::Model& model = checked->model;
  const game::Game& game = checked->game;
  if (arguments.explain_format == "json") {
    std::cout << game::explain_json(model, game).dump(2) << "\n";
  } else if (arguments.explain_format == "latex") {
    std::cout << game::explain_latex(model, game);
  } else if (arguments.explain_format == "dot") {
    std::cout << game::explain_dot(model, game);
  } else {
    std::cout << printable_lines(game::explain_text(model, game));
  }
  return exit;
}

Exit start(const Arguments& arguments) {
  const std::string path =
      fs::path(arguments.name).extension() == ".vae" ? arguments.name : arguments.name + ".vae";
  if (fs::exists(path)) throw Failure(Exit::cannot_write, path + " is there already");
  write_file(path, std::string(starting_file));
  const std::string shown = printable(path);
  std::cout << "wrote " << shown << "; next: vaec run " << shown << " train\n";
  return Exit::ok;
}

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

int main(int count, char** values) {
  Arguments arguments;
  CLI::App app("Compiles .vae files: probabilistic models trained by symmetric equilibrium learning.",
               "vaec");
  app.set_help_flag("-h,--help", "print this help");
  app.set_version_flag("--version", "vaec " VAEC_VERSION, "print the version");
  app.require_subcommand(1);
  // Replaces CLI11's words for commands and values. Flags describe their values themselves.
  const std::map<std::string, std::string> words = {
      {"SUBCOMMAND", "COMMAND"}, {"TEXT", ""}, {"REQUIRED", ""}};
  for (const auto& [theirs, ours] : words) app.get_formatter()->label(theirs, ours);
  const auto prints_errors = [&](CLI::App* command) {
    command->add_option("--error-format", arguments.error_format, "format of diagnostics")
        ->option_text("text|json")
        ->check(CLI::IsMember({"text", "json"}));
    return command;
  };
  const auto reads_file = [&](CLI::App* command) {
    command->add_option("FILE", arguments.file, "a .vae file")->required();
    return prints_errors(command);
  };
  const auto defines = [&](CLI::App* command) {
    command->add_option("-D", arguments.defines, "replaces the value of a param of the file; may be repeated")
        ->option_text("NAME=VALUE")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    return command;
  };
  const auto emits = [&](CLI::App* command, const char* help, const std::vector<std::string>& names) {
    auto* emit = command->add_option("--emit", arguments.emit, help)
                     ->option_text(fmt::format("{}", fmt::join(names, "|")))
                     ->check(CLI::IsMember(names));
    command->add_option("--after", arguments.after, "with --emit=tensor: print the programs after this pass")
        ->option_text("PASS")
        ->needs(emit);
    return command;
  };
  std::vector<std::string> made_by_build = stages;
  made_by_build.emplace_back("library");
  auto* build_command =
      emits(defines(reads_file(app.add_subcommand(
                "build", "compile to an executable that trains, samples, infers and evaluates"))),
            "print this stage of the compilation instead; library: make a shared library and its C header",
            made_by_build);
  const auto targeted = [&](CLI::App* command) {
    command
        ->add_option("--target", arguments.target,
                     "what training runs on: cpu (default), cuda, or auto: a GPU where there is one")
        ->option_text("cpu|cuda|auto")
        ->check(CLI::IsMember({"cpu", "cuda", "auto"}));
  };
  targeted(build_command);
  build_command
      ->add_option("--cpu", arguments.cpus,
                   "processors to compile for: native (default), or levels of x86-64; of several, the "
                   "executable chooses when it starts")
      ->option_text("native|x86-64-v2|x86-64-v3|x86-64-v4[,...]")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember(lower::cpus));
  auto* output_option = build_command->add_option(
      "-o", arguments.output, "path of the executable (default: FILE's name without .vae, in this folder)");
  output_option->option_text("PATH");
  build_command
      ->add_option("--bundle", arguments.bundle,
                   "a folder for the executable and all it needs besides the C library")
      ->option_text("DIR")
      ->check([](const std::string& folder) { return std::string(folder.empty() ? "DIR is empty" : ""); })
      ->excludes(output_option)
      ->excludes(build_command->get_option("--emit"));
  arguments.learn_flags.add_to(build_command);
  build_command->add_flag("--timings", arguments.timings,
                          "print the time of each part of the compilation, and how much came from the cache");
  auto* run_command =
      defines(reads_file(app.add_subcommand("run", "compile in memory and run a command of the executable")));
  targeted(run_command);
  run_command->prefix_command();
  run_command->footer(
      "What follows FILE goes to the program: vaec run model.vae train --steps 100; vaec run model.vae "
      "info.");
  auto* check_command =
      emits(defines(reads_file(app.add_subcommand("check", "print the errors and warnings of a file"))),
            "print this stage of the compilation instead", stages);
  auto* explain_command = defines(reads_file(
      app.add_subcommand("explain", "print who draws what for each source, and what each player maximizes")));
  explain_command
      ->add_option("--format", arguments.explain_format,
                   "text (default), a document for pdflatex, a picture for Graphviz, or data")
      ->option_text("text|latex|dot|json")
      ->check(CLI::IsMember({"text", "latex", "dot", "json"}));
  auto* format_command =
      prints_errors(app.add_subcommand("fmt", "rewrite files in canonical layout, or standard input"));
  format_command
      ->add_option("FILE", arguments.files,
                   "a .vae file, a folder of them, or - for standard input, written to standard output")
      ->option_text("...")
      ->required();
  format_command->add_flag("--check", arguments.check_only,
                           "write nothing; name each file whose layout is not canonical, and exit 1");
  auto* new_command = app.add_subcommand("new", "write NAME.vae, a commented file to start from");
  new_command->add_option("NAME", arguments.name, "the model's name")->required();
  auto* data_command = app.add_subcommand("data", "find or fetch a known data set: vaec data get mnist");
  data_command->require_subcommand(1);
  auto* get_command = data_command->add_subcommand("get", "find a known data set, or fetch it");
  get_command->add_option("NAME", arguments.name, "mnist, fashion_mnist")->required();
  get_command
      ->add_option("--to", arguments.to,
                   "folder to put it in (default: the cache, which `vaec doctor` names)")
      ->option_text("DIR");
  get_command->group("Commands");
  SweepCommand sweep_command(app);
  auto* completions_command =
      app.add_subcommand("completions", "print what a shell needs to complete the words of vaec");
  completions_command->add_option("SHELL", arguments.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completions_command->footer("To use them in this shell: source <(vaec completions bash).");
  auto* manual_command = app.add_subcommand("manual", "print a manual page, as roff: vaec manual | man -l -");
  manual_command->add_option("PAGE", arguments.page, "vaec (default), or model: the commands of executables")
      ->check(CLI::IsMember({"vaec", "model"}));
  auto* lsp_command =
      app.add_subcommand("lsp", "serve an editor by the Language Server Protocol, on standard input");
  lsp_command->add_flag("--stdio")->description("no effect: for editors that always give this flag");
  auto* doctor_command = app.add_subcommand("doctor", "print what is installed and what is missing");

  for (CLI::App* command : app.get_subcommands({})) command->group("Commands");
  app.footer("vaec COMMAND --help says more. To begin: vaec new mine, then vaec run mine.vae train.");

  try {
    std::vector<char*> words_given = with_help_as_flag(count, values);
    app.parse(static_cast<int>(words_given.size()), words_given.data());
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)
      return static_cast<int>(output_written(static_cast<Exit>(app.exit(error))));
    std::cerr << printable(usage_error(app, error)) << "\n";
    return static_cast<int>(Exit::usage);
  }
  const auto exit_of = [&] {
    if (build_command->parsed()) return build(arguments);
    if (run_command->parsed()) return run(arguments, run_command->remaining());
    if (check_command->parsed()) return check(arguments);
    if (explain_command->parsed()) return explain(arguments);
    if (format_command->parsed())
      return format_files({arguments.files, arguments.check_only, arguments.error_format == "json"});
    if (new_command->parsed()) return start(arguments);
    if (sweep_command.parsed()) return sweep_command.run();
    if (completions_command->parsed()) {
      std::cout << completions(arguments.shell, command_table(app), program_table());
      return Exit::ok;
    }
    if (manual_command->parsed()) {
      const bool of_executables = arguments.page == "model";
      std::cout << manual_page(of_executables ? program_table() : command_table(app), of_executables);
      return Exit::ok;
    }
    if (lsp_command->parsed()) return static_cast<Exit>(lsp::serve(STDIN_FILENO, STDOUT_FILENO));
    if (get_command->parsed()) return get_data(arguments.name, arguments.to);
    return doctor_command->parsed() && doctor(std::cout) ? Exit::ok : Exit::bad_configuration;
  };
  try {
    return static_cast<int>(output_written(exit_of()));
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
  std::signal(SIGABRT, [](int) { _exit(static_cast<int>(vaec::Exit::internal)); });  // a failed assertion
  return vaec::main(count, values);
}
