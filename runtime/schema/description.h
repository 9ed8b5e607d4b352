// The description of a model that an image carries (runtime/image.md): the compiler fills and writes it, the
// runtime reads it once when the executable starts. An int that names another part is an index into its
// array, or -1 for none. Programs number splits as sources, after the sources of the model.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "runtime/schema/data_expression.h"
#include "runtime/schema/fields.h"
#include "runtime/schema/program.h"
#include "runtime/schema/settings.h"

namespace schema {

using Shape = std::vector<int64_t>;

inline int64_t elements_of(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

struct Variable {
  std::string name, domain;
  int64_t classes = 0;
  Shape shape, tensor_shape;
  std::vector<std::string> words = {};  // the names of its classes, if they have names
  int64_t elements() const { return elements_of(tensor_shape); }

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("domain", self.domain);
    field("classes", self.classes);
    field("shape", self.shape);
    field("tensor_shape", self.tensor_shape);
    field("words", self.words);
  }
};

/// What a parameter is before training. constant: `value`; uniform: in (-scale, scale); normal: with the
/// deviation `scale`; orthogonal.
struct Initial {
  enum class Kind { constant, uniform, normal, orthogonal } kind = Kind::constant;
  double value = 0, scale = 0;

  static void fields(auto& self, auto&& field) {
    field("kind", self.kind);
    field("value", self.value);
    field("scale", self.scale);
  }
};

constexpr auto words_of(Initial::Kind) {
  using Kind = Initial::Kind;
  return std::array{Word<Kind>{Kind::constant, "constant"}, Word<Kind>{Kind::uniform, "uniform"},
                    Word<Kind>{Kind::normal, "normal"}, Word<Kind>{Kind::orthogonal, "orthogonal"}};
}

/// A tensor of a player; `offset` counts floats of the player's flat array.
struct Parameter {
  std::string name;
  Shape shape;
  int64_t offset = 0;
  Initial initial;
  int64_t elements() const { return elements_of(shape); }

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("shape", self.shape);
    field("offset", self.offset);
    field("initial", self.initial);
  }
};

enum class Role { decoder, encoder, player };

constexpr auto words_of(Role) {
  return std::array{Word<Role>{Role::decoder, "decoder"}, Word<Role>{Role::encoder, "encoder"},
                    Word<Role>{Role::player, "player"}};
}

struct Player {
  std::string name;
  Role role = Role::player;
  int64_t elements = 0;  // of its flat array, with gaps
  std::vector<Parameter> parameters;
  int64_t parameter_count() const {
    int64_t count = 0;
    for (const Parameter& parameter : parameters) count += parameter.elements();
    return count;
  }

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("role", self.role);
    field("elements", self.elements);
    field("parameters", self.parameters);
  }
};

struct DataColumn {
  DataExpression expression;
  int variable = -1;
  /// The domain that its values must have: that of the variable; "probability" if bits are drawn from them;
  /// "real" if noise and further operations make the variable's values from the column.
  std::string domain;
  /// If a source adds noise to the variable's values, a column says what else the source does to them, and no
  /// program reads that column. This is the name of the source then, else empty.
  std::string noiseless_source = {};

  static void fields(auto& self, auto&& field) {
    field("expression", self.expression);
    field("variable", self.variable);
    field("domain", self.domain);
    field("noiseless_source", self.noiseless_source);
  }
};

struct Source {
  std::string name;
  double weight = 1;
  std::vector<int> known;  // variables
  int program = -1;        // draws its rows; its outputs have the names of the variables
  // What `complete` says, for rows with missing values:
  std::map<int, int> words;  // variable -> the only player that gives it
  int sweeps = 10;           // of its chains
  std::vector<int> starts;   // conditionals that draw the first values of its chains

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("weight", self.weight);
    field("known", self.known);
    field("program", self.program);
    field("words", self.words);
    field("sweeps", self.sweeps);
    field("starts", self.starts);
  }
};

/// The programs of a conditional; image.md says what each gives.
struct ConditionalPrograms {
  int draw = -1, mean = -1, log_density = -1, initial = -1, term = -1, jacobian = -1;

  static void fields(auto& self, auto&& field) {
    field("draw", self.draw);
    field("mean", self.mean);
    field("log_density", self.log_density);
    field("initial", self.initial);
    field("term", self.term);
    field("jacobian", self.jacobian);
  }
};

/// player -1: a source's conditional, or the start of a chain. source: the source that draws from it.
struct Conditional : ConditionalPrograms {
  int player = -1, source = -1, target = -1;
  std::vector<int> parents;  // variables
  std::string family;
  bool discrete = false;
  bool learned = false;  // whether it has parameters

