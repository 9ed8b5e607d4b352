#include "runtime/core/ranks/ranks.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/core/machine/backend.h"
#include "runtime/core/machine/thread_pool.h"
#include "runtime/core/ranks/own_address.h"
#include "runtime/core/ranks/rank_process.h"
#include "runtime/core/ranks/transports.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/printable.h"

namespace core {
using nlohmann::json;

namespace {

/// How many ranks `--ranks` asks to fork; 0: none.
int asked_to_fork(const std::string& text) {
  if (text == "auto" || text == "off") return 0;
  constexpr int most = 1024;
  const bool number =
      !text.empty() && text.size() <= 4 && text.find_first_not_of("0123456789") == std::string::npos;
  const int count = number ? std::stoi(text) : 0;
  if (count < 1 || count > most)
    throw Failure(Exit::usage,
                  fmt::format("--ranks {}: it must be auto, off, or a number up to {}", text, most));
  return count;
}

/// With --exact-ranks K, each slice of a batch is a rank of its own, so that the order of sums depends on K
/// alone. Returns how many slices each process has.
int slices_of_each(const RanksRequest& request, int processes) {
  if (request.exact == 0) return 1;
  if (request.exact % processes != 0)
    throw Failure(Exit::usage, fmt::format("--exact-ranks {}: it must be a multiple of the {}", request.exact,
                                           counted(processes, "rank")));
  return static_cast<int>(request.exact / processes);
}

void announce(void* context, int32_t port) { *static_cast<volatile int32_t*>(context) = port; }

}  // namespace

bool Ranks::open_or_broken_ = false;

bool ranks_are_open() { return Ranks::open_or_broken_; }

Ranks& Ranks::alone() {
  static Ranks ranks;
  return ranks;
}

Ranks::Ranks(const RanksRequest& request, std::string who) : who_(std::move(who)), timeout_(request.timeout) {
  const int asked = asked_to_fork(request.ranks);
  std::optional<Launched> found = request.ranks == "off" ? std::nullopt : find_launcher();
  if (found && found->size == 1) {
    launched_.launcher = found->launcher;
    launched_.job = found->job;
    launched_.job_has_own_name = found->job_has_own_name;
    launched_.restarts = found->restarts;
    found.reset();
  }
  if (found && asked > 0 && asked != found->size)
    throw Failure(Exit::usage, fmt::format("--ranks {}: {} has started {} ranks; leave --ranks out",
                                           request.ranks, found->launcher, found->size));
  if (!found && asked >= 2 && request.transport == "mpi")
    throw Failure(Exit::usage,
                  fmt::format("--ranks {} --ranks-transport mpi: MPI's ranks are started by mpirun: "
                              "mpirun -n {} {} ... --ranks-transport mpi",
                              request.ranks, request.ranks, who_));
  const int processes = found ? found->size : std::max(1, asked);
  const int each = slices_of_each(request, processes);
  const int forks = found ? each : processes * each;
  if (found) launched_ = *found;
  if (found && forks > 1 && (request.transport == "mpi" || found->host.empty()))
    throw Failure(Exit::usage, "--exact-ranks: it needs --ranks-transport c10d if a rank has several slices");
  launched_.size = processes * each;
  if (launched_.size == 1) return;
  if (!found) open_transport("c10d");  // a missing library is reported once, not by each rank
  if (forks > 1) {
    // Longer than the ranks themselves wait for one another.
    const Forked forked = fork_ranks(forks, request.timeout + 15);
    launched_.rank = launched_.rank * each + forked.rank;
    if (!found) take_forked(forked);
  }
  serves_ = launched_.rank == 0 && !launched_.launcher_serves;
  open(request);
}

/// The ranks of this machine alone, which this process has forked.
void Ranks::take_forked(const Forked& forked) {
  launched_.launcher = "--ranks";
  launched_.host = "127.0.0.1";
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeout_);
  while (forked.rank != 0 && *forked.port == 0) {
    if (std::chrono::steady_clock::now() > end) lose("rank 0 did not begin to listen");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  launched_.port = *forked.port;
  port_ = forked.port;
}

void Ranks::open(const RanksRequest& request) {
  std::string transport = request.transport;
  if (transport.empty()) transport = launched_.has_mpi && launched_.host.empty() ? "mpi" : "c10d";
  if (transport == "mpi" && !launched_.has_mpi)
    throw Failure(Exit::usage,
                  fmt::format("--ranks-transport mpi: the ranks were started by {}, not by mpirun",
                              launched_.launcher));
  if (transport == "c10d" && launched_.host.empty())
    throw Failure(
        Exit::bad_configuration,
        "--ranks-transport c10d: the ranks are on several machines, so MASTER_ADDR must name the host "
        "of rank 0 on all of them (mpirun -x MASTER_ADDR=HOST)");
  table_ = open_transport(transport);
  vaert_ranks_options options = {};
  options.rank = rank();
  options.size = size();
  options.host = launched_.host.c_str();
  options.port = launched_.port;
  options.serves = serves_;
  options.prefix = launched_.prefix.c_str();
  options.timeout_ms = std::max<int64_t>(1, static_cast<int64_t>(timeout_ * 1000));
  if (port_ && serves_) {
    options.announce = announce;
    options.context = const_cast<int32_t*>(port_);
  }
  options.gives_up = [](void* ranks) { return static_cast<int>(static_cast<Ranks*>(ranks)->sees_a_death()); };
  options.ranks = this;
  char error[most_error_] = "";
  open_or_broken_ = true;
  group_ = table_->open(&options, error, sizeof error);
  if (!group_)
    throw Failure(Exit::lost_rank,
                  fmt::format("rank {} of {}: the store of the ranks at {}:{} cannot be {}: {}", rank(),
                              size(), launched_.host, launched_.port, serves_ ? "opened" : "reached", error));
  const std::string address = table_->set ? own_address(launched_.host, launched_.port) : "";
  if (table_->set) {
    meet(address);
    require_reachable(address);
  }
  if (table_->connect(group_, address.c_str(), error, sizeof error) != 0) lose(error);
  if (!table_->set) meet(address);
  count_threads();
}

/// Learns who the other ranks are.
void Ranks::meet(const std::string& address) {
  const json own = {{"host", own_host()}, {"process", getpid()}, {"mask", own_mask()}, {"address", address}};
  std::vector<std::string> texts;
  if (table_->set) {
    const auto begun = std::chrono::steady_clock::now();
    table_->set(group_, fmt::format("who/{}", rank()).c_str(), own.dump().c_str());
    for (int r = 0; r < size(); ++r) {
      const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begun;
      const auto left = static_cast<int64_t>(1000 * std::max(0.0, timeout_ - waited.count()));
      const std::optional<std::string> text = get(fmt::format("who/{}", r), left);
      if (!text && store_is_lost_)
        throw Failure(Exit::lost_rank,
                      fmt::format("rank {} of {}: the store of the ranks at {}:{} was closed before "
                                  "all ranks had come",
                                  rank(), size(), launched_.host, launched_.port));
      if (!text)
        throw Failure(Exit::lost_rank, fmt::format("rank {} of {}: rank {} has not come within {:.6g} s",
                                                   rank(), size(), r, timeout_));
      texts.push_back(*text);
    }
  } else {
    texts = gather(own.dump());
  }
  for (const std::string& text : texts) {
    const json member = json::parse(text);
    members_.push_back({member.at("host"), member.at("mask"), member.at("address"), member.at("process")});
  }
}

void Ranks::require_reachable(const std::string& address) {
  if (!is_loopback(address)) return;
  const auto elsewhere =
      std::ranges::find_if(members_, [](const Member& member) { return member.host != own_host(); });
  if (elsewhere == members_.end()) return;
  for (int r = 0; r < size(); ++r)
    if (r != rank()) alive_.push_back(r);
  linger();
  throw Failure(Exit::bad_configuration,
                fmt::format("rank {} would listen at {}, where {} cannot reach it: set VAEC_IFNAME to the "
                            "interface that the ranks share; here are {}",
                            rank(), address, name_of(static_cast<int>(elsewhere - members_.begin())),
                            interfaces_text()));
}

/// The ranks that may use the same cores divide them.
void Ranks::count_threads() {
  const Member& own = members_[static_cast<size_t>(rank())];
  const auto shares = [&](const Member& other) { return other.host == own.host && other.mask == own.mask; };
  threads_ = std::max(1, usable_cores() / static_cast<int>(std::ranges::count_if(members_, shares)));
  sharing_before_ = static_cast<int>(std::count_if(members_.begin(), members_.begin() + rank(), shares));
}

void Ranks::share_cores(MachineRequest& machine) const {
  if (!is_several()) return;
  if (machine.threads == 0) machine.threads = threads_;
  machine.first_processor = sharing_before_ * machine.threads;
}

int Ranks::rank_on_host() const {
  if (members_.empty()) return 0;
  const auto own = members_.begin() + rank();
  return static_cast<int>(
      std::count_if(members_.begin(), own, [&](const Member& other) { return other.host == own->host; }));
}

std::string Ranks::host_name() const { return own_host(); }

std::string Ranks::name_of(int rank) const {
  if (static_cast<size_t>(rank) >= members_.size()) return fmt::format("rank {}", rank);
  const Member& member = members_[static_cast<size_t>(rank)];
  return fmt::format("rank {} (host {}, process {})", rank, printable(member.host), member.process);
}

}  // namespace core
