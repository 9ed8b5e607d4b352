// A libcuda.so.1 without a GPU, for tests of the host's code. Device memory is memory of the host that only
// this library can access: a program that reads it directly dies. Kernels come from the library that
// FAKE_CUDA_KERNELS names, in the host form of grid.h. Loaded PTX must contain each kernel and says how many
// parameters it takes. All work is on one stream. It runs at once, except that an upload reads the host's
// memory only when the next work runs, and that work may have to wait for other processes (fake_nccl.cpp): a
// thread then tries it again, and later work waits behind it. A capture records work, and a graph replays it.
// FAKE_CUDA_LOG names a file for the numbers of calls; FAKE_CUDA_DEVICES is the number of GPUs.
#include <dlfcn.h>
#include <sys/mman.h>

#include <unistd.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Code = void (*)(void** parameters, uint32_t block_x, uint32_t block_y, uint32_t blocks_x,
                      uint32_t blocks_y, uint32_t threads);
using Attempt = std::function<bool()>;  // false: it must be tried again
using Work = std::vector<Attempt>;

enum { ok = 0, invalid = 1, out_of_memory = 2, not_found = 500, not_ready = 600, capture_unsupported = 900 };

constexpr size_t capacity = size_t{4} << 30;

struct Kernel {
  Code code;
  std::vector<size_t> sizes;  // size of each parameter
};

struct State {
  char* memory = static_cast<char*>(
      mmap(nullptr, capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  size_t used = 0;
  int open = 0;
  int device = 0;  // the current one
  Work* recording = nullptr;
  std::map<std::string, Kernel> kernels;
  std::map<std::string, long> calls;

  // The stream: work that has not yet run, and how much was ever enqueued and finished.
  std::recursive_mutex mutex;
  std::deque<Attempt> stream;
  long enqueued = 0, finished = 0;
  std::atomic<bool> ends = false;
  std::thread retries;

  ~State() {
    ends = true;
    if (retries.joinable()) retries.join();
    const char* path = std::getenv("FAKE_CUDA_LOG");
    FILE* file = path ? std::fopen(path, "w") : nullptr;
    if (!file) return;
    const char* between = "{";
    for (const auto& [name, count] : calls) {
      std::fprintf(file, "%s\"%s\": %ld", between, name.c_str(), count);
      between = ", ";
    }
    std::fprintf(file, "}\n");
    std::fclose(file);
  }
  void protect(int how) const {
    if (used > 0) mprotect(memory, (used + 4095) / 4096 * 4096, how);
  }
  bool holds(unsigned long long pointer, size_t bytes) const {
    const auto begin = reinterpret_cast<unsigned long long>(memory);
    return pointer >= begin && pointer + bytes <= begin + used;
  }
} state;

/// The device's memory can be accessed while an object of this class lives.
struct Open {
  Open() {
    if (state.open++ == 0) state.protect(PROT_READ | PROT_WRITE);
  }
  ~Open() {
    if (--state.open == 0) state.protect(PROT_NONE);
  }
};

using Lock = std::lock_guard<std::recursive_mutex>;

/// Runs what the stream has, up to the first work that must be tried again. Whether nothing is left.
bool advance() {
  const Lock lock(state.mutex);
  if (state.stream.empty()) return true;
  const Open open;
  while (!state.stream.empty()) {
    if (!state.stream.front()()) return false;
    state.stream.pop_front();
    ++state.finished;
  }
  return true;
}

/// As on a GPU, the stream goes on while the host does something else.
void keep_trying() {
  while (!state.ends) {
    advance();
    usleep(100);
  }
}

void push(Attempt work) {
  const Lock lock(state.mutex);
  state.stream.push_back(std::move(work));
  ++state.enqueued;
}

int enqueue_attempt(Attempt work) {
  if (state.recording) {
    state.recording->push_back(std::move(work));
    return ok;
  }
  push(std::move(work));
  if (!advance() && !state.retries.joinable()) state.retries = std::thread(keep_trying);
  return ok;
}

int enqueue(std::function<void()> work) {
  return enqueue_attempt([work = std::move(work)] {
    work();
    return true;
  });
}

}  // namespace

extern "C" {

int cuInit(unsigned) { return ok; }

int cuGetErrorString(int error, const char** text) {
  *text = error == out_of_memory         ? "out of memory"
          : error == not_found           ? "named symbol not found"
          : error == capture_unsupported ? "operation not permitted when stream is capturing"
                                         : "invalid argument";
  return ok;
}

int cuDeviceGetCount(int* count) {
  const char* text = std::getenv("FAKE_CUDA_DEVICES");
  *count = text ? std::atoi(text) : 1;
  return ok;
}

int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ok;
}

int cuDeviceGetName(char* name, int size, int) {
  std::snprintf(name, static_cast<size_t>(size), "Fake GPU");
  return ok;
}

int cuDeviceGetPCIBusId(char* id, int size, int device) {
  std::snprintf(id, static_cast<size_t>(size), "0000:%02x:00.0", device + 1);
  return ok;
}

int cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = attribute == 16 ? 6 : 8;  // multiprocessors; compute capability 8
  return ok;
}

