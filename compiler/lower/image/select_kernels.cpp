#include "compiler/lower/image/select_kernels.h"

#include <fmt/format.h>

#include <map>

#include "compiler/lower/image/image.h"
#include "compiler/lower/image/only_read.h"
#include "compiler/tensor/passes/canonicalise_loops.h"

namespace lower {
namespace {

/// Whether the buffer begins at a multiple of 16 bytes: the runtime places whole buffers so, but not parts.
bool is_aligned(const tensor::KernelProgram& program, int index) {
  const tensor::Buffer* buffer = &program.buffers[static_cast<size_t>(index)];
  int64_t offset = buffer->offset;
  while (buffer->kind == tensor::Buffer::Kind::part) {
    buffer = &program.buffers[static_cast<size_t>(buffer->parent)];
    offset += buffer->offset;
  }
  return offset % 4 == 0;
}

/// A loop as its kernel sees it; library calls are described as they are.
struct Selector {
  const tensor::KernelProgram& program;
  KernelSet& kernels;
  DeviceSet& device;

  schema::Instruction operator()(const tensor::Loop& loop) const {
    Arrangement arranged = arrange(loop);
    tensor::for_each_access(loop, [&](const tensor::Access& access) {
      arranged.quads = arranged.quads && is_aligned(program, access.buffer);
    });
    arranged.only_read = only_read(program, arranged.loop);
    schema::Loop described{loop.name,
                           static_cast<uint32_t>(kernels.add(arranged)),
                           static_cast<uint32_t>(device.add(arranged)),
                           arranged.loop.space,
                           arranged.loop.kept,
                           arranged.unit(),
                           arranged.loop.loads,
                           arranged.scalars,
                           arranged.sites};
    for (const tensor::Store& store : arranged.loop.stores) described.accesses.push_back(store.access);
    return described;
  }

  schema::Instruction operator()(const auto& library_call) const { return library_call; }
};

/// Notes which loops a GPU runs in launches of their own.
void note_alone(const schema::Program& program, DeviceSet& device) {
  std::vector<bool> alone(program.instructions.size(), true);
  if (program.plan)
    for (const std::vector<int>& launch : program.plan->launches)
      for (const int instruction : launch) alone[static_cast<size_t>(instruction)] = launch.size() == 1;
  for (size_t i = 0; i < alone.size(); ++i)
    if (const auto* loop = std::get_if<schema::Loop>(&program.instructions[i]); loop && alone[i])
      device.run_alone(loop->device_kernel);
}

/// The plan with the kernels of its launches.
schema::LaunchPlan select_joined(schema::LaunchPlan plan,
                                 const std::vector<schema::Instruction>& instructions, DeviceSet& device) {
  for (size_t launch = 0; launch < plan.launches.size(); ++launch) {
    if (plan.launches[launch].size() == 1) continue;
    std::vector<uint32_t> kernels;
    for (const int instruction : plan.launches[launch])
      kernels.push_back(std::get<schema::Loop>(instructions[static_cast<size_t>(instruction)]).device_kernel);
    plan.joined[launch] = static_cast<int>(device.join(kernels));
  }
  return plan;
}

const char* name_of(Form form) {
  switch (form) {
    case Form::map:
      return "map";
    case Form::row_reduction:
      return "sums of rows";
    case Form::column_reduction:
      return "sums of columns";
  }
  return "";
}

}  // namespace

std::vector<schema::Program> select_kernels(const std::vector<tensor::KernelProgram>& programs,
                                            KernelSet& kernels, DeviceSet& device) {
  std::vector<schema::Program> selected;
  for (const tensor::KernelProgram& program : programs) {
    schema::Program& made = selected.emplace_back(
        schema::Program{program.name, program.batches, program.buffers, program.slots, {}});
    for (const tensor::Instruction& instruction : program.instructions)
      made.instructions.push_back(std::visit(Selector{program, kernels, device}, instruction));
    if (program.plan) made.plan = select_joined(*program.plan, made.instructions, device);
    note_alone(made, device);
  }
  return selected;
}

std::string print_kernels(const Programs& programs) {
  KernelSet kernels;
  DeviceSet device;
  std::map<uint32_t, std::map<std::string, size_t>> users;  // by kernel: how often each program runs it
  for (const schema::Program& program : select_kernels(programs.programs, kernels, device))
    for (const schema::Instruction& instruction : program.instructions)
      if (const auto* loop = std::get_if<schema::Loop>(&instruction)) ++users[loop->kernel][program.name];
  std::string text;
  for (size_t i = 0; i < kernels.size(); ++i) {
    const Arrangement& arrangement = kernels.arrangements()[i];
    const tensor::Loop& loop = arrangement.loop;
    text += fmt::format("kernel {} {}\n  {}, {} loads, {} operations, {} stores{}\n", i, kernels.symbols()[i],
                        name_of(arrangement.form), loop.loads.size(), loop.body.size(), loop.stores.size(),
                        arrangement.per_element_calls ? ", calls of functions" : "");
    for (const auto& [program, times] : users[static_cast<uint32_t>(i)])
      text += fmt::format("  {} of program \"{}\"\n", times == 1 ? "a loop" : fmt::format("{} loops", times),
                          program);
  }
  return text;
}

}  // namespace lower
