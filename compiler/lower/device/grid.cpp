#include "compiler/lower/device/grid.h"

#include <llvm/IR/IntrinsicsNVPTX.h>

#include <algorithm>

#include "compiler/lower/host.h"

namespace lower {
namespace {

constexpr unsigned shared_memory = 3;  // NVPTX's address space

llvm::Function* make_function(llvm::Module& module, const std::string& name,
                              const std::vector<llvm::Type*>& parameters) {
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(module.getContext()), parameters, false);
  return llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, module);
}

class PtxGrid : public Grid {
 public:
  PtxGrid(llvm::Module& module, const std::string& name, const std::vector<llvm::Type*>& parameters,
          unsigned most_threads)
      : Grid(DeviceForm::ptx, make_function(module, name, parameters)) {
    function_->setCallingConv(llvm::CallingConv::PTX_Kernel);
    function_->addFnAttr(llvm::Attribute::NoUnwind);
    function_->addFnAttr("denormal-fp-math-f32", "preserve-sign,preserve-sign");  // as on the CPU
    llvm::LLVMContext& context = module.getContext();
    const auto annotate = [&](const char* key, uint32_t value) {
      llvm::Metadata* entries[] = {
          llvm::ValueAsMetadata::get(function_), llvm::MDString::get(context, key),
          llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), value))};
      module.getOrInsertNamedMetadata("nvvm.annotations")->addOperand(llvm::MDNode::get(context, entries));
    };
    annotate("kernel", 1);
    annotate("maxntidx", most_threads);
  }

  std::vector<Value*> parameters(llvm::IRBuilder<>& ir) override {
    const auto read = [&](llvm::Intrinsic::ID which) { return ir.CreateIntrinsic(which, {}, {}); };
    block_x = read(llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_x);
    block_y = read(llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_y);
    blocks_x = read(llvm::Intrinsic::nvvm_read_ptx_sreg_nctaid_x);
    blocks_y = read(llvm::Intrinsic::nvvm_read_ptx_sreg_nctaid_y);
    threads = read(llvm::Intrinsic::nvvm_read_ptx_sreg_ntid_x);
    thread_ = read(llvm::Intrinsic::nvvm_read_ptx_sreg_tid_x);
    std::vector<Value*> values;
    for (llvm::Argument& argument : function_->args()) values.push_back(&argument);
    return values;
  }

  void part(llvm::IRBuilder<>&, const std::function<void(Value*)>& body) override { body(thread_); }
  void barrier(llvm::IRBuilder<>& ir) override { ir.CreateIntrinsic(llvm::Intrinsic::nvvm_barrier0, {}, {}); }
  Value* shared(llvm::IRBuilder<>&, llvm::Type* type, uint64_t count) override {
    auto* array = llvm::ArrayType::get(type, count);
    const auto known = std::ranges::find(unused_, array, &llvm::GlobalVariable::getValueType);
    if (known != unused_.end()) {
      llvm::GlobalVariable* memory = *known;
      unused_.erase(known);
      return memory;
    }
    auto* memory =
        new llvm::GlobalVariable(*function_->getParent(), array, false, llvm::GlobalValue::InternalLinkage,
                                 llvm::UndefValue::get(array), function_->getName() + "_shared", nullptr,
                                 llvm::GlobalValue::NotThreadLocal, shared_memory);
    memory->setAlignment(llvm::Align(8));
    shared_.push_back(memory);
    return memory;
  }
  void reuse_shared() override { unused_ = shared_; }
  void publish(llvm::IRBuilder<>& ir) override {
    ir.CreateIntrinsic(llvm::Intrinsic::nvvm_membar_gl, {}, {});
  }

 private:
  Value* thread_ = nullptr;
  std::vector<llvm::GlobalVariable*> shared_, unused_;
};

class HostGrid : public Grid {
 public:
  HostGrid(llvm::Module& module, const std::string& name, const std::vector<llvm::Type*>& parameters)
      : Grid(DeviceForm::host, nullptr), types_(parameters) {
    llvm::LLVMContext& context = module.getContext();
    auto* integer = llvm::Type::getInt32Ty(context);
    function_ = make_function(
        module, name, {llvm::PointerType::get(context, 0), integer, integer, integer, integer, integer});
    prepare_function(*function_);
  }

  std::vector<Value*> parameters(llvm::IRBuilder<>& ir) override {
    block_x = function_->getArg(1);
    block_y = function_->getArg(2);
    blocks_x = function_->getArg(3);
    blocks_y = function_->getArg(4);
    threads = function_->getArg(5);
    std::vector<Value*> values;
    for (size_t i = 0; i < types_.size(); ++i) {
      Value* place =
          ir.CreateLoad(ir.getPtrTy(), ir.CreateConstGEP1_64(ir.getPtrTy(), function_->getArg(0), i));
      values.push_back(ir.CreateLoad(types_[i], place));
    }
    return values;
  }

  void part(llvm::IRBuilder<>& ir, const std::function<void(Value*)>& body) override {
    count(ir, ir.getInt32(0), threads, ir.getInt32(1), {}, [&](Value* thread, const Carried&) {
      body(thread);
      return Carried{};
    });
  }
  void barrier(llvm::IRBuilder<>&) override {}
  Value* shared(llvm::IRBuilder<>& ir, llvm::Type* type, uint64_t count) override {
    return ir.CreateAlloca(llvm::ArrayType::get(type, count));
  }
  void publish(llvm::IRBuilder<>&) override {}

 private:
  std::vector<llvm::Type*> types_;
};

}  // namespace

std::unique_ptr<Grid> make_grid(DeviceForm form, llvm::Module& module, const std::string& name,
                                const std::vector<llvm::Type*>& parameters, unsigned most_threads) {
  if (form == DeviceForm::ptx) return std::make_unique<PtxGrid>(module, name, parameters, most_threads);
  return std::make_unique<HostGrid>(module, name, parameters);
}

}  // namespace lower
