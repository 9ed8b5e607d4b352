// The image's description (runtime/image.md) as plain structs, checked: every index is within its array.
// Read once when the executable starts; nothing here changes afterwards.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "runtime/abi.h"
#include "runtime/core/launch.h"
#include "runtime/scratch_layout.h"

namespace core {

using Shape = std::vector<int64_t>;

/// A length, or (batch >= 0) the rows of a batch class.
struct Extent {
  int64_t size = 1;
  int batch = -1;

  /// `rows`: of each class of the batch.
  int64_t length(const std::vector<int64_t>& rows) const {
    return batch < 0 ? size : rows.at(static_cast<size_t>(batch));
  }
};

struct Buffer {
  enum class Kind { scratch, part, parameters, coefficients, input, output };
  std::string name;
  Kind kind = Kind::scratch;
  std::vector<Extent> extents;
  int parent = -1;
  int64_t offset = 0;
  int index = -1;
  int slot = -1;
};

struct Access {
  int buffer = -1;
  int64_t offset = 0;
  std::vector<int64_t> strides;
};

struct Loop {
  std::string name;
  uint32_t kernel = 0;
  std::vector<Extent> space;
  int kept = 0;
  std::vector<Extent> unit;  // elements of the kept space in one unit: their product
  std::vector<Access> accesses;
  std::vector<float> scalars;
  std::vector<uint32_t> sites;
};

struct Gemm {
  std::string name;
  int a = -1, b = -1, c = -1;
  Extent m, n, k;
  bool transpose_a = false, transpose_b = false;
};

struct Convolution {
  std::string name;
  int a = -1, b = -1, c = -1;
  Extent batch;
  vae_convolution shape = {};  // its batch is set when the program is loaded
};

struct Gather {
  int column = -1, source = -1, buffer = -1;
};

struct Update {
  int player = -1, gradient = -1;
};

using Instruction = std::variant<Loop, Gemm, Convolution, Gather, Update>;

/// A source's batch, or (-1) as many rows as the caller asks for; each row `times` over.
struct BatchClass {
  BatchClass(int source = -1, int64_t times = 1) : source(source), times(times) {}
  int source;
  int64_t times;
};

struct Program {
  std::string name;
  std::vector<BatchClass> batches;
  std::vector<Life> slots;
  std::vector<Buffer> buffers;
  std::vector<Instruction> instructions;
};

struct Variable {
  std::string name, domain;
  int64_t classes = 0;
  Shape shape, tensor_shape;
  std::vector<std::string> words = {};  // of its classes, where they have some
  int64_t elements() const;             // of its tensor
};

struct Initial {
  std::string kind = "constant";
  double value = 0, scale = 0;
};

struct Parameter {
  std::string name;
  Shape shape;
  int64_t offset = 0;
  Initial initial;
  int64_t elements() const;
};

struct Player {
  std::string name, role;
  int64_t elements = 0;
  std::vector<Parameter> parameters;
  int64_t parameter_count() const;
};

struct DataColumn {
  nlohmann::json expression;
  int variable = -1;
  std::string domain;  // what its values are checked for: the variable's, or real
};

struct Source {
  std::string name;
  double weight = 1;
  std::vector<int> known;
  int program = -1;
  std::map<int, int> words;  // variable: the player that alone gives it
  int sweeps = 10;           // of its chains
  std::vector<int> starts;   // conditionals that give the first values of its chains
};

/// Programs by index; the mean is -1 where the family gives none, the initial draw for a source's own.
struct Conditional {
  int player = -1, source = -1, target = -1;  // player -1: of the source, or of a chain's start
  std::vector<int> parents;
  std::string family;
  bool discrete = false;
  int draw = -1, mean = -1, log_density = -1, initial = -1, term = -1, jacobian = -1;
  bool learned = false;  // it has parameters
};

/// A term that counts only where a part of `redrawn_by` came after `part` in the last sweep.
struct Tag {
  std::string term;
  int coefficient = -1, part = -1;
  std::vector<int> redrawn_by;
};

/// Parts are programs.
struct GibbsChain {
  int source = -1, sweeps = 0;
  uint32_t site = 0;
  std::vector<int> parts;
  std::vector<Tag> tags;
};

struct Stage {
  int program = -1;
  std::vector<GibbsChain> chains;
};

/// An output of a bound's program: it counts `factor` times in the utility that all players share.
struct Objective {
  std::string output;
  double factor = 1;
};

struct Phase {
  std::vector<Stage> stages;
  int program = -1;
  std::vector<Objective> objective;  // none: every output is a term of its player
};

/// The rows of a source that miss these variables, as a source of its own: programs number it behind the
/// image's sources.
struct Split {
  std::string name;  // "data without c"
  int source = -1;
  std::set<int> missing;
};

/// Phases of a learn block for rows with missing values.
struct MissingPhases {
  std::vector<Phase> alternating, simultaneous;
  std::vector<int> splits;             // that it learns from
  std::map<int, std::string> refused;  // splits that it does not admit: why
};

struct Learn {
  std::string method, name;
  nlohmann::json keys;       // all that the file says, resolved: the whole entry without its phases
  std::vector<int> sources;  // that it learns from
  std::vector<int> skipped;  // of these, where its bound has no parameters
  int multiplier = -1;       // libi: the coefficient of its constraint
  std::vector<Phase> alternating, simultaneous;
  MissingPhases missing;
  std::string unavailable;  // why this version cannot run it, in words that follow "learn NAME"; else empty
  bool available() const { return unavailable.empty(); }
};

struct Image {
  std::string file, folder, text, version, cpu;
  std::string built_in;  // the executable's folder when it was built; "." in a bundle; or empty
  std::vector<std::string> cpu_features;
  nlohmann::json params, game;
  std::vector<Variable> variables;
  std::vector<Player> players;
  std::vector<DataColumn> columns;
  std::vector<int> published;  // the variables whose rows other programs may read
  std::vector<Source> sources;
  std::vector<Split> splits;
  std::vector<Conditional> conditionals;
  std::vector<Learn> learns;
  std::vector<Program> programs;
  struct Simulator;
  std::vector<Simulator> simulators;
  const vae_kernel* kernels = nullptr;
  uint32_t kernel_count = 0;
  std::string target = "cpu";                // or cuda, or auto
  const char* ptx = nullptr;                 // code for GPUs, or null
  std::vector<DeviceKernel> device_kernels;  // per kernel, where there is PTX
  int coefficients = 0;                      // one per source, then one per tag

  /// Index by name, or -1.
  int variable(const std::string& name) const;
  int player(const std::string& name) const;
  int source(const std::string& name) const;
  /// Where files that the program names by relative paths may be, in this order: the folder of the .vae file,
  /// and before it, where the executable has moved since it was built, its own folder and the current one.
  std::vector<std::filesystem::path> search_folders() const;
  const std::string& name_of(int variable) const { return variables[static_cast<size_t>(variable)].name; }
  /// "z0, z1".
  std::string names(const std::vector<int>& of_variables, const std::string& between = ", ") const;
};

/// Another model, whose rows a source draws.
struct Image::Simulator {
  std::string file;  // as the program names it
  std::shared_ptr<const Image> image;
};

/// Failure(internal) where the description is malformed or of another version.
Image read_image(const vae_image& image);

/// Failure(bad_configuration) naming what the code needs and this processor does not have.
void require_cpu(const Image& image);

}  // namespace core
