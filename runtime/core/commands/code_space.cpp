#include "runtime/core/commands/code_space.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/core/evaluation/evaluated_sources.h"
#include "runtime/core/run/generation.h"
#include "runtime/core/run/sample_grid.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

/// Whether some source has data of the variable. Variables that a source draws itself do not count.
bool is_observed(const Image& image, int variable) {
  for (size_t s = 0; s < image.sources.size(); ++s) {
    const Source& source = image.sources[s];
    const bool drawn = std::ranges::any_of(image.conditionals, [&](const Conditional& conditional) {
      return conditional.source == static_cast<int>(s) && conditional.target == variable;
    });
    if (source.program >= 0 && !drawn && std::ranges::count(source.known, variable) > 0) return true;
  }
  return false;
}

}  // namespace

bool is_continuous(const Variable& variable) {
  return variable.domain != "category" && variable.domain != "binary" && variable.domain != "count";
}

CodeSpace::CodeSpace(const Image& image, Sampler& sampler, const std::string& code)
    : image_(image), sampler_(sampler) {
  for (const int variable : generated_variables(image)) {
    const int generating = generating_conditional(image, variable);
    const std::vector<int>& read = image.conditionals[static_cast<size_t>(generating)].parents;
    const bool reads_it = code.empty() || std::ranges::count(read, image.variable(code)) > 0;
    if (read.empty() || !reads_it) continue;
    shown_ = variable;
    generating_ = generating;
    break;
  }
  if (shown_ < 0 && code.empty())
    throw Failure(Exit::bad_configuration, "the model has no codes: no decoder reads a variable");
  choose_code(code);
}

void CodeSpace::choose_code(const std::string& code) {
  if (!code.empty()) {
    code_ = image_.variable(code);
    if (code_ < 0) throw Failure(Exit::usage, fmt::format("--of {}: there is no such variable", code));
    if (shown_ < 0)
      throw Failure(Exit::usage, fmt::format("--of {}: no conditional that generates reads {}", code, code));
    return;
  }
  for (const int parent : parents())
    if (code_ < 0 && !is_observed(image_, parent)) code_ = parent;
  if (code_ < 0) code_ = parents().front();
}

std::optional<DirectOrder> CodeSpace::order_of(int source) const {
  const std::vector<int>& known = image_.sources[static_cast<size_t>(source)].known;
  std::vector<int> wanted;
  for (const int parent : parents())
    if (std::ranges::count(known, parent) == 0) wanted.push_back(parent);
  if (std::ranges::count(known, code_) > 0) return std::nullopt;
  return find_direct_order(image_, {known.begin(), known.end()}, wanted);
}

int CodeSpace::find_source(const std::string& name) {
  if (name.empty()) {
    for (const int source : evaluated_sources(image_, sampler_))
      if (order_of(source)) return source;
    throw Failure(Exit::bad_configuration,
                  fmt::format("no source with rows has what {} can be drawn from directly", variable().name));
  }
  for (size_t s = 0; s < image_.sources.size(); ++s) {
    if (image_.sources[s].name != name) continue;
    const int source = static_cast<int>(s);
    sampler_.require_whole_rows(source, "--source " + name);
    if (image_.sources[s].program < 0 || image_.sources[s].known.empty() || sampler_.source_rows(source) == 0)
      throw Failure(Exit::usage, fmt::format("--source {}: it has no rows of data", name));
    if (!order_of(source))
      throw Failure(
          Exit::bad_configuration,
          fmt::format("--source {}: {} cannot be drawn directly from its rows", name, variable().name));
    return source;
  }
  throw Failure(Exit::usage, fmt::format("--source {}: there is no such source", name));
}

void CodeSpace::check_row(int source, int64_t row) const {
  const int64_t rows = sampler_.source_rows(source);
  if (row >= rows)
    throw Failure(Exit::usage,
                  fmt::format("--row {}: {} has {}, numbered from 0", row,
                              image_.sources[static_cast<size_t>(source)].name, counted(rows, "row")));
}

Values CodeSpace::encode(int source, int64_t first, int64_t rows, bool means) {
  Values values = sampler_.source(source, rows, first);
  const DirectOrder order = *order_of(source);
  for (const int index : order.conditionals) {
    const int target = image_.conditionals[static_cast<size_t>(index)].target;
    const bool mean = means && is_continuous(image_.variables[static_cast<size_t>(target)]);
    values[target] = mean ? sampler_.mean(index, values, rows) : sampler_.draw(index, values, rows);
  }
  return values;
}

Values CodeSpace::draw(int64_t rows) {
  std::optional<Values> codes = draw_codes(sampler_, image_, shown_, rows);
  if (!codes)
    throw Failure(Exit::bad_configuration,
                  fmt::format("nothing gives the codes that {} is drawn from; --source takes those of data",
                              image_.name_of(shown_)));
  return *codes;
}

std::vector<float> CodeSpace::decode(const Values& codes, int64_t rows) {
  return sampler_.mean(generating_, codes, rows);
}

Values CodeSpace::read_by_decoder(const Values& values) const {
  Values read;
  for (const int parent : parents()) read[parent] = values.at(parent);
  return read;
}

}  // namespace core
