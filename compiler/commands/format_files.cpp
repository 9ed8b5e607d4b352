#include "compiler/commands/format_files.h"

#include <fmt/format.h>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>

#include "compiler/files.h"
#include "compiler/print_report.h"
#include "compiler/syntax/parse.h"
#include "runtime/shared/printable.h"

namespace vaec {
namespace {
namespace fs = std::filesystem;

constexpr const char* standard_input = "-";

/// The .vae files of a folder and its subfolders, sorted. Hidden folders and links to folders are left out.
std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code unreadable;
    if (entry->is_directory(unreadable)) {
      if (name.starts_with('.')) entry.disable_recursion_pending();
    } else if (entry->path().extension() == ".vae") {
      files.push_back(entry->path().string());
    }
  }
  if (error) throw Failure(Exit::missing_input, fmt::format("cannot read {}: {}", folder, error.message()));
  if (files.empty()) throw Failure(Exit::missing_input, fmt::format("there is no .vae file in {}", folder));
  std::sort(files.begin(), files.end());
  return files;
}

/// Whether the path is a folder. A folder whose name looks like a file is probably meant as a file.
bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error) && fs::path(path).extension() != ".vae";
}

std::string read_standard_input() {
  constexpr size_t most = size_t{16} << 20;
  std::string text;
  char piece[1 << 16];
  while (std::cin.read(piece, sizeof piece) || std::cin.gcount() > 0) {
    text.append(piece, static_cast<size_t>(std::cin.gcount()));
    if (text.size() > most)
      throw Failure(Exit::missing_input, "cannot read the standard input: it is larger than 16 MiB");
  }
  return text;
}

class FileFormatter {
 public:
  explicit FileFormatter(const FormatRequest& request) : request_(request) {}

  Exit run() {
    for (const std::string& path : request_.paths) {
      attempt([&] {
        if (!is_folder(path)) return visit(path);
        for (const std::string& file : files_in(path)) attempt([&] { visit(file); });
      });
    }
    if (failed_ != Exit::ok) return failed_;
    return differs_ ? Exit::diagnostics : Exit::ok;
  }

 private:
  template <class Work>
  void attempt(const Work& work) {
    try {
      work();
    } catch (const Failure& failure) {
      std::cerr << "vaec: " << printable(failure.what()) << "\n";
      if (failed_ == Exit::ok) failed_ = failure.exit_code;
    }
  }

  void visit(const std::string& path) {
    const bool from_input = path == standard_input;
    std::error_code error;
    const fs::path whole = from_input ? fs::path(path) : fs::weakly_canonical(path, error);
    if (!done_.insert(error ? path : whole.string()).second) return;
    const std::string text = from_input ? read_standard_input() : read_file(path);
    const auto canonical = format(from_input ? "<stdin>" : path, text);
    if (!canonical) {
      differs_ = true;
    } else if (request_.check_only) {
      if (*canonical != text) report_layout(path);
    } else if (from_input) {
      std::cout << *canonical;
    } else if (*canonical != text) {
      write_file(path, *canonical);
    }
  }

  /// None if the text has errors, which are printed.
  std::optional<std::string> format(const std::string& name, const std::string& text) const {
    base::SourceSet sources;
    base::Report report(sources);
    const base::FileId file = sources.add(name, text);
    syntax::parse(file, report);
    print_report(report, request_.json);
    if (report.has_errors()) return {};
    return syntax::format(file, sources);
  }

  void report_layout(const std::string& path) {
    differs_ = true;
    if (path == standard_input) {
      std::cerr << "the standard input is not in canonical layout\n";
      return;
    }
    const std::string file = printable(path);
    std::cerr << file << " is not in canonical layout; `vaec fmt " << file << "` writes it\n";
  }

  const FormatRequest& request_;
  std::set<std::string> done_;  // so that a file that is named twice is read once
  bool differs_ = false;
  Exit failed_ = Exit::ok;
};

}  // namespace

Exit format_files(const FormatRequest& request) { return FileFormatter(request).run(); }

}  // namespace vaec
