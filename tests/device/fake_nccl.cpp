// A libnccl.so.2 for the fake CUDA driver in this folder. The processes of one machine meet in a file, whose
// path is the unique id. A sum is work on the fake driver's stream that waits for the other processes. Every
// process adds the values in the order of the ranks, so all get the same bits. As NCCL does, it refuses two
// ranks on one GPU, and a lost process makes the others wait for ever. If FAKE_NCCL_STUCK is a number, no sum
// from that number on ends, and an error is reported.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" int fake_cuda_device();
extern "C" void fake_cuda_note(const char* call);
extern "C" int fake_cuda_enqueue(void* (*begin)(void* data), bool (*attempt)(void* run), void* data);

namespace {

enum { success = 0, system_error = 2, invalid_argument = 4, invalid_usage = 5 };

constexpr int most_ranks = 16;
constexpr size_t most_floats = size_t{4} << 20;  // of a sum

/// In the file. A rank may write its values of sum n + 2 over those of n: it has finished n + 1, so all ranks
/// have begun n + 1 and no one reads n any more.
struct Shared {
  std::atomic<int> device[most_ranks];  // of each rank that has come, plus 1
  std::atomic<long> begun[most_ranks];  // how many sums the rank has begun
  float values[2][most_ranks][most_floats];
};

struct Comm {
  Shared* shared;
  int rank, size;
  long stuck_from;
  std::atomic<long> sums = 0;
  std::atomic<bool> aborted = false;
};

struct Sum {
  Comm* comm;
  const float* from;
  float* to;
  size_t count;
};

/// A run of a sum on the stream.
struct Run {
  Sum sum;
  long number;
};

void* begin(void* data) {
  const Sum& sum = *static_cast<Sum*>(data);
  Comm& comm = *sum.comm;
  const long number = comm.sums++;
  std::memcpy(comm.shared->values[number % 2][comm.rank], sum.from, sum.count * sizeof(float));
  comm.shared->begun[comm.rank] = number + 1;
  return new Run{sum, number};
}

bool attempt(void* data) {
  const Run& run = *static_cast<Run*>(data);
  const Comm& comm = *run.sum.comm;
  if (comm.aborted) return true;
  if (run.number >= comm.stuck_from) return false;
  for (int rank = 0; rank < comm.size; ++rank)
    if (comm.shared->begun[rank] <= run.number) return false;
  const auto& values = comm.shared->values[run.number % 2];
  for (size_t i = 0; i < run.sum.count; ++i) {
    float total = 0;
    for (int rank = 0; rank < comm.size; ++rank) total += values[rank][i];
    run.sum.to[i] = total;
  }
  delete &run;
  return true;
}

}  // namespace

extern "C" {

struct UniqueId {
  char bytes[128];
};

int ncclGetVersion(int* version) {
  const char* text = std::getenv("FAKE_NCCL_VERSION");
  *version = text ? std::atoi(text) : 22105;
  return success;
}

const char* ncclGetErrorString(int error) {
  return error == invalid_usage  ? "invalid usage"
         : error == system_error ? "unhandled system error (run with NCCL_DEBUG=INFO for details)"
                                 : "failed";
}

int ncclGetUniqueId(UniqueId* id) {
  const char* folder = std::getenv("TMPDIR");
  std::snprintf(id->bytes, sizeof id->bytes, "%s/fake-nccl-XXXXXX", folder ? folder : "/tmp");
  const int file = mkstemp(id->bytes);
  if (file < 0 || ftruncate(file, sizeof(Shared)) != 0) return system_error;
  close(file);
  return success;
}

int ncclCommInitRank(Comm** comm, int size, UniqueId id, int rank) {
  if (size > most_ranks) return invalid_argument;
  const int file = open(id.bytes, O_RDWR);
  void* memory =
      file < 0 ? MAP_FAILED : mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) return system_error;
  close(file);
  auto* shared = static_cast<Shared*>(memory);
  const int own = fake_cuda_device() + 1;
  shared->device[rank] = own;
  for (int other = 0; other < size; ++other) {
    while (shared->device[other] == 0) usleep(100);
    if (other != rank && shared->device[other] == own) return invalid_usage;
  }
  if (rank == 0) unlink(id.bytes);  // all have opened it
  const char* stuck = std::getenv("FAKE_NCCL_STUCK");
  *comm = new Comm{shared, rank, size, stuck ? std::atol(stuck) : LONG_MAX};
  fake_cuda_note("communicators");
  return success;
}

int ncclCommGetAsyncError(Comm* comm, int* error) {
  *error = comm->sums > comm->stuck_from ? system_error : success;
  return success;
}

int ncclCommAbort(Comm* comm) {
  comm->aborted = true;
  fake_cuda_note("aborts");
  return success;
}

int ncclCommDestroy(Comm*) {
  fake_cuda_note("destroyed communicators");
  return success;
}

int ncclAllReduce(const void* from, void* to, size_t count, int type, int operation, Comm* comm, void*) {
  constexpr int float32 = 7, sum = 0;
  if (type != float32 || operation != sum || count > most_floats) return invalid_argument;
  fake_cuda_note("sums");
  // Never deleted, because a graph may replay it until the process ends.
  return fake_cuda_enqueue(begin, attempt,
                           new Sum{comm, static_cast<const float*>(from), static_cast<float*>(to), count});
}

}  // extern "C"
