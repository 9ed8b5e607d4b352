// The flags of `train` that replace keys of a learn block, from the table learn_keys.def. The runtime reads
// their values; `vaec sweep` passes them on.
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/learn_keys.h"

struct TrainingFlag {
  std::string key, value, help;
  bool several = false;      // `vaec sweep` takes several values; in the others commas belong to one
  bool own = false;          // a method's own key, not one of every method
  bool compiled_in = false;  // `vaec build` has it too
};

/// Every key, `seed` too, and `lr`, which is the first argument of the optimizers.
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

/// The flag of this key, which there is.
inline const TrainingFlag& training_flag(std::string_view key) {
  for (const TrainingFlag& flag : training_flags())
    if (flag.key == key) return flag;
  throw std::out_of_range("there is no training flag " + std::string(key));
}
