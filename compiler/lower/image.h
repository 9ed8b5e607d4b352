// The image of an executable (runtime/image.md): the model's description as JSON, and the kernels that its
// programs call. In: the model, its game, its programs and where they came from. Out: code with `image`,
// `kernels` and `main`.
#pragma once
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compiler/game/missing.h"
#include "compiler/semantics/model.h"
#include "compiler/tensor/build_step.h"
#include "compiler/tensor/kernel_program.h"

namespace lower {

/// The programs of a model, and what uses each of them, as indices into `programs` (-1: none).
struct Programs {
  struct OfConditional {
    int draw = -1, mean = -1, log_density = -1, initial = -1, term = -1, jacobian = -1;
  };
  /// The programs that an executable exports for one conditional, before any pass.
  struct Graphs {
    tensor::Program parameters, log_density, sample;
    std::optional<tensor::Program> mean;
  };
  struct OfChain {
    int source = -1, sweeps = 0;
    uint32_t site = 0;
    std::vector<int> parts;
    std::vector<tensor::Tag> tags;
  };
  struct OfStage {
    int program = -1;
    std::vector<OfChain> chains;
  };
  struct OfPhase {
    std::vector<OfStage> stages;
    int program = -1;
    std::vector<tensor::Objective> objective;
  };
  struct OfLearn {
    std::vector<OfPhase> alternating, simultaneous;
    std::vector<semantics::SourceId> skipped;  // sources whose bound has no parameters
    std::vector<std::string> unlearned;        // notes about variables that sources give and no term reads
    int multiplier = -1;                       // the index of libi's coefficient
    /// Why there are no phases, as the end of a sentence that starts with "learn NAME"; else empty.
    std::string unavailable;
    /// The same for rows with missing values, where each split is a source of its own. Empty if no row of the
    /// learned sources can have missing values, or if the run composes its steps itself.
    struct {
      std::vector<OfPhase> alternating, simultaneous;
      std::vector<size_t> splits;  // the splits from which it learns
      std::vector<game::RefusedSplit> refused;
    } missing;
  };
  std::vector<tensor::KernelProgram> programs;
  std::vector<int> source_rows;  // by source: its program
  std::vector<OfConditional> conditionals;
  std::vector<std::optional<Graphs>> graphs;  // by conditional; only those of players
  std::vector<OfLearn> learns;
  std::vector<game::Split> splits;  // programs number them as sources, after the sources of the model
};

/// Where the program came from.
struct Origin {
  std::string file, folder, text;  // name, absolute folder, source text
  std::string built_in = {};  // the executable's absolute folder; "." in a bundle; empty if there is none
};

/// Another model from which a source draws rows: its players and their draws.
struct Simulator {
  std::string file;  // as the program names it
  const semantics::Model& model;
  Programs programs;
  Origin origin;
};

/// What the image runs on. cpu: only the processor. cuda: also a GPU, and training asks for one. any: also a
/// GPU, which training uses if there is one.
enum class Target { cpu, cuda, any };

/// An image before it is machine code.
class Image {
 public:
  Image(const semantics::Model& model, const nlohmann::json& game, const Programs& programs,
        const Origin& origin, const std::vector<Simulator>& simulators = {}, Target target = Target::cpu);
  Image(Image&&) noexcept;
  ~Image();

  size_t kernel_count() const;
  std::string llvm() const;
  std::string assembly() const;
  /// The objects of `archive`, joined into one. Throws std::runtime_error if the linker fails.
  std::string object();
  /// The objects to link into an executable: one for each kernel (from the cache if possible) and one for the
  /// rest.
  std::string archive();
  /// How many of the kernels that the archive or the run needed were compiled now, not taken from the cache.
  size_t made_count() const;
  /// The same loops as GPU kernels, and the runtime's own GPU kernels.
  std::string ptx() const;
  /// The GPU kernels as an object for the processor (grid.h: form host), which tests run.
  std::string emulated_object() const;

  /// Compiles in memory and calls the runtime's vaert_main with these arguments. Throws std::runtime_error if
  /// the runtime cannot be loaded.
  int run(const std::string& runtime_library, const std::vector<std::string>& arguments);

 private:
  friend std::string archive_of(std::vector<Image>& images, const std::string& library);
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The objects to link into an executable or into the library called `library`. Several images are the same
/// program for several processors, the most demanding first. The runtime takes the first that the processor
/// can run.
std::string archive_of(std::vector<Image>& images, const std::string& library = "");

}  // namespace lower
