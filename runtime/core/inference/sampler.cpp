#include "runtime/core/inference/sampler.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/shared/failure.h"

namespace core {

std::set<int> variables_of(const Values& values) {
  std::set<int> variables;
  for (const auto& [variable, numbers] : values) variables.insert(variable);
  return variables;
}

Values some_rows(const Image& image, const Values& values, int64_t all_rows, int64_t first, int64_t rows) {
  Values drawn;
  for (const auto& [variable, numbers] : values) {
    const int64_t width = image.variables[static_cast<size_t>(variable)].elements();
    std::vector<float>& taken = drawn[variable];
    for (int64_t r = 0; r < rows; ++r) {
      const auto begin = numbers.begin() + (first + r) % all_rows * width;
      taken.insert(taken.end(), begin, begin + width);
    }
  }
  return drawn;
}

std::vector<int64_t> most_probable(const float* values, const Variable& variable) {
  const int64_t positions = variable.elements() / variable.classes;
  std::vector<int64_t> best(static_cast<size_t>(positions));
  for (int64_t k = 1; k < variable.classes; ++k)
    for (int64_t i = 0; i < positions; ++i) {
      int64_t& so_far = best[static_cast<size_t>(i)];
      if (values[k * positions + i] > values[so_far * positions + i]) so_far = k;
    }
  return best;
}

Executor& Sampler::program(int index, int64_t rows) {
  const auto found = programs_.find({index, rows});
  if (found != programs_.end()) return found->second;
  const Program& program = session_.image.programs.at(static_cast<size_t>(index));
  session_.rows.open(program);
  std::vector<int64_t> class_sizes;
  for (const BatchClass& batch : program.batches) class_sizes.push_back(batch.times * rows);
  return programs_
      .emplace(std::pair{index, rows}, Executor(session_.image, program, session_.machine, class_sizes))
      .first->second;
}

Executor& Sampler::run(int index, const Values& values, int64_t rows) {
  Executor& executor = program(index, rows);
  for (const auto& [variable, numbers] : values) {
    const std::string& name = session_.image.name_of(variable);
    if (!executor.takes(name)) continue;
    const Executor::Tensor input = executor.input(name);
    if (static_cast<int64_t>(numbers.size()) != input.elements)
      throw Failure(Exit::internal,
                    fmt::format("{} has {} numbers, {} are needed", name, numbers.size(), input.elements));
    std::copy(numbers.begin(), numbers.end(), input.data);
  }
  executor.run(seed_, step_++, {});
  return executor;
}

static std::vector<float> copy(Executor::Tensor tensor) {
  return {tensor.data, tensor.data + tensor.elements};
}

std::vector<float> Sampler::draw(int conditional, const Values& values, int64_t rows) {
  const Conditional& c = session_.image.conditionals[static_cast<size_t>(conditional)];
  return copy(run(c.draw, values, rows).output(session_.image.name_of(c.target)));
}

std::vector<float> Sampler::mean(int conditional, const Values& values, int64_t rows) {
  if (!has_mean(conditional)) return draw(conditional, values, rows);
  return copy(
      run(session_.image.conditionals[static_cast<size_t>(conditional)].mean, values, rows).output("mean"));
}

std::vector<float> Sampler::jacobian(int conditional, const Values& values, int64_t rows) {
  const int program = session_.image.conditionals[static_cast<size_t>(conditional)].jacobian;
  return copy(run(program, values, rows).output("jacobian"));
}

std::vector<float> Sampler::initial(int conditional, int64_t rows) {
  const Conditional& c = session_.image.conditionals[static_cast<size_t>(conditional)];
  return copy(run(c.initial, {}, rows).output(session_.image.name_of(c.target)));
}

std::vector<float> Sampler::log_density(int conditional, const Values& values, int64_t rows) {
  const int program = session_.image.conditionals[static_cast<size_t>(conditional)].log_density;
  return copy(run(program, values, rows).output("log_density"));
}

void Sampler::follow(const DirectOrder& order, Values& values, int64_t rows) {
  for (int conditional : order.conditionals)
    values[session_.image.conditionals[static_cast<size_t>(conditional)].target] =
        draw(conditional, values, rows);
}

Values Sampler::source(int source, int64_t rows, int64_t first) {
  const Source& entry = session_.image.sources.at(static_cast<size_t>(source));
  if (entry.program < 0) return {};
  Executor& executor = program(entry.program, rows);
  session_.rows.note_left_out(source);
  Hooks hooks;
  hooks.gather = [&](int column, int gathered, int64_t count, float* to) {
    if (first < 0)
      session_.rows.gather_random(column, gathered, seed_, step_, count, to);
    else
      session_.rows.gather_in_order(column, gathered, first, count, to);
  };
  executor.run(seed_, step_, hooks);
  ++step_;
  Values values;
  for (int variable : entry.known) values[variable] = copy(executor.output(session_.image.name_of(variable)));
  return values;
}

bool Sampler::has_rows(int source) {
  const Source& entry = session_.image.sources.at(static_cast<size_t>(source));
  if (entry.program < 0) return false;
  session_.rows.open(session_.image.programs.at(static_cast<size_t>(entry.program)));
  if (!session_.rows.misses_all(source)) return true;
  session_.rows.note_left_out(source);
  return false;
}

std::string no_whole_rows(const std::string& source) {
  return fmt::format("each row of source {} has a missing value, and only whole rows can be used here",
                     source);
}

bool Sampler::misses_all(int source) {
  return session_.image.sources[static_cast<size_t>(source)].program >= 0 && !has_rows(source);
}

void Sampler::require_whole_rows(int source, const std::string& asked) {
  if (misses_all(source))
    throw Failure(Exit::bad_data,
                  fmt::format("{}: {}", asked,
                              no_whole_rows(session_.image.sources[static_cast<size_t>(source)].name)));
}

int64_t Sampler::source_rows(int source) { return has_rows(source) ? session_.rows.count(source) : 0; }

}  // namespace core
