#include "compiler/pipeline.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "compiler/base/text_file.h"
#include "compiler/game/missing.h"
#include "compiler/game/supervised.h"
#include "compiler/game/unlearned.h"
#include "compiler/semantics/analyse.h"
#include "compiler/syntax/parse.h"
#include "compiler/tensor/build_bound.h"
#include "compiler/tensor/build_jacobian.h"
#include "compiler/tensor/build_parameters.h"
#include "compiler/tensor/build_step.h"
#include "compiler/tensor/passes.h"
#include "runtime/learn_keys.h"
#include "runtime/nearest_name.h"

namespace vaec {
namespace {

lower::Origin origin_of(const std::string& file, const std::string& text) {
  const std::filesystem::path path = std::filesystem::absolute(file);
  return {path.filename().string(), path.parent_path().string(), text};
}

/// Makes kernel programs, in the order in which programs are added.
class Scheduler {
 public:
  explicit Scheduler(lower::Programs& programs, tensor::Trace trace = {})
      : programs_(programs), trace_(std::move(trace)) {}

  int add(tensor::Program program) {
    programs_.programs.push_back(tensor::make_kernel_program(std::move(program), trace_));
    return static_cast<int>(programs_.programs.size()) - 1;
  }
  std::vector<lower::Programs::OfPhase> add_all(std::vector<tensor::Phase> phases) {
    std::vector<lower::Programs::OfPhase> added;
    for (tensor::Phase& phase : phases) {
      auto& of_phase = added.emplace_back();
      for (tensor::Stage& stage : phase.stages) {
        auto& of_stage = of_phase.stages.emplace_back();
        of_stage.program = add(std::move(stage.program));
        for (tensor::Chain& chain : stage.chains) {
          auto& of_chain = of_stage.chains.emplace_back();
          of_chain = {chain.source.index, chain.sweeps, chain.site, {}, std::move(chain.tags)};
          for (tensor::Program& part : chain.parts) of_chain.parts.push_back(add(std::move(part)));
        }
      }
      of_phase.program = add(std::move(phase.program));
      of_phase.objective = std::move(phase.objective);
    }
    return added;
  }

