// Prints on stderr how long each part of a compilation took, if requested.
#pragma once
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "runtime/shared/print_error.h"

namespace vaec {

class Timings {
 public:
  explicit Timings(bool asked) : asked_(asked) {}

  void end(const char* part, const std::string& note = "") {
    const auto now = Clock::now();
    if (asked_) print_error("{:<10}{:>7.1f} ms{}\n", part, milliseconds(now - before_), note);
    before_ = now;
  }
  void end_all() const {
    if (asked_) print_error("{:<10}{:>7.1f} ms\n", "all", milliseconds(Clock::now() - begin_));
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double milliseconds(Clock::duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
  }

  bool asked_;
  Clock::time_point begin_ = Clock::now(), before_ = begin_;
};

}  // namespace vaec
