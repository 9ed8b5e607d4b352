// The image of an executable (runtime/image.md): the model's description as JSON and the kernels that its
// programs call. In: what the earlier stages made. Out: code with `image`, `kernels` and `main`.
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

/// The programs of a model, and who uses them: indices into `programs`, -1 for none.
struct Programs {
  struct OfConditional {
    int draw = -1, mean = -1, log_density = -1, initial = -1, term = -1, jacobian = -1;
  };
  /// What one conditional is exported as, before any pass.
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
    std::vector<semantics::SourceId> skipped;  // a bound of them has no parameters
    std::vector<std::string> unlearned;        // notes on what sources give and no term reads
    int multiplier = -1;                       // libi's coefficient
    std::string unavailable;  // why there are none, in words that follow "learn NAME"; else empty
    /// The same for rows with missing values: each split is a source of its own. Empty where no row of the
    /// sources that it learns from can miss any, or where the run composes its steps itself.
    struct {
      std::vector<OfPhase> alternating, simultaneous;
      std::vector<size_t> splits;  // that it learns from
      std::vector<game::RefusedSplit> refused;
    } missing;
  };
  std::vector<tensor::KernelProgram> programs;
  std::vector<int> source_rows;  // per source
  std::vector<OfConditional> conditionals;
  std::vector<std::optional<Graphs>> graphs;  // per conditional; of players alone
  std::vector<OfLearn> learns;
  std::vector<game::Split> splits;  // the sources behind the model's own, as programs number them
};

/// Where the program came from.
struct Origin {
  std::string file, folder, text;  // name, absolute folder, source text
  std::string built_in = {};  // the executable's absolute folder; "." in a bundle; empty where there is none
};

/// Another model whose rows a source draws: its players and their draws.
struct Simulator {
  std::string file;  // as the program names it
  const semantics::Model& model;
  Programs programs;
  Origin origin;
};

/// What the image runs on: the processor; a GPU too (then training asks for one); or whichever there is.
enum class Target { cpu, cuda, any };

/// An image on its way to machine code.
class Image {
 public:
  Image(const semantics::Model& model, const nlohmann::json& game, const Programs& programs,
        const Origin& origin, const std::vector<Simulator>& simulators = {}, Target target = Target::cpu);
  Image(Image&&) noexcept;
  ~Image();

  size_t kernel_count() const;
  std::string llvm() const;
  std::string assembly() const;
  /// Joined from what an executable is linked from. Throws std::runtime_error where the linker fails.
  std::string object();
  /// What an executable is linked from: an object for each kernel, cached ones as they are, and one for
  /// the rest.
  std::string archive();
  /// Objects of kernels that the archive or the run needed and no earlier compilation had made.
  size_t made_count() const;
  /// The same loops as kernels of a GPU, and what the runtime needs there.
  std::string ptx() const;
  /// These kernels as an object for the processor (grid.h: form host), which tests run.
  std::string emulated_object() const;

  /// Compiles in memory and calls the runtime's vaert_main with these arguments. Throws std::runtime_error
  /// where the runtime cannot be loaded.
  int run(const std::string& runtime_library, const std::vector<std::string>& arguments);

 private:
  friend std::string archive_of(std::vector<Image>& images, const std::string& library);
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// What an executable, or the library called `library`, is linked from. Several images are of one program for
/// several processors, the most demanding first; the runtime takes the first that the processor can run.
std::string archive_of(std::vector<Image>& images, const std::string& library = "");

}  // namespace lower
