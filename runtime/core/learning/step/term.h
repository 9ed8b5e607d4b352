// A term of the players' utilities, as the phases of a run compute it.
#pragma once
#include <string>

#include "runtime/core/learning/step/training_state.h"

namespace core {

struct Term {
  std::string name;  // player.variable@source
  int player;        // -1: it counts for all players
  int64_t rows;
  double factor;  // its factor in the utility, besides its source's weight
  double share;   // the share of its source's rows that it is computed from
  /// In the machine's memory: after the phase, the log-density summed over the rows.
  const float* value;
  /// In the host's memory: a coefficient of the session, or null. If it is 0 in a step, the term counts as
  /// zero.
  const float* coefficient;
  size_t phase;    // which phase computes it
  bool counts;     // whether this rank computes rows of it
  TermSum* total;  // of the state
};

/// Failure(diagnostics): the term had no finite value after step `step`, counted from 1. `what`: what it was,
/// and why.
[[noreturn]] void refuse(const Image& image, const Term& term, int64_t step, const std::string& what);

/// The end of such a message if the training has diverged.
constexpr const char* diverged = "; a lower learning rate or clip may help";

}  // namespace core
