#include "compiler/game/rows/simulated.h"

#include <algorithm>
#include <functional>

#include "runtime/schema/data_readers.h"

namespace game {
namespace {
using nlohmann::json;
using semantics::Model;
using semantics::NodeId;
using Visit = std::function<void(const json& reader)>;

void for_each_reader(const json& data, const Visit& visit) {
  if (!data.is_structured()) return;
  if (data.is_object() && data.value("op", "") == "reader") return visit(data);
  for (const json& part : data) for_each_reader(part, visit);
}

/// Visits the readers in all columns from which a value is computed.
void for_each_reader(const Model& model, NodeId id, const Visit& visit) {
  const semantics::Node& node = model.graph[id];
  if (node.op == semantics::Op::column)
    for_each_reader(model.columns[static_cast<size_t>(node.index)].expression, visit);
  for (const NodeId input : node.inputs) for_each_reader(model, input, visit);
}

void add(std::vector<VariableId>& variables, VariableId variable) {
  if (std::ranges::find(variables, variable) == variables.end()) variables.push_back(variable);
}

}  // namespace

std::vector<Simulated> simulated_by(const Model& model, const semantics::Source& source) {
  std::vector<Simulated> all;
  for (const semantics::Given& given : source.givens) {
    if (given.drawn) continue;
    for_each_reader(model, given.value, [&](const json& reader) {
      if (!is_reader(reader, "run")) return;
      const std::string file = reader_argument(reader, 0, "file"), run = reader_argument(reader, 1, "from");
      auto same = std::ranges::find_if(
          all, [&](const Simulated& other) { return other.file == file && other.run == run; });
      if (same == all.end()) same = all.insert(all.end(), {file, run, {}});
      add(same->variables, given.variable);
    });
  }
  return all;
}

std::vector<FromPeer> peers_of(const Model& model, const semantics::Source& source) {
  std::vector<FromPeer> all;
  for (const semantics::Given& given : source.givens) {
    if (given.drawn) continue;
    for_each_reader(model, given.value, [&](const json& reader) {
      const auto name = peer_of(reader);
      if (!name) return;
      auto same = std::ranges::find(all, *name, &FromPeer::peer);
      if (same == all.end()) same = all.insert(all.end(), {*name, {}});
      add(same->variables, given.variable);
    });
  }
  return all;
}

}  // namespace game
