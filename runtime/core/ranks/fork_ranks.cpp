#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "runtime/core/ranks/ranks.h"
#include "runtime/shared/print_error.h"

namespace core {
namespace {

using std::chrono::steady_clock;

volatile std::sig_atomic_t asked_to_stop = 0;

void end_with(int code) {
  std::fflush(nullptr);
  _exit(code);
}

/// Waits for the ranks and passes requests to stop on. Returns the exit code of all. If none of them could
/// say why it ended, says which one was ended first, and how.
int wait_for(std::vector<pid_t> ranks, double patience) {
  const std::vector<pid_t> all = ranks;
  int code = 0;
  bool all_killed = true, passed_on = false, ended_hard = false;
  std::string first_killed;
  std::optional<steady_clock::time_point> end;
  while (!ranks.empty()) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (asked_to_stop && !passed_on) {
      for (const pid_t rank : ranks) kill(rank, SIGTERM);
      passed_on = true;
    }
    if (end && steady_clock::now() > *end && !ended_hard) {
      for (const pid_t rank : ranks) kill(rank, SIGKILL);
      ended_hard = true;
    }
    if (ended <= 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      continue;
    }
    std::erase(ranks, ended);
    const bool killed = WIFSIGNALED(status);
    if (killed && first_killed.empty())
      first_killed = fmt::format("rank {} of {} (process {}) was ended by signal {} ({})",
                                 std::ranges::find(all, ended) - all.begin(), all.size(), ended,
                                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    const int own = killed ? static_cast<int>(Exit::lost_rank) : WEXITSTATUS(status);
    all_killed = all_killed && killed;
    // A rank's own failure says more than that others lost it.
    if (own != 0 && (code == 0 || code == static_cast<int>(Exit::lost_rank))) code = own;
    if (own != 0 && !end)
      end = steady_clock::now() +
            std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(patience));
  }
  if (all_killed) print_error("{}, and then all others\n", first_killed);
  return code;
}

}  // namespace

Forked fork_ranks(int count, double patience) {
  void* shared = mmap(nullptr, sizeof(int32_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) throw Failure(Exit::bad_configuration, "--ranks: no memory can be shared");
  Forked forked;
  forked.port = static_cast<volatile int32_t*>(shared);
  std::fflush(nullptr);  // otherwise each rank would print what is in the buffers
  const pid_t parent = getpid();
  std::vector<pid_t> ranks;
  for (int rank = 0; rank < count; ++rank) {
    const pid_t child = fork();
    if (child == 0) {
      // If the parent is killed, the ranks stop as by SIGTERM.
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      if (getppid() != parent) _exit(static_cast<int>(Exit::lost_rank));
      forked.rank = rank;
      return forked;
    }
    if (child < 0) {
      for (const pid_t started : ranks) kill(started, SIGKILL);
      throw Failure(
          Exit::bad_configuration,
          fmt::format("--ranks {}: the system starts no more processes: {}", count, std::strerror(errno)));
    }
    ranks.push_back(child);
  }
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action = {};
    action.sa_handler = [](int) { asked_to_stop = 1; };
    sigaction(signal, &action, nullptr);
  }
  end_with(wait_for(std::move(ranks), patience));
  return {};
}

}  // namespace core
