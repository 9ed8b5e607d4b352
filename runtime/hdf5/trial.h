// Tests in a child process whether an action ends. libhdf5 1.10 loops forever on some damaged files, and a
// loop inside a library cannot be stopped in this process.
#pragma once
#include <functional>
#include <string>

/// Runs `act` in a child process. Empty if it returns within some seconds of processor time, or if no child
/// process can be made; else what happened to the child.
std::string trial(const std::function<void()>& act);
