// What the command line asks of a trained model.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/core/machine/backend.h"

namespace core {

class Ranks;

/// The flags that commands on a trained model have in common.
struct ModelRequest : MachineRequest {
  std::filesystem::path run;
  std::string checkpoint;  // last, best or a step; empty: last
  std::string weights;     // average or last; empty: the average if there is one
  uint64_t seed = 0;
  bool json = false;
};

struct EvaluateRequest : ModelRequest {
  std::vector<std::string> metrics = {"loglik"};
  std::string query;               // what accuracy counts; empty: every category, given the rest of its row
  int64_t samples = 100;           // per row, for the estimate by importance sampling
  int64_t sweeps = 100;            // of a chain, if accuracy needs one
  int64_t rows = 0;                // of each source; 0: all
  std::vector<std::string> draw;   // discrete variables that are drawn, not summed over
  std::string features = "lenet";  // on which distances are measured
  std::string variable;            // the variable of the distances; empty: the first generated
  int64_t n = 0;                   // samples for distances; 0: as many as there are held-out rows
  std::string factors;             // the variable of the true factors, for mcc; empty: chosen automatically
  int64_t limiting = 1000;         // steps of the chain x -> z -> x; 0: no limiting samples
  Ranks* together = nullptr;       // ranks that all evaluate and share the rows; null: this one alone
};

}  // namespace core
