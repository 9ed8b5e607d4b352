#include "compiler/sweep/child_processes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>

#include "runtime/shared/failure.h"

namespace vaec {
namespace fs = std::filesystem;
namespace {

constexpr int stops[] = {SIGINT, SIGTERM, SIGHUP};

/// As long as it lives, signals about ended children and requests to stop wait until `next` takes them.
class Signals {
 public:
  Signals() {
    sigemptyset(&awaited_);
    sigaddset(&awaited_, SIGCHLD);
    for (const int stop : stops) {
      struct sigaction action{};
      sigaction(stop, nullptr, &action);
      // A signal that is ignored, as under nohup, stays ignored.
      if (action.sa_handler != SIG_IGN) sigaddset(&awaited_, stop);
    }
    sigprocmask(SIG_BLOCK, &awaited_, &before_);
  }
  Signals(const Signals&) = delete;
  ~Signals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

  int next() const {
    int signal = 0;
    sigwait(&awaited_, &signal);
    return signal;
  }
  const sigset_t& before() const { return before_; }

 private:
  sigset_t awaited_{}, before_{};
};

int open_for(const fs::path& path, int how) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0666);
  if (file < 0)
    throw Failure(Exit::cannot_write,
                  fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  return file;
}

/// Starts a command in a process group of its own. So Ctrl-C in a terminal reaches only this process, which
/// passes it on.
pid_t start(const Command& command, const sigset_t& mask) {
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int out = open_for(command.out, O_TRUNC), err = open_for(command.err, O_APPEND);
  const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t parent = getpid(), child = fork();
  if (child == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    sigprocmask(SIG_SETMASK, &mask, nullptr);
    if (in >= 0) dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execv(words[0], words.data());
    const std::string cause = fmt::format("cannot run {}: {}\n", words[0], std::strerror(errno));
    if (write(STDERR_FILENO, cause.data(), cause.size()) < 0) _exit(1);
    _exit(static_cast<int>(Exit::bad_configuration));
  }
  const int cause = errno;
  for (const int file : {in, out, err}) close(file);
  if (child < 0)
    throw Failure(Exit::bad_configuration, fmt::format("cannot start a process: {}", std::strerror(cause)));
  setpgid(child, child);
  return child;
}

class Pool {
 public:
  Pool(const std::vector<Chain>& chains, size_t at_once) : chains_(chains), at_once_(at_once) {}

  /// Kills all commands that still run, for example after an exception.
  ~Pool() {
    for (const auto& [process, chain] : running_) kill(-process, SIGKILL);
  }

  bool run() {
    fill();
    while (!running_.empty()) {
      const int signal = signals_.next();
      if (signal == SIGCHLD) {
        collect();
        fill();
      } else {
        stopped_ = true;
        for (const auto& [process, chain] : running_) kill(-process, signal);
      }
    }
    return !stopped_;
  }

 private:
  void fill() {
    while (!stopped_ && running_.size() < at_once_ && begun_ < chains_.size()) go_on(begun_++, nullptr);
  }

  void go_on(size_t chain, const Ended* previous) {
    const std::optional<Command> command = chains_[chain](previous);
    if (command && !stopped_) running_[start(*command, signals_.before())] = chain;
  }

  void collect() {
    int status = 0;
    for (pid_t process = 0; (process = waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto found = running_.find(process);
      if (found == running_.end()) continue;
      const size_t chain = found->second;
      running_.erase(found);
      Ended ended;
      if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
      if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
      go_on(chain, &ended);
    }
  }

  const std::vector<Chain>& chains_;
  size_t at_once_, begun_ = 0;
  bool stopped_ = false;
  Signals signals_;
  std::map<pid_t, size_t> running_;  // by process: the index of its chain
};

}  // namespace

bool run_chains(const std::vector<Chain>& chains, size_t at_once) { return Pool(chains, at_once).run(); }

}  // namespace vaec
