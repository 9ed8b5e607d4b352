// The optimizers by name, with their numbers. A learn block, a flag and config.json name an optimizer in the
// same way, so the compiler and executables take names, defaults and ranges from this table. What an
// optimizer computes is in compiler/tensor/build/build_update.cpp.
#pragma once
#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct OptimizerNumber {
  std::string_view name;
  double fallback;         // the value that holds if it is not given
  bool below_one = false;  // whether it must be below 1; all numbers are at least 0
};

struct OptimizerWord {
  std::string_view name;
  std::string_view call;                 // as helps show it
  std::vector<OptimizerNumber> numbers;  // in the order of a call's arguments
};

/// Formulas and defaults are those of PyTorch's optimizers of these names.
inline const std::vector<OptimizerWord>& optimizer_words() {
  static const std::vector<OptimizerWord> words = {
      {"adam", "adam(lr)", {{"lr", 1e-3}, {"beta1", 0.9, true}, {"beta2", 0.999, true}, {"eps", 1e-8}}},
      {"adamw",
       "adamw(lr)",
       {{"lr", 1e-3}, {"beta1", 0.9, true}, {"beta2", 0.999, true}, {"eps", 1e-8}, {"weight_decay", 0.01}}},
      {"sgd", "sgd(lr, momentum)", {{"lr", 1e-3}, {"momentum", 0, true}}},
      {"none", "none", {}}};
  return words;
}

/// The optimizer of this name; null if there is none.
inline const OptimizerWord* find_optimizer(std::string_view name) {
  const auto found = std::ranges::find(optimizer_words(), name, &OptimizerWord::name);
  return found == optimizer_words().end() ? nullptr : &*found;
}

inline std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const OptimizerWord& word : optimizer_words()) names.emplace_back(word.name);
  return names;
}

/// "adam(lr), adamw(lr), sgd(lr, momentum) or none".
inline std::string optimizer_calls() {
  std::string text;
  for (const OptimizerWord& word : optimizer_words()) {
    const bool last = &word == &optimizer_words().back();
    text += (text.empty() ? "" : last ? " or " : ", ") + std::string(word.call);
  }
  return text;
}

/// The optimizer of a player: its name and all of its numbers.
struct OptimizerSettings {
  /// The numbers have their defaults. Throws std::out_of_range if there is no optimizer of this name.
  explicit OptimizerSettings(std::string_view name = "adam") : kind(name) {
    for (const OptimizerNumber& number : word().numbers)
      numbers.emplace(std::string(number.name), number.fallback);
  }

  std::string kind;
  std::map<std::string, double> numbers;

  const OptimizerWord& word() const {
    if (const OptimizerWord* found = find_optimizer(kind)) return *found;
    throw std::out_of_range("there is no optimizer " + kind);
  }
  /// Whether it changes its player.
  bool learns() const { return kind != "none"; }
};
