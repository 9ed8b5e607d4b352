#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "runtime/ranks/c10d/c10d_version.h"
#include "runtime/ranks/ranks_api.h"

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often a waiting rank looks whether another one has given up.
constexpr milliseconds between_looks(200);

/// LibTorch's exceptions have a backtrace in their text, after the first line.
std::string first_line(const std::exception& failure) {
  const std::string text = failure.what();
  return text.substr(0, text.find('\n'));
}

void put(char* error, size_t size, const std::string& text) {
  std::snprintf(error, size, "%s", text.substr(0, text.find('\n')).c_str());
}

struct Group {
  int32_t rank = 0, size = 1;
  milliseconds timeout{0};
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d_version::Gloo> gloo;
};

Group& group_of(void* handle) { return *static_cast<Group*>(handle); }

bool has(Group& group, const char* key) { return group.store->check({key}); }

/// A collective operation that runs, and the news that it has ended.
struct Running {
  struct News {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    std::string error;
  };
  std::vector<at::Tensor> tensors;
  c10::intrusive_ptr<c10d_version::Work> work;
  std::shared_ptr<News> news = std::make_shared<News>();
  steady_clock::time_point begun = steady_clock::now();
};

void listen(Running& running) {
  running.work->getFuture()->addCallback([news = running.news](c10::ivalue::Future& future) {
    const std::lock_guard lock(news->mutex);
    news->done = true;
    if (future.hasError()) news->error = future.tryRetrieveErrorMessage();
    news->changed.notify_all();
  });
}

/// Waits until the operation has ended. Throws if it failed, if another rank has given up, or if it takes too
/// long.
void finish(Group& group, Running& running) {
  Running::News& news = *running.news;
  const steady_clock::time_point end = steady_clock::now() + group.timeout;
  std::unique_lock lock(news.mutex);
  while (!news.done) {
    news.changed.wait_for(lock, between_looks, [&] { return news.done; });
    if (news.done) break;
    lock.unlock();
    if (has(group, VAERT_RANKS_FAILED)) throw std::runtime_error("another rank has given up");
    if (steady_clock::now() > end)
      throw std::runtime_error("no answer within " +
                               std::to_string(group.timeout.count() / 1000.0).substr(0, 5) + " s");
    lock.lock();
  }
  if (!news.error.empty()) throw std::runtime_error(news.error);
}

template <class Begin>
int run(void* handle, char* error, size_t error_size, const Begin& begin) {
  try {
    Group& group = group_of(handle);
    Running running;
    running.work = begin(*group.gloo, running.tensors);
    listen(running);
    finish(group, running);
    return 0;
  } catch (const std::exception& failure) {
    put(error, error_size, first_line(failure));
    return 1;
  }
}

at::Tensor bytes_of(const void* bytes, int64_t size) {
  return at::from_blob(const_cast<void*>(bytes), {size}, at::kByte);
}

void* open(const vaert_ranks_options* options, char* error, size_t error_size) {
  try {
    auto group = std::make_unique<Group>();
    group->rank = options->rank;
    group->size = options->size;
    group->timeout = milliseconds(options->timeout_ms);
    c10d::TCPStoreOptions of_store = c10d_version::store_options();
    of_store.port = static_cast<uint16_t>(options->port);
    of_store.isServer = options->serves != 0;
    of_store.waitWorkers = false;
    of_store.timeout = group->timeout;
    auto store = c10::make_intrusive<c10d::TCPStore>(options->host, of_store);
    if (options->announce) options->announce(options->context, store->getPort());
    group->store = c10::make_intrusive<c10d::PrefixStore>(options->prefix, store);
    return group.release();
  } catch (const std::exception& failure) {
    put(error, error_size, first_line(failure));
    return nullptr;
  }
}

