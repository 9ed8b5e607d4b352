// What the analysis found out about the names and calls of a program, for editors. In: values and the places
// where they are written. Out: a few descriptions of each place. A net that is called with several shapes has
// several descriptions.
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
  static constexpr size_t most = 4;  // descriptions of one place

  /// Whether this place can have another description.
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
  /// The descriptions of a place in the program's own file; null if there are none.
  const Descriptions* find(base::Span at) const {
    const auto found = seen_.find(key(at));
    return found == seen_.end() ? nullptr : &found->second;
  }

 private:
  static uint64_t key(base::Span at) { return (uint64_t{at.begin} << 32) | at.end; }
  std::unordered_map<uint64_t, Descriptions> seen_;
};

}  // namespace semantics
