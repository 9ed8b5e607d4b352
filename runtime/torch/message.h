// Shortens the messages of LibTorch's exceptions, which contain the call stack, to one line.
#pragma once
#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "runtime/out_of_memory.h"

namespace torch_backend {

inline std::string whole_text(const std::exception& failure) {
  const auto* own = dynamic_cast<const c10::Error*>(&failure);
  return own ? own->what_without_backtrace() : failure.what();
}

/// Whether memory could not be allocated. LibTorch has an exception of its own for this only on GPUs. This
/// therefore searches for the words of LibTorch's allocators, of CUDA, cuBLAS and cuDNN, and of the oneDNN in
/// LibTorch.
inline bool is_out_of_memory(const std::exception& failure) {
  if (dynamic_cast<const std::bad_alloc*>(&failure)) return true;
  constexpr std::array words = {"can't allocate memory", "Cannot allocate memory", "not enough memory",
                                "out of memory",         "ALLOC_FAILED",           "std::bad_alloc"};
  const std::string text = whole_text(failure);
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return text.find(word) != std::string::npos; });
}

/// "out of memory (4096 bytes were asked for)". The number is there if LibTorch's message has it: `you tried
/// to allocate 4096 bytes`, `Tried to allocate 2.00 GiB (GPU 0; ...`.
inline std::string memory_text(const std::exception& failure) {
  const std::string text = whole_text(failure), before = "ried to allocate ";
  const size_t found = text.find(before), begin = found + before.size();
  const size_t unit = found == std::string::npos ? found : text.find(' ', begin);
  if (unit == std::string::npos) return out_of_memory;
  const std::string amount =
      text.substr(begin, text.find_first_not_of("abcdefghijklmnopqrstuvwxyzGKMTB", unit + 1) - begin);
  return out_of_memory + (" (" + amount + " were asked for)");
}

inline std::string first_line(const std::exception& failure) {
  if (is_out_of_memory(failure)) return memory_text(failure);
  const std::string text = whole_text(failure);
  return text.substr(0, text.find('\n'));
}

inline void report(const std::exception& failure, char* error, size_t error_size) {
  if (error && error_size) std::snprintf(error, error_size, "%s", first_line(failure).c_str());
}

}  // namespace torch_backend
