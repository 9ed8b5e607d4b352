#include "runtime/core/learning/step/not_finite.h"

#include <algorithm>
#include <cmath>

namespace core {

/// The name of what the buffer holds a draw of; empty if it holds no draw.
std::string DrawWatch::drawn_by(const Buffer& buffer) const {
  const std::string prefix = "draw ";
  if (buffer.name.starts_with(prefix)) return buffer.name.substr(prefix.size());
  const std::string variable = buffer.name.substr(0, buffer.name.find('@'));
  return buffer.kind == Buffer::Kind::output && image_.variable(variable) >= 0 ? variable : "";
}

/// Whether the loop has overwritten the buffer of its `place`-th access with another buffer. Buffers may
/// share memory if one ends where the other begins. Stores come after loads.
static bool is_overwritten(const Executor& program, const Loop& loop, size_t place) {
  const Executor::Tensor values = program.buffer(loop.accesses[place].buffer);
  for (size_t later = place + 1; later < loop.accesses.size(); ++later) {
    if (loop.accesses[later].buffer == loop.accesses[place].buffer) continue;
    const Executor::Tensor other = program.buffer(loop.accesses[later].buffer);
    if (other.data < values.data + values.elements && values.data < other.data + other.elements) return true;
  }
  return false;
}

void DrawWatch::saw(const Executor& program, size_t instruction, Time /*begin*/, Time /*end*/) {
  const auto* loop = std::get_if<Loop>(&program.program().instructions[instruction]);
  if (!loop || found_) return;
  for (size_t place = 0; place < loop->accesses.size(); ++place) {
    const int buffer = loop->accesses[place].buffer;
    const std::string name = drawn_by(program.program().buffers[static_cast<size_t>(buffer)]);
    if (name.empty() || is_overwritten(program, *loop, place)) continue;
    const Executor::Tensor values = program.buffer(buffer);
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
