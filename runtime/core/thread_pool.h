// How many threads the pool may have, and how they wait. The OpenMP runtime's default spins for milliseconds
// at every barrier: where anything else wants the cores, steps then take ten times as long. A short spin
// costs nothing measurable on a quiet machine. The OpenMP runtime reads the setting once, when it is loaded.
#pragma once

namespace core {

/// The cores that this process may use.
int usable_cores();
/// More threads than this only wait for one another: a few for each core.
int most_threads();

/// Starts the executable anew with a short spin (GOMP_SPINCOUNT), unless that or OMP_WAIT_POLICY is set
/// already. Returns where nothing is to be done, or where the executable cannot be started anew.
void wait_briefly(char** argv);

}  // namespace core