 private:
  lower::Programs& programs_;
  tensor::Trace trace_;
};

/// Adds the phases of learn block `l`, in both orders, to `phases`.
template <class Phases>
void add_phases(const tensor::ModelBasis& basis, const game::Game& game, size_t l,
                const semantics::Learn& learn, Scheduler& scheduler, Phases& phases) {
  if (learn.method == "symmetric" || learn.method == "supervised") {
    const game::Game played = learn.method == "supervised" ? game::supervised(basis.model, game) : game;
    phases.alternating = scheduler.add_all(tensor::build_phases(basis, played, learn, false));
    phases.simultaneous = scheduler.add_all(tensor::build_phases(basis, played, learn, true));
    return;
  }
  // There is one objective for all players, so both orders are the same.
  phases.alternating = scheduler.add_all(tensor::build_bound_phases(basis, game.bounds[l], learn));
  phases.simultaneous = phases.alternating;
}

/// Adds the phases for rows with missing values, for learn blocks whose steps are completely compiled.
void add_missing(const game::MissingGame& made, Scheduler& scheduler, lower::Programs& programs) {
  const tensor::ModelBasis basis(made.model);
  for (size_t l = 0; l < made.model.learns.size(); ++l) {
    semantics::Learn learn = made.model.learns[l];
    learn.name += " with missing values";  // the name of its programs
    auto& missing = programs.learns[l].missing;
    for (const game::RefusedSplit& refused : made.refused)
      if (refused.learn == l) missing.refused.push_back(refused);
    missing.splits = made.splits_of(l);
    if (!missing.splits.empty()) add_phases(basis, made.game, l, learn, scheduler, missing);
  }
}

lower::Programs build_programs(const CheckedModel& checked, const tensor::Trace& trace) {
  const semantics::Model& model = checked.model;
  const game::Game& game = checked.game;
  const tensor::ModelBasis basis(model);
  lower::Programs programs;
  Scheduler scheduler(programs, trace);
  const std::optional<std::string> unsupported = tensor::unsupported(model);
  for (size_t l = 0; l < model.learns.size(); ++l) {
    const semantics::Learn& learn = model.learns[l];
    auto& phases = programs.learns.emplace_back();
    if (unsupported) {
      phases.unavailable = *unsupported;
      continue;
    }
    add_phases(basis, game, l, learn, scheduler, phases);
    if (learn.method == "libi") phases.multiplier = tensor::multiplier_coefficient(model);
    phases.skipped = game.bounds[l].skipped;
    phases.unlearned = game::unlearned_lines(model, game, l);
  }
  if (checked.missing) {
    programs.splits = checked.missing->splits;
    if (!unsupported) add_missing(*checked.missing, scheduler, programs);
  }
  for (size_t s = 0; s < model.sources.size(); ++s) {
    const semantics::SourceId source{static_cast<int32_t>(s)};
    programs.source_rows.push_back(scheduler.add(tensor::build_source_rows(basis, source)));
  }
  const bool terms = !unsupported && std::ranges::any_of(model.learns, [&](const semantics::Learn& learn) {
    return semantics::rows_may_miss(model, learn);
  });
  for (size_t c = 0; c < model.conditionals.size(); ++c) {
    const semantics::ConditionalId conditional{static_cast<int32_t>(c)};
    auto& of_conditional = programs.conditionals.emplace_back();
    auto& graphs = programs.graphs.emplace_back();
    graphs = {tensor::build_parameters(basis, conditional), tensor::build_log_density(basis, conditional),
              tensor::build_draw(basis, conditional), tensor::build_mean(basis, conditional)};
    of_conditional.draw = scheduler.add(graphs->sample);
    if (graphs->mean) of_conditional.mean = scheduler.add(*graphs->mean);
    if (auto jacobian = tensor::build_jacobian(basis, conditional))
      of_conditional.jacobian = scheduler.add(std::move(*jacobian));
    of_conditional.log_density = scheduler.add(graphs->log_density);
    if (model[conditional].player.index < 0) graphs.reset();  // a source's own family is not exported
    if (terms && !model[conditional].parameters.empty() && model[conditional].player.index >= 0)
      of_conditional.term = scheduler.add(tensor::build_term(basis, conditional));
    if (model[conditional].player.index >= 0)  // a source's own family is not part of a chain
      of_conditional.initial = scheduler.add(tensor::build_initial(basis, conditional));
  }
  return programs;
}

/// The programs that draw rows of a model: for each conditional, its draw and its first value.
lower::Programs build_draws(const semantics::Model& model) {
  const tensor::ModelBasis basis(model);
  lower::Programs programs;
  Scheduler scheduler(programs);
  for (size_t c = 0; c < model.conditionals.size(); ++c) {
    const semantics::ConditionalId conditional{static_cast<int32_t>(c)};
    auto& of_conditional = programs.conditionals.emplace_back();
    of_conditional.draw = scheduler.add(tensor::build_draw(basis, conditional));
    of_conditional.initial = scheduler.add(tensor::build_initial(basis, conditional));
  }
  return programs;
}

/// Calls `visit` with every reader in a data expression, and with the column that the expression takes from
/// it ("" if it names none).
void for_each_reader(const nlohmann::json& expression, const std::string& column,
                     const std::function<void(const nlohmann::json&, const std::string&)>& visit) {
  if (!expression.is_structured()) return;
  if (expression.is_object() && expression.value("op", "") == "reader") return visit(expression, column);
  const bool names = expression.is_object() && expression.value("op", "") == "column";
  for (const nlohmann::json& part : expression)
    for_each_reader(part, names ? expression.at("name").get<std::string>() : "", visit);
}

/// Removes sources and learn blocks: here the model is only used to draw from its players.
void keep_players(semantics::Model& model) {
  model.sources.clear();
  model.columns.clear();
  model.learns.clear();
  std::erase_if(model.conditionals,
                [](const semantics::Conditional& conditional) { return conditional.player.index < 0; });
}

/// The models from which the program's sources draw, each once. Errors in their files are reported.
std::vector<Simulator> read_simulators(const semantics::Model& model, const Request& request,
                                       base::SourceSet& sources, base::Report& report) {
  std::vector<Simulator> simulators;
  for (const semantics::Column& column : model.columns) {
    for_each_reader(column.expression, "", [&](const nlohmann::json& reader, const std::string& name) {
      if (reader.at("name") != "run") return;
      const auto& given = reader.at("args");
      const std::string file = given.empty() ? reader.at("named").at("file") : given.at(0);
      auto found = std::ranges::find(simulators, file, &Simulator::file);
      if (found == simulators.end()) {
        Simulator simulator{
            file, (std::filesystem::path(request.path).parent_path() / file).string(), {}, {}};
        std::string cause;
        const auto text = base::read_text_file(simulator.path, cause);
        if (!text) {
          report.add(base::E0001, column.span, simulator.path, cause).label("its rows are asked for here");
          return;
        }
        simulator.text = *text;
        const syntax::Tree tree = syntax::parse(sources.add(simulator.path, *text), report);
        if (!report.has_errors()) simulator.model = semantics::analyse(tree, {}, sources, report);
        keep_players(simulator.model);
        found = simulators.insert(simulators.end(), std::move(simulator));
      }
      const auto& variables = found->model.variables;
      if (report.has_errors() || name.empty() ||
          std::ranges::any_of(variables, [&](const auto& variable) { return variable.name == name; }))
        return;
      std::vector<std::string> names;
      for (const auto& variable : variables) names.push_back(variable.name);
      auto& error = report.add(base::E0604, column.span, name);
      if (const auto near = nearest_name(name, names)) error.help("did you mean `" + *near + "`?");
    });
  }
  return simulators;
}

/// Flags may change these numbers, so programs read them from coefficients, as for a key that follows a
/// schedule. If `alpha` or `free_bits` is 0, its term is left out.
void read_numbers_when_training(semantics::Model& model) {
  for (semantics::Learn& learn : model.learns)
    for (const LearnKey& key : own_keys_of(learn.method)) {
      if (key.kind != LearnKey::Kind::number) continue;
      const std::string name(key.name);
      const nlohmann::json value = learn.own.value(name, nlohmann::json(name == "beta" ? 1 : 0));
      if (value.is_object() || (name != "beta" && value == 0)) continue;
      learn.own[name] = {{"kind", "constant"}, {"from", 0}, {"to", value}, {"steps", 1}};
    }
}

}  // namespace

CheckedModel with_numbers_read_when_training(CheckedModel checked) {
  read_numbers_when_training(checked.model);
  if (checked.missing) read_numbers_when_training(checked.missing->model);
  return checked;
}

namespace {

std::string print_programs(const CheckedModel& as_written, const std::string& after) {
  const CheckedModel checked = with_numbers_read_when_training(as_written);
  std::string text;
  const lower::Programs programs =
      build_programs(checked, [&](const char* pass, const tensor::Program& program) {
        if (after == pass) text += tensor::print(program) + "\n";
      });
  if (!after.empty()) return text;
  for (const tensor::KernelProgram& kernel_program : programs.programs)
    text += tensor::print(kernel_program) + "\n";
  return text;
}

}  // namespace

std::optional<CheckedModel> check_model(const Request& request, base::SourceSet& sources,
                                        base::Report& report) {
  const syntax::Tree tree = syntax::parse(sources.add(request.path, request.text), report);
  if (report.has_errors()) return std::nullopt;
  semantics::Model model = semantics::analyse(
      tree, {request.defines, keys_for(request.learn_flags, tree), request.observed}, sources, report);
  if (report.has_errors()) return std::nullopt;
  game::Game game = game::derive(model, report);
  std::vector<Simulator> simulators = read_simulators(model, request, sources, report);
  if (report.has_errors()) return std::nullopt;
  std::optional<game::MissingGame> missing = game::derive_missing(model, game);
  if (missing) model.splits = missing->splits.size();
  return CheckedModel{std::move(model), std::move(game), std::move(missing), std::move(simulators)};
}

lower::Programs build_programs(const CheckedModel& checked) { return build_programs(checked, {}); }

lower::Image make_image(const CheckedModel& as_written, const Request& request) {
  const CheckedModel checked = with_numbers_read_when_training(as_written);
  std::vector<lower::Simulator> simulators;
  for (const Simulator& simulator : checked.simulators)
    simulators.push_back({simulator.file, simulator.model, build_draws(simulator.model),
                          origin_of(simulator.path, simulator.text)});
  lower::Origin origin = origin_of(request.path, request.text);
  origin.built_in = request.built_in;
  return {checked.model,
          game::explain_json(checked.model, checked.game),
          build_programs(checked),
          origin,
          simulators,
          request.target};
}

std::optional<lower::Image> compile(const Request& request, base::SourceSet& sources, base::Report& report) {
  const auto checked = check_model(request, sources, report);
  if (!checked) return std::nullopt;
  return make_image(*checked, request);
}

const std::vector<std::string> stages = {"syntax", "model", "game", "tensor", "llvm", "asm", "ptx", "object"};

std::optional<std::string> print_stage(const std::string& stage, const std::string& after,
                                       const Request& request, base::SourceSet& sources,
                                       base::Report& report) {
  if (stage == "syntax") {
    const syntax::Tree tree = syntax::parse(sources.add(request.path, request.text), report);
    return report.has_errors() ? std::nullopt : std::optional(syntax::print(tree));
  }
  const auto checked = check_model(request, sources, report);
  if (!checked) return std::nullopt;
  if (stage == "model") return semantics::print(checked->model);
  if (stage == "game") return game::explain_text(checked->model, checked->game);
  if (stage == "tensor") return print_programs(*checked, after);
  lower::Image image = make_image(*checked, request);
  if (stage == "llvm") return image.llvm();
  if (stage == "asm") return image.assembly();
  if (stage == "ptx") return image.ptx();
  return image.object();
}

}  // namespace vaec
