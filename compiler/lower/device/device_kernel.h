// A loop's kernel on a GPU as plain data: its name, and what is needed to launch it. Its parameters are those
// of schema::LoopKernel.
#pragma once
#include "runtime/schema/description.h"

namespace lower {

using schema::DeviceKernel;
using schema::JoinedKernel;

struct Arrangement;

/// A loop of a kernel that joins several.
struct JoinedLoop {
  const Arrangement* arrangement;
  const DeviceKernel* kernel;
};

}  // namespace lower
