#include "compiler/simulators.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "compiler/base/text_file.h"
#include "compiler/semantics/analyse.h"
#include "compiler/syntax/parse.h"
#include "runtime/shared/nearest_name.h"

namespace vaec {
namespace {

/// Calls `visit` with every reader in a data expression, and with the column that the expression takes from
/// it ("" if it names none).
void for_each_reader(const schema::DataExpression& expression, const std::string& column,
                     const std::function<void(const schema::Reader&, const std::string&)>& visit) {
  if (const auto* reader = expression.as<schema::Reader>()) visit(*reader, column);
  const auto* named = expression.as<schema::TableColumn>();
  schema::for_each_part(expression, [&](const schema::DataExpression& part) {
    for_each_reader(part, named ? named->name : "", visit);
  });
}

/// Reports classes that would change their words. `theirs`: the variable of the other program, in `file`.
void require_same_words(const semantics::Variable& theirs, const std::string& file,
                        const semantics::Variable& own, const semantics::Column& column,
                        base::Report& report) {
  const auto* taken = column.expression.as<schema::TableColumn>();
  const bool plain = column.expression.as<schema::Reader>() || (taken && taken->table->as<schema::Reader>());
  constexpr auto category = semantics::DomainKind::category;
  if (!plain || theirs.domain.kind != category || own.domain.kind != category ||
      theirs.domain.words == own.domain.words)
    return;
  report.add(base::E0620, column.span, theirs.name, text_of(theirs.domain), file, own.name,
             text_of(own.domain));
}

/// Removes sources and learn blocks: here the model is only used to draw from its players.
void keep_players(semantics::Model& model) {
  model.sources.clear();
  model.columns.clear();
  model.learns.clear();
  std::erase_if(model.conditionals,
                [](const semantics::Conditional& conditional) { return conditional.player.index < 0; });
}

}  // namespace

std::vector<Simulator> read_simulators(const semantics::Model& model, const std::string& path,
                                       base::SourceSet& sources, base::Report& report) {
  std::vector<Simulator> simulators;
  for (const semantics::Column& column : model.columns) {
    for_each_reader(column.expression, "", [&](const schema::Reader& reader, const std::string& name) {
      if (reader.name != "run") return;
      const std::string file = schema::text_argument(reader, 0, "file");
      auto found = std::ranges::find(simulators, file, &Simulator::file);
      if (found == simulators.end()) {
        Simulator simulator{file, (std::filesystem::path(path).parent_path() / file).string(), {}, {}};
        std::string cause;
        const auto text = base::read_text_file(simulator.path, cause);
        if (!text) {
          report.add(base::E0001, column.span, simulator.path, cause).label("its rows are asked for here");
          simulators.push_back(std::move(simulator));  // reported once
          return;
        }
        simulator.text = *text;
        const syntax::Tree tree = syntax::parse(sources.add(simulator.path, *text), report);
        if (!report.has_errors()) simulator.model = semantics::analyse(tree, {}, sources, report);
        keep_players(simulator.model);
        found = simulators.insert(simulators.end(), std::move(simulator));
      }
      const auto& variables = found->model.variables;
      if (report.has_errors() || variables.empty()) return;
      // Without a name the table stands for its first column.
      const std::string& wanted = name.empty() ? variables.front().name : name;
      if (const auto theirs = std::ranges::find(variables, wanted, &semantics::Variable::name);
          theirs != variables.end()) {
        require_same_words(*theirs, file, model[column.variable], column, report);
        return;
      }
      std::vector<std::string> names;
      for (const auto& variable : variables) names.push_back(variable.name);
      auto& error = report.add(base::E0604, column.span, name);
      if (const auto near = nearest_name(name, names)) error.help("did you mean `" + *near + "`?");
    });
  }
  return simulators;
}

}  // namespace vaec
