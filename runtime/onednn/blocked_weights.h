// Weights between the program's layout, [o, i, h, w] in float, and the blocked one that a convolution asks
// for. For the oneDNNs whose own reorders of them are wrong (onednn_version.h).
#pragma once
#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

namespace onednn {

class BlockedWeights {
 public:
  BlockedWeights() = default;
  /// `dims`: o, i, h, w. `inside` is of bf16, or else of float.
  BlockedWeights(const dnnl::memory::dims& dims, const dnnl::memory::desc& inside, bool bf16);

  /// Rounds to the nearest, ties to even, where the inside is bf16. Padding is not touched.
  void pack(const float* plain, void* inside) const;
  /// Of a float inside.
  void unpack(const float* inside, float* plain) const;

 private:
  std::vector<int64_t> places_;  // of each element, in the order of the plain layout
  bool bf16_ = false;
};

}  // namespace onednn
