#include "runtime/core/commands/training/stop_signals.h"

#include <array>
#include <csignal>
#include <cstdlib>

namespace core {
namespace {

volatile std::sig_atomic_t asked = 0;

// SIGUSR1 counts only under Slurm, where users let it announce that their job will be pre-empted.
constexpr std::array signals = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
std::array<struct sigaction, signals.size()> inherited;

}  // namespace

void listen_for_stop() {
  asked = 0;
  for (size_t i = 0; i < signals.size(); ++i) {
    sigaction(signals[i], nullptr, &inherited[i]);
    if (signals[i] == SIGUSR1 && std::getenv("SLURM_JOB_ID") == nullptr) continue;
    if (signals[i] == SIGHUP && inherited[i].sa_handler == SIG_IGN) continue;
    struct sigaction action = {};
    action.sa_handler = [](int) { asked = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigaction(signals[i], &action, nullptr);
  }
}

void end_listening() {
  for (size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &inherited[i], nullptr);
}

bool stop_is_asked() { return asked != 0; }

}  // namespace core
