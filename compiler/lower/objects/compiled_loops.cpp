#include "compiler/lower/objects/compiled_loops.h"

#include "compiler/lower/objects/compile_kernels.h"
#include "compiler/lower/objects/jit.h"

namespace lower {

struct CompiledLoops::Parts {
  std::vector<Arrangement> arrangements;
  std::vector<size_t> indices;
  std::vector<vae_kernel> kernels;
  std::unique_ptr<Jit> jit;
};

CompiledLoops::CompiledLoops(const std::vector<tensor::Loop>& loops) : parts_(std::make_unique<Parts>()) {
  KernelSet set;
  for (const tensor::Loop& loop : loops) {
    parts_->arrangements.push_back(arrange(loop));
    parts_->indices.push_back(static_cast<size_t>(set.add(parts_->arrangements.back())));
  }
  parts_->jit = std::make_unique<Jit>(compile_kernels(set, nullptr).code);
  for (const std::string& symbol : set.symbols())
    parts_->kernels.push_back(reinterpret_cast<vae_kernel>(parts_->jit->address(symbol)));
}

CompiledLoops::~CompiledLoops() = default;

const Arrangement& CompiledLoops::arrangement(size_t loop) const { return parts_->arrangements.at(loop); }

vae_kernel CompiledLoops::kernel(size_t loop) const { return parts_->kernels[parts_->indices.at(loop)]; }

size_t CompiledLoops::kernel_count() const { return parts_->kernels.size(); }

}  // namespace lower
