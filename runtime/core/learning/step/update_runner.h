// The compiled update of one player (compiler/tensor/build/build_update.h), bound to a machine's memory. In:
// the player's arrays and the numbers of a step. Out: changed parameters and state. The flat arrays have gaps
// between parameters; there the gradient is 0, so the gaps change no norm and stay without meaning.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/execution/executor.h"

namespace core {

/// The names of an optimizer's state, and of the numbers that change with the settings or the step, in the
/// order of the program's inputs.
std::vector<std::string> state_of(const Program& update);
std::vector<std::string> numbers_of(const Program& update);
/// How many bytes the program reads and writes if the player's flat array has this many floats.
double update_bytes(const Program& update, int64_t floats);

class UpdateRunner {
 public:
  /// Arrays of the machine. They must outlive the runner.
  struct Memory {
    int64_t floats = 0;  // the length of the parameters and of each state
    float* parameters = nullptr;
    std::map<std::string, float*> state;  // by state_of
    float* numbers = nullptr;             // as numbers_of
  };
  /// `clip`: the largest norm of the gradient; 0: none.
  UpdateRunner(const Image& image, const Program& update, const Machine& machine, Memory memory, double clip);
  UpdateRunner(const UpdateRunner&) = delete;

  /// Changes parameters and state by the numbers of this step. On a GPU, enqueues that. The first call with a
  /// gradient's address allocates memory.
  void run(const float* gradient);

 private:
  /// The programs for a gradient at one address.
  struct Bound {
    Carried places;
    std::unique_ptr<Executor> clip, update;
  };
  void bind(const float* gradient, Bound& bound) const;

  const Image& image_;
  const Program& update_;
  const Machine machine_;
  Memory memory_;
  Floats clip_, scale_;  // one number each
  bool clips_;
  std::map<const float*, Bound> bound_;
};

}  // namespace core
