// How many threads the pool may have, how they wait, and where they run. By default, the OpenMP runtime spins
// for milliseconds at every barrier. If other processes want the cores, steps then take ten times as long. A
// short spin costs nothing measurable on a quiet machine. The OpenMP runtime reads the setting once, when it
// is loaded.
#pragma once
#include <vector>

namespace core {

/// The number of cores that this process may use.
int usable_cores();
/// A few threads for each core. More than this would only wait for one another.
int most_threads();

/// Restarts the executable with a short spin (GOMP_SPINCOUNT), unless that variable or OMP_WAIT_POLICY is
/// already set. Returns if there is nothing to do, or if the executable cannot be restarted.
void wait_briefly(char** argv);

/// A processor as the system counts them. Several of one core are its hardware threads.
struct Processor {
  int number = 0, package = 0, core = 0;
};

/// The processors that this process may use.
std::vector<Processor> usable_processors();

/// The numbers of the processors, in the order in which threads take them: first one of each core, package by
/// package, then the other hardware threads in the same way.
std::vector<int> in_order_of_use(std::vector<Processor> processors);

/// Keeps threads on their processors (--pin): a thread that moves leaves the weights and rows that it works
/// on in the caches of another core, or in the memory of another package. Binds thread i of the pool, which
/// has `threads` threads, to processor `first` + i of that order. Failure(usage) if there are not so many.
void pin_threads(int threads, int first);

}  // namespace core
