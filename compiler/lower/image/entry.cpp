#include "compiler/lower/image/entry.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>

namespace lower {
namespace {

using Images = std::vector<llvm::Constant*>;

/// The only image or, of several, the one that vaert_choose returns.
llvm::Value* chosen_image(llvm::IRBuilder<>& ir, llvm::Module& module, const Images& images) {
  if (images.size() == 1) return images.front();
  auto* pointer = ir.getPtrTy();
  auto* type = llvm::ArrayType::get(pointer, images.size());
  auto* table = new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::InternalLinkage,
                                         llvm::ConstantArray::get(type, images), "images");
  const llvm::FunctionCallee choose = module.getOrInsertFunction(
      "vaert_choose", llvm::FunctionType::get(pointer, {pointer, ir.getInt32Ty()}, false));
  return ir.CreateCall(choose, {table, ir.getInt32(static_cast<uint32_t>(images.size()))});
}

/// Defines name(arguments) as vaert_model_name(image, arguments). Without images there is no such argument.
void forward(llvm::Module& module, const std::string& library, const std::string& function,
             llvm::Type* result, const std::vector<llvm::Type*>& parameters, const Images& images = {}) {
  llvm::IRBuilder<> ir(module.getContext());
  auto* own = llvm::Function::Create(llvm::FunctionType::get(result, parameters, false),
                                     llvm::GlobalValue::ExternalLinkage, library + "_" + function, module);
  ir.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", own));
  std::vector<llvm::Type*> theirs = parameters;
  std::vector<llvm::Value*> arguments;
  if (!images.empty()) {
    theirs.insert(theirs.begin(), ir.getPtrTy());
    arguments.push_back(chosen_image(ir, module, images));
  }
  for (llvm::Argument& argument : own->args()) arguments.push_back(&argument);
  const llvm::FunctionCallee target =
      module.getOrInsertFunction("vaert_model_" + function, llvm::FunctionType::get(result, theirs, false));
  llvm::Value* value = ir.CreateCall(target, arguments);
  if (result->isVoidTy()) {
    ir.CreateRetVoid();
  } else {
    ir.CreateRet(value);
  }
}

void add_library_entry(llvm::Module& module, const Images& images, const std::string& name) {
  llvm::LLVMContext& context = module.getContext();
  auto* nothing = llvm::Type::getVoidTy(context);
  auto* pointer = llvm::PointerType::get(context, 0);
  auto* i32 = llvm::Type::getInt32Ty(context);
  auto* i64 = llvm::Type::getInt64Ty(context);
  forward(module, name, "open", pointer, {pointer, i32, pointer, i64}, images);
  forward(module, name, "close", nothing, {pointer});
  forward(module, name, "step", i64, {pointer});
  forward(module, name, "variable", pointer, {pointer, i32});
  forward(module, name, "sample", i32, {pointer, i64, i64, pointer, i32, pointer, i32, pointer, i64});
  forward(module, name, "infer", i32, {pointer, pointer, i64, i64, pointer, i32, pointer, i32, pointer, i64});
  forward(module, name, "log_density", i32,
          {pointer, pointer, i64, pointer, i32, pointer, i64, pointer, i64});
}

void add_main(llvm::Module& module, const Images& images) {
  llvm::IRBuilder<> ir(module.getContext());
  llvm::Type* integer = ir.getInt32Ty();
  llvm::Type* pointer = ir.getPtrTy();
  auto runtime = module.getOrInsertFunction(
      "vaert_main", llvm::FunctionType::get(integer, {pointer, integer, pointer}, false));
  auto* main = llvm::Function::Create(llvm::FunctionType::get(integer, {integer, pointer}, false),
                                      llvm::GlobalValue::ExternalLinkage, "main", module);
  ir.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", main));
  llvm::Value* image = chosen_image(ir, module, images);
  ir.CreateRet(ir.CreateCall(runtime, {image, main->getArg(0), main->getArg(1)}));
}

}  // namespace

void add_entry(llvm::Module& module, const Images& images, const std::string& library) {
  if (library.empty()) {
    add_main(module, images);
  } else {
    add_library_entry(module, images, library);
  }
}

}  // namespace lower
