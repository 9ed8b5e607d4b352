#include "compiler/lower/image/describe.h"

#include "compiler/lower/host.h"
#include "compiler/lower/image/describe_graphs.h"
#include "compiler/tensor/build/build_bound.h"
#include "compiler/tensor/program.h"
#include "runtime/abi.h"

namespace lower {
namespace {

using nlohmann::json;
using tensor::Buffer;
using tensor::Extent;

template <class Id>
json indices(const std::vector<Id>& ids) {
  json list = json::array();
  for (const Id& id : ids) list.push_back(id.index);
  return list;
}

json of_variables(const semantics::Model& model) {
  json list = json::array();
  for (const semantics::Variable& variable : model.variables) {
    list.push_back({{"name", variable.name},
                    {"domain", semantics::name_of(variable.domain.kind)},
                    {"classes", variable.domain.classes},
                    {"shape", variable.shape},
                    {"tensor_shape", variable.tensor_shape()}});
    if (!variable.domain.words.empty()) list.back()["words"] = variable.domain.words;
  }
  return list;
}

const char* name_of(semantics::Initial::Kind kind) {
  switch (kind) {
    case semantics::Initial::Kind::constant:
      return "constant";
    case semantics::Initial::Kind::uniform:
      return "uniform";
    case semantics::Initial::Kind::normal:
      return "normal";
    case semantics::Initial::Kind::orthogonal:
      return "orthogonal";
  }
  return "";
}

const char* name_of(semantics::Role role) {
  switch (role) {
    case semantics::Role::decoder:
      return "decoder";
    case semantics::Role::encoder:
      return "encoder";
    case semantics::Role::player:
      return "player";
  }
  return "";
}

json of_players(const semantics::Model& model) {
  json list = json::array();
  for (size_t p = 0; p < model.players.size(); ++p) {
    const semantics::Player& player = model.players[p];
    const auto layout = tensor::parameter_layout(model, {static_cast<int32_t>(p)});
    json parameters = json::array();
    for (size_t i = 0; i < player.parameters.size(); ++i) {
      const semantics::Parameter& parameter = model[player.parameters[i]];
      parameters.push_back({{"name", parameter.name},
                            {"shape", parameter.shape},
                            {"offset", layout.offsets[i]},
                            {"initial",
                             {{"kind", name_of(parameter.initial.kind)},
                              {"value", parameter.initial.value},
                              {"scale", parameter.initial.scale}}}});
    }
    list.push_back({{"name", player.name},
                    {"role", name_of(player.role)},
                    {"elements", layout.elements},
                    {"parameters", parameters}});
  }
  return list;
}

json of_sources(const semantics::Model& model, const Programs& programs) {
  json list = json::array();
  for (size_t s = 0; s < model.sources.size(); ++s) {
    const semantics::Source& source = model.sources[s];
    json known = json::array();
    for (const semantics::Given& given : source.givens) known.push_back(given.variable.index);
    json words = json::array();
    for (const semantics::Source::Word& word : source.words)
      words.push_back({{"variable", word.variable.index}, {"player", word.player.index}});
    list.push_back({{"name", source.name},
                    {"weight", source.weight},
                    {"known", known},
                    {"program", programs.source_rows[s]},
                    {"words", words},
                    {"sweeps", source.sweeps},
                    {"starts", indices(source.gibbs_starts)}});
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

json of_conditionals(const semantics::Model& model, const Programs& programs) {
  json list = json::array();
  for (size_t c = 0; c < model.conditionals.size(); ++c) {
    const semantics::Conditional& conditional = model.conditionals[c];
    const Programs::OfConditional& program = programs.conditionals[c];
    list.push_back({{"player", conditional.player.index},
                    {"source", source_of(model, {static_cast<int32_t>(c)})},
                    {"target", conditional.target.index},
                    {"parents", indices(conditional.parents)},
                    {"family", conditional.family},
                    {"discrete", conditional.discrete},
                    {"draw", program.draw},
                    {"mean", program.mean},
                    {"initial", program.initial},
                    {"term", program.term},
                    {"jacobian", program.jacobian},
                    {"learned", !conditional.parameters.empty()},
                    {"log_density", program.log_density}});
  }
  return list;
}

json of_chain(const Programs::OfChain& chain) {
  json tags = json::array();
  for (const tensor::Tag& tag : chain.tags) {
    tags.push_back({{"term", tag.term},
                    {"coefficient", tag.coefficient},
                    {"part", tag.part},
                    {"redrawn_by", tag.redrawn_by}});
  }
  return {{"source", chain.source},
          {"sweeps", chain.sweeps},
          {"site", chain.site},
          {"parts", chain.parts},
          {"tags", tags}};
}

json of_phases(const std::vector<Programs::OfPhase>& phases) {
  json list = json::array();
  for (const Programs::OfPhase& phase : phases) {
    json stages = json::array();
    for (const Programs::OfStage& stage : phase.stages) {
      json chains = json::array();
      for (const Programs::OfChain& chain : stage.chains) chains.push_back(of_chain(chain));
      stages.push_back({{"program", stage.program}, {"chains", chains}});
    }
    json entry = {{"stages", stages}, {"program", phase.program}};
    for (const tensor::Objective& objective : phase.objective)
      entry["objective"].push_back({{"output", objective.output}, {"factor", objective.factor}});
    list.push_back(std::move(entry));
  }
  return list;
}

json of_splits(const std::vector<game::Split>& splits) {
  json list = json::array();
  for (const game::Split& split : splits)
    list.push_back(
        {{"name", split.name}, {"source", split.source.index}, {"missing", indices(split.missing)}});
  return list;
}

json of_missing(const Programs::OfLearn& phases) {
  json refused = json::array();
  for (const game::RefusedSplit& split : phases.missing.refused)
    refused.push_back({{"split", split.split}, {"why", split.why}});
  return {{"phases",
           {{"alternating", of_phases(phases.missing.alternating)},
            {"simultaneous", of_phases(phases.missing.simultaneous)}}},
          {"splits", phases.missing.splits},
          {"refused", refused}};
}

/// The keys that follow a schedule. Each has the coefficient from which programs read its value, and the
/// outputs that it scales.
json of_schedules(const semantics::Model& model, const semantics::Learn& learn,
                  const Programs::OfLearn& phases) {
  json schedules = json::object();
  for (const auto& [key, coefficient] : tensor::scheduled_coefficients(model, learn))
    schedules[key] = {{"coefficient", coefficient}, {"outputs", json::array()}};
  for (const auto* all : {&phases.alternating, &phases.missing.alternating})
    for (const Programs::OfPhase& phase : *all)
      for (const tensor::Objective& objective : phase.objective)
        if (!objective.schedule.empty()) schedules[objective.schedule]["outputs"].push_back(objective.output);
  return schedules;
}

json of_learn(const semantics::Model& model, const semantics::Learn& learn, const Programs::OfLearn& phases) {
  json optimizers = json::object();
  for (const auto& [player, o] : learn.optimizers) {
    optimizers[player] = {{"kind", o.kind},        {"lr", o.lr},   {"beta1", o.beta1},
                          {"beta2", o.beta2},      {"eps", o.eps}, {"weight_decay", o.weight_decay},
                          {"momentum", o.momentum}};
  }
  json entry = {{"method", learn.method},
                {"name", learn.name},
                {"steps", learn.steps},
                {"batch", learn.batch},
                {"optimizers", optimizers},
                {"schedule",
                 {{"kind", learn.schedule},
                  {"warmup", learn.schedule_warmup},
                  {"every", learn.schedule_every},
                  {"factor", learn.schedule_factor}}},
                {"clip", learn.clip},
                {"seed", learn.seed},
                {"order", learn.order},
                {"precision", learn.precision},
                {"sources", indices(learn.sources)},
                {"start", learn.start},
                {"every", learn.every},
                {"own", learn.own},
                {"skipped", indices(phases.skipped)},
                {"unlearned", phases.unlearned},
                {"multiplier", phases.multiplier},
                {"scheduled", of_schedules(model, learn, phases)}};
  if (phases.unavailable.empty()) {
    entry["phases"] = {{"alternating", of_phases(phases.alternating)},
                       {"simultaneous", of_phases(phases.simultaneous)}};
    entry["missing"] = of_missing(phases);
  } else {
    entry["unavailable"] = phases.unavailable;
  }
  return entry;
}

json of_extent(const Extent& extent) {
  if (extent.batch >= 0) return {{"batch", extent.batch}};
  return extent.size;
}

json of_batches(const std::vector<tensor::BatchClass>& batches) {
  json list = json::array();
  for (const tensor::BatchClass& batch : batches) {
    if (batch.times == 1) {
      list.push_back(batch.source);
    } else {
      list.push_back({{"source", batch.source}, {"times", batch.times}});
    }
  }
  return list;
}

json of_extents(const std::vector<Extent>& extents) {
  json list = json::array();
  for (const Extent& extent : extents) list.push_back(of_extent(extent));
  return list;
}

json of_access(const tensor::Access& access) {
  return {{"buffer", access.buffer}, {"offset", access.offset}, {"strides", access.strides}};
}

struct InstructionWriter {
  KernelSet& kernels;

  json operator()(const tensor::Loop& loop) const {
    const Arrangement arranged = arrange(loop);
    json accesses = json::array();
    for (const tensor::Access& access : arranged.loop.loads) accesses.push_back(of_access(access));
    for (const tensor::Store& store : arranged.loop.stores) accesses.push_back(of_access(store.access));
    return {{"op", "loop"},
            {"name", loop.name},
            {"kernel", kernels.add(arranged)},
            {"space", of_extents(arranged.loop.space)},
            {"kept", arranged.loop.kept},
            {"unit", of_extents(arranged.unit())},
            {"accesses", accesses},
            {"scalars", arranged.scalars},
            {"sites", arranged.sites}};
  }

  json operator()(const tensor::Gemm& gemm) const {
    return {{"op", "gemm"},
            {"name", gemm.name},
            {"a", gemm.a},
            {"b", gemm.b},
            {"c", gemm.c},
            {"m", of_extent(gemm.m)},
            {"n", of_extent(gemm.n)},
            {"k", of_extent(gemm.k)},
            {"transpose_a", gemm.transpose_a},
            {"transpose_b", gemm.transpose_b}};
  }

  json operator()(const tensor::Convolution& c) const {
    using Direction = tensor::Convolution::Direction;
    const int direction = c.direction == Direction::forward         ? VAE_FORWARD
                          : c.direction == Direction::backward_data ? VAE_BACKWARD_DATA
                                                                    : VAE_BACKWARD_WEIGHTS;
    return {{"op", "convolution"},
            {"name", c.name},
            {"direction", direction},
            {"a", c.a},
            {"b", c.b},
            {"c", c.c},
            {"batch", of_extent(c.batch)},
            {"in_channels", c.in_channels},
            {"in_h", c.in_h},
            {"in_w", c.in_w},
            {"out_channels", c.out_channels},
            {"out_h", c.out_h},
            {"out_w", c.out_w},
            {"kernel_h", c.kernel_h},
            {"kernel_w", c.kernel_w},
            {"stride_h", c.stride_h},
            {"stride_w", c.stride_w},
            {"padding_h", c.padding_h},
            {"padding_w", c.padding_w}};
  }

  json operator()(const tensor::Gather& gather) const {
    return {
        {"op", "gather"}, {"column", gather.column}, {"source", gather.source}, {"buffer", gather.buffer}};
  }

  json operator()(const tensor::SumRanks& sum) const {
    return {{"op", "sum_ranks"}, {"source", sum.source}, {"from", sum.from}, {"to", sum.to}};
  }

  json operator()(const tensor::Update& update) const {
    return {{"op", "update"}, {"player", update.player}, {"gradient", update.gradient}};
  }
};

json of_program(const tensor::KernelProgram& kernel_program, KernelSet& kernels) {
  json buffers = json::array();
  for (const Buffer& buffer : kernel_program.buffers) {
    buffers.push_back({{"name", buffer.name},
                       {"kind", name_of(buffer.kind)},
                       {"extents", of_extents(buffer.extents)},
                       {"parent", buffer.parent},
                       {"offset", buffer.offset},
                       {"index", buffer.index},
                       {"slot", buffer.slot}});
  }
  json instructions = json::array();
  for (const tensor::Instruction& instruction : kernel_program.instructions) {
    instructions.push_back(std::visit(InstructionWriter{kernels}, instruction));
  }
  json slots = json::array();
  for (const Life& life : kernel_program.slots) slots.push_back({life.first, life.last});
  return {{"name", kernel_program.name},
          {"batches", of_batches(kernel_program.batches)},
          {"slots", slots},
          {"buffers", buffers},
          {"instructions", instructions}};
}

}  // namespace

json describe(const semantics::Model& model, const json& game, const Programs& programs, const Origin& origin,
              KernelSet& kernels) {
  json columns = json::array();
  for (const semantics::Column& column : model.columns) {
    columns.push_back({{"expression", column.expression}, {"variable", column.variable.index}});
    if (!column.whole) columns.back()["domain"] = "real";
  }
  json published = json::array();
  if (model.publication)
    for (const semantics::VariableId variable : model.publication->variables)
      published.push_back(variable.index);
  json learns = json::array();
  for (size_t l = 0; l < model.learns.size(); ++l) {
    learns.push_back(of_learn(model, model.learns[l], programs.learns[l]));
  }
  json list = json::array();
  for (const tensor::KernelProgram& kernel_program : programs.programs)
    list.push_back(of_program(kernel_program, kernels));
  return {{"abi", VAE_ABI_VERSION},
          {"vaec", VAEC_VERSION},
          {"file", origin.file},
          {"folder", origin.folder},
          {"text", origin.text},
          {"cpu", {{"name", host().cpu}, {"features", host().features}}},
          {"params", model.params},
          {"variables", of_variables(model)},
          {"players", of_players(model)},
          {"columns", columns},
          {"published", published},
          {"sources", of_sources(model, programs)},
          {"splits", of_splits(programs.splits)},
          {"conditionals", of_conditionals(model, programs)},
          {"game", game},
          {"learns", learns},
          {"programs", list},
          {"graphs", describe_graphs(programs.graphs)}};
}

}  // namespace lower
