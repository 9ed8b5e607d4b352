// In: what a training run does, as it happens. Out: a Chrome trace (JSON for Perfetto and chrome://tracing)
// of its first events. Its size is limited; later events are left out.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "runtime/core/execution/executor.h"
#include "runtime/core/execution/watch.h"

namespace core {

class Trace : public Watch {
 public:
  static constexpr size_t most_events = 30'000;  // about 6 MB

  Trace() : started_(std::chrono::steady_clock::now()) {}

  /// Adds a kernel.
  void saw(const Executor& program, size_t instruction, Time begin, Time end) override;
  /// Adds a step, or what a run does between steps; `name` is "step", "checkpoint", ...
  void add(const std::string& name, int64_t step, Time begin, Time end);

  bool full() const { return events_.size() >= most_events; }
  /// {"traceEvents": [...]}; times in microseconds since the trace began.
  std::string text() const;

 private:
  struct Event {
    size_t kind;  // index into kinds_
    Time begin, end;
    int64_t step;  // -1: the event is a kernel
  };
  void add(const Event& event) {
    if (!full()) events_.push_back(event);
  }

  Time started_;
  std::vector<std::string> kinds_;  // what the events of a kind have in common: the members of a JSON object
  std::map<std::string, size_t> spans_;
  std::map<const Executor*, size_t> first_kind_;  // the kind of the program's first instruction
  std::vector<Event> events_;
};

}  // namespace core
