// How many threads the pool may have, and how they wait. By default, the OpenMP runtime spins for
// milliseconds at every barrier. If other processes want the cores, steps then take ten times as long. A
// short spin costs nothing measurable on a quiet machine. The OpenMP runtime reads the setting once, when it
// is loaded.
#pragma once

namespace core {

/// The number of cores that this process may use.
int usable_cores();
/// A few threads for each core. More than this would only wait for one another.
int most_threads();

/// Restarts the executable with a short spin (GOMP_SPINCOUNT), unless that variable or OMP_WAIT_POLICY is
/// already set. Returns if there is nothing to do, or if the executable cannot be restarted.
void wait_briefly(char** argv);

}  // namespace core
