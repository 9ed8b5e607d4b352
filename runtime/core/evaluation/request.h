// What is asked of a trained model, as the command line says it.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/core/backend.h"

namespace core {

/// What the commands that use a trained model have in common.
struct ModelRequest : MachineRequest {
  std::filesystem::path run;
  std::string checkpoint;  // last, best or a step; empty: last
  std::string weights;     // average, last; empty: the average where there is one
  uint64_t seed = 0;
  bool json = false;
};

struct EvaluateRequest : ModelRequest {
  std::vector<std::string> metrics = {"loglik"};
  std::string query;      // what accuracy is counted of; empty: every category, given the rest of its row
  int64_t samples = 100;  // of the importance-sampling estimate, per row
  int64_t sweeps = 100;   // of a chain, where accuracy needs one
  int64_t rows = 0;       // of each source; 0: all
  std::vector<std::string> draw;   // discrete variables that are drawn, not summed over
  std::string features = "lenet";  // that distances are taken on
  std::string variable;            // the variable that distances are of; empty: the first generated
  int64_t n = 0;                   // samples that distances are of; 0: as many as there are held-out rows
  std::string factors;             // the variable of the true factors, for mcc; empty: found
  int64_t limiting = 1000;         // steps of the chain x -> z -> x; 0: no limiting samples
};

}  // namespace core