  static void fields(auto& self, auto&& field) {
    field("player", self.player);
    field("source", self.source);
    field("target", self.target);
    field("parents", self.parents);
    field("family", self.family);
    field("discrete", self.discrete);
    field("learned", self.learned);
    ConditionalPrograms::fields(self, field);
  }
};

/// A term, player.variable@source, that counts only if, in the last sweep, one of the parts in `redrawn_by`
/// came after `part`. In all other steps the expected gradient is zero. `coefficient` is the index of the
/// tag's own coefficient; it follows the sources' coefficients.
struct Tag {
  std::string term;
  int coefficient = -1, part = -1;
  std::vector<int> redrawn_by;

  static void fields(auto& self, auto&& field) {
    field("term", self.term);
    field("coefficient", self.coefficient);
    field("part", self.part);
    field("redrawn_by", self.redrawn_by);
  }
};

/// A Gibbs chain over the rows of one source. In every sweep all parts, programs, run in an order drawn at
/// `site`.
struct GibbsChain {
  int source = -1, sweeps = 0;
  uint32_t site = 0;
  std::vector<int> parts;
  std::vector<Tag> tags;

  static void fields(auto& self, auto&& field) {
    field("source", self.source);
    field("sweeps", self.sweeps);
    field("site", self.site);
    field("parts", self.parts);
    field("tags", self.tags);
  }
};

struct Stage {
  int program = -1;
  std::vector<GibbsChain> chains;

  static void fields(auto& self, auto&& field) {
    field("program", self.program);
    field("chains", self.chains);
  }
};

/// An output of a bound's program: a sum over the rows of its source. It counts `factor` times in the utility
/// that all players share; 0: it is only recorded.
struct Objective {
  std::string output;
  double factor = 1;

  static void fields(auto& self, auto&& field) {
    field("output", self.output);
    field("factor", self.factor);
  }
};

struct Phase {
  std::vector<Stage> stages;
  int program = -1;
  std::vector<Objective> objective;  // empty: every output is a term of its player

  static void fields(auto& self, auto&& field) {
    field("stages", self.stages);
    field("program", self.program);
    field("objective", self.objective);
  }
};

/// The rows of a source that miss these variables, treated as a source of their own.
struct Split {
  std::string name;  // "data without c"
  int source = -1;
  std::set<int> missing;

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("source", self.source);
    field("missing", self.missing);
  }
};

/// The phases of a learn block in both orders.
struct Phases {
  std::vector<Phase> alternating, simultaneous;

  static void fields(auto& self, auto&& field) {
    field("alternating", self.alternating);
    field("simultaneous", self.simultaneous);
  }
};

/// The phases for rows with missing values. Empty if no row of the learned sources can have missing values,
/// or if the run composes its steps itself.
struct MissingPhases : Phases {
  std::vector<int> splits;             // the splits that it learns from
  std::map<int, std::string> refused;  // splits that it cannot learn from -> the reason

  static void fields(auto& self, auto&& field) {
    Phases::fields(self, field);
    field("splits", self.splits);
    field("refused", self.refused);
  }
};

/// A key of a learn block that programs read from a coefficient, and the outputs that it scales.
struct ScheduledKey {
  int coefficient = -1;
  std::vector<std::string> outputs;

  static void fields(auto& self, auto&& field) {
    field("coefficient", self.coefficient);
    field("outputs", self.outputs);
  }
};

struct Learn : Phases {
  std::string method, name;  // as in the settings
  Settings settings;         // as the file gives them
  std::vector<int> sources;
  std::vector<int> skipped;            // those of `sources` on which its bound has no parameters
  std::vector<std::string> unlearned;  // notes about variables that sources give and no term reads
  int multiplier = -1;                 // libi: the coefficient of its constraint
  std::map<std::string, ScheduledKey> scheduled;
  MissingPhases missing;
  /// Why this version cannot run it, as the end of a sentence that starts with "learn NAME"; else empty. It
  /// has no phases then.
  std::string unavailable;
  bool available() const { return unavailable.empty(); }

  static void fields(auto& self, auto&& field) {
    field("method", self.method);
    field("name", self.name);
    field("settings", self.settings);
    field("sources", self.sources);
    field("skipped", self.skipped);
    field("unlearned", self.unlearned);
    field("multiplier", self.multiplier);
    field("scheduled", self.scheduled);
    field("unavailable", self.unavailable);
    field("missing", self.missing);
    Phases::fields(self, field);
  }
};

