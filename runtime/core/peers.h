// Rows that other programs publish while this one learns: `peer("NAME")`. Before a step the newest rows of
// each peer are taken from its folder, which anything may fill: a shared folder, rsync, a bucket. What was
// taken stays in use until newer rows come; nobody waits for a peer that was heard once, but in lockstep.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "runtime/core/exchange.h"
#include "runtime/core/published_file.h"
#include "runtime/data/population.h"

namespace core {

class Peers {
 public:
  Peers(const Image& image, const Exchange& exchange);
  ~Peers();

  /// Whether the column is of a peer's rows.
  bool reads(int column) const;
  /// From now on its rows are needed. Rows that are there already are taken, none is waited for.
  /// Failure(usage) where no folder of the peer is known.
  void open(int column);
  /// Of an open column, after refresh().
  const data::Population& rows(int column) const;

  /// What refresh() tells the user, a line each; and whether it should go on waiting.
  struct Listener {
    std::function<void(const std::string&)> say;
    std::function<bool()> goes_on;
  };
  /// Takes the rows for `step`: the newest at most `max_age` steps old, else what is there already, else it
  /// waits; in lockstep those of this very step. False where the listener ended the waiting.
  /// Failure(bad_data) where a peer publishes other variables, domains or shapes than are read,
  /// Failure(missing_input) where nothing came in `peer_wait` seconds.
  bool refresh(int64_t step, const Listener& listener);

  /// The rows in use, beside a checkpoint, so that a resumed run waits for nobody.
  void save(const std::filesystem::path& folder) const;
  void restore(const std::filesystem::path& folder, const Listener& listener);

  /// Per peer the step of its rows, their age, and the bytes read since the process began.
  nlohmann::json record(int64_t step) const;

 private:
  struct Peer;
  Peer* peer_of_column(int column) const;
  bool look(Peer& peer, int64_t step, const Listener& listener);
  bool look_for_step(Peer& peer, int64_t step, const Listener& listener);
  bool take(Peer& peer, const std::filesystem::path& path, std::optional<int64_t> covering,
            const Listener& listener);
  void require_agreement(const Peer& peer, const PublishedRows& rows,
                         const std::filesystem::path& path) const;
  data::Population load(const Peer& peer, int column, const PublishedRows& rows) const;
  void warn_of_age(Peer& peer, int64_t step, const Listener& listener) const;
  bool wait_for(Peer& peer, int64_t step, const Listener& listener);

  const Image& image_;
  Exchange exchange_;
  std::map<std::string, std::unique_ptr<Peer>> peers_;
  int64_t step_ = -1;                // of the last refresh()
  std::vector<std::string> unsaid_;  // found by open(): the next refresh() tells it
};

}  // namespace core
