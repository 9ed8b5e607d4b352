#include "runtime/core/learning/step/update_runner.h"

#include <algorithm>

namespace core {
namespace {

constexpr int64_t parallel_floats = 1 << 16;  // up to this number, waking threads costs more than the update

/// The machine, with one thread for small players.
Machine machine_for(Machine machine, int64_t floats) {
  if (floats <= parallel_floats) machine.threads = 1;
  return machine;
}

/// Memory that somebody else owns.
Floats borrowed(const float* memory, int64_t count) {
  return {const_cast<float*>(memory), count, {[](float*, const void*) {}}};
}

/// The length of a piece of the gradient in the program that clips.
int64_t length_of_piece(const Program& clip) {
  for (const Buffer& buffer : clip.buffers)
    if (buffer.kind == Buffer::Kind::input && buffer.name == "pieces") return buffer.extents.at(1).size;
  return 1;
}

}  // namespace

std::vector<std::string> state_of(const Program& update) {
  std::vector<std::string> names;
  for (const Buffer& buffer : update.buffers)
    if (buffer.kind == Buffer::Kind::output && buffer.name != "parameters") names.push_back(buffer.name);
  return names;
}

std::vector<std::string> numbers_of(const Program& update) {
  std::vector<std::string> names;
  for (const Buffer& buffer : update.buffers)
    if (buffer.kind == Buffer::Kind::input && buffer.extents.empty() && buffer.name != "scale" &&
        std::ranges::count(names, buffer.name) == 0)
      names.push_back(buffer.name);
  return names;
}

double update_bytes(const Program& update, int64_t floats) {
  const auto arrays = std::ranges::count_if(update.buffers, [](const Buffer& buffer) {
    return (buffer.kind == Buffer::Kind::input || buffer.kind == Buffer::Kind::output) &&
           !buffer.extents.empty();
  });
  return static_cast<double>(floats) * static_cast<double>(arrays) * sizeof(float);
}

UpdateRunner::UpdateRunner(const Image& image, const Program& update, const Machine& machine, Memory memory,
                           double clip)
    : image_(image),
      update_(update),
      machine_(machine_for(machine, memory.floats)),
      memory_(std::move(memory)),
      clips_(clip > 0) {
  const float identity = 1, bound = static_cast<float>(clip);
  scale_ = place(machine, {&identity, 1});
  if (clips_) clip_ = place(machine, {&bound, 1});
}

void UpdateRunner::bind(const float* gradient, Bound& bound) const {
  const int64_t floats = memory_.floats;
  Carried& places = bound.places;
  const auto add = [&](const std::string& name, const float* memory, int64_t count) {
    places.emplace(name, borrowed(memory, count));
  };
  add("parameters", memory_.parameters, floats);
  add("gradient", gradient, floats);
  add("scale", scale_.data(), 1);
  for (const auto& [name, state] : memory_.state) add(name, state, floats);
  const std::vector<std::string> numbers = numbers_of(update_);
  for (size_t i = 0; i < numbers.size(); ++i) add(numbers[i], memory_.numbers + i, 1);
  bound.update = std::make_unique<Executor>(image_, update_, machine_, std::vector<int64_t>{floats}, nullptr,
                                            &bound.places);
  if (!clips_) return;
  const Program& clip = image_.programs.at(static_cast<size_t>(image_.clip));
  const int64_t piece = length_of_piece(clip), pieces = floats / piece, rest = floats % piece;
  add("clip", clip_.data(), 1);
  add("pieces", gradient, pieces * piece);
  add("rest", gradient + pieces * piece, rest);
  bound.clip = std::make_unique<Executor>(image_, clip, machine_, std::vector<int64_t>{pieces, rest}, nullptr,
                                          &bound.places);
}

void UpdateRunner::run(const float* gradient) {
  const auto [entry, fresh] = bound_.try_emplace(gradient);
  Bound& bound = entry->second;
  if (fresh) bind(gradient, bound);
  const Hooks nothing;
  if (bound.clip) bound.clip->run(0, 0, nothing);
  bound.update->run(0, 0, nothing);
}

}  // namespace core
