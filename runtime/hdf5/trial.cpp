#include "runtime/hdf5/trial.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>

namespace {
constexpr rlim_t most_seconds = 5;  // processor time, without waiting for a disk; opening takes milliseconds

void become_child(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGSEGV, SIGBUS, SIGFPE, SIGABRT})
    std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const rlimit processor{most_seconds, most_seconds + 1}, no_core{0, 0};
  setrlimit(RLIMIT_CPU, &processor);
  setrlimit(RLIMIT_CORE, &no_core);
}
}  // namespace

std::string trial(const std::function<void()>& act) {
  const pid_t parent = getpid(), child = fork();
  if (child < 0) return "";
  if (child == 0) {
    become_child(parent);
    try {
      act();
    } catch (const std::exception&) {  // it occurs again, and is reported, in the parent
    }
    _exit(0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return "";
  }
  if (!WIFSIGNALED(status)) return "";
  const int number = WTERMSIG(status);
  if (number == SIGXCPU || number == SIGKILL)
    return "libhdf5 does not come back from it within " + std::to_string(most_seconds) + " s";
  if (number == SIGINT || number == SIGTERM || number == SIGHUP) return "reading it was interrupted";
  return "libhdf5 is ended by signal " + std::to_string(number) + " from it";
}
