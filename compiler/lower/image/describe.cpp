#include "compiler/lower/image/describe.h"

#include "compiler/lower/host.h"
#include "compiler/lower/image/describe_graphs.h"
#include "compiler/lower/image/describe_settings.h"
#include "compiler/tensor/program.h"

namespace lower {
namespace {

using nlohmann::json;

template <class List = std::vector<int>, class Id>
List indices(const std::vector<Id>& ids) {
  List list;
  for (const Id& id : ids) list.insert(list.end(), id.index);
  return list;
}

std::vector<schema::Variable> of_variables(const semantics::Model& model) {
  std::vector<schema::Variable> list;
  for (const semantics::Variable& variable : model.variables)
    list.push_back({variable.name, semantics::name_of(variable.domain.kind), variable.domain.classes,
                    variable.shape, variable.tensor_shape(), variable.domain.words});
  return list;
}

std::vector<schema::Player> of_players(const semantics::Model& model) {
  std::vector<schema::Player> list;
  for (size_t p = 0; p < model.players.size(); ++p) {
    const semantics::Player& player = model.players[p];
    const auto layout = tensor::parameter_layout(model, {static_cast<int32_t>(p)});
    schema::Player& described =
        list.emplace_back(schema::Player{player.name, player.role, layout.elements, {}});
    for (size_t i = 0; i < player.parameters.size(); ++i) {
      const semantics::Parameter& parameter = model[player.parameters[i]];
      described.parameters.push_back({parameter.name, parameter.shape, layout.offsets[i], parameter.initial});
    }
  }
  return list;
}

std::string domain_of(const semantics::Model& model, const semantics::Column& column) {
  switch (column.values) {
    case semantics::Column::Values::own:
      return semantics::name_of(model[column.variable].domain.kind);
    case semantics::Column::Values::probabilities:
      return "probability";
    case semantics::Column::Values::reals:
      return "real";
  }
  return {};
}

std::vector<schema::DataColumn> of_columns(const semantics::Model& model) {
  std::vector<schema::DataColumn> list;
  for (const semantics::Column& column : model.columns)
    list.push_back(
        {column.expression, column.variable.index, domain_of(model, column), column.noiseless_source});
  return list;
}

std::vector<schema::Source> of_sources(const semantics::Model& model, const Programs& programs) {
  std::vector<schema::Source> list;
  for (size_t s = 0; s < model.sources.size(); ++s) {
    const semantics::Source& source = model.sources[s];
    schema::Source& described = list.emplace_back(schema::Source{source.name,
                                                                 source.weight,
                                                                 {},
                                                                 programs.source_rows[s],
                                                                 {},
                                                                 source.sweeps,
                                                                 indices(source.gibbs_starts)});
    for (const semantics::Given& given : source.givens) described.known.push_back(given.variable.index);
    for (const semantics::Source::Word& word : source.words)
      described.words[word.variable.index] = word.player.index;
  }
  return list;
}

/// The source that draws from this family directly; -1 if there is none.
int source_of(const semantics::Model& model, semantics::ConditionalId conditional) {
  for (size_t s = 0; s < model.sources.size(); ++s)
    for (const semantics::Given& given : model.sources[s].givens)
      if (given.drawn == conditional) return static_cast<int>(s);
  return -1;
}

std::vector<schema::Conditional> of_conditionals(const semantics::Model& model, const Programs& programs) {
  std::vector<schema::Conditional> list;
  for (size_t c = 0; c < model.conditionals.size(); ++c) {
    const semantics::Conditional& conditional = model.conditionals[c];
    list.push_back({programs.conditionals[c], conditional.player.index,
                    source_of(model, {static_cast<int32_t>(c)}), conditional.target.index,
                    indices(conditional.parents), conditional.family, conditional.discrete,
                    !conditional.parameters.empty()});
  }
  return list;
}

std::vector<schema::Split> of_splits(const std::vector<game::Split>& splits) {
  std::vector<schema::Split> list;
  for (const game::Split& split : splits)
    list.push_back({split.name, split.source.index, indices<std::set<int>>(split.missing)});
  return list;
}

std::vector<schema::Learn> of_learns(const semantics::Model& model, const Programs& programs) {
  std::vector<schema::Learn> list;
  for (size_t l = 0; l < model.learns.size(); ++l) {
    const semantics::Learn& learn = model.learns[l];
    schema::Learn& described = list.emplace_back(programs.learns[l]);
    described.method = learn.method;
    described.name = learn.name;
    described.settings = describe_settings(model, learn);
    described.sources = indices(learn.sources);
  }
  return list;
}

}  // namespace

schema::Description describe(const semantics::Model& model, const json& game, const Programs& programs,
                             const Origin& origin, std::vector<schema::Program> selected) {
  schema::Description described;
  described.vaec = VAEC_VERSION;
  described.file = origin.file;
  described.folder = origin.folder;
  described.text = origin.text;
  described.cpu = {host().cpu, host().features};
  described.params = model.params;
  described.variables = of_variables(model);
  described.players = of_players(model);
  described.columns = of_columns(model);
  if (model.publication) described.published = indices(model.publication->variables);
  described.sources = of_sources(model, programs);
  described.splits = of_splits(programs.splits);
  described.conditionals = of_conditionals(model, programs);
  described.game = game;
  described.learns = of_learns(model, programs);
  described.optimizers = programs.optimizers;
  described.clip = programs.clip;
  described.programs = std::move(selected);
  described.graphs = describe_graphs(programs.graphs);
  return described;
}

}  // namespace lower
