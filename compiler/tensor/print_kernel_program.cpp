#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/tensor/passes.h"

namespace tensor {

namespace {

std::string print_access(const Access& access) {
  return fmt::format("@{}+{}[{}]", access.buffer, access.offset, fmt::join(access.strides, ", "));
}

std::string print_scalar(const Scalar& scalar) {
  switch (scalar.kind) {
    case Scalar::Kind::load:
      return fmt::format("load {}", scalar.index);
    case Scalar::Kind::constant:
      return fmt::format("{}", scalar.number);
    case Scalar::Kind::iota:
      return fmt::format("iota {}", scalar.index);
    case Scalar::Kind::operation:
      break;
  }
  std::string text = semantics::info(scalar.op).name;
  for (int input : scalar.inputs) {
    if (input >= 0) text += fmt::format(" ${}", input);
  }
  if (semantics::info(scalar.op).group == semantics::OpGroup::random)
    text += fmt::format(" site {}", scalar.site);
  return text;
}

std::string print_instruction(const Loop& loop) {
  std::string text = fmt::format("loop \"{}\" {} kept {}\n", loop.name, to_string(loop.space), loop.kept);
  for (size_t i = 0; i < loop.loads.size(); ++i)
    text += fmt::format("  load {} = {}\n", i, print_access(loop.loads[i]));
  for (size_t i = 0; i < loop.body.size(); ++i)
    text += fmt::format("  ${} = {}\n", i, print_scalar(loop.body[i]));
  static const char* const combines[] = {"", " sum", " max", " min"};
  for (const Store& store : loop.stores)
    text += fmt::format("  store{} ${} {}\n", combines[static_cast<int>(store.combine)], store.scalar,
                        print_access(store.access));
  return text;
}
std::string print_instruction(const Gemm& g) {
  return fmt::format("gemm \"{}\" @{}{} @{}{} -> @{} m {} n {} k {}\n", g.name, g.a, g.transpose_a ? "'" : "",
                     g.b, g.transpose_b ? "'" : "", g.c, to_string(Shape{g.m}), to_string(Shape{g.n}),
                     to_string(Shape{g.k}));
}
std::string print_instruction(const Convolution& c) {
  static const char* const directions[] = {"forward", "backward_data", "backward_weights"};
  return fmt::format(
      "convolution \"{}\" {} @{} @{} -> @{} batch {} in {}x{}x{} out {}x{}x{} kernel {}x{} stride {}x{} "
      "padding {}x{}\n",
      c.name, directions[static_cast<int>(c.direction)], c.a, c.b, c.c, to_string(Shape{c.batch}), c.in_h,
      c.in_w, c.in_channels, c.out_h, c.out_w, c.out_channels, c.kernel_h, c.kernel_w, c.stride_h, c.stride_w,
      c.padding_h, c.padding_w);
}
std::string print_instruction(const Gather& g) {
  return fmt::format("gather column {} of source {} -> @{}\n", g.column, g.source, g.buffer);
}
std::string print_instruction(const SumRanks& s) {
  return fmt::format("sum_ranks source {} @{} -> @{}\n", s.source, s.from, s.to);
}
std::string print_plan(const schema::LaunchPlan& plan) {
  std::string text = fmt::format("plan slots {}\n", plan.slots.size());
  for (const std::vector<int>& launch : plan.launches)
    text += fmt::format("launch {}\n", fmt::join(launch, " "));
  for (size_t b = 0; b < plan.slot_of.size(); ++b)
    if (plan.slot_of[b] >= 0) text += fmt::format("  @{} slot {}\n", b, plan.slot_of[b]);
  return text;
}
std::string print_instruction(const Update& u) {
  return fmt::format("update player {} along @{}\n", u.player, u.gradient);
}

}  // namespace

std::string print(const KernelProgram& kernel_program) {
  std::string text = fmt::format("kernels \"{}\" batches {} slots {}\n", kernel_program.name,
                                 to_string(kernel_program.batches), kernel_program.slots.size());
  for (size_t i = 0; i < kernel_program.buffers.size(); ++i) {
    const Buffer& b = kernel_program.buffers[i];
    text += fmt::format("@{} {} {}", i, schema::word_of(b.kind), to_string(b.extents));
    if (b.kind == Buffer::Kind::part) text += fmt::format(" of @{} + {}", b.parent, b.offset);
    if (b.kind == Buffer::Kind::scratch) text += fmt::format(" slot {}", b.slot);
    if (b.index >= 0) text += fmt::format(" index {}", b.index);
    text += fmt::format(" \"{}\"\n", b.name);
  }
  for (const Instruction& instruction : kernel_program.instructions)
    text += std::visit([](const auto& specific) { return print_instruction(specific); }, instruction);
  if (kernel_program.plan) text += print_plan(*kernel_program.plan);
  return text;
}

}  // namespace tensor
