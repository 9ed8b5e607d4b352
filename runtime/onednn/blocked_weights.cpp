#include "runtime/onednn/blocked_weights.h"

#include <bit>

#include "runtime/onednn/onednn_version.h"

namespace onednn {
namespace {

int64_t place_of(std::vector<int64_t> index, const Blocking& blocking) {
  int64_t place = 0, inner = 1;
  for (size_t b = blocking.blocks.size(); b-- > 0;) {
    int64_t& along = index[static_cast<size_t>(blocking.axes[b])];
    place += along % blocking.blocks[b] * inner;
    along /= blocking.blocks[b];
    inner *= blocking.blocks[b];
  }
  for (size_t axis = 0; axis < index.size(); ++axis) place += index[axis] * blocking.strides[axis];
  return place;
}

uint16_t rounded(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (value != value) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace

BlockedWeights::BlockedWeights(const dnnl::memory::dims& dims, const dnnl::memory::desc& inside, bool bf16)
    : bf16_(bf16) {
  const Blocking blocking = blocking_of(inside);
  for (int64_t o = 0; o < dims[0]; ++o)
    for (int64_t i = 0; i < dims[1]; ++i)
      for (int64_t h = 0; h < dims[2]; ++h)
        for (int64_t w = 0; w < dims[3]; ++w) places_.push_back(place_of({o, i, h, w}, blocking));
}

void BlockedWeights::pack(const float* plain, void* inside) const {
  const auto count = static_cast<int64_t>(places_.size());
  if (bf16_) {
    auto* const to = static_cast<uint16_t*>(inside);
#pragma omp parallel for
    for (int64_t i = 0; i < count; ++i) to[places_[static_cast<size_t>(i)]] = rounded(plain[i]);
  } else {
    auto* const to = static_cast<float*>(inside);
#pragma omp parallel for
    for (int64_t i = 0; i < count; ++i) to[places_[static_cast<size_t>(i)]] = plain[i];
  }
}

void BlockedWeights::unpack(const float* inside, float* plain) const {
  const auto count = static_cast<int64_t>(places_.size());
#pragma omp parallel for
  for (int64_t i = 0; i < count; ++i) plain[i] = inside[places_[static_cast<size_t>(i)]];
}

}  // namespace onednn
