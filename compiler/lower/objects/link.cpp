#include "compiler/lower/objects/link.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "compiler/lower/objects/call.h"
#include "runtime/shared/private_folder.h"

namespace lower {
namespace {
namespace fs = std::filesystem;

#ifdef VAEC_SANITIZED
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

/// The folder of the start files, if it can be known without asking the compiler.
std::optional<fs::path> start_files() {
#if defined(__x86_64__)
  for (const char* folder : {"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"}) {
    fs::path path = folder;
    if (fs::exists(path / "Scrt1.o") && fs::exists(path / "crti.o") && fs::exists(path / "crtn.o"))
      return path;
  }
#endif
  return std::nullopt;
}

constexpr const char* loader = "/lib64/ld-linux-x86-64.so.2";

/// If `ld` can be called directly: the folder of the start files. None if `cc` must call it.
std::optional<fs::path> start_files_for_ld() {
  if (sanitized || !fs::exists(loader)) return std::nullopt;
  return start_files();
}

/// Adds `inputs`, which have the form that ld takes. If `through_cc`, `cc` hands options on to ld.
void add_inputs(std::vector<std::string>& command, const std::vector<std::string>& inputs, bool through_cc) {
  for (const std::string& input : inputs) {
    // Not -Wl, because it reads a comma as the end of an option.
    if (through_cc && input.starts_with('-')) command.emplace_back("-Xlinker");
    command.push_back(input);
  }
}

/// `inputs` have the form that ld takes. The libraries that libvaert.so itself needs are looked up when it is
/// loaded.
std::vector<std::string> command_for(const std::vector<std::string>& inputs, const std::string& executable) {
  const auto start = start_files_for_ld();
  std::vector<std::string> command;
  if (!start) {
    command = {"cc", "-o", executable, "-Wl,--unresolved-symbols=ignore-in-shared-libs"};
    add_inputs(command, inputs, true);
    // On processors without a fused multiply-add, code calls the C library's function.
    command.insert(command.end(), {"-Wl,--as-needed", "-lm"});
    if (sanitized) command.push_back("-fsanitize=address");
    return command;
  }
  command = {
      "ld", "-pie", "-o", executable, "--dynamic-linker", loader, *start / "Scrt1.o", *start / "crti.o"};
  command.insert(command.end(), inputs.begin(), inputs.end());
  command.insert(command.end(),
                 {"--unresolved-symbols=ignore-in-shared-libs", "-z", "noexecstack", "--eh-frame-hdr",
                  "-L" + start->string(), "--as-needed", "-lm", "-lc", *start / "crtn.o"});
  return command;
}

CannotWrite no_space_left_for(const fs::path& file) {
  return CannotWrite(fmt::format("cannot write {}: No space left on device", file.string()));
}

/// `output`: the file that the command writes. It is no smaller than `archive`, which the command reads.
void link(const std::vector<std::string>& command, const fs::path& log, const fs::path& archive,
          const fs::path& output) {
  const Outcome outcome = call(command, log);
  if (!outcome.started) {
    throw std::runtime_error(
        command[0] == "ld"
            ? "no linker: `ld` cannot be run (install binutils)"
            : "no linker: the C library's start files are not where `ld` could be given them, and "
              "`cc` cannot be run (install binutils and libc6-dev, or gcc)");
  }
  if (outcome.status == 0) return;
  // If the disk is full, the linker's own message is lost too.
  std::error_code no_space, no_size;
  const fs::path folder = output.has_parent_path() ? output.parent_path() : fs::path(".");
  const fs::space_info space = fs::space(folder, no_space);
  const std::uintmax_t needed = fs::file_size(archive, no_size);
  if (!no_space && !no_size && space.available < needed) throw no_space_left_for(output);
  std::string cause = "the linker failed: " + outcome.said;
  std::replace(cause.begin(), cause.end(), '\n', ' ');
  throw std::runtime_error(cause);
}

/// A relative path may begin like an option or a list of options (`-x`, `@x`).
std::string as_file(const fs::path& path) {
  return path.is_relative() ? "./" + path.string() : path.string();
}

}  // namespace

void link_executable(const std::string& archive_path, const Runtime& runtime,
                     const std::string& executable_path) {
  const std::vector<std::string> inputs = {"--whole-archive", as_file(archive_path), "--no-whole-archive",
                                           as_file(runtime.library), "-rpath=" + runtime.search};
  link(command_for(inputs, as_file(executable_path)), archive_path + ".log", archive_path, executable_path);
}

Runtime runtime_in_place(const fs::path& library) {
  const fs::path folder = library.parent_path();
  if (!can_be_run_path(folder))
    throw std::runtime_error(
        fmt::format("programs cannot name {} as the folder of their runtime: `:` and `$` "
                    "have a meaning there",
                    folder.string()));
  return {library.string(), folder.string()};
}

bool can_be_run_path(const fs::path& folder) {
  return folder.is_absolute() && folder.string().find_first_of(":$") == std::string::npos;
}

void link_library(const std::string& archive_path, const Runtime& runtime, const std::string& name,
                  const std::string& library_path, const std::string& soname) {
  const PrivateFolder folder;
  const fs::path visible = folder.path() / "visible";
  std::ofstream(visible) << "{ global: " << name << "_*; local: *; };\n";
  const auto start = start_files_for_ld();
  std::vector<std::string> command = {start ? "ld" : "cc", "-shared", "-o", as_file(library_path)};
  add_inputs(command,
             {"--whole-archive", as_file(archive_path), "--no-whole-archive", as_file(runtime.library),
              "-rpath=" + runtime.search, "-soname=" + soname, "--version-script=" + visible.string(),
              "--unresolved-symbols=ignore-in-shared-libs", "--as-needed"},
             !start);
  if (start) command.insert(command.end(), {"-z", "noexecstack", "--eh-frame-hdr", "-L" + start->string()});
  if (!start && sanitized) command.emplace_back("-fsanitize=address");
  command.insert(command.end(), {"-lm", "-lc"});
  link(command, folder.path() / "log", archive_path, library_path);
}

std::string linker() { return start_files_for_ld() ? "ld" : "cc"; }

std::string why_no_linker() {
  try {
    const PrivateFolder folder;
    const fs::path executable = folder.path() / "nothing";
    link(command_for({"--defsym=main=0"}, executable), folder.path() / "log", "", executable);
    return "";
  } catch (const std::runtime_error& failure) {
    return failure.what();
  }
}

std::string join_objects(const std::string& archive) {
  const PrivateFolder folder;
  const fs::path whole = folder.path() / "all.a", joined = folder.path() / "image.o";
  std::ofstream file(whole, std::ios::binary);
  file << archive;
  file.close();
  if (!file) throw no_space_left_for(joined);
  link({"ld", "-r", "-o", joined, "--whole-archive", whole}, folder.path() / "log", whole, joined);
  std::ostringstream bytes;
  bytes << std::ifstream(joined, std::ios::binary).rdbuf();
  return bytes.str();
}

}  // namespace lower
