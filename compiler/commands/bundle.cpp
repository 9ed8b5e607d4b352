#include "compiler/commands/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string_view>

#include "compiler/files.h"
#include "compiler/lower/objects/call.h"
#include "runtime/shared/failure.h"

namespace vaec {
namespace fs = std::filesystem;
namespace {

/// Parts of glibc. Every machine has them, in a version of its own.
bool is_c_library(const std::string& name) {
  static constexpr std::array<std::string_view, 11> parts = {
      "ld-linux",      "libc.so.",  "libm.so.",    "libmvec.so.", "libdl.so.",      "libpthread.so.",
      "libresolv.so.", "librt.so.", "libutil.so.", "libanl.so.",  "libBrokenLocale"};
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return name.starts_with(part); });
}

/// Adds the libraries that the dynamic loader would load for `library`: name to path.
void add_needed(const fs::path& library, const fs::path& log, std::map<std::string, fs::path>& needed) {
  constexpr const char* loader = "/lib64/ld-linux-x86-64.so.2";
  const lower::Outcome listed = lower::call({loader, "--list", library.string()}, log);
  if (!listed.started || listed.status != 0)
    throw Failure(Exit::bad_configuration,
                  fmt::format("--bundle needs the loader {} to list what {} links{}", loader,
                              library.string(), listed.started ? ": " + listed.said : ""));
  // A line looks like "libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f...)".
  std::istringstream lines(listed.said);
  for (std::string name, arrow, path, rest; lines >> name; std::getline(lines, rest)) {
    if (!(lines >> arrow) || arrow != "=>") continue;
    lines >> path;
    if (path == "not")
      throw Failure(Exit::bad_configuration,
                    fmt::format("{} needs {}, which is not installed", library.string(), name));
    if (path.starts_with('/') && !is_c_library(name)) needed.emplace(name, path);
  }
}

void copy_aside(const fs::path& from, const fs::path& to) {
  std::ifstream file(from, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!file || content.empty())
    throw Failure(Exit::bad_configuration, fmt::format("cannot read {}", from.string()));
  write_file(to, content);
}

}  // namespace

void make_bundle_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder / "lib", error);
  if (error)
    throw Failure(Exit::cannot_write, fmt::format("cannot write {}: {}", folder.string(), error.message()));
}

std::string bundle_start() {
  const fs::path start = fs::path(runtime_library()).replace_filename("libvaert_start.a");
  if (!fs::exists(start))
    throw Failure(Exit::bad_configuration,
                  fmt::format("--bundle needs {}, which is missing", start.string()));
  return start.string();
}

void copy_runtime(const fs::path& folder) {
  const fs::path lib = folder / "lib", runtime = runtime_library(), log = lib / ".loader.log";
  std::map<std::string, fs::path> needed = {{"libvaert.so.0", runtime}};
  add_needed(runtime, log, needed);
  for (const char* part :
       {"libvaert_hdf5.so", "libvaert_sqlite.so", "libvaert_fetch.so", "libvaert_lenet.so"}) {
    const fs::path library = fs::path(runtime).replace_filename(part);
    if (!fs::exists(library)) continue;
    needed.emplace(part, library);
    add_needed(library, log, needed);
  }
  for (const auto& [name, path] : needed) copy_aside(path, lib / name);
}

}  // namespace vaec
