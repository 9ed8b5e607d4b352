// `vaec sweep`: runs every combination of values of a file's params, learn blocks and training flags, with
// several seeds, and shows all results in one table. Results of an earlier sweep in the same folder are
// loaded.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "compiler/sweep/sweep_values.h"
#include "runtime/shared/failure.h"

namespace vaec {

struct SweepRequest {
  std::string file, target = "cpu", out;   // if `out` is empty: the first free folder runs/NAME-sweep-N
  std::vector<Axis> params, flags;         // `flags` are flags of `train`, without --
  std::vector<Axis> keys;                  // those flags of `train` that are compiled in
  std::vector<std::string> learns;         // empty: the file's first block
  std::vector<std::string> metrics;        // if empty: the usual metrics that the model allows
  std::vector<Setting> measured, machine;  // flags of `evaluate`; --device, --backend, --threads
  int64_t seeds = 1, jobs = 1;
  uint64_t seed = 0;  // the first seed
  bool json = false;
};

/// Returns the exit code of the first failure, or 130 if the user stopped the sweep.
Exit sweep(const SweepRequest& request);

}  // namespace vaec
