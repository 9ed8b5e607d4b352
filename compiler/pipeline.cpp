#include "compiler/pipeline.h"

#include <filesystem>

#include "compiler/semantics/analyse.h"
#include "compiler/semantics/learn/numbers_when_training.h"
#include "compiler/syntax/parse.h"

namespace vaec {
namespace {

lower::Origin origin_of(const std::string& file, const std::string& text) {
  const std::filesystem::path path = std::filesystem::absolute(file);
  return {path.filename().string(), path.parent_path().string(), text};
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
  std::vector<Simulator> simulators = read_simulators(model, request.path, sources, report);
  if (report.has_errors()) return std::nullopt;
  std::optional<game::MissingGame> missing = game::derive_missing(model, game);
  if (missing) model.splits = missing->splits.size();
  return CheckedModel{std::move(model), std::move(game), std::move(missing), std::move(simulators)};
}

CheckedModel for_executable(CheckedModel checked) {
  semantics::read_numbers_when_training(checked.model);
  if (checked.missing) semantics::read_numbers_when_training(checked.missing->model);
  return checked;
}

lower::Programs build_programs(const CheckedModel& checked, const tensor::Trace& trace,
                               lower::Target target) {
  return tensor::build_model(checked.model, checked.game, checked.missing, trace,
                             target != lower::Target::cpu);
}

lower::Image make_image(const CheckedModel& as_written, const Request& request) {
  const CheckedModel checked = for_executable(as_written);
  std::vector<lower::Simulator> simulators;
  for (const Simulator& simulator : checked.simulators)
    simulators.push_back({simulator.file, simulator.model, tensor::build_draws(simulator.model),
                          origin_of(simulator.path, simulator.text)});
  lower::Origin origin = origin_of(request.path, request.text);
  origin.built_in = request.built_in;
  return {checked.model,
          game::explain_json(checked.model, checked.game),
          build_programs(checked, {}, request.target),
          origin,
          simulators,
          request.target};
}

std::optional<lower::Image> compile(const Request& request, base::SourceSet& sources, base::Report& report) {
  const auto checked = check_model(request, sources, report);
  if (!checked) return std::nullopt;
  return make_image(*checked, request);
}

}  // namespace vaec
