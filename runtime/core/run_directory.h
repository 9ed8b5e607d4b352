// A run directory: config.json, model.vae, env.json, metrics.jsonl, event files, samples/, checkpoints/.
// Never overwritten: a new run makes its own, a resumed one appends. Every file appears whole or not at all;
// a checkpoint is a folder written aside, then renamed. One process at a time.
// Failures: cannot_write (73) with the path and the system's cause; missing_input (66) where there is no run.
#pragma once
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/event_file.h"

namespace core {

class RunDirectory {
 public:
  /// `out`, or where it is empty the first free of runs/<name>-1, runs/<name>-2, ...
  static RunDirectory create(const std::filesystem::path& out, const std::string& name);
  /// An existing run, to be appended to; empty folders, which version control does not keep, are made anew.
  static RunDirectory open(const std::filesystem::path& path);
  ~RunDirectory();
  RunDirectory(RunDirectory&&) noexcept;

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& file, const std::string& text) const;
  /// `line` goes to metrics.jsonl, its utilities, terms and speed to the event file.
  void append_metrics(const nlohmann::json& line);
  /// Removes what was written after `step`, which a resumed run writes anew: lines of the record, events,
  /// pictures; and checkpoints that were written in part.
  void cut_after(int64_t step) const;
  /// `write` fills the folder that it is given. A checkpoint that is there already stays.
  void checkpoint(int64_t step, const std::function<void(const std::filesystem::path&)>& write) const;
  /// The checkpoint `best`, in place of the one before.
  void best_checkpoint(const std::function<void(const std::filesystem::path&)>& write) const;
  /// Removes all checkpoints but the last `count` and `best`.
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

/// The one of the highest step, if the run has any.
std::optional<Checkpoint> latest_checkpoint(const std::filesystem::path& run);
/// Failure(missing_input) where `run` is no run directory or does not hold the checkpoint. `which`: last (or
/// empty), best, or a step; Failure(usage) where it is none of these. `run` may be one of a run's
/// checkpoints, RUN/checkpoints/best, instead; then `which` is empty.
Checkpoint require_checkpoint(const std::filesystem::path& run, const std::string& which = "");

/// The lines of metrics.jsonl that are whole: one that a kill cut short is left out.
std::vector<nlohmann::json> read_metrics(const std::filesystem::path& run);

nlohmann::json read_json(const std::filesystem::path& path);
std::string read_text(const std::filesystem::path& path);

}  // namespace core
