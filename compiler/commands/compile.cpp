#include "compiler/commands/compile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>

#include "compiler/commands/bundle.h"
#include "compiler/commands/library_header.h"
#include "compiler/commands/starting_file.h"
#include "compiler/files.h"
#include "compiler/lower/objects/link.h"
#include "compiler/lower/processor.h"
#include "compiler/pipeline.h"
#include "compiler/print_report.h"
#include "compiler/print_stage.h"
#include "compiler/timings.h"
#include "runtime/shared/printable.h"

namespace vaec {
namespace {
namespace fs = std::filesystem;

const std::map<std::string, lower::Target> targets = {
    {"cpu", lower::Target::cpu}, {"cuda", lower::Target::cuda}, {"auto", lower::Target::any}};

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
    const std::vector<std::string> names = pass_names();
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

}  // namespace

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
  const std::string name = fs::path(arguments.name).filename().string();
  if (name.empty() || name == "." || name == ".." || name == ".vae")
    throw Failure(Exit::usage, "new: give the file a name, as in `vaec new digits`");
  const std::string path =
      fs::path(arguments.name).extension() == ".vae" ? arguments.name : arguments.name + ".vae";
  if (fs::exists(path)) throw Failure(Exit::cannot_write, path + " is there already");
  write_file(path, std::string(starting_file));
  const std::string shown = printable(path);
  std::cout << "wrote " << shown << "; next: vaec run " << shown << " train\n";
  return Exit::ok;
}

}  // namespace vaec
