// Publishes rows while a program learns: its players draw them with the parameters of a step, and every
// `publish_every` steps they are written to a file. A file depends only on (seed, step, parameters).
#pragma once
#include <filesystem>

#include "runtime/core/exchange/exchange.h"
#include "runtime/core/inference/plan.h"
#include "runtime/core/inference/sampler.h"

namespace core {

class Publisher {
 public:
  /// Makes the folder, locks it for this process, and removes files that an earlier run left there for steps
  /// that are still to come. `batch`: the largest batch of the sources. Failure(cannot_write).
  Publisher(Session& session, const Exchange& exchange, std::filesystem::path folder, uint64_t seed,
            int64_t batch, int64_t first_step);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  bool due(int64_t step) const { return step % exchange_.publish_every == 0; }
  /// Draws the rows with the session's current parameters.
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
  int lock_ = -1;                  // the open and locked folder
};

}  // namespace core
