// The image's description (runtime/image.md) as plain structs. It is checked: every index is within its
// array. It is read once when the executable starts and never changes.
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
#include "runtime/schema/scratch_layout.h"

namespace core {

using Shape = std::vector<int64_t>;

/// A fixed length, or (batch >= 0) the number of rows of a batch class.
struct Extent {
  int64_t size = 1;
  int batch = -1;

  /// `rows`: the rows of each batch class.
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
  std::vector<Extent> unit;  // their product is the number of elements of the kept space in one unit
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

/// `to` is the sum over all ranks of their `from`, which each summed over its own rows of the source.
struct SumRanks {
  int source = -1, from = -1, to = -1;
};

struct Update {
  int player = -1, gradient = -1;
};

using Instruction = std::variant<Loop, Gemm, Convolution, Gather, SumRanks, Update>;

/// The rows of a source's batch, or (source -1) as many rows as the caller asks for. Each row occurs `times`
/// times.
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
  std::vector<std::string> words = {};  // the names of its classes, if they have names
  int64_t elements() const;             // elements of its tensor
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
  std::string domain;  // the domain that its values must have: that of the variable, or real
};

struct Source {
  std::string name;
  double weight = 1;
  std::vector<int> known;
  int program = -1;
  std::map<int, int> words;  // variable -> the only player that gives it
  int sweeps = 10;           // of its chains
  std::vector<int> starts;   // conditionals that draw the first values of its chains
};

/// Indices of programs. `mean` is -1 if the family has no mean; `initial` is -1 for a source's own
/// conditional.
struct Conditional {
  int player = -1, source = -1, target = -1;  // player -1: a source's conditional, or the start of a chain
  std::vector<int> parents;
  std::string family;
  bool discrete = false;
  int draw = -1, mean = -1, log_density = -1, initial = -1, term = -1, jacobian = -1;
  bool learned = false;  // whether it has parameters
};

/// A term that counts only if, in the last sweep, one of the parts in `redrawn_by` came after `part`.
struct Tag {
  std::string term;
  int coefficient = -1, part = -1;
  std::vector<int> redrawn_by;
};

/// `parts` are indices of programs.
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

/// An output of a bound's program. It counts `factor` times in the utility that all players share.
struct Objective {
  std::string output;
  double factor = 1;
};

struct Phase {
  std::vector<Stage> stages;
  int program = -1;
  std::vector<Objective> objective;  // empty: every output is a term of its player
};

/// The rows of a source that miss these variables, treated as a source of their own. Programs number the
/// splits after the image's sources.
struct Split {
  std::string name;  // "data without c"
  int source = -1;
  std::set<int> missing;
};

/// Phases of a learn block for rows with missing values.
struct MissingPhases {
  std::vector<Phase> alternating, simultaneous;
  std::vector<int> splits;             // the splits that it learns from
  std::map<int, std::string> refused;  // splits that it does not admit -> the reason
};

struct Learn {
  std::string method, name;
  nlohmann::json keys;       // all keys of the file, resolved: the whole entry without its phases
  std::vector<int> sources;  // the sources that it learns from
  std::vector<int> skipped;  // those of `sources` on which its bound has no parameters
  int multiplier = -1;       // libi: the coefficient of its constraint
  std::vector<Phase> alternating, simultaneous;
  MissingPhases missing;
  std::string unavailable;  // why this version cannot run it, as a text that follows "learn NAME"; else empty
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
  std::string target = "cpu";                // cpu, cuda or auto
  const char* ptx = nullptr;                 // code for GPUs, or null
  std::vector<DeviceKernel> device_kernels;  // per kernel, where there is PTX
  int coefficients = 0;                      // one per source and split, then per tag or per key of a bound

  /// The index of the variable, player or source of this name, or -1.
  int variable(const std::string& name) const;
  int player(const std::string& name) const;
  int source(const std::string& name) const;
  /// The folders in which files with relative paths are searched for, in this order. If the executable has
  /// moved since it was built: its own folder and the current folder. Then the folder of the .vae file.
  std::vector<std::filesystem::path> search_folders() const;
  const std::string& name_of(int variable) const { return variables[static_cast<size_t>(variable)].name; }
  /// "z0, z1".
  std::string names(const std::vector<int>& of_variables, const std::string& between = ", ") const;
};

/// Another model, from which a source draws rows.
struct Image::Simulator {
  std::string file;  // as the program names it
  std::shared_ptr<const Image> image;
};

/// Failure(internal) if the description is malformed or of another version.
Image read_image(const vae_image& image);

/// Failure(bad_configuration) that names what the code needs and this processor does not have.
void require_cpu(const Image& image);

}  // namespace core
