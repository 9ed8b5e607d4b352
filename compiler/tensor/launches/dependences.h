// Which instructions of a kernel program must run in the order of the program: those that touch the same
// memory, if one of them writes there. In: a kernel program. Scratch buffers count as separate memory,
// whatever their slots.
#pragma once
#include <cstdint>
#include <vector>

#include "compiler/tensor/kernel_program.h"

namespace tensor {

/// Elements [begin, end) of a piece of memory that an instruction reads or writes.
struct Touch {
  int memory;  // the number of the first buffer of this memory that is not a part
  int64_t begin, end;
  bool writes;

  bool conflicts(const Touch& other) const {
    return memory == other.memory && (writes || other.writes) && begin < other.end && other.begin < end;
  }
};

/// By instruction.
std::vector<std::vector<Touch>> touches_of(const KernelProgram& program);

/// By instruction: the earlier instructions that must have ended when it begins. Ascending; those that
/// follow from others may be left out.
std::vector<std::vector<int>> dependences_of(const std::vector<std::vector<Touch>>& touches);

}  // namespace tensor
