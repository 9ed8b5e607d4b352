#include "compiler/game/rows/simulated.h"

#include <algorithm>
#include <functional>

#include "runtime/schema/data_expression.h"

namespace game {
namespace {
using semantics::Model;
using semantics::NodeId;
using Visit = std::function<void(const schema::Reader& reader)>;

/// Visits the readers in all columns from which a value is computed.
void for_each_reader(const Model& model, NodeId id, const Visit& visit) {
  const semantics::Node& node = model.graph[id];
  if (node.op == semantics::Op::column)
    schema::for_each_reader(model.columns[static_cast<size_t>(node.index)].expression, visit);
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
    for_each_reader(model, given.value, [&](const schema::Reader& reader) {
      if (reader.name != "run") return;
      const std::string file = schema::text_argument(reader, 0, "file"),
                        run = schema::text_argument(reader, 1, "from");
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
    for_each_reader(model, given.value, [&](const schema::Reader& reader) {
      const auto name = schema::peer_of(reader);
      if (!name) return;
      auto same = std::ranges::find(all, *name, &FromPeer::peer);
      if (same == all.end()) same = all.insert(all.end(), {*name, {}});
      add(same->variables, given.variable);
    });
  }
  return all;
}

}  // namespace game
