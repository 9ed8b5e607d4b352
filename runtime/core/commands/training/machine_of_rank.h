// Chooses the machine for training on several ranks. In: what the user asked for, and the other ranks. Out: a
// GPU of its own for each rank, or the processor for all of them.
#pragma once
#include <string>

#include "runtime/core/commands/training/learning_machine.h"

namespace core {

class Ranks;

/// Rank r of a host takes its GPU number r, modulo the number of its GPUs, unless `device` has a number. With
/// `auto`, all ranks compute on processors if one of them has no GPU of its own. All ranks must call it.
/// SharedFailure(bad_configuration) if a rank was asked for a GPU that it cannot have. Alone: as
/// learning_machine().
LearningMachine machine_of_rank(const Image& image, const MachineRequest& asked, const Settings& settings,
                                Ranks& ranks);

/// The device for the record of a run, which knows nothing of single ranks: cpu, cuda, or alone cuda:N.
std::string device_name(const MachineRequest& machine, const Ranks& ranks);

}  // namespace core
