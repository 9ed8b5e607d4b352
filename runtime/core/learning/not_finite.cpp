#include "runtime/core/learning/not_finite.h"

#include <algorithm>
#include <cmath>

namespace core {

/// What the buffer holds a draw of; empty: none.
std::string DrawWatch::drawn_by(const Buffer& buffer) const {
  const std::string prefix = "draw ";
  if (buffer.name.starts_with(prefix)) return buffer.name.substr(prefix.size());
  const std::string variable = buffer.name.substr(0, buffer.name.find('@'));
  return buffer.kind == Buffer::Kind::output && image_.variable(variable) >= 0 ? variable : "";
}

void DrawWatch::saw(const Executor& program, size_t instruction, Time /*begin*/, Time /*end*/) {
  const auto* loop = std::get_if<Loop>(&program.program().instructions[instruction]);
  if (!loop || found_) return;
  for (const Access& access : loop->accesses) {
    const std::string name = drawn_by(program.program().buffers[static_cast<size_t>(access.buffer)]);
    if (name.empty()) continue;
    const Executor::Tensor values = program.buffer(access.buffer);
    const float* end = values.data + values.elements;
    const float* bad = std::find_if(values.data, values.data + values.elements,
                                    [](float value) { return !std::isfinite(value); });
    if (bad == end) continue;
    found_ = name;
    nan_ = std::isnan(*bad);
    return;
  }
}

const char* name_of_not_finite(float value) { return std::isnan(value) ? "not a number" : "infinite"; }

}  // namespace core
