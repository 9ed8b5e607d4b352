#include "compiler/semantics/data/own_statistics.h"

#include <algorithm>
#include <set>

namespace semantics {
namespace {
using schema::DataExpression;

/// Collects the texts of the tables from which `normalize` takes its statistics.
void find_normalized(const DataExpression& data, std::set<std::string>& tables) {
  if (const auto* normalize = data.as<schema::Normalize>())
    tables.insert(schema::text_of(normalize->by ? **normalize->by : *normalize->table));
  schema::for_each_part(data, [&](const DataExpression& part) { find_normalized(part, tables); });
}

struct Statistics {
  const Model& model;
  base::Report& report;

  void find(NodeId node, std::set<std::string>& tables) const {
    const Node& value = model.graph[node];
    if (value.op == Op::column) return find_normalized(model[ColumnId{value.index}].expression, tables);
    for (const NodeId input : value.inputs) find(input, tables);
  }

  std::set<std::string> of(const Given& given) const {
    std::set<std::string> tables;
    if (given.value) find(given.value, tables);
    return tables;
  }

  void compare(const Source& source, const Given& given) const {
    const std::set<std::string> own = of(given);
    if (own.empty()) return;
    for (const Source& other : model.sources) {
      if (other.weight == 0) continue;
      for (const Given& learned : other.givens) {
        if (learned.variable.index != given.variable.index) continue;
        const std::set<std::string> theirs = of(learned);
        const bool shared = theirs.empty() || std::ranges::any_of(own, [&](const std::string& table) {
                              return theirs.contains(table);
                            });
        if (shared) continue;
        report.add(base::W0617, given.span, model[given.variable].name, source.name, other.name)
            .note(learned.span, "these values are normalized by other statistics")
            .help("name the table of the statistics: `normalize(table, by = other)`");
        return;
      }
    }
  }
};

}  // namespace

void warn_of_own_statistics(const Model& model, base::Report& report) {
  const Statistics statistics{model, report};
  for (const Source& source : model.sources)
    if (source.weight == 0)
      for (const Given& given : source.givens) statistics.compare(source, given);
}

}  // namespace semantics
