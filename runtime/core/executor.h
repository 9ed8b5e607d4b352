// A program of the image made ready at actual batch sizes: buffers placed, loops bound to their kernels,
// library calls prepared; run() then allocates nothing. Loops run over one OpenMP pool, cut into as many
// ranges as there are threads; every unit is done whole by one thread, so results do not depend on their
// number.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/core/machine.h"
#include "runtime/core/watch.h"

namespace core {

struct Pattern;

/// What a program asks of the runtime while it runs.
struct Hooks {
  /// Writes `rows` rows of the image's column, drawn for `source`.
  std::function<void(int column, int source, int64_t rows, float* to)> gather;
  /// The same of the pattern's rows; `place` is that of the first row in the source's batch.
  std::function<void(int column, int source, const Pattern& pattern, int64_t place, int64_t rows, float* to)>
      gather_pattern;
  std::function<void(int player, const float* gradient)> update;
  /// Hears how long each instruction took; or null.
  Watch* watch = nullptr;
  /// On a device: the draws that follow are of this sweep of the step; 0 ends a chain.
  std::function<void(uint64_t sweep)> begin_sweep = [](uint64_t) {};
  /// They are of the sweep after the one before.
  std::function<void()> next_sweep = [] {};
  /// After the session's coefficients changed within a step.
  std::function<void()> coefficients_changed = [] {};
};

/// Tensors that several programs share: one's output is another's input of the same name. Outlives them.
using Carried = std::map<std::string, Floats>;

/// Threads of this process, 0 for all, most_threads() at most; denormal numbers count as zero on each.
int start_threads(int asked, const vae_library* library);

class Executor {
 public:
  /// `rows`: per batch class. `memory`: shared by programs that never run at once, large enough, or null.
  /// `carried`: where inputs and outputs live that other programs share, or null.
  Executor(const Image& image, const Program& program, const Machine& machine,
           const std::vector<int64_t>& rows, const std::shared_ptr<Floats>& memory = nullptr,
           Carried* carried = nullptr);
  /// It keeps a reference to the machine.
  Executor(const Image& image, const Program& program, const Machine&& machine,
           const std::vector<int64_t>& rows, const std::shared_ptr<Floats>& memory = nullptr,
           Carried* carried = nullptr) = delete;
  ~Executor();
  Executor(Executor&&) noexcept;

  /// Floats of scratch that the program needs at these batch sizes.
  static int64_t scratch(const Program& program, const std::vector<int64_t>& rows);

  /// On a device seed and step are those of its clock, the program is recorded when it first runs (device.h),
  /// and hooks are asked only then: what they do must be recorded too.
  void run(uint64_t seed, uint64_t step, const Hooks& hooks) const;

  struct Tensor {
    float* data = nullptr;
    int64_t elements = 0;
  };
  /// Failure(internal) where the program has none of this name.
  Tensor input(const std::string& name) const { return named(inputs_, name); }
  Tensor output(const std::string& name) const { return named(outputs_, name); }
  /// A buffer of the program, by its number: what it holds after an instruction that accesses it.
  Tensor buffer(int index) const;
  bool takes(const std::string& name) const { return inputs_.count(name) > 0; }
  const std::map<std::string, Tensor>& outputs() const { return outputs_; }

  const Program& program() const { return program_; }
  std::vector<Work> works() const;
  /// What does the work of a GEMM or convolution, as its implementation names it; else empty.
  std::string implementation(size_t instruction) const;

 private:
  struct Parts;
  Tensor named(const std::map<std::string, Tensor>& tensors, const std::string& name) const;

  void run(size_t instruction, uint64_t seed, uint64_t step, const Hooks& hooks) const;

  const Program& program_;
  std::unique_ptr<Parts> parts_;
  std::map<std::string, Tensor> inputs_, outputs_;
};

/// The programs' batch classes at the rows of each source; -1 classes at `others`.
std::vector<int64_t> class_rows(const Program& program, const std::vector<int64_t>& source_rows,
                                int64_t others);

}  // namespace core
