// The keys of learn blocks and the methods that have them, from the table learn_keys.def.
#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/schema/optimizer_words.h"
#include "runtime/schema/training_metrics.h"

struct LearnKey {
  enum class Kind { common, number, real, whole, built };
  enum Methods : unsigned {
    symmetric = 1,
    elbo = 2,
    iwae = 4,
    rws = 8,
    libi = 16,
    supervised = 32,
    bounds_of_all = elbo | iwae | rws | libi,
    every_method = symmetric | bounds_of_all | supervised
  };
  std::string_view name;
  Kind kind;
  unsigned methods;
  std::string_view value;
  enum class Sweep { single, several } sweep;
  std::string_view fallback;
  std::string help;

  /// Whether the compiler needs the key's value: a term whose coefficient is the number 0 is left out of the
  /// programs.
  bool compiled_in() const { return kind == Kind::built || kind == Kind::number; }
};

struct LearnMethod {
  std::string_view name;
  unsigned bit;
};

inline constexpr LearnMethod learn_methods[] = {
    {"symmetric", LearnKey::symmetric}, {"elbo", LearnKey::elbo},
    {"iwae", LearnKey::iwae},           {"rws", LearnKey::rws},
    {"libi", LearnKey::libi},           {"supervised", LearnKey::supervised}};

inline const std::vector<LearnKey>& learn_keys() {
  static const std::vector<LearnKey> keys = [] {
    using Kind = LearnKey::Kind;
    using Sweep = LearnKey::Sweep;
    constexpr unsigned symmetric = LearnKey::symmetric, elbo = LearnKey::elbo, libi = LearnKey::libi,
                       bounds_of_all = LearnKey::bounds_of_all, every_method = LearnKey::every_method;
    return std::vector<LearnKey>{
#define LEARN_KEY(name, kind, methods, value, sweep, fallback, help) \
  {#name, Kind::kind, methods, value, Sweep::sweep, fallback, help},
#include "runtime/schema/learn_keys.def"
#undef LEARN_KEY
    };
  }();
  return keys;
}

/// The key of this name; null if there is none.
inline const LearnKey* find_learn_key(std::string_view name) {
  const auto found = std::ranges::find(learn_keys(), name, &LearnKey::name);
  return found == learn_keys().end() ? nullptr : &*found;
}

/// The bit of the method of this name; 0 if there is none.
inline unsigned method_bit(std::string_view name) {
  const auto found = std::ranges::find(learn_methods, name, &LearnMethod::name);
  return found == std::end(learn_methods) ? 0 : found->bit;
}

/// The methods that have the key, in the order of the table of methods.
inline std::vector<std::string> methods_of(const LearnKey& key) {
  std::vector<std::string> names;
  for (const LearnMethod& method : learn_methods)
    if ((key.methods & method.bit) != 0) names.emplace_back(method.name);
  return names;
}

/// The keys that `method` has and that not every method has.
inline std::vector<LearnKey> own_keys_of(std::string_view method) {
  std::vector<LearnKey> keys;
  for (const LearnKey& key : learn_keys())
    if (key.kind != LearnKey::Kind::common && (key.methods & method_bit(method)) != 0) keys.push_back(key);
  return keys;
}

/// The environment variable that can replace a flag, such as VAEC_FREE_BITS.
inline std::string environment_name(std::string_view flag) {
  std::string name = "VAEC_" + std::string(flag);
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return c == '-' ? '_' : std::toupper(c); });
  return name;
}

/// The value of a flag that means: keep what the program was built with. For keys of kind `built`.
inline constexpr const char* as_built = "built";

/// Both spellings of a flag, for CLI11: `--free_bits,--free-bits`.
inline std::string both_spellings(std::string_view name) {
  std::string dashed(name);
  std::ranges::replace(dashed, '_', '-');
  const std::string flag = "--" + std::string(name);
  return dashed == name ? flag : flag + ",--" + dashed;
}
