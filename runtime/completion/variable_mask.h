// A set of variables as bits. Tests, insertions and unions are fast.
#pragma once
#include <cstdint>
#include <vector>

namespace completion {

class VariableMask {
 public:
  VariableMask() = default;
  explicit VariableMask(int variables) : words_((static_cast<size_t>(variables) + 63) / 64) {}

  bool contains(int variable) const { return (word(variable) >> bit(variable) & 1U) != 0; }
  void insert(int variable) { words_[place(variable)] |= uint64_t{1} << bit(variable); }
  void erase(int variable) { words_[place(variable)] &= ~(uint64_t{1} << bit(variable)); }

  bool intersects(const VariableMask& other) const {
    for (size_t i = 0; i < words_.size(); ++i)
      if ((words_[i] & other.words_[i]) != 0) return true;
    return false;
  }
  bool is_subset_of(const VariableMask& other) const {
    for (size_t i = 0; i < words_.size(); ++i)
      if ((words_[i] & ~other.words_[i]) != 0) return false;
    return true;
  }
  VariableMask& operator|=(const VariableMask& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  VariableMask& operator&=(const VariableMask& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  bool operator==(const VariableMask&) const = default;

 private:
  static size_t place(int variable) { return static_cast<size_t>(variable) / 64; }
  static unsigned bit(int variable) { return static_cast<unsigned>(variable) % 64; }
  uint64_t word(int variable) const { return words_[place(variable)]; }

  std::vector<uint64_t> words_;
};

}  // namespace completion
