#include "runtime/core/learning/step/device_steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/core/execution/averages.h"
#include "runtime/core/learning/step/average.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

constexpr int64_t steps_of_table = 512;

}  // namespace

DeviceSteps::DeviceSteps(const StepContext& context)
    : session_(context.session),
      settings_(context.settings),
      optimizers_(context.optimizers),
      state_(context.state),
      device_(*context.session.device) {
  const Image& image = session_.image;
  if (session_.ranks->is_several()) reduction_.emplace(*session_.ranks, device_);
  machine_ = session_.machine;
  machine_.device = &device_;
  machine_.library = device_.library();
  machine_.parameters.clear();
  int64_t numbers = 1;  // the last number belongs to the average
  for (const Optimizer& optimizer : optimizers_) numbers += static_cast<int64_t>(optimizer.number_count());
  numbers_ = device_.allocate(numbers);
  table_ = device_.allocate((steps_of_table + 1) * numbers);  // the last step also prepares one after it
  float* own_numbers = numbers_.data();
  for (size_t player = 0; player < image.players.size(); ++player) {
    const Optimizer& optimizer = optimizers_[player];
    const int64_t elements = optimizer.elements();
    parameters_.push_back(device_.allocate(elements));
    machine_.parameters.push_back(parameters_.back().data());
    auto& states = states_.emplace_back();
    UpdateRunner::Memory memory{elements, parameters_.back().data(), {}, own_numbers};
    for (const auto& [name, host] : state_.optimizers[player].moments) {
      states.push_back({host.data(), device_.allocate(elements)});
      memory.state[name] = states.back().device.data();
    }
    if (settings_.average > 0)
      states.push_back({state_.parameters.average_of(static_cast<int>(player)), device_.allocate(elements)});
    runners_.push_back(optimizer.program()
                           ? std::make_unique<UpdateRunner>(image, *optimizer.program(), machine_,
                                                            std::move(memory), optimizer.clip())
                           : nullptr);
    own_numbers += optimizer.number_count();
  }
  if (reads_averages(image))
    for (const auto& states : states_) machine_.parameters.push_back(states.back().device.data());
  coefficients_ = device_.allocate(static_cast<int64_t>(session_.coefficients.size()));
  machine_.coefficients = coefficients_.data();
  one_ = device_.allocate(1);
  zero_ = device_.allocate(1);
  const float identity = 1;
  device_.upload(one_.data(), &identity, sizeof identity);
  add_own_hooks();
  if (reduction_) add_rank_hooks();
}

void DeviceSteps::add_own_hooks() {
  hooks_.gather = [this](int column, int source, int64_t rows, float* to) {
    gather(column, source, session_.rows.whole(source), batch_rows(session_, settings_, source, rows), to);
  };
  hooks_.gather_pattern = [this](int column, int source, const Pattern& pattern, const BatchRows& rows,
                                 float* to) { gather(column, source, pattern, rows, to); };
  hooks_.update = [this](int player, const float* gradient) { update(player, gradient); };
  hooks_.begin_sweep = [this](uint64_t sweep) {
    device_.launch(1, schema::SetSweep<>{.clock = device_.clock(), .sweep = sweep});
  };
  hooks_.next_sweep = [this] { device_.launch(1, schema::NextSweep<>{.clock = device_.clock()}); };
  hooks_.coefficients_changed = [this] {
    device_.upload(coefficients_.data(), session_.coefficients.data(),
                   session_.coefficients.size() * sizeof(float));
  };
}

const float* DeviceSteps::on_device(const float* coefficient) const {
  return coefficient ? coefficients_.data() + (coefficient - session_.coefficients.data()) : one_.data();
}

void DeviceSteps::begin(const StepWork& work) {
  work_.emplace(work);
  place_terms();
  upload_state();
  hooks_.coefficients_changed();
  fill_table();
}

void DeviceSteps::place_terms() {
  std::vector<const float*> values, coefficients;
  for (const Term& term : work_->terms) {
    Kind& kind = kinds_[kind_of(term)];
    if (kind.terms++ == 0) kind.first_term = static_cast<int64_t>(values.size());
    // A row that does not count, because this rank has no rows of its own, adds nothing.
    values.push_back(term.counts ? term.value : zero_.data());
    coefficients.push_back(on_device(term.coefficient));
  }
  const auto words = 2 * static_cast<int64_t>(values.size());
  values_ = device_.allocate(words);
  their_coefficients_ = device_.allocate(words);
  sums_ = device_.allocate(words);
  bad_ = device_.allocate(words);
  device_.upload(values_.data(), static_cast<const void*>(values.data()), values.size() * sizeof(float*));
  device_.upload(their_coefficients_.data(), static_cast<const void*>(coefficients.data()),
                 coefficients.size() * sizeof(float*));
}

