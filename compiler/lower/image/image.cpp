#include "compiler/lower/image/image.h"

#include <dlfcn.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>

#include <cstdlib>
#include <stdexcept>

#include "compiler/lower/device/device_code.h"
#include "compiler/lower/device/device_set.h"
#include "compiler/lower/host.h"
#include "compiler/lower/image/describe.h"
#include "compiler/lower/image/entry.h"
#include "compiler/lower/image/select_kernels.h"
#include "compiler/lower/loops/emit_loop.h"
#include "compiler/lower/loops/kernel_set.h"
#include "compiler/lower/objects/compile_kernels.h"
#include "compiler/lower/objects/jit.h"
#include "compiler/lower/objects/link.h"
#include "compiler/lower/objects/object.h"
#include "compiler/lower/processor.h"
#include "runtime/abi.h"
#include "runtime/schema/json_text.h"

namespace lower {
namespace {

llvm::GlobalVariable* add_constant(llvm::Module& module, llvm::Constant* value, const char* name) {
  return new llvm::GlobalVariable(module, value->getType(), true, llvm::GlobalValue::ExternalLinkage, value,
                                  name);
}

llvm::GlobalVariable* add_table(llvm::Module& module, const std::vector<llvm::Function*>& kernels) {
  auto* type = llvm::ArrayType::get(llvm::PointerType::get(module.getContext(), 0), kernels.size());
  const std::vector<llvm::Constant*> entries(kernels.begin(), kernels.end());
  return add_constant(module, llvm::ConstantArray::get(type, entries), "kernels");
}

/// Declares kernels that other objects define.
std::vector<llvm::Function*> declare_all(const KernelSet& set, llvm::Module& module) {
  std::vector<llvm::Function*> functions;
  for (const std::string& symbol : set.symbols()) {
    functions.push_back(declare_kernel(module, symbol));
    functions.back()->setVisibility(llvm::GlobalValue::HiddenVisibility);
  }
  return functions;
}

/// Adds a vae_image to the module.
llvm::Constant* add_image(llvm::Module& module, const std::vector<llvm::Function*>& kernels,
                          const std::string& description, const std::string& ptx) {
  llvm::LLVMContext& context = module.getContext();
  llvm::IRBuilder<> ir(context);
  auto* text =
      add_constant(module, llvm::ConstantDataArray::getString(context, description, false), "description");
  auto* table = add_table(module, kernels);
  llvm::Constant* device = llvm::ConstantPointerNull::get(ir.getPtrTy());
  if (!ptx.empty())
    device = add_constant(module, llvm::ConstantDataArray::getString(context, ptx, true), "ptx");
  llvm::Constant* image = llvm::ConstantStruct::getAnon(
      context, {ir.getInt32(VAE_ABI_VERSION), ir.getInt32(static_cast<uint32_t>(kernels.size())), text,
                ir.getInt64(description.size()), table, device});
  return add_constant(module, image, "image");
}

}  // namespace

struct Image::Parts {
  KernelSet kernels;
  DeviceSet device;
  std::string description;  // JSON
  std::string ptx;          // empty if the image runs on the processor only
  base::Cache cache{"kernels"};
  size_t made = 0;
  Cpu cpu = chosen_cpu();

  /// The whole image as one module, for printing.
  template <class Use>
  auto whole(const Use& use) const {
    llvm::LLVMContext context;
    llvm::Module module("image", context);
    target_host(module);
    add_entry(module, {add_image(module, emit_all(kernels, module), description, ptx)}, "");
    return use(module);
  }

  /// The kernels' objects, then one with the rest: the objects to link.
  std::vector<std::string> objects(const std::string& library = "") {
    choose_cpu(cpu);
    MadePieces compiled = compile_kernels(kernels, &cache);
    made = compiled.anew;
    llvm::LLVMContext context;
    llvm::Module module("image", context);
    target_host(module);
    add_entry(module, {add_image(module, declare_all(kernels, module), description, ptx)}, library);
    compiled.code.push_back(make_object(module));
    return std::move(compiled.code);
  }

