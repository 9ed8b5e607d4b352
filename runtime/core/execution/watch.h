// The work of each instruction of a program, computed from its shapes alone, and an observer of the time that
// each instruction took.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "runtime/core/image.h"

namespace core {

class Executor;

struct Work {
  enum class Kind { loop, gemm, convolution, gather, update };
  Kind kind = Kind::loop;
  std::string name;   // "relu", "dense p.x.dense1.weight", "rows of x", "update p"
  std::string shape;  // "128 x 512"; for a GEMM m x n x k; empty for updates
  double flops = 0;   // only for GEMMs and convolutions
  double bytes = 0;   // that a loop or gather reads and writes; each place of an operand counts once
  int player = -1;    // the player of an update; its optimizer knows the bytes
};

/// The work of each instruction, at these rows of the batch classes.
std::vector<Work> works_of(const Image& image, const Program& program, const std::vector<int64_t>& rows);

/// "loop", "gemm", "convolution", "gather", "update".
const char* name_of(Work::Kind kind);

class Watch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  Watch() = default;
  Watch(const Watch&) = delete;
  virtual ~Watch() = default;
  /// Called after each instruction. An executor does not change its address while it runs.
  virtual void saw(const Executor& program, size_t instruction, Time begin, Time end) = 0;
};

}  // namespace core
