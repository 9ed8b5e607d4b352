// How the ranks of a run talk to one another, as plain C. libvaert_c10d.so (LibTorch's Gloo) and
// libvaert_mpi.so have an implementation each; one is opened if there are several ranks. All ranks must make
// the same calls in the same order. Only one thread of a rank calls. A function that can fail returns null or
// another number than 0, and writes the cause to `error`. No call waits longer than the timeout.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vaert_ranks_options {
  int32_t rank, size;
  const char* host;  // where the key-value store is
  int32_t port;      // of the store; 0 if this rank serves it: any free port
  int32_t serves;    // 1: the store is in this process
  const char* prefix;
  int64_t timeout_ms;
  /// Is called with the store's port before other ranks can be awaited; may be null.
  void (*announce)(void* context, int32_t port);
  void* context;
  /// Is asked again and again while a call waits, by a transport that does not notice itself that another
  /// rank has died: another number than 0 ends the wait. May be null.
  int (*gives_up)(void* ranks);
  void* ranks;
} vaert_ranks_options;

typedef struct vaert_ranks {
  const char* name;
  /// Opens the group and its key-value store. MPI takes rank and size from its launcher.
  void* (*open)(const vaert_ranks_options* options, char* error, size_t error_size);
  /// Connects the ranks. `address`: the IP address at which this rank listens.
  int (*connect)(void* group, const char* address, char* error, size_t error_size);
  int32_t (*rank)(void* group);
  int32_t (*size)(void* group);
  /// Begins to replace the values by their sums over all ranks, which have the same bits on all of them. The
  /// result must be given to await; until then the values belong to the group.
  void* (*begin_sum)(void* group, float* values, int64_t count, char* error, size_t error_size);
  int (*await)(void* group, void* sum, char* error, size_t error_size);
  /// Copies the root's bytes to all ranks.
  int (*broadcast)(void* group, void* bytes, int64_t size, int32_t root, char* error, size_t error_size);
  /// `all` becomes the bytes of rank 0, of rank 1, ...
  int (*gather)(void* group, const void* own, void* all, int64_t size, char* error, size_t error_size);
  int (*barrier)(void* group, char* error, size_t error_size);
  /// The key-value store works while other ranks are dead. Null if the transport has none. `get` waits for
  /// the key at most this long; it returns 0, 1 if there is no such key, or -1 if the store cannot be
  /// reached.
  int (*set)(void* group, const char* key, const char* value);
  int (*get)(void* group, const char* key, int64_t wait_ms, char* value, size_t value_size);
  /// Only if all ranks are alive. Without it the process must end by _exit.
  void (*close)(void* group);
} vaert_ranks;

/// The key that a rank sets when it gives up: the others then stop waiting for it.
#define VAERT_RANKS_FAILED "failed"

typedef const vaert_ranks* vaert_ranks_function(void);
vaert_ranks_function vaert_c10d;
vaert_ranks_function vaert_mpi;

#ifdef __cplusplus
}
#endif
