// One file of published rows, `step-N.safetensors`: a tensor per variable, [rows, ...], and in its metadata
// who wrote it at which step. Written aside, then renamed; a reader sees a whole file or none.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/data/safetensors.h"
#include "runtime/data/table.h"

namespace core {

struct PublishedRows {
  struct Variable {
    std::string name;
    std::string domain;  // with its shape, as the language writes it
  };
  std::string program;
  int64_t step = 0;   // of training, whose parameters drew the rows
  int64_t every = 1;  // steps to the next file
  int64_t rows = 0;
  std::vector<Variable> variables;  // as `publish` lists them
  data::Tensors tensors;

  /// The column of each variable; `origin` names them in messages.
  data::Table table(const std::string& origin) const;
  /// In lockstep: these are the rows of that step.
  bool covers(int64_t of_step) const { return step <= of_step && of_step < step + every; }
};

std::filesystem::path published_path(const std::filesystem::path& folder, int64_t step);

/// A file of the folder, by its name.
struct PublishedFile {
  int64_t step = 0;
  std::filesystem::path path;
};
/// The step that the file's name says; none where it is not the name of such a file.
std::optional<int64_t> step_of_published(const std::filesystem::path& path);
/// The newest first; other files are left alone. Empty where there is no such folder.
std::vector<PublishedFile> published_files(const std::filesystem::path& folder);

/// Failure(cannot_write).
void write_published(const std::filesystem::path& path, const PublishedRows& rows);
/// Failure(bad_data) where it is cut short, too large, not such a file, or holds a number that is not finite.
PublishedRows read_published(const std::filesystem::path& path);

}  // namespace core
