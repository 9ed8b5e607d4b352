// A run directory: config.json, model.vae, env.json, metrics.jsonl, event files, samples/, checkpoints/. It
// is never overwritten: a new run makes its own, a resumed run appends. Every file appears whole or not at
// all; a checkpoint is a folder that is written under another name and then renamed. Only one process may use
// it at a time. Failures: cannot_write (73) with the path and the system's cause; missing_input (66) if there
// is no run.
#pragma once
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/run/event_file.h"

namespace core {

class RunDirectory {
 public:
  /// Makes the folder `out`. If `out` is empty: the first of runs/<name>-1, runs/<name>-2, ... that is free.
  static RunDirectory create(const std::filesystem::path& out, const std::string& name);
  /// Opens an existing run to append to it. Makes empty folders again, because version control does not keep
  /// them.
  static RunDirectory open(const std::filesystem::path& path);
  /// A run that another rank writes: only its path.
  static RunDirectory of_another_rank(const std::filesystem::path& path) { return RunDirectory(path); }
  ~RunDirectory();
  RunDirectory(RunDirectory&&) noexcept;

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& file, const std::string& text) const;
  /// Appends `line` to metrics.jsonl, and its utilities, terms and speed to the event file.
  void append_metrics(const nlohmann::json& line);
  /// Removes what was written after `step`, because a resumed run writes it again: lines of the record,
  /// events and pictures. Also removes checkpoints that were written only in part.
  void cut_after(int64_t step) const;
  /// Makes a checkpoint; `write` fills the folder that it is given. An existing checkpoint of this step is
  /// kept.
  void checkpoint(int64_t step, const std::function<void(const std::filesystem::path&)>& write) const;
  /// Makes the checkpoint `best`, which replaces the previous one.
  void best_checkpoint(const std::function<void(const std::filesystem::path&)>& write) const;
  /// Removes all checkpoints except the last `count` and `best`.
  void keep_checkpoints(int64_t count) const;
  bool has_checkpoint_before(int64_t step) const;
  std::filesystem::path sample_path(int64_t step) const;
  void add_event(const std::string& event) { events_.add(event); }

 private:
  explicit RunDirectory(std::filesystem::path path);
  void lock();
  void make_folders() const;
  void cut_metrics(int64_t step) const;

  std::filesystem::path path_;
  EventFile events_;
  int lock_ = -1;
};

struct Checkpoint {
  int64_t step = 0;
  std::filesystem::path path;
};

/// The checkpoint of the highest step, if the run has any.
std::optional<Checkpoint> latest_checkpoint(const std::filesystem::path& run);
/// The checkpoint `which` of the run: last (or empty), best, or a step. Failure(usage) for other texts.
/// Failure(missing_input) if `run` is not a run directory or does not hold the checkpoint. `run` may also be
/// the folder of a checkpoint, such as RUN/checkpoints/best; then `which` is empty.
Checkpoint require_checkpoint(const std::filesystem::path& run, const std::string& which = "");

/// The whole lines of metrics.jsonl. A line that was cut short when the run was killed is left out.
std::vector<nlohmann::json> read_metrics(const std::filesystem::path& run);

nlohmann::json read_json(const std::filesystem::path& path);
std::string read_text(const std::filesystem::path& path);

}  // namespace core
