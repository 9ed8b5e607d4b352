// Does an act end? It is done in a child process first: libhdf5 1.10 loops for ever on some damaged files,
// and a library that loops in this process cannot be stopped.
#pragma once
#include <functional>
#include <string>

/// Empty if `act` comes back within some seconds of processor time; else what became of the child. Where no
/// child can be made nothing is tried.
std::string trial(const std::function<void()>& act);
