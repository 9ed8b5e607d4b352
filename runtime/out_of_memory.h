// Memory that is not there, with what was asked for where that is known. It passes between libraries as it
// is.
#pragma once
#include <new>
#include <string>
#include <utility>

/// How the text of a failure to prepare a library operation begins where memory is not there.
inline constexpr const char* out_of_memory = "out of memory";

struct OutOfMemory : std::bad_alloc {
  /// `text`: begins with `out_of_memory`.
  explicit OutOfMemory(std::string text) : text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};
