// The ranks of a run: processes that train one model together. Each computes its share of every batch. In:
// the user's request and the launcher's environment. A call that involves all ranks must be made by all of
// them in the same order. If a rank is lost, such a call prints one line and ends the process with code 75,
// because a broken group cannot be closed.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/ranks/launchers.h"
#include "runtime/core/ranks/ranks_request.h"
#include "runtime/core/ranks/row_share.h"
#include "runtime/ranks/ranks_api.h"
#include "runtime/shared/failure.h"

namespace core {

struct MachineRequest;

/// A failure that all ranks have at the same place: rank 0 alone reports it.
struct SharedFailure : Failure {
  SharedFailure(Exit code, const std::string& cause, bool in_report)
      : Failure(code, cause), is_reported_here(in_report) {}
  bool is_reported_here;
};

/// Forks `count` ranks. Returns in each of them; the calling process waits, and ends with their exit code.
/// After a rank has failed, the others have `patience` seconds to end by themselves. Rank 0 writes the port
/// of the store to *port, where the others read it.
struct Forked {
  int rank = 0;
  volatile int32_t* port = nullptr;
};
Forked fork_ranks(int count, double patience);

class Ranks {
 public:
  /// One rank, without any transport.
  static Ranks& alone();

  /// Finds the launcher, or forks the ranks that are asked for, and connects them. `who` begins the lines
  /// that are printed when a rank is lost. If ranks are forked, the calling process waits for them and ends
  /// with their exit code; only the ranks return. Failures: usage, bad_configuration.
  Ranks(const RanksRequest& request, std::string who);
  Ranks(const Ranks&) = delete;
  /// Leaves the group open: close() closes it.
  ~Ranks() = default;

  int rank() const { return launched_.rank; }
  int size() const { return launched_.size; }
  bool is_several() const { return size() > 1; }
  bool is_first() const { return rank() == 0; }
  /// This rank's number among the ranks of its machine.
  int rank_on_host() const;
  std::string host_name() const;
  const Launched& launched() const { return launched_; }
  const char* transport() const { return table_ ? table_->name : "none"; }
  /// Chooses threads for this rank, unless the request names their number: the ranks of a machine share its
  /// cores.
  void share_cores(MachineRequest& machine) const;
  RowShare share(int64_t rows) const { return share_of(rows, rank(), size()); }

  /// Begins the sum over all ranks; `values` must not be touched until the handle has been awaited.
  void* begin_sum(float* values, int64_t count);
  void await(void* sum);
  void sum(float* values, int64_t count);
  /// The sums of numbers over all ranks, in the order of the ranks: the same bits everywhere.
  std::vector<double> sum(std::vector<double> values);
  /// The text of each rank. SharedFailure if another rank tells a failure by agree() instead.
  std::vector<std::string> gather(const std::string& own);
  /// The text of rank 0.
  std::string from_first(const std::string& text);
  bool from_first(bool value) { return from_first(std::string(value ? "1" : "0")) == "1"; }

  /// Rank 0 does this work while the others wait, however long it takes. They give up if rank 0 shows no sign
  /// of life within the timeout.
  void first_alone(const std::function<void()>& work);

  /// In this work the ranks compute shares that may take different times. gather() then waits as long as the
  /// others show signs of life within the timeout (with MPI, which has no store: within the timeout).
  void patiently(const std::function<void()>& work);

  /// Called again and again while this rank waits for others by other means than these functions. `seconds`:
  /// how long it has waited; `error`: what those means report, or empty. Does not return if a rank is lost.
  void look_for_losses(double seconds, const std::string& error);
  /// Before the process ends because a rank is lost, it does this work, but does not wait long for its end.
  void set_last_work(std::function<void()> work) { last_work_ = std::move(work); }

  /// Executes the work of all ranks and then closes the group. If this rank fails alone, the others learn
  /// why.
  int run(const std::function<int()>& work);

  /// Names the rank for messages: "rank 1 (host b, process 1234)".
  std::string name_of(int rank) const;
  /// For messages: how many steps are done.
  void set_step(int64_t step) { step_ = step; }

  /// All ranks tell whether they are ready. SharedFailure if any of them is not.
  void agree(const Failure* own = nullptr);
  /// After settle(), a rank that fails alone leaves without the others. Until unsettle(), no rank may wait
  /// for others except by agree() and gather().
  void settle() { is_settled_ = true; }
  void unsettle() { is_settled_ = false; }
  /// This rank has failed. Until settle(), all ranks fail together: SharedFailure. Afterwards it tells the
  /// others why, before this process ends.
  void leave(const Failure& failure);
  /// SharedFailure names the first text that differs between the ranks. The texts have the same names
  /// everywhere.
  void require_equal(const std::vector<std::pair<std::string, std::string>>& texts);

 private:
  void part();
  void close();
  Ranks() = default;
  struct Member {
    std::string host, mask, address;
    int64_t process = 0;
  };
  void take_forked(const Forked& forked);
  void open(const RanksRequest& request);
  void meet(const std::string& own_address);
  void require_reachable(const std::string& own_address);
  void count_threads();
  std::vector<std::string> gather_fixed(const std::string& own, int64_t size);
  std::optional<std::string> get(const std::string& key, int64_t wait_ms);
  [[noreturn]] void lose(const std::string& cause);
  std::optional<std::string> last_words_of(int rank, std::chrono::steady_clock::time_point end);
  std::vector<std::string> dead_ranks_of_this_host() const;
  bool sees_a_death();
  std::string who_is_lost();
  std::vector<std::string> gather_padded(const std::string& own);
  void do_last_work();
  void wait_for(int rank, const std::string& key);
  void wait_for_all();
  void linger();

  std::string who_;
  Launched launched_;
  double timeout_ = 60;
  int threads_ = 0;
  int sharing_before_ = 0;  // how many ranks of lower number share the cores of this one
  const vaert_ranks* table_ = nullptr;
  void* group_ = nullptr;
  volatile int32_t* port_ = nullptr;  // forked ranks: where rank 0 writes the port of the store
  bool serves_ = false, store_is_lost_ = false;
  std::vector<Member> members_;
  std::vector<std::string> dead_;  // whom sees_a_death() saw
  int64_t alone_ = 0;              // how often first_alone() was called
  std::vector<int> alive_;         // the ranks that gave up together with this one
  int64_t step_ = 0;
  std::function<void()> last_work_;
  bool is_settled_ = false;
  bool is_patient_ = false;
  int64_t gathered_ = 0;  // how often gather() was called patiently

  static constexpr size_t most_error_ = 1024;  // bytes of a transport's message
  friend bool ranks_are_open();
  static bool open_or_broken_;
};

/// Whether a group of ranks is open or broken, so that the process must end by _exit.
bool ranks_are_open();

}  // namespace core
