#include "runtime/core/commands/training/stopwatch.h"

#include <algorithm>
#include <numeric>

namespace core {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const size_t middle = values.size() / 2;
  std::ranges::sort(values);
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

size_t Stopwatch::entry_of(const Executor& program, size_t instruction) {
  std::vector<size_t>& entries = entries_of_[&program];
  if (entries.empty()) {
    const std::vector<Work> works = program.works();
    for (size_t i = 0; i < works.size(); ++i) {
      const std::string implementation = program.implementation(i);
      const auto [known, fresh] =
          known_.try_emplace({works[i].name, works[i].shape, implementation}, entries_.size());
      if (fresh) entries_.push_back({{works[i], implementation}, 0, 0, std::vector<double>(steps_)});
      entries.push_back(known->second);
    }
  }
  return entries[instruction];
}

void Stopwatch::saw(const Executor& program, size_t instruction, Time begin, Time end) {
  Entry& entry = entries_[entry_of(program, instruction)];
  entry.now += std::chrono::duration<double>(end - begin).count();
  ++entry.calls;
}

void Stopwatch::end_step() {
  ++steps_;
  for (Entry& entry : entries_) {
    entry.steps.push_back(entry.now);
    entry.now = 0;
  }
}

std::vector<Kernel> Stopwatch::kernels() const {
  std::vector<Kernel> kernels;
  const auto steps = static_cast<double>(std::max<size_t>(1, steps_));
  for (const Entry& entry : entries_) {
    if (entry.calls == 0) continue;
    Kernel& kernel = kernels.emplace_back(entry.kernel);
    kernel.calls = static_cast<double>(entry.calls) / steps;
    kernel.seconds = median(entry.steps);
    // The kernel did not run in most steps.
    if (kernel.seconds == 0)
      kernel.seconds = std::accumulate(entry.steps.begin(), entry.steps.end(), 0.0) / steps;
  }
  std::ranges::sort(kernels, std::greater(), &Kernel::seconds);
  return kernels;
}

}  // namespace core
