// A program of the image, ready to run at given batch sizes: its buffers are placed, its loops are bound to
// kernels, and its library calls are prepared, so that run() allocates nothing. Loops run on one OpenMP pool
// and are cut into one range per thread. A unit is always computed by one thread, so results do not depend on
// the number of threads.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/execution/watch.h"
#include "runtime/core/image.h"
#include "runtime/core/machine/machine.h"

namespace core {

struct Pattern;
struct BatchRows;

/// What a program asks of the runtime while it runs.
struct Hooks {
  /// Writes `rows` rows of the image's column, drawn for `source`.
  std::function<void(int column, int source, int64_t rows, float* to)> gather;
  /// The same from the pattern's rows.
  std::function<void(int column, int source, const Pattern& pattern, const BatchRows& rows, float* to)>
      gather_pattern;
  /// Adds the gradients of all ranks, before the update. Not called if it is empty.
  std::function<void(int player, float* gradient)> reduce;
  std::function<void(int player, const float* gradient)> update;
  /// Adds the values of all ranks, each from its own rows of the source. Not called if it is empty.
  std::function<void(int source, float* values, int64_t count)> sum_ranks;
  /// Elements [begin, end) of the player's gradient will not change before its update. Not called if it is
  /// empty.
  std::function<void(int player, float* gradient, int64_t begin, int64_t end)> gradient_part;
  /// Is told how long each instruction took; may be null.
  Watch* watch = nullptr;
  /// On a device: the next draws belong to this sweep of the step; 0 ends a chain.
  std::function<void(uint64_t sweep)> begin_sweep = [](uint64_t) {};
  /// On a device: the next draws belong to the following sweep.
  std::function<void()> next_sweep = [] {};
  /// Called after the session's coefficients have changed within a step.
  std::function<void()> coefficients_changed = [] {};
};

/// Tensors that several programs share: an output of one is an input of another with the same name. Must
/// outlive the programs.
using Carried = std::map<std::string, Floats>;

/// Sets the number of threads of this process and returns it. 0 means all; most_threads() is the limit. Each
/// thread treats denormal numbers as zero.
int start_threads(int asked, const vae_library* library);

class Executor {
 public:
  /// `rows`: the rows of each batch class. `memory`: null, or memory that is large enough and is shared by
  /// programs that never run at the same time. `carried`: null, or where the inputs and outputs are placed
  /// that other programs share.
  Executor(const Image& image, const Program& program, const Machine& machine,
           const std::vector<int64_t>& rows, const std::shared_ptr<Floats>& memory = nullptr,
           Carried* carried = nullptr);
  /// Deleted, because an executor keeps a reference to the machine.
  Executor(const Image& image, const Program& program, const Machine&& machine,
           const std::vector<int64_t>& rows, const std::shared_ptr<Floats>& memory = nullptr,
           Carried* carried = nullptr) = delete;
  ~Executor();
  Executor(Executor&&) noexcept;

  /// How many floats of scratch memory the program needs at these batch sizes; on a GPU it may be more,
  /// because other instructions run at the same time.
  static int64_t scratch(const Program& program, const std::vector<int64_t>& rows, bool on_device = false);

  /// On a device, seed and step come from the device's clock, and the program is recorded and replayed
  /// (device.h). Replays do not call the hooks, so what the hooks do must be recorded too.
  void run(uint64_t seed, uint64_t step, const Hooks& hooks) const;

  /// From now on the first row of each batch class is this row of the whole batch, from which random draws
  /// are numbered. Called before the first run.
  void begin_at(const std::vector<int64_t>& first_rows);

  struct Tensor {
    float* data = nullptr;
    int64_t elements = 0;
  };
  /// Failure(internal) if the program has no input or output of this name.
  Tensor input(const std::string& name) const { return named(inputs_, name); }
  Tensor output(const std::string& name) const { return named(outputs_, name); }
  /// A buffer of the program, by its number. Its values are valid after an instruction that accesses it,
  /// until other buffers reuse its memory.
  Tensor buffer(int index) const;
  bool takes(const std::string& name) const { return inputs_.count(name) > 0; }
  const std::map<std::string, Tensor>& outputs() const { return outputs_; }

  const Program& program() const { return program_; }
  std::vector<Work> works() const;
  /// The implementation of a GEMM or convolution, by the library's name for it; empty for other instructions.
  std::string implementation(size_t instruction) const;

 private:
  struct Parts;
  Tensor named(const std::map<std::string, Tensor>& tensors, const std::string& name) const;

  /// Runs an instruction, or the loops of a joined kernel.
  void run(const std::vector<int>& instructions, uint64_t seed, uint64_t step, const Hooks& hooks) const;

  const Program& program_;
  std::unique_ptr<Parts> parts_;
  std::map<std::string, Tensor> inputs_, outputs_;
};

/// The rows of each batch class of the program, given the rows of each source. Classes without a source (-1)
/// have `others` rows.
std::vector<int64_t> class_rows(const Program& program, const std::vector<int64_t>& source_rows,
                                int64_t others);

}  // namespace core
