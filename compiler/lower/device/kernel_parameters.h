// The parameters of a GPU kernel while it is emitted. In: a kernel of runtime/schema/device_kernels.h. Out:
// its parameters' LLVM types, and each parameter's value.
#pragma once
#include <llvm/IR/DerivedTypes.h>
#include <llvm/IR/Value.h>

#include <concepts>
#include <type_traits>
#include <vector>

#include "runtime/schema/device_kernels.h"

namespace lower {

/// A parameter of type T in the code of a kernel.
template <class T>
struct Emitted {
  llvm::Value* value = nullptr;
  operator llvm::Value*() const { return value; }  // NOLINT: it stands for its value

  static llvm::Type* type(llvm::LLVMContext& context) {
    if constexpr (std::is_pointer_v<T>)
      return llvm::PointerType::get(context, 0);
    else if constexpr (std::is_integral_v<T>)
      return llvm::Type::getIntNTy(context, 8 * sizeof(T));
    else
      return llvm::Type::getFloatTy(context);
  }
  static constexpr size_t bytes = sizeof(T);
};

template <class Kernel>
std::vector<llvm::Type*> parameter_types(Kernel& kernel, llvm::LLVMContext& context) {
  std::vector<llvm::Type*> types;
  schema::each_parameter(kernel, [&](auto& parameter) { types.push_back(parameter.type(context)); });
  return types;
}

/// `values`: those of the parameters in order.
template <class Kernel>
void set_values(Kernel& kernel, const std::vector<llvm::Value*>& values) {
  auto next = values.begin();
  schema::each_parameter(kernel, [&](auto& parameter) { parameter.value = *next++; });
}

/// How many bytes the parameters take, each aligned to its size.
template <class Kernel>
size_t parameter_bytes(Kernel& kernel) {
  size_t bytes = 0;
  schema::each_parameter(kernel, [&](auto& parameter) {
    constexpr size_t size = std::remove_reference_t<decltype(parameter)>::bytes;
    bytes = (bytes + size - 1) / size * size + size;
  });
  return bytes;
}

}  // namespace lower