/// The constructor waits for the other ranks, at times without a limit. So it runs in a thread of its own,
/// which is left behind if it takes too long.
int connect(void* handle, const char* address, char* error, size_t error_size) {
  struct Result {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    std::string error;
    c10::intrusive_ptr<c10d_version::Gloo> gloo;
  };
  Group& group = group_of(handle);
  const auto result = std::make_shared<Result>();
  std::thread([result, store = group.store, rank = group.rank, size = group.size, timeout = group.timeout,
               where = std::string(address)] {
    std::string failed;
    c10::intrusive_ptr<c10d_version::Gloo> gloo;
    try {
      // Longer than this library waits, so that its own messages are the ones that are seen.
      const auto gloo_options = c10d_version::Gloo::Options::create(timeout + milliseconds(5000));
      gloo_options->devices = {c10d_version::Gloo::createDeviceForHostname(where)};
      gloo_options->threads = 2;
      gloo = c10::make_intrusive<c10d_version::Gloo>(store, rank, size, gloo_options);
    } catch (const std::exception& failure) {
      failed = first_line(failure);
    }
    const std::lock_guard lock(result->mutex);
    result->done = true;
    result->error = failed;
    result->gloo = gloo;
    result->changed.notify_all();
  }).detach();
  std::unique_lock lock(result->mutex);
  if (!result->changed.wait_for(lock, group.timeout, [&] { return result->done; })) {
    put(error, error_size, "the ranks could not be connected in time");
    return 1;
  }
  if (!result->gloo) {
    put(error, error_size, result->error);
    return 1;
  }
  group.gloo = result->gloo;
  return 0;
}

int32_t rank(void* group) { return group_of(group).rank; }
int32_t size(void* group) { return group_of(group).size; }

void* begin_sum(void* handle, float* values, int64_t count, char* error, size_t error_size) {
  try {
    auto running = std::make_unique<Running>();
    running->tensors = {at::from_blob(values, {count}, at::kFloat)};
    running->work = group_of(handle).gloo->allreduce(running->tensors);
    listen(*running);
    return running.release();
  } catch (const std::exception& failure) {
    put(error, error_size, first_line(failure));
    return nullptr;
  }
}

int await(void* handle, void* sum, char* error, size_t error_size) {
  const std::unique_ptr<Running> running(static_cast<Running*>(sum));
  try {
    finish(group_of(handle), *running);
    return 0;
  } catch (const std::exception& failure) {
    put(error, error_size, first_line(failure));
    return 1;
  }
}

int broadcast(void* handle, void* bytes, int64_t size, int32_t root, char* error, size_t error_size) {
  return run(handle, error, error_size, [&](c10d_version::Gloo& gloo, std::vector<at::Tensor>& tensors) {
    tensors = {bytes_of(bytes, size)};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    return gloo.broadcast(tensors, options);
  });
}

int gather(void* handle, const void* own, void* all, int64_t size, char* error, size_t error_size) {
  return run(handle, error, error_size, [&](c10d_version::Gloo& gloo, std::vector<at::Tensor>& tensors) {
    tensors = {bytes_of(own, size)};
    std::vector<std::vector<at::Tensor>> gathered(1);
    for (int32_t r = 0; r < group_of(handle).size; ++r)
      gathered[0].push_back(bytes_of(static_cast<char*>(all) + r * size, size));
    return gloo.allgather(gathered, tensors);
  });
}

int barrier(void* handle, char* error, size_t error_size) {
  std::vector<char> all(static_cast<size_t>(group_of(handle).size));
  const char own = 0;
  return gather(handle, &own, all.data(), 1, error, error_size);
}

int set(void* handle, const char* key, const char* value) {
  try {
    group_of(handle).store->set(key, std::vector<uint8_t>(value, value + std::strlen(value)));
    return 0;
  } catch (const std::exception&) {
    return -1;
  }
}

int get(void* handle, const char* key, int64_t wait_ms, char* value, size_t value_size) {
  const steady_clock::time_point end = steady_clock::now() + milliseconds(wait_ms);
  try {
    Group& group = group_of(handle);
    while (!has(group, key)) {
      if (steady_clock::now() >= end) return 1;
      std::this_thread::sleep_for(milliseconds(5));
    }
    const std::vector<uint8_t> found = group.store->get(key);
    std::snprintf(value, value_size, "%.*s", static_cast<int>(found.size()),
                  reinterpret_cast<const char*>(found.data()));
    return 0;
  } catch (const std::exception&) {
    return -1;
  }
}

void close(void* group) { delete static_cast<Group*>(group); }

}  // namespace

extern "C" const vaert_ranks* vaert_c10d() {
  static const vaert_ranks table = {"c10d",    open,   connect, rank, size, begin_sum, await,
                                    broadcast, gather, barrier, set,  get,  close};
  return &table;
}
