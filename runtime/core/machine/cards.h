// GPUs whose published peaks are known, for estimates.
#pragma once
#include <string>
#include <vector>

namespace core {

/// Peaks as the maker publishes them, per second. Products are without sparsity.
struct Card {
  const char* id;  // for flags
  const char* name;
  int processors;           // streaming multiprocessors
  double bytes;             // of memory transfer
  double fp32, tf32, bf16;  // floating-point operations of products in each precision
  const char* source;

  /// `precision`: a vae_precision.
  double flops(int precision) const;
};

const std::vector<Card>& cards();
std::vector<std::string> card_ids();
/// The card of this id, one of card_ids().
const Card& card_of(const std::string& id);

}  // namespace core
