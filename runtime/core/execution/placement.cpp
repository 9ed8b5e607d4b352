#include "runtime/core/execution/placement.h"

#include <algorithm>

#include "runtime/shared/failure.h"

namespace core {
namespace {

constexpr int64_t line = 16;  // floats per cache line

int64_t whole_lines(int64_t count) { return (count + line - 1) / line * line; }

}  // namespace

int64_t bounded_product(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result) || result > int64_t{1} << 50)
    throw Failure(Exit::bad_configuration, "at these batches a tensor has more than 2^50 elements");
  return result;
}

int64_t elements(const std::vector<Extent>& extents, const std::vector<int64_t>& rows) {
  int64_t count = 1;
  for (const Extent& extent : extents) count = bounded_product(count, extent.length(rows));
  return count;
}

Places places_of(const Program& program, const std::vector<int64_t>& rows, bool on_device) {
  const schema::LaunchPlan* plan = on_device && program.plan ? &*program.plan : nullptr;
  const std::vector<Life>& lives = plan ? plan->slots : program.slots;
  const auto slot_of = [&](size_t b) {
    return static_cast<size_t>(plan ? plan->slot_of[b] : program.buffers[b].slot);
  };
  std::vector<int64_t> sizes(lives.size());
  for (size_t b = 0; b < program.buffers.size(); ++b)
    if (program.buffers[b].kind == Buffer::Kind::scratch) {
      int64_t& size = sizes[slot_of(b)];
      size = std::max(size, whole_lines(elements(program.buffers[b].extents, rows)));
    }
  const ScratchLayout layout = lay_out(lives, sizes);
  Places places{std::vector<int64_t>(program.buffers.size()), layout.total};
  for (size_t b = 0; b < program.buffers.size(); ++b)
    if (program.buffers[b].kind == Buffer::Kind::scratch) places.starts[b] = layout.starts[slot_of(b)];
  return places;
}

std::vector<std::vector<int>> order_of(const Program& program, bool on_device) {
  if (on_device && program.plan) return program.plan->launches;
  std::vector<std::vector<int>> order;
  for (size_t i = 0; i < program.instructions.size(); ++i) order.push_back({static_cast<int>(i)});
  return order;
}

}  // namespace core
