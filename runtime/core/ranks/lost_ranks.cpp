// How ranks end: together, after a failure of one of them, or after one was lost.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <thread>

#include "runtime/core/ranks/rank_process.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/shared/print_error.h"
#include "runtime/shared/printable.h"

namespace core {
namespace {

// How long a rank that gives up waits to hear which of the others do not answer, and how long the rank with
// the store then lets them read it.
constexpr int64_t hearing_ms = 3000, lingering_ms = 2000;

}  // namespace

void Ranks::leave(const Failure& failure) {
  if (!is_several() || !table_ || !group_) return;
  if (!is_settled_) return agree(&failure);
  if (!table_->set) return;
  table_->set(group_, fmt::format("left/{}", rank()).c_str(), failure.what());
  table_->set(group_, VAERT_RANKS_FAILED, "");
  for (int r = 0; r < size(); ++r)
    if (r != rank()) alive_.push_back(r);
  linger();
}

/// What rank r said when it gave up. Nothing if it does not say so in time or its process has ended.
std::optional<std::string> Ranks::last_words_of(int r, std::chrono::steady_clock::time_point end) {
  const Member& member = members_[static_cast<size_t>(r)];
  const std::string key = fmt::format("left/{}", r);
  constexpr int64_t between_ms = 100;
  while (!store_is_lost_) {
    if (std::optional<std::string> said = get(key, between_ms)) return said;
    if (std::chrono::steady_clock::now() >= end) break;
    if (member.host == own_host() && has_ended(member.process)) break;
  }
  return std::nullopt;
}

std::vector<std::string> Ranks::dead_ranks_of_this_host() const {
  std::vector<std::string> dead;
  for (int r = 0; r < static_cast<int>(members_.size()); ++r) {
    const Member& member = members_[static_cast<size_t>(r)];
    if (r != rank() && member.host == own_host() && has_ended(member.process)) dead.push_back(name_of(r));
  }
  return dead;
}

/// Only the second look counts: a rank that ended in good order has sent its last message before. But the
/// first look says who died first; others may have given up meanwhile.
bool Ranks::sees_a_death() {
  if (!dead_.empty()) return true;
  dead_ = dead_ranks_of_this_host();
  return false;
}

namespace {

std::string do_not_answer(const std::vector<std::string>& names) {
  return fmt::format("{} {} not answer any more", fmt::join(names, ", "), names.size() == 1 ? "does" : "do");
}

}  // namespace

/// Says which ranks do not answer any more, or which of them failed and why.
std::string Ranks::who_is_lost() {
  if (members_.empty()) return "the ranks could not meet";
  if (!table_->set) {
    const std::vector<std::string> dead = dead_.empty() ? dead_ranks_of_this_host() : dead_;
    return dead.empty()
               ? "another rank does not answer any more; MPI does not say which, but no rank of this "
                 "host has ended"
               : do_not_answer(dead);
  }
  table_->set(group_, fmt::format("left/{}", rank()).c_str(), "");
  table_->set(group_, VAERT_RANKS_FAILED, "");
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(hearing_ms);
  std::vector<std::string> silent, ended, failed;
  for (int r = 0; r < size(); ++r) {
    if (r == rank()) continue;
    const std::optional<std::string> said = last_words_of(r, end);
    if (store_is_lost_)
      return (launched_.launcher_serves ? launched_.launcher : name_of(0)) +
             ", which has the store of the ranks, does not answer any more";
    const Member& member = members_[static_cast<size_t>(r)];
    if (said) alive_.push_back(r);
    if (!said) silent.push_back(name_of(r));
    if (!said && member.host == own_host() && has_ended(member.process)) ended.push_back(name_of(r));
    if (said && !said->empty()) failed.push_back(fmt::format("{} failed: {}", name_of(r), printable(*said)));
  }
  if (!failed.empty()) return fmt::format("{}", fmt::join(failed, "; "));
  // The others may be busy with a long step.
  if (!ended.empty()) silent = ended;
  if (!silent.empty()) return do_not_answer(silent);
  return "the ranks do not reach one another";
}

/// The rank with the store gives the others time to read it.
void Ranks::linger() {
  if (!serves_ && table_->set) table_->set(group_, fmt::format("seen/{}", rank()).c_str(), "");
  if (!serves_ || !table_->get) return;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(lingering_ms);
  for (const int r : alive_) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    get(fmt::format("seen/{}", r), std::max<int64_t>(0, left.count()));
  }
}

void Ranks::lose(const std::string& cause) {
  const std::string lost = group_ ? who_is_lost() : "rank 0 does not answer";
  // Gloo begins its messages with a place in its own source text.
  const size_t place_end = cause.starts_with('[') ? cause.find("] ") : std::string::npos;
  print_error("{}: rank {} of {}: {}, after step {} ({})\n", printable(who_), rank(), size(), lost, step_,
              printable(place_end == std::string::npos ? cause : cause.substr(place_end + 2)));
  std::fflush(nullptr);
  if (group_) linger();
  do_last_work();
  _exit(static_cast<int>(Exit::lost_rank));
}

/// A broken library must not keep the process from ending.
void Ranks::do_last_work() {
  if (!last_work_) return;
  constexpr std::chrono::seconds longest(2);
  const auto done = std::make_shared<std::promise<void>>();
  std::thread([work = last_work_, done] {
    work();
    done->set_value();
  }).detach();
  done->get_future().wait_for(longest);
}

int Ranks::run(const std::function<int()>& work) {
  try {
    const int code = work();
    close();
    return code;
  } catch (const SharedFailure&) {
    part();
    throw;
  } catch (const Failure& failure) {
    leave(failure);
    throw;
  } catch (const std::exception& failure) {
    leave(Failure(Exit::internal, failure.what()));
    throw;
  }
}

/// The rank with the store ends last, so that the others can still read it.
void Ranks::part() {
  if (!group_ || !table_->set) return;
  if (!serves_) {
    table_->set(group_, fmt::format("done/{}", rank()).c_str(), "");
    return;
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeout_);
  for (int r = 1; r < size() && std::chrono::steady_clock::now() < end; ++r) {
    const Member& member = members_[static_cast<size_t>(r)];
    while (!get(fmt::format("done/{}", r), lingering_ms) && !store_is_lost_ &&
           std::chrono::steady_clock::now() < end)
      if (member.host == own_host() && has_ended(member.process)) break;
  }
}

/// All ranks have finished.
void Ranks::close() {
  if (!group_) return;
  char error[most_error_] = "";
  if (table_->barrier(group_, error, sizeof error) != 0) lose(error);
  part();
  table_->close(group_);
  group_ = nullptr;
  open_or_broken_ = false;
}

}  // namespace core
