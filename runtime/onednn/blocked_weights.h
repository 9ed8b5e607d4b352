// Copies weights between the program's layout, [o, i, h, w] in float, and the blocked layout that a
// convolution of oneDNN asks for. Needed for versions of oneDNN whose own reorders of weights are wrong
// (onednn_version.h).
#pragma once
#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

namespace onednn {

class BlockedWeights {
 public:
  BlockedWeights() = default;
  /// `dims`: o, i, h, w. `inside`: the blocked layout, in bf16 if `bf16` is true, else in float.
  BlockedWeights(const dnnl::memory::dims& dims, const dnnl::memory::desc& inside, bool bf16);

  /// Copies to the blocked layout. For bf16 it rounds to the nearest, ties to even. Padding is not changed.
  void pack(const float* plain, void* inside) const;
  /// Copies back from a blocked layout in float.
  void unpack(const float* inside, float* plain) const;

 private:
  std::vector<int64_t> places_;  // in the blocked layout, per element of the plain one
  bool bf16_ = false;
};

}  // namespace onednn
