// Arrays of floats. They begin on a cache line and are zeroed; large ones use huge pages if the system gives
// them. The system zeroes a large one page by page when a thread first touches the page, and takes the page
// from the memory of that thread's package. An array may also be memory of another device, which only that
// device reads.
#pragma once
#include <sys/mman.h>

#include <cstdint>
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
    const size_t bytes = static_cast<size_t>(count) * sizeof(float);
    data_ = bytes < page || is_sanitized ? small(bytes) : mapped(bytes);
  }

  Floats(float* memory, int64_t count, FreeFloats free) : data_(memory, free), count_(count) {}

  float* data() const { return data_.get(); }
  int64_t size() const { return count_; }
  float& operator[](int64_t i) const { return data_.get()[i]; }
  float* begin() const { return data(); }
  float* end() const { return data() + count_; }

 private:
  static constexpr size_t line = 64, page = size_t{2} << 20;
#if defined(__SANITIZE_ADDRESS__)
  static constexpr bool is_sanitized = true;  // AddressSanitizer only watches what malloc gives
#else
  static constexpr bool is_sanitized = false;
#endif

  using Data = std::unique_ptr<float, FreeFloats>;

  static Data small(size_t bytes) {
    const size_t padded = (bytes + line) / line * line;
    void* memory = std::aligned_alloc(line, padded);
    if (!memory) throw std::bad_alloc();
    std::memset(memory, 0, padded);
    return Data(static_cast<float*>(memory));
  }

  static Data mapped(size_t bytes) {
    const size_t padded = (bytes + page) / page * page;
    void* memory = mmap(nullptr, padded + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    // The system only aligns to small pages: what lies before and behind is given back.
    const size_t before = (page - reinterpret_cast<uintptr_t>(memory) % page) % page;
    char* begin = static_cast<char*>(memory) + before;
    if (before > 0) munmap(memory, before);
    if (before < page) munmap(begin + padded, page - before);
    madvise(begin, padded, MADV_HUGEPAGE);
    const auto unmap = [](float* from, const void* size) { munmap(from, reinterpret_cast<uintptr_t>(size)); };
    // NOLINTNEXTLINE(performance-no-int-to-ptr): `owner` has only the size
    return {reinterpret_cast<float*>(begin), FreeFloats{unmap, reinterpret_cast<const void*>(padded)}};
  }

  Data data_;
  int64_t count_ = 0;
};

}  // namespace core
