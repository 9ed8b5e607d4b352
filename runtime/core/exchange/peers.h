// Rows that other programs publish while this one learns: `peer("NAME")`. Before a step, the newest rows of
// each peer are read from its folder, which anything may fill: a shared folder, rsync, a bucket. They stay in
// use until newer rows come. Training waits only for the first rows of a peer; in lockstep it waits at every
// step.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "runtime/core/exchange/exchange.h"
#include "runtime/core/exchange/published_file.h"
#include "runtime/data/population.h"

namespace core {

class Peers {
 public:
  Peers(const Image& image, const Exchange& exchange);
  ~Peers();

  /// Whether the column reads rows of a peer.
  bool reads(int column) const;
  /// From now on, the column's rows are needed. Takes rows that are already there, but does not wait for any.
  /// Failure(usage) if the folder of the peer is not known.
  void open(int column);
  /// The rows of an open column, after refresh().
  const data::Population& rows(int column) const;

  /// Gets what refresh() tells the user, one line each, and says whether refresh() should go on waiting.
  struct Listener {
    std::function<void(const std::string&)> say;
    std::function<bool()> goes_on;
  };
  /// Takes the rows for `step`: the newest rows that are at most `max_age` steps old. If there are none,
  /// keeps the rows that it has, or waits if it has none. In lockstep, takes the rows of exactly this step.
  /// False if the listener ended the waiting. Failure(bad_data) if a peer publishes other variables, domains
  /// or shapes than are read, Failure(missing_input) if nothing came within `peer_wait` seconds.
  bool refresh(int64_t step, const Listener& listener);

  /// For each peer, the file whose rows refresh() took last: {peer: path}. Other ranks take the same files by
  /// follow(). Failure(bad_data) if a file is not there or cannot be used.
  nlohmann::json files_in_use() const;
  void follow(const nlohmann::json& files, int64_t step, const Listener& listener);

  /// Saves the rows in use beside a checkpoint, so that a resumed run does not have to wait for a peer.
  void save(const std::filesystem::path& folder) const;
  void restore(const std::filesystem::path& folder, const Listener& listener);

  /// For each peer: the step of its rows, their age, and the files and bytes read since the process began.
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
  static std::string what_was_left_out(const Peer& peer);
  void warn_of_age(Peer& peer, int64_t step, const Listener& listener) const;
  bool wait_for(Peer& peer, int64_t step, const Listener& listener);

  const Image& image_;
  Exchange exchange_;
  std::map<std::string, std::unique_ptr<Peer>> peers_;
  int64_t step_ = -1;                // the step of the last refresh()
  std::vector<std::string> unsaid_;  // messages of open(), which the next refresh() passes on
};

}  // namespace core
