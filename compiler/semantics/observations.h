// What the names and calls of a program were seen to be while it was analysed, for editors. In: values, where
// they are written. Out: a few descriptions of each place: a net that is called with several shapes has
// several.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/base/source.h"

namespace semantics {

class Observations {
 public:
  using Descriptions = std::vector<std::string>;
  static constexpr size_t most = 4;  // of one place

  /// Whether another description of this place is kept.
  bool wanted(base::Span at) const {
    const auto found = seen_.find(key(at));
    return at.file.index == 0 && (found == seen_.end() || found->second.size() < most);
  }
  void add(base::Span at, std::string description) {
    Descriptions& known = seen_[key(at)];
    for (const std::string& other : known)
      if (other == description) return;
    known.push_back(std::move(description));
  }
  /// Of a place in the program's own file; null where nothing was seen.
  const Descriptions* find(base::Span at) const {
    const auto found = seen_.find(key(at));
    return found == seen_.end() ? nullptr : &found->second;
  }

 private:
  static uint64_t key(base::Span at) { return (uint64_t{at.begin} << 32) | at.end; }
  std::unordered_map<uint64_t, Descriptions> seen_;
};

}  // namespace semantics
