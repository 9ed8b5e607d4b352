#include "compiler/lower/image.h"

#include <dlfcn.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>

#include <cstdlib>
#include <stdexcept>

#include "compiler/lower/describe.h"
#include "compiler/lower/device_set.h"
#include "compiler/lower/host.h"
#include "compiler/lower/jit.h"
#include "compiler/lower/kernel_set.h"
#include "compiler/lower/object.h"
#include "compiler/lower/ptx.h"
#include "runtime/abi.h"

namespace lower {
namespace {

llvm::GlobalVariable* add_constant(llvm::Module& module, llvm::Constant* value, const char* name) {
  return new llvm::GlobalVariable(module, value->getType(), true, llvm::GlobalValue::ExternalLinkage, value,
                                  name);
}

const char* name_of(Target target) {
  return target == Target::cpu ? "cpu" : target == Target::cuda ? "cuda" : "auto";
}

/// `image`, a vae_image, and a `main` that hands it to the runtime.
void add_entry(KernelSet& kernels, const std::string& description, const std::string& ptx) {
  llvm::Module& module = kernels.module();
  llvm::LLVMContext& context = module.getContext();
  llvm::IRBuilder<> ir(context);
  auto* text =
      add_constant(module, llvm::ConstantDataArray::getString(context, description, false), "description");
  auto* table = kernels.export_table("kernels");
  llvm::Constant* device = llvm::ConstantPointerNull::get(ir.getPtrTy());
  if (!ptx.empty())
    device = add_constant(module, llvm::ConstantDataArray::getString(context, ptx, true), "ptx");
  llvm::Constant* image = llvm::ConstantStruct::getAnon(
      context, {ir.getInt32(VAE_ABI_VERSION), ir.getInt32(static_cast<uint32_t>(kernels.kernels().size())),
                text, ir.getInt64(description.size()), table, device});
  auto* image_place = add_constant(module, image, "image");

  llvm::Type* integer = ir.getInt32Ty();
  llvm::Type* pointer = ir.getPtrTy();
  auto runtime = module.getOrInsertFunction(
      "vaert_main", llvm::FunctionType::get(integer, {pointer, integer, pointer}, false));
  auto* main = llvm::Function::Create(llvm::FunctionType::get(integer, {integer, pointer}, false),
                                      llvm::GlobalValue::ExternalLinkage, "main", module);
  ir.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", main));
  ir.CreateRet(ir.CreateCall(runtime, {image_place, main->getArg(0), main->getArg(1)}));
}

}  // namespace

struct Image::Parts {
  KernelSet kernels;

  void add_all(DeviceSet& set) const {
    for (const Arrangement& arrangement : kernels.arrangements()) set.add(arrangement, arrangement.loop.name);
  }
};

Image::Image(const semantics::Model& model, const nlohmann::json& game, const Programs& programs,
             const Origin& origin, const std::vector<Simulator>& simulators, Target target)
    : parts_(std::make_unique<Parts>()) {
  nlohmann::json description = describe(model, game, programs, origin, parts_->kernels);
  description["simulators"] = nlohmann::json::array();
  for (const Simulator& simulator : simulators)
    description["simulators"].push_back(
        {{"file", simulator.file},
         {"image", describe(simulator.model, nlohmann::json::object(), simulator.programs, simulator.origin,
                            parts_->kernels)}});
  description["target"] = name_of(target);
  std::string ptx;
  if (target != Target::cpu) {
    DeviceSet set(DeviceForm::ptx);
    for (const Arrangement& arrangement : parts_->kernels.arrangements()) {
      const DeviceKernel& kernel = set.add(arrangement, arrangement.loop.name);
      description["device_kernels"].push_back({{"name", kernel.name},
                                               {"mapping", name_of(kernel.mapping)},
                                               {"threads", kernel.threads},
                                               {"sums", kernel.sums}});
    }
    ptx = make_ptx(set.module());
  }
  const std::string text = description.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  add_entry(parts_->kernels, text, ptx);
}

Image::Image(Image&&) noexcept = default;
Image::~Image() = default;

size_t Image::kernel_count() const { return parts_->kernels.kernels().size(); }
std::string Image::llvm() const { return print_llvm(parts_->kernels.module()); }
std::string Image::assembly() { return make_assembly(parts_->kernels.module()); }
std::string Image::object() { return make_object(parts_->kernels.module()); }

std::string Image::ptx() const {
  DeviceSet set(DeviceForm::ptx);
  parts_->add_all(set);
  return make_ptx(set.module());
}

std::string Image::emulated_object() const {
  DeviceSet set(DeviceForm::host);
  parts_->add_all(set);
  return make_object(set.module());
}

int Image::run(const std::string& runtime_library, const std::vector<std::string>& arguments) {
  // Before the library loads its thread pool (runtime/core/thread_pool.h says why).
  setenv("GOMP_SPINCOUNT", "2000", 0);
  // Global, so that kernels find the runtime's functions.
  void* library = dlopen(runtime_library.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  const auto entry = reinterpret_cast<decltype(&vaert_main)>(dlsym(library, "vaert_main"));
  if (entry == nullptr) throw std::runtime_error(runtime_library + " has no vaert_main");
  auto module = parts_->kernels.take_module();
  Jit jit(std::move(module), parts_->kernels.take_context());
  std::vector<std::string> texts = arguments;
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return entry(static_cast<const vae_image*>(jit.address("image")), static_cast<int>(texts.size()),
               pointers.data());
}

}  // namespace lower
