// The image of an executable (runtime/image.md): the model's description as JSON, and the kernels that its
// programs call. In: the model, its game, its programs and where they came from. Out: code with `image`,
// `kernels` and `main`.
#pragma once
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compiler/semantics/model.h"
#include "compiler/tensor/build/build_model.h"

namespace lower {

using Programs = tensor::ModelPrograms;

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

using schema::Target;

/// The kernels that the loops of the programs share: each with its form, its operations, and who runs it.
std::string print_kernels(const Programs& programs);

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
