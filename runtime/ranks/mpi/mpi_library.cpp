#include <mpi.h>

#include <chrono>
#include <climits>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/ranks/ranks_api.h"

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// MPI counts in int; a longer sum is made in pieces.
constexpr int64_t most_at_once = 1 << 30;
// How often a waiting rank looks whether others have died. After a death, mpirun leaves one second.
constexpr milliseconds between_looks(100);

struct Group {
  int rank = 0, size = 1;
  milliseconds timeout{0};
  int (*gives_up)(void*) = nullptr;
  void* ranks = nullptr;
};

Group& group_of(void* handle) { return *static_cast<Group*>(handle); }

void put(char* error, size_t size, const std::string& text) {
  std::snprintf(error, size, "%s", text.c_str());
}

/// Waits for the requests. MPI has no timeouts and does not report dead ranks of this machine. So the
/// requests are tested again and again, at first without a pause.
bool finish(const Group& group, std::vector<MPI_Request>& requests, char* error, size_t error_size) {
  const steady_clock::time_point begun = steady_clock::now();
  steady_clock::time_point next_look = begun + between_looks;
  for (;;) {
    int done = 0;
    if (MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE) !=
        MPI_SUCCESS) {
      put(error, error_size, "MPI reports an error");
      return false;
    }
    if (done) return true;
    const steady_clock::time_point now = steady_clock::now();
    const auto waited = now - begun;
    if (now > next_look) {
      next_look = now + between_looks;
      if (group.gives_up && group.gives_up(group.ranks) != 0) {
        put(error, error_size, "its process has ended");
        return false;
      }
    }
    if (waited > group.timeout) {
      put(error, error_size,
          "no answer within " + std::to_string(group.timeout.count() / 1000.0).substr(0, 5) + " s");
      return false;
    }
    if (waited > milliseconds(2))
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    else
      std::this_thread::yield();
  }
}

int finish(void* handle, int code, MPI_Request request, char* error, size_t error_size) {
  if (code != MPI_SUCCESS) {
    put(error, error_size, "MPI reports an error");
    return 1;
  }
  std::vector<MPI_Request> requests = {request};
  return finish(group_of(handle), requests, error, error_size) ? 0 : 1;
}

void* open(const vaert_ranks_options* options, char* error, size_t error_size) {
  int begun = 0, provided = 0;
  MPI_Initialized(&begun);
  if (!begun && MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
    put(error, error_size, "MPI_Init_thread failed");
    return nullptr;
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  auto group = std::make_unique<Group>();
  group->timeout = milliseconds(options->timeout_ms);
  group->gives_up = options->gives_up;
  group->ranks = options->ranks;
  MPI_Comm_rank(MPI_COMM_WORLD, &group->rank);
  MPI_Comm_size(MPI_COMM_WORLD, &group->size);
  if (group->rank != options->rank || group->size != options->size) {
    put(error, error_size,
        "MPI says that this is rank " + std::to_string(group->rank) + " of " + std::to_string(group->size) +
            ", its launcher says rank " + std::to_string(options->rank) + " of " +
            std::to_string(options->size) + "; was it started by this MPI's mpirun?");
    return nullptr;
  }
  return group.release();
}

int connect(void*, const char*, char*, size_t) { return 0; }
int32_t rank(void* group) { return group_of(group).rank; }
int32_t size(void* group) { return group_of(group).size; }

void* begin_sum(void*, float* values, int64_t count, char* error, size_t error_size) {
  auto requests = std::make_unique<std::vector<MPI_Request>>();
  for (int64_t begin = 0; begin < count; begin += most_at_once) {
    const auto piece = static_cast<int>(count - begin < most_at_once ? count - begin : most_at_once);
    MPI_Request& request = requests->emplace_back();
    if (MPI_Iallreduce(MPI_IN_PLACE, values + begin, piece, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD, &request) !=
        MPI_SUCCESS) {
      put(error, error_size, "MPI_Iallreduce failed");
      return nullptr;
    }
  }
  return requests.release();
}

int await(void* handle, void* sum, char* error, size_t error_size) {
  const std::unique_ptr<std::vector<MPI_Request>> requests(static_cast<std::vector<MPI_Request>*>(sum));
  return finish(group_of(handle), *requests, error, error_size) ? 0 : 1;
}

int broadcast(void* handle, void* bytes, int64_t size, int32_t root, char* error, size_t error_size) {
  MPI_Request request;
  const int code = MPI_Ibcast(bytes, static_cast<int>(size), MPI_BYTE, root, MPI_COMM_WORLD, &request);
  return finish(handle, code, request, error, error_size);
}

int gather(void* handle, const void* own, void* all, int64_t size, char* error, size_t error_size) {
  MPI_Request request;
  const int code = MPI_Iallgather(own, static_cast<int>(size), MPI_BYTE, all, static_cast<int>(size),
                                  MPI_BYTE, MPI_COMM_WORLD, &request);
  return finish(handle, code, request, error, error_size);
}

int barrier(void* handle, char* error, size_t error_size) {
  MPI_Request request;
  const int code = MPI_Ibarrier(MPI_COMM_WORLD, &request);
  return finish(handle, code, request, error, error_size);
}

void close(void* group) {
  delete static_cast<Group*>(group);
  MPI_Finalize();
}

}  // namespace

extern "C" const vaert_ranks* vaert_mpi() {
  static const vaert_ranks table = {"mpi",     open,   connect, rank,    size,    begin_sum, await,
                                    broadcast, gather, barrier, nullptr, nullptr, close};
  return &table;
}
