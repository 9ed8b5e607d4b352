// A trained model as every command uses it: the program's image with the checkpoint's statistics of
// `normalize`, and a session with the checkpoint's parameters.
#pragma once
#include <filesystem>
#include <string>

#include "runtime/core/execution/session.h"
#include "runtime/core/run/preprocessing.h"
#include "runtime/core/run/run_directory.h"

namespace core {

class TrainedModel {
 public:
  /// `which`: as in require_checkpoint; `weights`: as in load_checkpoint.
  TrainedModel(const Image& compiled, const std::filesystem::path& run, const MachineRequest& machine,
               const std::string& which = "", const std::string& weights = "");

  const Image& image() const { return prepared_.get(); }
  const Checkpoint& checkpoint() const { return checkpoint_; }
  Session& session() { return session_; }

 private:
  Checkpoint checkpoint_;
  PreparedImage prepared_;
  Session session_;
};

}  // namespace core
