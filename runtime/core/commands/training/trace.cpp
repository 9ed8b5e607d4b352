#include "runtime/core/commands/training/trace.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace core {
namespace {

/// The members of a JSON object as text, without its braces.
std::string members(const nlohmann::json& object) {
  const std::string text = object.dump();
  return text.substr(1, text.size() - 2);
}

double microseconds(Watch::Time begin, Watch::Time end) {
  return std::chrono::duration<double, std::micro>(end - begin).count();
}

}  // namespace

void Trace::saw(const Executor& program, size_t instruction, Time begin, Time end) {
  if (full()) return;
  const auto [first, fresh] = first_kind_.try_emplace(&program, kinds_.size());
  if (fresh) {
    const std::vector<Work> works = program.works();
    for (size_t i = 0; i < works.size(); ++i) {
      nlohmann::json arguments = {{"program", program.program().name}};
      if (!works[i].shape.empty()) arguments["shape"] = works[i].shape;
      if (const std::string by = program.implementation(i); !by.empty()) arguments["implementation"] = by;
      kinds_.push_back(
          members({{"name", works[i].name}, {"cat", name_of(works[i].kind)}, {"args", arguments}}));
    }
  }
  add({first->second + instruction, begin, end, -1});
}

void Trace::add(const std::string& name, int64_t step, Time begin, Time end) {
  if (full()) return;
  const auto [kind, fresh] = spans_.try_emplace(name, kinds_.size());
  if (fresh) kinds_.push_back(members({{"name", name}, {"cat", "run"}}));
  add({kind->second, begin, end, step});
}

std::string Trace::text() const {
  std::string text = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n";
  for (const Event& event : events_) {
    if (&event != &events_.front()) text += ",\n";
    text += fmt::format("{{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":{:.3f},\"dur\":{:.3f},{}{}}}",
                        microseconds(started_, event.begin), microseconds(event.begin, event.end),
                        kinds_[event.kind],
                        event.step >= 0 ? fmt::format(",\"args\":{{\"step\":{}}}", event.step) : "");
  }
  return text + "\n]}\n";
}

}  // namespace core
