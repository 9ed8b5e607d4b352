// LibTorch's exceptions in one line: its messages bring the stack along.
#pragma once
#include <c10/util/Exception.h>

#include <cstdio>
#include <exception>
#include <string>

namespace torch_backend {

inline std::string first_line(const std::exception& failure) {
  const auto* own = dynamic_cast<const c10::Error*>(&failure);
  const std::string text = own ? own->what_without_backtrace() : failure.what();
  return text.substr(0, text.find('\n'));
}

inline void report(const std::exception& failure, char* error, size_t error_size) {
  if (error && error_size) std::snprintf(error, error_size, "%s", first_line(failure).c_str());
}

}  // namespace torch_backend