void DeviceSteps::upload_state() {
  for (size_t player = 0; player < parameters_.size(); ++player) {
    const auto bytes = static_cast<size_t>(parameters_[player].size()) * sizeof(float);
    device_.upload(parameters_[player].data(), state_.parameters.of(static_cast<int>(player)), bytes);
    for (const State& state : states_[player]) device_.upload(state.device.data(), state.host, bytes);
  }
}

void DeviceSteps::fetch(bool all) {
  fetch_totals();
  if (!all) return;
  for (size_t player = 0; player < parameters_.size(); ++player) {
    const auto bytes = static_cast<size_t>(parameters_[player].size()) * sizeof(float);
    device_.download(state_.parameters.of(static_cast<int>(player)), parameters_[player].data(), bytes);
    for (const State& state : states_[player]) device_.download(state.host, state.device.data(), bytes);
  }
}

void DeviceSteps::set_clock(uint64_t step) {
  const uint64_t clock[] = {settings_.seed, step, step, step};
  device_.upload(device_.clock(), clock, sizeof clock);
}

/// Uploads the numbers for the updates of the coming steps, and prepares the first of these steps: sets the
/// clock to it. Each step prepares the one after it.
void DeviceSteps::fill_table() {
  std::vector<float> table(static_cast<size_t>(table_.size()));
  float* row = table.data();
  for (int64_t ahead = 0; ahead <= steps_of_table; ++ahead) {
    const double rate = settings_.schedule.rate(state_.step + ahead, settings_.steps);
    for (size_t player = 0; player < optimizers_.size(); ++player) {
      optimizers_[player].write_numbers(state_.optimizers[player].updates + ahead + 1, rate, row);
      row += optimizers_[player].number_count();
    }
    *row++ = settings_.average > 0
                 ? static_cast<float>(average_share(settings_.average, state_.averaged_steps + ahead + 1))
                 : 0;
  }
  device_.upload(table_.data(), table.data(), table.size() * sizeof(float));
  device_.upload(numbers_.data(), table.data(), static_cast<size_t>(numbers_.size()) * sizeof(float));
  set_clock(static_cast<uint64_t>(state_.step));
  table_begin_ = state_.step;
}

void DeviceSteps::do_step(PhaseRange phases) {
  const size_t number = work_->has_one_phase ? phases.first : 0;
  Kind& kind = kinds_[number];
  // The table assumes that a player which is updated now is updated in all of its steps.
  if (state_.step - table_begin_ >= steps_of_table || number != kind_) fill_table();
  kind_ = number;
  const auto step = static_cast<uint64_t>(state_.step);
  draw_rows(step);
  counting_ = kind.updates.empty() ? &kind : nullptr;
  const auto work = [&] {
    for (size_t phase = phases.first; phase < phases.end; ++phase)
      work_->phases[phase]->run(settings_.seed, step, hooks_);
    if (settings_.average > 0) add_to_averages();
    const int64_t words = 2 * kind.first_term;  // in words: a pointer, a double or a step number has two
    const auto from = [&](const Floats& list) { return static_cast<void*>(list.data() + words); };
    device_.launch(1, schema::EndStep<>{.clock = device_.clock(),
                                        .values = static_cast<const float**>(from(values_)),
                                        .coefficients = static_cast<const float**>(from(their_coefficients_)),
                                        .sums = static_cast<double*>(from(sums_)),
                                        .bad = static_cast<int64_t*>(from(bad_)),
                                        .count = kind.terms,
                                        .table = table_.data(),
                                        .numbers = numbers_.data(),
                                        .width = numbers_.size()});
  };
  bool fixed = true;
  for (size_t phase = phases.first; phase < phases.end; ++phase)
    fixed = fixed && !work_->phases[phase]->has_chains();
  if (fixed)
    device_.run(kind.recording, work);
  else
    work();
  for (const auto& [player, times] : kind.updates) {
    if (times != 1)
      throw Failure(Exit::internal, fmt::format("a step updates player {} {} times", player, times));
    ++state_.optimizers[static_cast<size_t>(player)].updates;
  }
  if (settings_.average > 0) ++state_.averaged_steps;
  counting_ = nullptr;
  if (reduction_) reduction_->end_step();
}

void DeviceSteps::look(size_t phase, uint64_t batch) {
  set_clock(batch);
  draw_rows(batch);
  Hooks looking = hooks_;
  looking.update = [](int, const float*) {};
  looking.reduce = {};
  work_->phases[phase]->run(settings_.seed, batch, looking);
  table_begin_ = state_.step - steps_of_table;  // so that the next step sets the clock and the table again
}

float DeviceSteps::value(const Term& term) {
  float value = 0;
  if (!term.counts) return value;
  device_.download(&value, term.value, sizeof value);
  return value;
}

