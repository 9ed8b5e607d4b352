// The exception for memory that could not be allocated. Its text says how many bytes were asked for, if that
// is known. It passes unchanged between libraries.
#pragma once
#include <new>
#include <string>
#include <utility>

/// Begins the error text of a library operation that could not be prepared because there was no memory.
inline constexpr const char* out_of_memory = "out of memory";

struct OutOfMemory : std::bad_alloc {
  /// `text` must begin with `out_of_memory`.
  explicit OutOfMemory(std::string text) : text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};
