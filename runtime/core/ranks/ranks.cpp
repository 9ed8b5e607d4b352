#include "runtime/core/ranks/ranks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/core/machine/thread_pool.h"
#include "runtime/core/ranks/own_address.h"
#include "runtime/data/optional_library.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/printable.h"

namespace core {
using nlohmann::json;

namespace {

bool open_or_broken = false;

constexpr size_t most_error = 1024, most_value = 4096;
// How long a rank that gives up waits to hear which of the others do not answer, and how long the rank with
// the store then lets them read it.
constexpr int64_t hearing_ms = 3000, lingering_ms = 2000;

std::string own_host() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

/// The cores that this process may use, as text.
std::string own_mask() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return "";
  std::string text;
  for (int core = 0; core < CPU_SETSIZE; core += 4) {
    int digit = 0;
    for (int i = 0; i < 4; ++i) digit |= CPU_ISSET(core + i, &set) ? 1 << i : 0;
    text += "0123456789abcdef"[digit];
  }
  return text.substr(0, text.find_last_not_of('0') + 1);
}

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

/// Whether the process of this machine has ended, perhaps without being waited for.
bool has_ended(int64_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string text;
  if (!std::getline(file, text)) return true;
  const size_t name_end = text.rfind(')');
  const char state = name_end + 2 < text.size() ? text[name_end + 2] : 'X';
  return state == 'Z' || state == 'X';
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

struct Transport {
  const char *name, *library, *function, *packages;
};
constexpr Transport transports[] = {
    {"c10d", "libvaert_c10d.so", "vaert_c10d", "libtorch-dev and libgloo-dev"},
    {"mpi", "libvaert_mpi.so", "vaert_mpi", "libopenmpi-dev"},
};

const vaert_ranks* table_of(const std::string& name) {
  for (const Transport& transport : transports) {
    if (name != transport.name) continue;
    try {
      return data::function_of<vaert_ranks_function>(transport.library, transport.function)();
    } catch (const Failure& failure) {
      throw Failure(Exit::bad_configuration,
                    fmt::format("--ranks-transport {}: {}; vaec has it if {} were there when it was built",
                                name, failure.what(), transport.packages));
    }
  }
  throw Failure(Exit::usage, fmt::format("--ranks-transport {}: it must be c10d or mpi", name));
}

void announce(void* context, int32_t port) { *static_cast<volatile int32_t*>(context) = port; }

}  // namespace

bool ranks_are_open() { return open_or_broken; }

Ranks& Ranks::alone() {
  static Ranks ranks;
  return ranks;
}

Ranks::Ranks(const RanksRequest& request, std::string who) : who_(std::move(who)), timeout_(request.timeout) {
  const int asked = asked_to_fork(request.ranks);
  std::optional<Launched> found = request.ranks == "off" ? std::nullopt : find_launcher();
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
  if (!found) table_of("c10d");  // a missing library is reported once, not by each rank
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
  table_ = table_of(transport);
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
  char error[most_error] = "";
  open_or_broken = true;
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

void Ranks::require_reachable(const std::string& address) const {
  if (!is_loopback(address)) return;
  for (int r = 0; r < size(); ++r)
    if (members_[static_cast<size_t>(r)].host != own_host())
      throw Failure(
          Exit::bad_configuration,
          fmt::format("rank {} would listen at {}, where {} cannot reach it: set VAEC_IFNAME to the "
                      "interface that the ranks share; here are {}",
                      rank(), address, name_of(r), interfaces_text()));
}

/// The ranks that may use the same cores divide them.
void Ranks::count_threads() {
  const Member& own = members_[static_cast<size_t>(rank())];
  const auto sharing = std::ranges::count_if(
      members_, [&](const Member& other) { return other.host == own.host && other.mask == own.mask; });
  threads_ = std::max(1, usable_cores() / static_cast<int>(sharing));
}

std::string Ranks::name_of(int rank) const {
  if (static_cast<size_t>(rank) >= members_.size()) return fmt::format("rank {}", rank);
  const Member& member = members_[static_cast<size_t>(rank)];
  return fmt::format("rank {} (host {}, process {})", rank, printable(member.host), member.process);
}

void* Ranks::begin_sum(float* values, int64_t count) {
  char error[most_error] = "";
  void* sum = table_->begin_sum(group_, values, count, error, sizeof error);
  if (!sum) lose(error);
  return sum;
}

void Ranks::await(void* sum) {
  char error[most_error] = "";
  if (table_->await(group_, sum, error, sizeof error) != 0) lose(error);
}

void Ranks::sum(float* values, int64_t count) {
  if (is_several()) await(begin_sum(values, count));
}

std::vector<std::string> Ranks::gather_fixed(const std::string& own, int64_t size) {
  std::string padded = own, all(static_cast<size_t>(size * this->size()), '\0');
  padded.resize(static_cast<size_t>(size));
  char error[most_error] = "";
  if (table_->gather(group_, padded.data(), all.data(), size, error, sizeof error) != 0) lose(error);
  std::vector<std::string> texts;
  for (int r = 0; r < this->size(); ++r)
    texts.push_back(all.substr(static_cast<size_t>(r * size), static_cast<size_t>(size)));
  return texts;
}

std::vector<std::string> Ranks::gather(const std::string& own) {
  if (!is_several()) return {own};
  const auto length = static_cast<int64_t>(own.size());
  std::vector<int64_t> lengths;
  for (const std::string& text :
       gather_fixed(std::string(reinterpret_cast<const char*>(&length), sizeof length), sizeof length))
    std::memcpy(&lengths.emplace_back(), text.data(), sizeof length);
  std::vector<std::string> texts =
      gather_fixed(own, std::max<int64_t>(1, *std::max_element(lengths.begin(), lengths.end())));
  for (size_t r = 0; r < texts.size(); ++r) texts[r].resize(static_cast<size_t>(lengths[r]));
  return texts;
}

std::vector<double> Ranks::sum(std::vector<double> values) {
  if (!is_several() || values.empty()) return values;
  const auto bytes = static_cast<int64_t>(values.size() * sizeof(double));
  const std::vector<std::string> all = gather_fixed(
      std::string(reinterpret_cast<const char*>(values.data()), static_cast<size_t>(bytes)), bytes);
  std::fill(values.begin(), values.end(), 0.0);
  for (const std::string& text : all)
    for (size_t i = 0; i < values.size(); ++i) {
      double value = 0;
      std::memcpy(&value, text.data() + i * sizeof value, sizeof value);
      values[i] += value;
    }
  return values;
}

std::string Ranks::from_first(const std::string& text) {
  if (!is_several()) return text;
  auto length = static_cast<int64_t>(text.size());
  char error[most_error] = "";
  if (table_->broadcast(group_, &length, sizeof length, 0, error, sizeof error) != 0) lose(error);
  std::string received = text;
  received.resize(static_cast<size_t>(length));
  if (length > 0 && table_->broadcast(group_, received.data(), length, 0, error, sizeof error) != 0)
    lose(error);
  return received;
}

void Ranks::agree(const Failure* own) {
  if (!is_several()) return;
  const json state = own ? json{{"code", own->exit_code}, {"cause", own->what()}} : json();
  const std::vector<std::string> states = gather(state.dump(-1, ' ', false, json::error_handler_t::replace));
  for (int r = 0; r < size(); ++r) {
    const json other = json::parse(states[static_cast<size_t>(r)]);
    if (other.is_null()) continue;
    const std::string cause = other.at("cause");
    const bool everywhere =
        std::ranges::all_of(states, [&](const std::string& text) { return text == states.front(); });
    throw SharedFailure(other.at("code"), everywhere ? cause : fmt::format("{}: {}", name_of(r), cause),
                        is_first());
  }
}

std::optional<std::string> Ranks::get(const std::string& key, int64_t wait_ms) {
  if (!table_ || !table_->get || store_is_lost_) return std::nullopt;
  char value[most_value] = "";
  const int code = table_->get(group_, key.c_str(), wait_ms, value, sizeof value);
  store_is_lost_ = code < 0;
  return code == 0 ? std::optional<std::string>(value) : std::nullopt;
}

void Ranks::require_equal(const std::vector<std::pair<std::string, std::string>>& texts) {
  if (!is_several()) return;
  const std::vector<std::string> all =
      gather(json(texts).dump(-1, ' ', false, json::error_handler_t::replace));
  const json first = json::parse(all.front());
  for (int r = 1; r < size(); ++r) {
    const json other = json::parse(all[static_cast<size_t>(r)]);
    for (size_t i = 0; i < first.size() && i < other.size(); ++i)
      if (other[i] != first[i])
        throw SharedFailure(
            Exit::bad_data,
            fmt::format("{}: {} has {}, {} has {}; all ranks need the same", first[i][0].get<std::string>(),
                        name_of(0), first[i][1].get<std::string>(), name_of(r),
                        other[i][1].get<std::string>()),
            is_first());
  }
}

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

/// Says which ranks do not answer any more, or which of them failed and why.
std::string Ranks::who_is_lost() {
  if (!table_->set) return "another rank does not answer";
  if (members_.empty()) return "the ranks could not meet";
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
  if (!silent.empty())
    return fmt::format("{} {} not answer any more", fmt::join(silent, ", "),
                       silent.size() == 1 ? "does" : "do");
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
  fmt::print(stderr, "{}: rank {} of {}: {}, after step {} ({})\n", printable(who_), rank(), size(), lost,
             step_, printable(place_end == std::string::npos ? cause : cause.substr(place_end + 2)));
  std::fflush(nullptr);
  if (group_) linger();
  _exit(static_cast<int>(Exit::lost_rank));
}

void Ranks::first_alone(const std::function<void()>& work) {
  const std::string key = fmt::format("alone/{}", ++alone_);
  if (!is_first()) return wait_for_first(key);
  if (!is_several() || !table_->set) return work();
  std::mutex mutex;
  std::condition_variable done;
  bool is_done = false;
  std::thread beating([&] {
    std::unique_lock lock(mutex);
    for (int64_t beat = 0; !is_done; ++beat) {
      table_->set(group_, "beat", std::to_string(beat).c_str());
      done.wait_for(lock, std::chrono::seconds(1), [&] { return is_done; });
    }
  });
  const auto stop = [&] {
    {
      const std::lock_guard lock(mutex);
      is_done = true;
    }
    done.notify_all();
    beating.join();
  };
  try {
    work();
  } catch (...) {
    stop();
    throw;
  }
  stop();
  table_->set(group_, key.c_str(), "");
}

void Ranks::wait_for_first(const std::string& key) {
  if (!table_->get) return;
  constexpr int64_t look_ms = 200;
  std::optional<std::string> beat;
  auto heard = std::chrono::steady_clock::now();
  while (!get(key, look_ms)) {
    if (get(VAERT_RANKS_FAILED, 0)) lose("another rank has given up");
    std::optional<std::string> now = get("beat", 0);
    if (store_is_lost_) lose("the store of the ranks is closed");
    if (now != beat) heard = std::chrono::steady_clock::now();
    beat = std::move(now);
    if (std::chrono::steady_clock::now() - heard > std::chrono::duration<double>(timeout_))
      lose(fmt::format("no sign of life within {:.6g} s", timeout_));
  }
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
  char error[most_error] = "";
  if (table_->barrier(group_, error, sizeof error) != 0) lose(error);
  part();
  table_->close(group_);
  group_ = nullptr;
  open_or_broken = false;
}

}  // namespace core
