#include "runtime/core/machine/cuda_driver.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "runtime/shared/failure.h"

namespace core::cuda {
namespace {

constexpr const char* library = "libcuda.so.1";

Failure refusal(const std::string& cause) {
  return Failure(Exit::bad_configuration, "--device cuda: " + cause);
}

Driver open() {
  void* opened = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!opened)
    throw refusal(fmt::format("no NVIDIA driver is installed here ({} cannot be opened)", library));
  Driver driver{};
  const auto find = [&](auto& function, const char* name) {
    void* found = dlsym(opened, name);
    if (!found)
      throw refusal(fmt::format("the NVIDIA driver here is too old: it has no {}; 11.4 is needed", name));
    function = reinterpret_cast<std::decay_t<decltype(function)>>(found);
  };
#define FIND(name) find(driver.name, #name);
  FIND(cuInit)
  FIND(cuGetErrorString)
  FIND(cuDeviceGetCount)
  FIND(cuDeviceGet)
  FIND(cuDeviceGetName)
  FIND(cuDeviceGetAttribute)
  FIND(cuDeviceGetPCIBusId)
  FIND(cuDevicePrimaryCtxRetain)
  FIND(cuCtxSetCurrent)
  FIND(cuModuleLoadDataEx)
  FIND(cuModuleGetFunction)
  FIND(cuMemAlloc_v2)
  FIND(cuMemFree_v2)
  FIND(cuMemGetInfo_v2)
  FIND(cuMemsetD32Async)
  FIND(cuMemcpyHtoDAsync_v2)
  FIND(cuMemcpyDtoHAsync_v2)
  FIND(cuMemcpyDtoDAsync_v2)
  FIND(cuStreamSynchronize)
  FIND(cuStreamQuery)
  FIND(cuMemHostAlloc)
  FIND(cuMemFreeHost)
  FIND(cuEventCreate)
  FIND(cuEventRecord)
  FIND(cuEventSynchronize)
  FIND(cuEventQuery)
  FIND(cuEventDestroy_v2)
  FIND(cuLaunchKernel)
  FIND(cuStreamBeginCapture_v2)
  FIND(cuStreamEndCapture)
  FIND(cuGraphInstantiateWithFlags)
  FIND(cuGraphLaunch)
  FIND(cuGraphExecDestroy)
  FIND(cuGraphDestroy)
#undef FIND
  int count = 0;
  const int initialised = driver.cuInit(0);
  if (initialised == 0) driver.cuDeviceGetCount(&count);
  if (count == 0) {
    const char* text = nullptr;
    driver.cuGetErrorString(initialised, &text);
    throw refusal(
        fmt::format("there is no NVIDIA GPU here{}",
                    initialised == 0 ? "" : fmt::format(" (the driver: {})", text ? text : "no reason")));
  }
  return driver;
}

}  // namespace

const Driver& Driver::get() {
  static const Driver driver = open();
  return driver;
}

int Driver::gpus() const {
  int count = 0;
  check(cuDeviceGetCount(&count), "cuDeviceGetCount");
  return count;
}

void Driver::check(int result, const char* call) const {
  if (result == 0) return;
  const char* text = nullptr;
  cuGetErrorString(result, &text);
  throw Failure(Exit::internal,
                fmt::format("the GPU's driver: {}: {}", call, text ? text : "no reason is given"));
}

}  // namespace core::cuda
