#include "runtime/core/learning/optimizer.h"

#include <algorithm>
#include <cmath>

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
    : image_(image), settings_(settings), clip_(clip), elements_(player.elements) {
  if (!settings.learns()) return;
  program_ = &find_program(image, settings);
  names_ = numbers_of(*program_);
  numbers_ = Floats(static_cast<int64_t>(names_.size()));
  for (const std::string& name : state_of(*program_)) state_.emplace(name, elements_);
}

void Optimizer::update(const Machine& machine, float* parameters, const float* gradient, double rate) {
  if (!program_) return;
  ++steps;
  write_numbers(steps, rate, numbers_.data());
  if (!runner_)
    runner_ = std::make_unique<UpdateRunner>(
        image_, *program_, machine, UpdateRunner::Memory{elements_, parameters, state(), numbers_.data()},
        clip_);
  runner_->run(gradient);
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

std::map<std::string, float*> Optimizer::state() const {
  std::map<std::string, float*> places;
  for (const auto& [name, values] : state_) places.emplace(name, values.data());
  return places;
}

}  // namespace core
