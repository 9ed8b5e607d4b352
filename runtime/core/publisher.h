// What a program publishes while it learns: rows drawn by its players with the parameters of a step, one file
// every `publish_every` steps. A file is a function of (seed, step, parameters) alone.
#pragma once
#include <filesystem>

#include "runtime/core/exchange.h"
#include "runtime/core/plan.h"
#include "runtime/core/sampler.h"

namespace core {

class Publisher {
 public:
  /// Makes the folder, keeps it for this process alone, and removes what a run before left there for steps
  /// that are still to come. `batch`: the largest of the sources. Failure(cannot_write).
  Publisher(Session& session, const Exchange& exchange, std::filesystem::path folder, uint64_t seed,
            int64_t batch, int64_t first_step);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  bool due(int64_t step) const { return step % exchange_.publish_every == 0; }
  /// With the session's parameters.
  void publish(int64_t step);

  int64_t files() const { return files_; }
  int64_t bytes() const { return bytes_; }

 private:
  void lock();
  void remove_later(int64_t first_step) const;
  void remove_old() const;

  Session& session_;
  Exchange exchange_;
  std::filesystem::path folder_;
  uint64_t seed_;
  int64_t rows_;
  Sampler sampler_;
  Plan plan_;
  int64_t files_ = 0, bytes_ = 0;  // since the process began
  int lock_ = -1;                  // the folder, open and locked
};

}  // namespace core