/// The processor that the code needs.
struct Cpu {
  std::string name;
  std::vector<std::string> features;

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("features", self.features);
  }
};

/// An optimizer's program. It can run if the number `needs` of the optimizer is not 0, or if `needs` is
/// empty.
struct OptimizerProgram {
  std::string name, needs;
  int program = -1;

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("needs", self.needs);
    field("program", self.program);
  }
};

/// A model and its programs.
struct Description {
  std::string vaec;                // the version of vaec
  std::string file, folder, text;  // the program's name, absolute folder and source text
  Cpu cpu;
  std::map<std::string, std::string> params;  // as text
  std::vector<Variable> variables;
  std::vector<Player> players;
  std::vector<DataColumn> columns;
  std::vector<int> published;  // the variables whose rows other programs may read
  std::vector<Source> sources;
  std::vector<Split> splits;
  std::vector<Conditional> conditionals;
  nlohmann::json game;  // what `vaec explain --format json` prints
  std::vector<Learn> learns;
  std::vector<OptimizerProgram> optimizers;  // of several with one name, the first that can run
  int clip = -1;                             // the program that bounds a gradient's norm
  std::vector<Program> programs;
  std::string graphs;  // the text of another JSON value, which only `export` reads

  static void fields(auto& self, auto&& field) {
    field("vaec", self.vaec);
    field("file", self.file);
    field("folder", self.folder);
    field("text", self.text);
    field("cpu", self.cpu);
    field("params", self.params);
    field("variables", self.variables);
    field("players", self.players);
    field("columns", self.columns);
    field("published", self.published);
    field("sources", self.sources);
    field("splits", self.splits);
    field("conditionals", self.conditionals);
    field("game", self.game);
    field("learns", self.learns);
    field("optimizers", self.optimizers);
    field("clip", self.clip);
    field("programs", self.programs);
    field("graphs", self.graphs);
  }
};

/// A loop's kernel on a GPU: its name, and what is needed to launch it (image.md, Kernels of a GPU).
struct DeviceKernel {
  std::string name;
  enum class Mapping { elements, quads, draws, rows, columns } mapping = Mapping::elements;
  uint32_t threads = 256;  // the most threads of a block; a power of two
  uint32_t sums = 0;       // the number of stores that combine
  bool reduces() const { return mapping == Mapping::rows || mapping == Mapping::columns; }

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("mapping", self.mapping);
    field("threads", self.threads);
    field("sums", self.sums);
  }
};

constexpr auto words_of(DeviceKernel::Mapping) {
  using Mapping = DeviceKernel::Mapping;
  return std::array{Word<Mapping>{Mapping::elements, "elements"}, Word<Mapping>{Mapping::quads, "quads"},
                    Word<Mapping>{Mapping::draws, "draws"}, Word<Mapping>{Mapping::rows, "rows"},
                    Word<Mapping>{Mapping::columns, "columns"}};
}

/// Several loops in one kernel, which divides its blocks between them.
struct JoinedKernel {
  std::string name;
  std::vector<uint32_t> loops;  // into device_kernels
  uint32_t threads = 256;       // of a block, for all loops

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("loops", self.loops);
    field("threads", self.threads);
  }
};

/// Another model, from which a source draws rows: its conditionals have `draw` and `initial` alone.
struct Simulator {
  std::string file;  // as the program names it
  Description image;

  static void fields(auto& self, auto&& field) {
    field("file", self.file);
    field("image", self.image);
  }
};

/// What the code runs on. cpu: only the processor. cuda: also a GPU, and training asks for one. any: also a
/// GPU, which training uses if there is one.
enum class Target { cpu, cuda, any };

constexpr auto words_of(Target) {
  return std::array{Word<Target>{Target::cpu, "cpu"}, Word<Target>{Target::cuda, "cuda"},
                    Word<Target>{Target::any, "auto"}};
}

/// All that an executable carries beside code.
struct ImageDescription : Description {
  std::string built_in;  // the executable's folder when it was built; "." in a bundle; or empty
  Target target = Target::cpu;
  std::vector<DeviceKernel> device_kernels;  // empty without PTX
  std::vector<JoinedKernel> joined_kernels;
  std::vector<Simulator> simulators;

  static void fields(auto& self, auto&& field) {
    Description::fields(self, field);
    field("built_in", self.built_in);
    field("target", self.target);
    field("device_kernels", self.device_kernels);
    field("joined_kernels", self.joined_kernels);
    field("simulators", self.simulators);
  }
};

}  // namespace schema
