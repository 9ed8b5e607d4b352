#include "runtime/core/machine/cards.h"

#include <algorithm>
#include <stdexcept>

#include "runtime/abi.h"

namespace core {

double Card::flops(int precision) const {
  return precision == VAE_BF16 ? bf16 : precision == VAE_TF32 ? tf32 : fp32;
}

const std::vector<Card>& cards() {
  // Where a data sheet gives products with sparsity only, `tf32` and `bf16` are half of that.
  static const std::vector<Card> all = {
      {"h200", "NVIDIA H200 SXM", 132, 4.8e12, 67e12, 494.5e12, 989.5e12,
       "NVIDIA H200 Tensor Core GPU, data sheet"},
      {"h100", "NVIDIA H100 SXM", 132, 3.35e12, 67e12, 494.5e12, 989.5e12,
       "NVIDIA H100 Tensor Core GPU, data sheet"},
      {"a100", "NVIDIA A100 SXM 80GB", 108, 2.039e12, 19.5e12, 156e12, 312e12,
       "NVIDIA A100 Tensor Core GPU, data sheet"},
      {"l4", "NVIDIA L4", 58, 0.3e12, 30.3e12, 60e12, 121e12, "NVIDIA L4 Tensor Core GPU, data sheet"},
      {"rtx4090", "NVIDIA GeForce RTX 4090", 128, 1.008e12, 82.6e12, 82.6e12, 165.2e12,
       "NVIDIA Ada GPU architecture, white paper"},
  };
  return all;
}

std::vector<std::string> card_ids() {
  std::vector<std::string> ids;
  for (const Card& card : cards()) ids.emplace_back(card.id);
  return ids;
}

const Card& card_of(const std::string& id) {
  const auto found = std::ranges::find_if(cards(), [&](const Card& card) { return card.id == id; });
  if (found == cards().end()) throw std::logic_error("no such card");
  return *found;
}

}  // namespace core
