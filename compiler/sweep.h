// `vaec sweep`: every combination of values of a file's params, learn blocks and training flags, for several
// seeds, as a run; one table of them all. What an earlier sweep of the same folder finished is loaded.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "compiler/failure.h"
#include "compiler/sweep_values.h"

namespace vaec {

struct SweepRequest {
  std::string file, target = "cpu", out;   // out is empty: the first free folder runs/NAME-sweep-N
  std::vector<Axis> params, flags;         // flags of `train`, without --
  std::vector<Axis> keys;                  // such flags that are compiled in
  std::vector<std::string> learns;         // empty: the file's first block
  std::vector<std::string> metrics;        // empty: the usual ones, where the model admits them
  std::vector<Setting> measured, machine;  // flags of `evaluate`; --device, --backend, --threads
  int64_t seeds = 1, jobs = 1;
  uint64_t seed = 0;  // the first
  bool json = false;
};

/// The exit code: of the first run that failed, 130 where the user stopped it.
Exit sweep(const SweepRequest& request);

}  // namespace vaec
