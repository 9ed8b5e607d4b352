#include "compiler/lower/image/only_read.h"

#include <algorithm>
#include <string>
#include <tuple>

namespace lower {
namespace {

/// What a GPU keeps in the same memory as the buffer: equal for two buffers that may share memory while a
/// loop uses both. Scratch buffers share it in one slot, others by their name or their player.
std::tuple<tensor::Buffer::Kind, int, std::string> memory_of(const tensor::KernelProgram& program,
                                                             int index) {
  using Kind = tensor::Buffer::Kind;
  while (program.buffers[static_cast<size_t>(index)].kind == Kind::part)
    index = program.buffers[static_cast<size_t>(index)].parent;
  const tensor::Buffer& buffer = program.buffers[static_cast<size_t>(index)];
  switch (buffer.kind) {
    case Kind::scratch:
      return {Kind::scratch, program.plan ? program.plan->slot_of[static_cast<size_t>(index)] : buffer.slot,
              ""};
    case Kind::input:
    case Kind::output:
      return {Kind::input, -1, buffer.name};
    default:
      return {buffer.kind, buffer.index, ""};
  }
}

}  // namespace

std::vector<bool> only_read(const tensor::KernelProgram& program, const tensor::Loop& loop) {
  std::vector<bool> result;
  for (const tensor::Access& load : loop.loads)
    result.push_back(std::ranges::none_of(loop.stores, [&](const tensor::Store& store) {
      return memory_of(program, store.access.buffer) == memory_of(program, load.buffer);
    }));
  return result;
}

}  // namespace lower