  /// The whole image as one object, which shows only the image, as `symbol`. For one of several levels: their
  /// kernels have equal names.
  std::string level_object(const std::string& symbol) {
    choose_cpu(cpu);
    made = kernels.size();
    llvm::LLVMContext context;
    llvm::Module module("image", context);
    target_host(module);
    const llvm::Constant* image = add_image(module, emit_all(kernels, module), description, ptx);
    for (llvm::GlobalObject& defined : module.global_objects())
      if (!defined.isDeclaration() && &defined != image)
        defined.setLinkage(llvm::GlobalValue::InternalLinkage);
    module.getNamedGlobal("image")->setName(symbol);
    return make_object(module);
  }
};

Image::Image(const semantics::Model& model, const nlohmann::json& game, const Programs& programs,
             const Origin& origin, const std::vector<Simulator>& simulators, Target target)
    : parts_(std::make_unique<Parts>()) {
  schema::ImageDescription description{
      describe(model, game, programs, origin,
               select_kernels(programs.programs, parts_->kernels, parts_->device)),
      origin.built_in,
      target,
      {},
      {},
      {}};
  for (const Simulator& simulator : simulators)
    description.simulators.push_back(
        {simulator.file,
         describe(simulator.model, nlohmann::json::object(), simulator.programs, simulator.origin,
                  select_kernels(simulator.programs.programs, parts_->kernels, parts_->device))});
  if (target != Target::cpu) {
    description.device_kernels = parts_->device.kernels();
    description.joined_kernels = parts_->device.joined();
    parts_->ptx = make_device_code(parts_->device, parts_->cache);
  }
  parts_->description = schema::to_text(schema::write(description));
}

Image::Image(Image&&) noexcept = default;
Image::~Image() = default;

std::string archive_of(std::vector<Image>& images, const std::string& library) {
  if (images.size() == 1) return make_archive(images.front().parts_->objects(library));
  std::vector<std::string> objects;
  llvm::LLVMContext context;
  llvm::Module module("entry", context);
  std::vector<llvm::Constant*> declared;
  for (Image& image : images) {
    const std::string symbol = "image" + std::to_string(declared.size());
    objects.push_back(image.parts_->level_object(symbol));
    auto* place = new llvm::GlobalVariable(module, llvm::Type::getInt8Ty(context), true,
                                           llvm::GlobalValue::ExternalLinkage, nullptr, symbol);
    place->setVisibility(llvm::GlobalValue::HiddenVisibility);
    declared.push_back(place);
  }
  // The code of the entry is for the least demanding level, so that it runs everywhere. The last image is for
  // this level.
  target_host(module);
  add_entry(module, declared, library);
  objects.push_back(make_object(module));
  return make_archive(objects);
}

size_t Image::kernel_count() const { return parts_->kernels.size(); }
size_t Image::made_count() const { return parts_->made; }
std::string Image::llvm() const { return parts_->whole(print_llvm); }
std::string Image::assembly() const { return parts_->whole(make_assembly); }
std::string Image::object() { return join_objects(archive()); }
std::string Image::archive() { return make_archive(parts_->objects()); }

std::string Image::ptx() const {
  return parts_->ptx.empty() ? make_device_code(parts_->device, parts_->cache) : parts_->ptx;
}

std::string Image::emulated_object() const { return lower::emulated_object(parts_->device); }

int Image::run(const std::string& runtime_library, const std::vector<std::string>& arguments) {
  // Set before the library loads its thread pool (runtime/core/machine/thread_pool.h says why).
  setenv("GOMP_SPINCOUNT", "2000", 0);
  // Global, so that kernels find the runtime's functions.
  void* library = dlopen(runtime_library.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  const auto entry = reinterpret_cast<decltype(&vaert_main)>(dlsym(library, "vaert_main"));
  if (entry == nullptr) throw std::runtime_error(runtime_library + " has no vaert_main");
  Jit jit(parts_->objects());
  std::vector<std::string> texts = arguments;
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return entry(static_cast<const vae_image*>(jit.address("image")), static_cast<int>(texts.size()),
               pointers.data());
}

}  // namespace lower
