// Arrays of floats that begin on a cache line (large ones on huge pages where the system gives them), zeroed.
#pragma once
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace core {

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

  float* data() const { return data_.get(); }
  int64_t size() const { return count_; }
  float& operator[](int64_t i) const { return data_.get()[i]; }
  float* begin() const { return data(); }
  float* end() const { return data() + count_; }

 private:
  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };
  std::unique_ptr<float, Free> data_;
  int64_t count_ = 0;
};

}  // namespace core
