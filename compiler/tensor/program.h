// A static tensor program in SSA form: what one phase of learning, one draw or one density computes. Values
// are in dependency order; shapes are whole: where a value depends on the row, axis 0 is the rows of a batch
// class. Pointwise operations have inputs of their own shape. `variable`, `matmul` and `deconv` of semantics
// do not occur: build_step translates them. Text: print and parse.
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
/// Elements in one row; of all where there is no batch axis.
int64_t row_elements(const Shape& shape);
bool has_rows(const Shape& shape);

/// semantics' operations under their own numbers, then tensor/operations.def.
enum class Op {
#define OPERATION(name, inputs, group) name,
#include "compiler/semantics/operations.def"
#include "compiler/tensor/operations.def"
#undef OPERATION
};
const semantics::OpInfo& info(Op op);

struct ValueId {
  int32_t index = -1;
  auto operator<=>(const ValueId&) const = default;
  explicit operator bool() const { return index >= 0; }
};

/// ints as in operations.def, with whole axes; but broadcast: ints[i] is the axis of the result that axis i
/// of the input becomes (equal lengths, or 1 stretched). dense is x [r, n], weights [m, n] to [r, m].
struct Value {
  Op op = Op::constant;
  std::vector<ValueId> inputs;
  Shape shape;
  std::vector<int64_t> ints;
  double number = 0;   // of a constant: every element
  int32_t index = -1;  // of a parameter, column (its source: ints[0]) or coefficient
  uint32_t site = 0;   // of a random draw
  std::string name;    // of an input; else for readers only
};

struct Output {
  std::string name;
  ValueId value;
};

/// What a player maximizes: sum over terms of <seed, value>. differentiate turns terms into gradients, one
/// per parameter of the player in order.
struct Term {
  ValueId value, seed;  // [rows] both
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

/// Of every parameter of a model, by ParameterId. All programs of a model share one table.
class ParameterPlaces {
 public:
  size_t size() const { return table_->places.size(); }
  const ParameterPlace& operator[](size_t parameter) const { return table_->places[parameter]; }
  auto begin() const { return table_->places.begin(); }
  auto end() const { return table_->places.end(); }
  void push_back(ParameterPlace place);

  /// The parameters of a player, ascending.
  const std::vector<size_t>& of_player(int player) const;
  /// Of the flat array of a player (a multiple of 16).
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
  /// What all updates maximize together, in place of terms of their own: gradients reach the parameters of
  /// each.
  std::vector<Term> shared;
  std::vector<PlayerUpdate> updates;

  const Value& operator[](ValueId id) const { return values[static_cast<size_t>(id.index)]; }
  ValueId add(Value value);
};

/// The flat array of a player: each parameter starts at the next multiple of 16 floats.
struct ParameterLayout {
  std::vector<int64_t> offsets;  // of Player::parameters, in order
  int64_t elements = 0;          // a multiple of 16
};
ParameterLayout parameter_layout(const semantics::Model& model, semantics::PlayerId player);
ParameterPlaces parameter_places(const semantics::Model& model);

/// What is wrong with the program; empty if nothing is.
std::optional<std::string> verify(const Program& program);

std::string print(const Program& program);
/// Reads what print writes; throws std::runtime_error naming the line.
Program parse(std::string_view text);

}  // namespace tensor
