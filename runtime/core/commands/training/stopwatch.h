// In: the instructions of steps, as they end. Out: for each kind of kernel, its time in a step, its work, and
// how much of the processor it uses. Kernels with the same name, shape and implementation count as one.
#pragma once
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "runtime/core/execution/executor.h"
#include "runtime/core/execution/watch.h"

namespace core {

struct Kernel {
  Work work;
  std::string implementation;
  double calls = 0;    // per step, on average
  double seconds = 0;  // of all its calls in a step: the median over steps, or the mean if it is rare
};

class Stopwatch : public Watch {
 public:
  void saw(const Executor& program, size_t instruction, Time begin, Time end) override;
  /// Called between two steps.
  void end_step();

  /// The slowest kernel comes first.
  std::vector<Kernel> kernels() const;

 private:
  struct Entry {
    Kernel kernel;
    double now = 0;  // in the present step
    int64_t calls = 0;
    std::vector<double> steps;  // seconds in each step
  };
  size_t entry_of(const Executor& program, size_t instruction);

  std::vector<Entry> entries_;
  std::map<std::tuple<std::string, std::string, std::string>, size_t> known_;
  std::map<const Executor*, std::vector<size_t>> entries_of_;  // per instruction
  size_t steps_ = 0;
};

/// 0 if there are no values.
double median(std::vector<double> values);

}  // namespace core
