#include "runtime/core/learning/step/optimizer.h"

#include <cmath>

#include "runtime/core/learning/step/update_runner.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

/// The program that runs with these settings.
const Program& find_program(const Image& image, const OptimizerSettings& settings) {
  for (const OptimizerProgram& candidate : image.optimizers)
    if (candidate.name == settings.kind &&
        (candidate.needs.empty() || settings.numbers.at(candidate.needs) != 0))
      return image.programs[static_cast<size_t>(candidate.program)];
  throw Failure(Exit::internal, "the image has no program for the optimizer " + settings.kind);
}

}  // namespace

Optimizer::Optimizer(const Image& image, const Player& player, const OptimizerSettings& settings, double clip)
    : settings_(settings), clip_(clip), elements_(player.elements) {
  if (!settings.learns()) return;
  program_ = &find_program(image, settings);
  names_ = numbers_of(*program_);
}

OptimizerState Optimizer::initial_state() const {
  OptimizerState state;
  if (!program_) return state;
  for (const std::string& name : state_of(*program_)) state.moments.emplace(name, elements_);
  return state;
}

void Optimizer::write_numbers(int64_t update, double rate, float* to) const {
  for (const std::string& name : names_) *to++ = static_cast<float>(number(name, update, rate));
}

/// `name` is as in compiler/tensor/build/build_update.h.
double Optimizer::number(const std::string& name, int64_t update, double rate) const {
  const std::string before = "1 / (1 - ", after = "^t)";
  if (name.starts_with(before) && name.ends_with(after)) {
    const std::string base = name.substr(before.size(), name.size() - before.size() - after.size());
    return 1 / (1 - std::pow(settings_.numbers.at(base), static_cast<double>(update)));
  }
  return settings_.numbers.at(name) * (name == "lr" ? rate : 1);
}

double Optimizer::bytes() const { return program_ ? update_bytes(*program_, elements_) : 0; }

std::vector<Optimizer> optimizers_of(const Image& image, const Settings& settings) {
  std::vector<Optimizer> optimizers;
  for (const Player& player : image.players)
    optimizers.emplace_back(image, player, settings.optimizers.at(player.name),
                            settings.clip.at(player.name));
  return optimizers;
}

}  // namespace core
