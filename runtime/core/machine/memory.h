// Arrays of floats. They begin on a cache line and are zeroed; large ones use huge pages if the system gives
// them. An array may also be memory of another device, which only that device reads.
#pragma once
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace core {

/// Frees the memory in the way that fits its origin.
struct FreeFloats {
  void (*free)(float* memory, const void* owner) = [](float* memory, const void*) { std::free(memory); };
  const void* owner = nullptr;
  void operator()(float* memory) const { free(memory, owner); }
};

class Floats {
 public:
  Floats() = default;
  explicit Floats(int64_t count) : count_(count) {
    const size_t page = size_t{2} << 20;
    const size_t bytes = static_cast<size_t>(count) * sizeof(float);
    const size_t alignment = bytes >= page ? page : 64;
    const size_t padded = (bytes + alignment) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, padded);
    if (!memory) throw std::bad_alloc();
    if (alignment == page) madvise(memory, padded, MADV_HUGEPAGE);
    std::memset(memory, 0, padded);
    data_.reset(static_cast<float*>(memory));
  }

  Floats(float* memory, int64_t count, FreeFloats free) : data_(memory, free), count_(count) {}

  float* data() const { return data_.get(); }
  int64_t size() const { return count_; }
  float& operator[](int64_t i) const { return data_.get()[i]; }
  float* begin() const { return data(); }
  float* end() const { return data() + count_; }

 private:
  std::unique_ptr<float, FreeFloats> data_;
  int64_t count_ = 0;
};

}  // namespace core
