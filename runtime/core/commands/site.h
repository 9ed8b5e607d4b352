// What a training run exchanges with others: it publishes rows of its players and reads those of its peers.
// Before each step of the run exchange() does both.
#pragma once
#include <optional>

#include "runtime/core/learning/trainer.h"
#include "runtime/core/peers.h"
#include "runtime/core/publisher.h"

namespace core {

class Site {
 public:
  /// Before the trainer is made: it opens the peers' columns.
  Site(Session& session, const Exchange& exchange);

  /// When the run stands at its first step, and its folder is known. Failure(cannot_write).
  void begin(const Settings& settings, const std::filesystem::path& run, int64_t step);

  /// False where the listener ended the waiting for a peer.
  bool exchange(Trainer& trainer, const Peers::Listener& listener);
  /// After the last step: its rows are the newest that others find.
  void end(const Trainer& trainer);

  void save(const std::filesystem::path& checkpoint) const { peers_.save(checkpoint); }
  void restore(const std::filesystem::path& checkpoint, const Peers::Listener& listener) {
    peers_.restore(checkpoint, listener);
  }
  /// For a line of the record; null where nothing is exchanged.
  nlohmann::json record(int64_t step) const;
  nlohmann::json settings() const { return to_json(exchange_); }
  bool exchanges() const { return !session_.image.published.empty() || !peers_of(session_.image).empty(); }

 private:
  Session& session_;
  Exchange exchange_;
  Peers peers_;
  std::optional<Publisher> publisher_;
};

}  // namespace core
