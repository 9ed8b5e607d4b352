// The flags of `train` that replace keys of a learn block, from the table learn_keys.def. The runtime reads
// their values; `vaec sweep` passes them on to the runs.
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/schema/learn_keys.h"

struct TrainingFlag {
  std::string key, value, help;
  bool several = false;      // `vaec sweep` takes several values; if false, a comma is part of the value
  bool own = false;          // a key that only some methods have
  bool compiled_in = false;  // `vaec build` has it too
};

/// The flags of all keys, including `seed`, and `lr`, which is the first argument of the optimizers.
inline const std::vector<TrainingFlag>& training_flags() {
  static const std::vector<TrainingFlag> flags = [] {
    std::vector<TrainingFlag> found;
    for (const LearnKey& key : learn_keys()) {
      found.push_back({std::string(key.name), std::string(key.value), key.help,
                       key.sweep == LearnKey::Sweep::several, key.kind != LearnKey::Kind::common,
                       key.compiled_in()});
      if (key.name == "optimizer") found.push_back({"lr", "X", "learning rate: X, or player=X,...", true});
    }
    return found;
  }();
  return flags;
}

/// The flag of a key that exists; throws std::out_of_range if it does not.
inline const TrainingFlag& training_flag(std::string_view key) {
  for (const TrainingFlag& flag : training_flags())
    if (flag.key == key) return flag;
  throw std::out_of_range("there is no training flag " + std::string(key));
}
