// Which launcher started this process as one rank of several: torchrun, srun, mpirun of OpenMPI, a launcher
// with PMI (MPICH), or a user who set RANK and WORLD_SIZE. In: the environment. The first that is recognised
// counts.
#pragma once
#include <optional>
#include <string>

namespace core {

struct Launched {
  std::string launcher;  // as messages name it
  int rank = 0, size = 1;
  std::string host;  // of the key-value store; empty: the launcher says nothing about it
  int port = 0;
  bool launcher_serves = false;   // the launcher has the store, so no rank serves it
  std::string prefix = "vaec/";   // of the keys in the store
  bool has_mpi = false;           // MPI itself can connect the ranks
  std::string job;                // the same for all attempts of one job; empty: not known
  bool job_has_own_name = false;  // no other job has this name
  int restarts = 0;               // how often the launcher has started the ranks again after a failure
};

/// Nothing if no launcher started the process. A launcher may have started one rank alone.
/// Failure(bad_configuration) if a variable of the launcher is missing or has no sense.
std::optional<Launched> find_launcher();

/// The first host of a list as Slurm writes it: `n[001,007-9],m3` begins with n001.
std::string first_host(const std::string& list);

}  // namespace core
