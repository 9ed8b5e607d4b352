#include "compiler/game/simulated.h"

#include <algorithm>

namespace game {
namespace {
using nlohmann::json;
using semantics::Model;
using semantics::NodeId;

/// An argument of a call by its place or its name.
std::string argument(const json& call, size_t place, const char* name) {
  const json& given = call.at("args");
  return (given.size() > place ? given.at(place) : call.at("named").at(name)).get<std::string>();
}

/// The calls of `run` in a data expression.
void collect(const json& data, std::vector<Simulated>& found) {
  if (!data.is_structured()) return;
  if (data.is_object() && data.value("op", "") == "reader") {
    if (data.at("name") == "run") found.push_back({argument(data, 0, "file"), argument(data, 1, "from"), {}});
    return;
  }
  for (const json& part : data) collect(part, found);
}

/// In the columns that a value is made of.
void collect(const Model& model, NodeId id, std::vector<Simulated>& found) {
  const semantics::Node& node = model.graph[id];
  if (node.op == semantics::Op::column)
    collect(model.columns[static_cast<size_t>(node.index)].expression, found);
  for (const NodeId input : node.inputs) collect(model, input, found);
}

}  // namespace

std::vector<Simulated> simulated_by(const Model& model, const semantics::Source& source) {
  std::vector<Simulated> all;
  for (const semantics::Given& given : source.givens) {
    if (given.drawn) continue;
    std::vector<Simulated> found;
    collect(model, given.value, found);
    for (const Simulated& one : found) {
      auto same = std::ranges::find_if(
          all, [&](const Simulated& other) { return other.file == one.file && other.run == one.run; });
      if (same == all.end()) same = all.insert(all.end(), one);
      if (std::ranges::find(same->variables, given.variable) == same->variables.end())
        same->variables.push_back(given.variable);
    }
  }
  return all;
}

}  // namespace game
