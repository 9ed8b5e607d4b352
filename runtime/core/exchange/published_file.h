// One file of published rows, `step-N.safetensors`: one tensor per variable, [rows, ...]. Its metadata say
// who wrote it at which step. It is written under another name and then renamed, so a reader sees a whole
// file or none.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/data/arrays/safetensors.h"
#include "runtime/data/table.h"

namespace core {

struct PublishedRows {
  struct Variable {
    std::string name;
    std::string domain;  // domain and shape, as the language writes them
  };
  std::string program;
  int64_t step = 0;   // the training step whose parameters drew the rows
  int64_t every = 1;  // steps until the next file
  int64_t rows = 0;
  std::vector<Variable> variables;  // in the order of `publish`
  data::Tensors tensors;

  /// A table with a column for each variable. `origin` names the rows in messages.
  data::Table table(const std::string& origin) const;
  /// In lockstep: whether these are the rows for that step.
  bool covers(int64_t of_step) const { return step <= of_step && of_step < step + every; }
};

std::filesystem::path published_path(const std::filesystem::path& folder, int64_t step);

/// A file of published rows in the folder.
struct PublishedFile {
  int64_t step = 0;
  std::filesystem::path path;
};
/// The step in the file's name; nothing if it is not the name of such a file.
std::optional<int64_t> step_of_published(const std::filesystem::path& path);
/// The files of published rows, newest first; other files are ignored. Empty if there is no such folder.
std::vector<PublishedFile> published_files(const std::filesystem::path& folder);

/// Failure(cannot_write).
void write_published(const std::filesystem::path& path, const PublishedRows& rows);
/// Failure(bad_data) if the file is cut short, too large, not such a file, or holds a number that is not
/// finite.
PublishedRows read_published(const std::filesystem::path& path);

}  // namespace core
