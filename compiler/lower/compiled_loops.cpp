#include "compiler/lower/compiled_loops.h"

#include "compiler/lower/jit.h"
#include "compiler/lower/kernel_set.h"

namespace lower {

struct CompiledLoops::Parts {
  std::vector<Arrangement> arrangements;
  std::vector<int> indices;
  size_t kernel_count = 0;
  std::unique_ptr<Jit> jit;
  const vae_kernel* kernels = nullptr;
};

CompiledLoops::CompiledLoops(const std::vector<tensor::Loop>& loops) : parts_(std::make_unique<Parts>()) {
  KernelSet set;
  for (const tensor::Loop& loop : loops) {
    parts_->arrangements.push_back(arrange(loop));
    parts_->indices.push_back(set.add(parts_->arrangements.back()));
  }
  parts_->kernel_count = set.kernels().size();
  set.export_table("kernels");
  auto module = set.take_module();
  parts_->jit = std::make_unique<Jit>(std::move(module), set.take_context());
  parts_->kernels = static_cast<const vae_kernel*>(parts_->jit->address("kernels"));
}

CompiledLoops::~CompiledLoops() = default;

const Arrangement& CompiledLoops::arrangement(size_t loop) const { return parts_->arrangements.at(loop); }

vae_kernel CompiledLoops::kernel(size_t loop) const {
  return parts_->kernels[static_cast<size_t>(parts_->indices.at(loop))];
}

size_t CompiledLoops::kernel_count() const { return parts_->kernel_count; }

}  // namespace lower