/// Adds the sums of the steps since the last call to the totals of the terms.
void DeviceSteps::fetch_totals() {
  const size_t count = work_->terms.size();
  std::vector<double> sums(count);
  std::vector<int64_t> bad(count);  // the first step after which the term was not finite; 0: none
  device_.download(sums.data(), sums_.data(), count * sizeof(double));
  device_.download(bad.data(), bad_.data(), count * sizeof(int64_t));
  const std::vector<double> zeros(count, 0.0);
  device_.upload(sums_.data(), zeros.data(), count * sizeof(double));
  refuse_unless_finite(bad);
  for (size_t i = 0; i < count; ++i) work_->terms[i].total->sum += sums[i];
}

const DeviceSteps::Resident& DeviceSteps::resident(const Place& place, const Pattern& pattern) {
  const auto [entry, fresh] = columns_.try_emplace(place);
  Resident& resident = entry->second;
  if (!fresh) return resident;
  const auto [column, source, first] = place;
  const int variable = session_.image.columns[static_cast<size_t>(column)].variable;
  // If all rows miss the variable, one row stands for all, because nobody reads it. If each row misses
  // something, and none is learned from, that row is zero.
  const bool empty = pattern.count == 0;
  resident.count = empty || pattern.missing.contains(variable) ? 1 : pattern.count;
  resident.width = session_.image.variables[static_cast<size_t>(variable)].elements();
  resident.rows = device_.allocate(resident.count * resident.width);
  constexpr int64_t piece = 1024;
  std::vector<float> host(static_cast<size_t>(std::min(piece, resident.count) * resident.width));
  for (int64_t row = 0; row < resident.count; row += piece) {
    const int64_t count = std::min(piece, resident.count - row);
    if (!empty) session_.rows.gather_in_order(column, source, pattern, row, count, host.data());
    device_.upload(resident.rows.data() + row * resident.width, host.data(),
                   static_cast<size_t>(count * resident.width) * sizeof(float));
  }
  return resident;
}

const DeviceSteps::Drawn& DeviceSteps::drawn(const Place& place, const BatchRows& rows) {
  const auto [entry, fresh] = drawn_.try_emplace(place);
  Drawn& drawn = entry->second;
  if (!fresh) return drawn;
  const DataColumn& column = session_.image.columns[static_cast<size_t>(place.column)];
  drawn.of_batch = rows;
  const int64_t width = session_.image.variables[static_cast<size_t>(column.variable)].elements();
  drawn.rows = device_.allocate(rows.rows * width);
  drawn.host.resize(static_cast<size_t>(rows.rows * width));
  draw(place, drawn);
  return drawn;
}

/// Rows of another model or of a peer have no missing values, even if other columns of the source have some.
void DeviceSteps::draw(const Place& place, Drawn& drawn) {
  const auto [column, source, first] = place;
  session_.rows.gather_random(column, source, session_.rows.whole(source), settings_.seed, step_of_draws_,
                              drawn.of_batch, drawn.host.data());
  device_.upload(drawn.rows.data(), drawn.host.data(), drawn.host.size() * sizeof(float));
}

void DeviceSteps::draw_rows(uint64_t step) {
  step_of_draws_ = step;
  for (auto& [place, drawn] : drawn_) draw(place, drawn);
}

void DeviceSteps::gather(int column, int source, const Pattern& pattern, const BatchRows& rows, float* to) {
  const Place place = {column, source, rows.place};
  if (schema::is_drawn_at_every_step(session_.image.columns[static_cast<size_t>(column)].expression)) {
    const Drawn& from = drawn(place, rows);
    if (from.of_batch.rows != rows.rows)
      throw Failure(Exit::internal, "a step takes batches of two sizes from a source");
    return device_.copy(to, from.rows.data(), from.host.size() * sizeof(float));
  }
  const Resident& from = resident(place, pattern);
  device_.launch(rows.rows, schema::GatherRows<>{.clock = device_.clock(),
                                                 .site = 0x40000000U + static_cast<uint32_t>(source),
                                                 .place = static_cast<uint32_t>(rows.place + rows.first),
                                                 .data = from.rows.data(),
                                                 .rows = from.count,
                                                 .width = from.width,
                                                 .to = to});
}

void DeviceSteps::add_to_averages() {
  float* share = numbers_.data() + numbers_.size() - 1;
  for (size_t player = 0; player < parameters_.size(); ++player) {
    float *parameters = parameters_[player].data(), *average = states_[player].back().device.data();
    const int64_t count = parameters_[player].size(), blocks = device_.blocks_for(count);
    if (count == 0) continue;
    device_.launch(blocks, schema::MoveAverage<>{
                               .parameters = parameters, .average = average, .share = share, .count = count});
  }
}

void DeviceSteps::update(int player, const float* gradient) {
  const auto& runner = runners_[static_cast<size_t>(player)];
  if (!runner) return;
  if (counting_) ++counting_->updates[player];
  runner->run(gradient);
}

}  // namespace core