int cuDevicePrimaryCtxRetain(void** context, int device) {
  *context = &state;
  state.device = device;
  return ok;
}

int cuCtxSetCurrent(void* context) { return context == &state ? ok : invalid; }

int cuModuleLoadDataEx(void** module, const void* text, unsigned, const unsigned*, void** values) {
  const char* path = std::getenv("FAKE_CUDA_KERNELS");
  void* library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (!library) {
    // The first option is the buffer for the log, the second its size.
    std::snprintf(static_cast<char*>(values[0]), reinterpret_cast<size_t>(values[1]), "%s",
                  path ? dlerror() : "FAKE_CUDA_KERNELS is not set");
    return invalid;
  }
  ++state.calls["modules"];
  const std::string ptx = static_cast<const char*>(text), entry = ".visible .entry ";
  for (size_t at = ptx.find(entry); at != std::string::npos; at = ptx.find(entry, at + 1)) {
    const size_t begin = at + entry.size(), open = ptx.find('(', begin), close = ptx.find(')', open);
    Kernel kernel{reinterpret_cast<Code>(dlsym(library, ptx.substr(begin, open - begin).c_str())), {}};
    if (!kernel.code) return not_found;
    for (size_t param = ptx.find(".param .", open); param < close; param = ptx.find(".param .", param + 1))
      kernel.sizes.push_back(ptx.compare(param + 9, 2, "64") == 0 ? 8 : 4);
    state.kernels[ptx.substr(begin, open - begin)] = kernel;
  }
  *module = &state.kernels;
  return ok;
}

int cuModuleGetFunction(void** function, void*, const char* name) {
  const auto found = state.kernels.find(name);
  if (found == state.kernels.end()) return not_found;
  *function = &found->second;
  return ok;
}

int cuMemAlloc_v2(unsigned long long* pointer, size_t bytes) {
  if (const char* text = std::getenv("FAKE_CUDA_ALLOCATION"))
    return std::atoi(text);  // the error that it gives
  if (state.recording) return capture_unsupported;
  const size_t padded = (bytes + 255) / 256 * 256;
  if (state.used + padded > capacity) return out_of_memory;
  *pointer = reinterpret_cast<unsigned long long>(state.memory + state.used);
  state.used += padded;
  ++state.calls["allocations"];
  return ok;
}

int cuMemFree_v2(unsigned long long) { return ok; }

int cuMemGetInfo_v2(size_t* free, size_t* total) {
  *free = capacity - state.used;
  *total = capacity;
  return ok;
}

int cuMemsetD32Async(unsigned long long to, unsigned value, size_t count, void*) {
  if (!state.holds(to, 4 * count) || value != 0) return invalid;
  return enqueue([=] { std::memset(std::bit_cast<void*>(to), 0, 4 * count); });
}

int cuMemcpyHtoDAsync_v2(unsigned long long to, const void* from, size_t bytes, void*) {
  if (state.recording) return capture_unsupported;
  if (!state.holds(to, bytes)) return invalid;
  ++state.calls["uploads"];
  push([=] {
    std::memcpy(std::bit_cast<void*>(to), from, bytes);
    return true;
  });
  return ok;
}

int cuMemcpyDtoHAsync_v2(void* to, unsigned long long from, size_t bytes, void*) {
  if (state.recording) return capture_unsupported;
  if (!state.holds(from, bytes)) return invalid;
  ++state.calls["downloads"];
  return enqueue([=] { std::memcpy(to, std::bit_cast<const void*>(from), bytes); });
}

int cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t bytes, void*) {
  if (!state.holds(to, bytes) || !state.holds(from, bytes)) return invalid;
  return enqueue([=] { std::memcpy(std::bit_cast<void*>(to), std::bit_cast<const void*>(from), bytes); });
}

int cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
  *pointer = std::malloc(bytes);
  return *pointer ? ok : out_of_memory;
}

int cuMemFreeHost(void* pointer) {
  std::free(pointer);
  return ok;
}

// An event is the number of things that must be finished.
int cuEventCreate(void** event, unsigned) {
  *event = new long(0);
  return ok;
}
int cuEventDestroy_v2(void* event) {
  delete static_cast<long*>(event);
  return ok;
}
int cuEventRecord(void* event, void*) {
  const Lock lock(state.mutex);
  *static_cast<long*>(event) = state.enqueued;
  return state.recording ? capture_unsupported : ok;
}
int cuEventQuery(void* event) {
  advance();
  const Lock lock(state.mutex);
  return state.finished >= *static_cast<long*>(event) ? ok : not_ready;
}
int cuEventSynchronize(void* event) {
  while (cuEventQuery(event) == not_ready) usleep(100);
  return ok;
}

int cuStreamQuery(void*) {
  if (state.recording) return capture_unsupported;
  return advance() ? ok : not_ready;
}
int cuStreamSynchronize(void*) {
  while (!advance()) usleep(100);
  ++state.calls["waits"];
  return state.recording ? capture_unsupported : ok;
}

int cuLaunchKernel(void* function, unsigned blocks_x, unsigned blocks_y, unsigned blocks_z,
                   unsigned threads_x, unsigned threads_y, unsigned threads_z, unsigned, void*,
                   void** parameters, void**) {
  if (!function || blocks_x == 0 || blocks_y == 0 || blocks_z != 1 || threads_x == 0 || threads_x > 1024 ||
      threads_y != 1 || threads_z != 1)
    return invalid;
  const auto& kernel = *static_cast<const Kernel*>(function);
  std::vector<uint64_t> values;
  for (size_t i = 0; i < kernel.sizes.size(); ++i)
    std::memcpy(&values.emplace_back(0), parameters[i], kernel.sizes[i]);
  if (!state.recording) ++state.calls["launches"];
  for (const auto& [name, known] : state.kernels)
    if (&known == &kernel && name.starts_with("vae_")) ++state.calls[name];
  return enqueue([=, values = std::move(values)]() mutable {
    std::vector<void*> places;
    for (uint64_t& value : values) places.push_back(&value);
    for (uint32_t y = 0; y < blocks_y; ++y)
      for (uint32_t x = 0; x < blocks_x; ++x) kernel.code(places.data(), x, y, blocks_x, blocks_y, threads_x);
  });
}

int cuLaunchHostFunc(void*, void (*work)(void*), void* data) {
  return enqueue([=] { work(data); });
}

/// Counts a call of another fake library.
void fake_cuda_note(const char* call) { ++state.calls[call]; }

/// The number of the current GPU.
int fake_cuda_device() { return state.device; }

/// Enqueues work that is tried until it returns true. Each run of it begins with begin(data).
int fake_cuda_enqueue(void* (*begin)(void* data), bool (*attempt)(void* run), void* data) {
  return enqueue_attempt([=, run = static_cast<void*>(nullptr)]() mutable {
    if (!run) run = begin(data);
    return attempt(run);
  });
}

int cuStreamBeginCapture_v2(void*, int) {
  if (state.recording) return capture_unsupported;
  state.recording = new Work;
  ++state.calls["captures"];
  return ok;
}

int cuStreamEndCapture(void*, void** graph) {
  *graph = state.recording;
  if (state.recording) state.calls["nodes"] += static_cast<long>(state.recording->size());
  state.recording = nullptr;
  return *graph ? ok : invalid;
}

int cuGraphInstantiateWithFlags(void** exec, void* graph, unsigned long long) {
  *exec = new Work(*static_cast<Work*>(graph));
  return ok;
}

int cuGraphLaunch(void* exec, void*) {
  if (state.recording) return capture_unsupported;
  ++state.calls["replays"];
  for (const Attempt& work : *static_cast<Work*>(exec)) enqueue_attempt(work);
  return ok;
}

int cuGraphExecDestroy(void* exec) {
  delete static_cast<Work*>(exec);
  return ok;
}

int cuGraphDestroy(void* graph) {
  delete static_cast<Work*>(graph);
  return ok;
}

}  // extern "C"
