// What a training run exchanges with others: it publishes rows of its players and reads rows of its peers.
// exchange(), called before each step, does both.
#pragma once
#include <optional>

#include "runtime/core/exchange/peers.h"
#include "runtime/core/exchange/publisher.h"
#include "runtime/core/learning/trainer.h"

namespace core {

class Site {
 public:
  /// Call it before the trainer is made, because the trainer opens the peers' columns.
  Site(Session& session, const Exchange& exchange);

  /// Call it when the run is at its first step and its folder is known. Failure(cannot_write).
  void begin(const Settings& settings, const std::filesystem::path& run, int64_t step);

  /// False if the listener ended the waiting for a peer.
  bool exchange(Trainer& trainer, const Peers::Listener& listener);
  /// Call it after the last step. Publishes the rows of that step, the newest that others find; in lockstep
  /// only if they are due.
  void end(const Trainer& trainer);

  void save(const std::filesystem::path& checkpoint) const { peers_.save(checkpoint); }
  void restore(const std::filesystem::path& checkpoint, const Peers::Listener& listener) {
    peers_.restore(checkpoint, listener);
  }
  /// The entry for a line of the record; null if nothing is exchanged.
  nlohmann::json record(int64_t step) const;
  nlohmann::json settings() const { return to_json(exchange_); }
  bool exchanges() const { return !session_.image.published.empty() || !peers_of(session_.image).empty(); }

 private:
  bool publishes_at(int64_t step);
  bool exchange_with_ranks(int64_t step, const Peers::Listener& listener);

  Session& session_;
  Exchange exchange_;
  Peers peers_;
  std::optional<Publisher> publisher_;
};

}  // namespace core
