// The flags of `train` that replace keys of a learn block. The runtime reads their values; `vaec sweep`
// passes them on.
#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "runtime/training_metrics.h"

struct TrainingFlag {
  std::string key, value, help;
  bool several = false;  // `vaec sweep` takes several values; in the others commas belong to one
};

/// `seed` is one of them.
inline const std::vector<TrainingFlag>& training_flags() {
  static const std::vector<TrainingFlag> flags = {
      {"steps", "N", "training steps", true},
      {"batch", "N", "rows of each source a step: N, or source=N,...", true},
      {"optimizer", "NAME(X,...)", "adam(lr), adamw(lr), sgd(lr, momentum) or none; or player=...,...", true},
      {"lr", "X", "learning rate: X, or player=X,...", true},
      {"schedule", "NAME(X,...)", "constant, cosine(warmup) or step(every, factor)", true},
      {"clip", "X", "largest norm of a player's gradient: X, or player=X,...", true},
      {"seed", "N", "of all random draws"},
      {"order", "NAME", "alternating or simultaneous", true},
      {"precision", "NAME", "fp32, bf16 or (on a GPU) tf32: of products and convolutions", true},
      {"sources", "NAME,...", "learn from these of its sources only: a,b"},
      {"start", "DIR", "begin from the parameters of this run"},
      {"every", "EVENT=N,...", "steps from one to the next log, sample, checkpoint or evaluate; 0 is never"},
      {"average", "X", "decay of a moving average of all parameters, kept beside them; 0: none", true},
      {"weight", "SOURCE=X,...", "weight of a source: SOURCE=X, or SOURCE=linear(from, to, steps)"},
      {"evaluate", "NAME,...",
       fmt::format("metrics of evaluations in training: {}", fmt::join(training_metrics, ", "))},
      {"stop", "early(NAME, N)",
       "early(METRIC, N): after N evaluations no better than the best one; or none"},
      {"keep", "N", "the last checkpoints to keep; 0: all"}};
  return flags;
}
