// The graphs that an executable exports: for each conditional of a player, its programs before any pass.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/schema/fields.h"

namespace schema {

/// One value of a graph, made by an operation of compiler/semantics/graph/operations.def. A length of -1 in
/// its shape is the number of rows.
struct GraphValue {
  std::string op;
  std::vector<int64_t> shape;
  std::vector<int> inputs;    // numbers of earlier values
  std::vector<int64_t> ints;  // as in compiler/tensor/program.h
  std::string name;           // of an input or a parameter
  double number = 0;          // of a constant
  int player = -1;            // of a parameter: the player whose flat array it is in
  int64_t offset = 0;         // of a parameter: where it begins in that array
  uint32_t site = 0;          // of a random draw

  static void fields(auto& self, auto&& field) {
    field("op", self.op);
    field("shape", self.shape);
    field("inputs", self.inputs);
    field("ints", self.ints);
    field("name", self.name);
    field("number", self.number);
    field("player", self.player);
    field("offset", self.offset);
    field("site", self.site);
  }
};

struct GraphOutput {
  std::string name;
  int value = -1;

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("value", self.value);
  }
};

/// Values are in dependency order.
struct Graph {
  std::vector<GraphValue> values;
  std::vector<GraphOutput> outputs;
  const GraphValue& operator[](int index) const { return values.at(static_cast<size_t>(index)); }

  static void fields(auto& self, auto&& field) {
    field("values", self.values);
    field("outputs", self.outputs);
  }
};

/// The graphs of one conditional; none if it does not belong to a player. `parameters` is missing if the
/// family has none, `mean` if there is no program for it.
struct ConditionalGraphs {
  std::optional<Graph> parameters, mean, log_density, sample;

  static void fields(auto& self, auto&& field) {
    field("parameters", self.parameters);
    field("mean", self.mean);
    field("log_density", self.log_density);
    field("sample", self.sample);
  }
};

}  // namespace schema
