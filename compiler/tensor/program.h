// A static tensor program in SSA form: what one phase of learning, one draw or one density computes. Values
// are in dependency order. Shapes include the rows: if a value depends on the row, axis 0 is the rows of a
// batch class. The inputs of a pointwise operation have the operation's shape. `variable`, `matmul` and
// `deconv` of semantics do not occur, because build_step translates them. `print` and `parse` convert to and
// from text.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/semantics/model.h"
#include "compiler/tensor/kernel_program.h"

namespace tensor {

using Shape = std::vector<Extent>;
std::string to_string(const Shape& shape);  // "[b0, 28, 28]": b0 are the rows of batch class 0
/// The number of elements in one row, or of the whole value if it has no batch axis.
int64_t row_elements(const Shape& shape);
bool has_rows(const Shape& shape);

/// The operations of semantics with their own numbers, then those of tensor/operations.def.
enum class Op {
#define OPERATION(name, inputs, group) name,
#include "compiler/semantics/graph/operations.def"
#include "compiler/tensor/operations.def"
#undef OPERATION
};
const semantics::OpInfo& info(Op op);

struct ValueId {
  int32_t index = -1;
  auto operator<=>(const ValueId&) const = default;
  explicit operator bool() const { return index >= 0; }
};

/// `ints` is as in operations.def, but its axes include the rows. Exception: for broadcast, ints[i] is the
/// axis of the result that axis i of the input becomes (with equal length, or stretched from 1). dense maps x
/// [r, n] and weights [m, n] to [r, m].
struct Value {
  Op op = Op::constant;
  std::vector<ValueId> inputs;
  Shape shape;
  std::vector<int64_t> ints;
  double number = 0;   // constant: every element
  int32_t index = -1;  // of the parameter, column (its source is ints[0]) or coefficient
  uint32_t site = 0;   // of a random draw
  std::string name;    // of an input; otherwise only for readers of the program
};

struct Output {
  std::string name;
  ValueId value;
};

/// What a player maximizes: the sum over terms of <seed, value>. differentiate turns terms into gradients,
/// one for each parameter of the player, in order.
struct Term {
  ValueId value, seed;  // both [rows]
};
struct Gradient {
  semantics::ParameterId parameter;
  ValueId value;
};
struct PlayerUpdate {
  int player = -1;
  std::vector<Term> terms;
  std::vector<Gradient> gradients;
};

/// Where a parameter lies in its player's flat array.
struct ParameterPlace {
  int player = -1;
  int64_t offset = 0;
  std::vector<int64_t> shape;
};

/// The places of all parameters of a model, by ParameterId. All programs of a model share one table.
class ParameterPlaces {
 public:
  size_t size() const { return table_->places.size(); }
  const ParameterPlace& operator[](size_t parameter) const { return table_->places[parameter]; }
  auto begin() const { return table_->places.begin(); }
  auto end() const { return table_->places.end(); }
  void push_back(ParameterPlace place);

  /// The parameters of a player, ascending.
  const std::vector<size_t>& of_player(int player) const;
  /// The length of a player's flat array (a multiple of 16).
  int64_t elements_of(int player) const;

 private:
  struct OfPlayer {
    std::vector<size_t> parameters;
    int64_t elements = 0;
  };
  struct Table {
    std::vector<ParameterPlace> places;
    std::map<int, OfPlayer> players;
  };
  std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

struct Program {
  std::string name;
  std::vector<BatchClass> batches;
  ParameterPlaces parameters;
  std::vector<Value> values;
  std::vector<Output> outputs;
  /// Terms that all updates maximize together, instead of terms of their own. Each player gets the gradients
  /// by its own parameters.
  std::vector<Term> shared;
  std::vector<PlayerUpdate> updates;

  const Value& operator[](ValueId id) const { return values[static_cast<size_t>(id.index)]; }
  ValueId add(Value value);
};

/// The flat array of a player: each parameter starts at the next multiple of 16 floats.
struct ParameterLayout {
  std::vector<int64_t> offsets;  // in the order of Player::parameters
  int64_t elements = 0;          // a multiple of 16
};
ParameterLayout parameter_layout(const semantics::Model& model, semantics::PlayerId player);
ParameterPlaces parameter_places(const semantics::Model& model);

/// What is wrong with the program; empty if nothing is.
std::optional<std::string> verify(const Program& program);

std::string print(const Program& program);
/// Reads the output of `print`. Throws std::runtime_error that names the line.
Program parse(std::string_view text);

}  // namespace tensor
