#include "runtime/core/inference/conditioner.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/core/execution/phase.h"
#include "runtime/core/execution/philox.h"
#include "runtime/core/inference/shared_batches.h"

namespace core {
namespace {

// Sites of the runtime's own draws. The sites of programs are small numbers, so none is the same.
constexpr uint32_t order_site = 0x50000000u, direction_site = 0x51000000u;

/// One number per row: its projection on a direction of +-1 per element, so that a difference in any element
/// shows.
std::vector<double> along_direction(const std::vector<float>& values, int64_t rows, int variable) {
  const size_t width = values.size() / static_cast<size_t>(rows);
  std::vector<float> direction(width);
  for (size_t i = 0; i < width; ++i)
    direction[i] = philox_uniform(static_cast<uint64_t>(variable), 0, direction_site, i) < 0.5f ? -1 : 1;
  std::vector<double> sums;
  for (auto row = values.begin(); row != values.end(); row += static_cast<std::ptrdiff_t>(width))
    sums.push_back(std::inner_product(direction.begin(), direction.end(), row, 0.0) /
                   std::sqrt(static_cast<double>(width)));
  return sums;
}

}  // namespace

/// What answer() collects: sums for the targets, and the series of each variable in a chain.
struct Conditioner::Sums {
  std::map<int, std::vector<double>> targets;  // [chains * rows * elements]
  std::map<int, std::vector<double>> series;   // per variable of a chain, [sweep][chains * rows]
};

namespace {

std::vector<int> conditionals_of(const Plan& plan) {
  std::vector<int> all;
  for (const Step& step : plan.steps)
    for (const std::vector<int>& group : step.groups) all.insert(all.end(), group.begin(), group.end());
  return all;
}

/// The conditionals whose targets other conditionals read; none if the plan has a chain.
std::vector<int> inner_conditionals(const Image& image, const Plan& plan) {
  std::vector<int> inner;
  if (plan.first_chain() < plan.steps.size()) return inner;
  const std::vector<int> all = conditionals_of(plan);
  for (const int candidate : all)
    if (std::ranges::any_of(all, [&](int other) {
          const std::vector<int>& parents = image.conditionals[static_cast<size_t>(other)].parents;
          return std::ranges::count(parents, image.conditionals[static_cast<size_t>(candidate)].target) > 0;
        }))
      inner.push_back(candidate);
  return inner;
}

}  // namespace

Conditioner::Conditioner(Sampler& sampler, const Image& image, Plan plan, const Effort& effort, uint64_t seed,
                         const std::set<int>& drawn)
    : sampler_(sampler),
      image_(image),
      plan_(std::move(plan)),
      effort_(effort),
      summed_(image, inner_conditionals(image, plan_), plan_.used, drawn),
      seed_(seed) {
  for (const Step& step : plan_.steps)
    for (const std::vector<int>& group : step.groups)
      for (const int id : group)
        if (step.chain) meters_.try_emplace(conditional(id).target, effort.chains, effort.kept());
}

Evidence Conditioner::copies(const Evidence& evidence, int64_t chains) const {
  const auto copy = [&](const Values& values) {
    Values copied;
    for (const auto& [variable, numbers] : values)
      for (int64_t chain = 0; chain < chains; ++chain)
        copied[variable].insert(copied[variable].end(), numbers.begin(), numbers.end());
    return copied;
  };
  return {copy(evidence.values), copy(evidence.masks)};
}

void Conditioner::keep_known(int variable, const Evidence& evidence, std::vector<float>& values) const {
  const auto mask = evidence.masks.find(variable);
  if (mask == evidence.masks.end()) return;
  const std::vector<float>& known = evidence.values.at(variable);
  for (size_t i = 0; i < values.size(); ++i)
    if (mask->second[i] != 0) values[i] = known[i];
}

void Conditioner::start(const Evidence& evidence, Values& state, int64_t rows) {
  for (size_t step = plan_.first_chain(); step < plan_.steps.size(); ++step) {
    if (!plan_.steps[step].chain) continue;
    for (const std::vector<int>& group : plan_.steps[step].groups)
      for (const int id : group) {
        const int target = conditional(id).target;
        state[target] = sampler_.initial(id, rows);
        keep_known(target, evidence, state[target]);
      }
  }
}

void Conditioner::draw_one(int id, const Evidence& evidence, Values& state, int64_t rows, Sums* sums) {
  const int target = conditional(id).target;
  std::vector<float> mean;
  const bool is_target = sums && sums->targets.contains(target);
  if (is_target && sampler_.has_mean(id)) mean = sampler_.mean(id, state, rows);
  std::vector<float> drawn = sampler_.draw(id, state, rows);
  if (is_target) {
    if (mean.empty()) mean = drawn;
    keep_known(target, evidence, mean);
    std::vector<double>& sum = sums->targets[target];
    sum.resize(mean.size());
    for (size_t i = 0; i < mean.size(); ++i) sum[i] += mean[i];
  }
  keep_known(target, evidence, drawn);
  if (sums && sums->series.contains(target)) {
    const std::vector<double> numbers = along_direction(is_target ? mean : drawn, rows, target);
    std::vector<double>& series = sums->series[target];
    series.insert(series.end(), numbers.begin(), numbers.end());
  }
  state[target] = std::move(drawn);
}

void Conditioner::follow(size_t from, size_t to, const Evidence& evidence, Values& state, int64_t rows,
                         Sums* sums) {
  for (size_t step = from; step < to; ++step)
    for (const std::vector<int>& group : plan_.steps[step].groups)
      for (const int id : group) draw_one(id, evidence, state, rows, sums);
}

void Conditioner::sweep(const Evidence& evidence, Values& state, int64_t rows, Sums* sums) {
  const uint64_t sweep = sweeps_done_++;
  for (size_t at = plan_.first_chain(); at < plan_.steps.size(); ++at) {
    const Step& step = plan_.steps[at];
    const uint32_t site = order_site + static_cast<uint32_t>(at);
    for (const int group : sweep_order(step.groups.size(), site, seed_, sweep))
      for (const int id : step.groups[static_cast<size_t>(group)]) draw_one(id, evidence, state, rows, sums);
  }
}

Answer Conditioner::answer(const Evidence& evidence, const std::vector<int>& targets, int64_t rows,
                           int64_t counted) {
  const int64_t chains = effort_.chains, all = rows * chains;
  Answer answer;
  Sums sums;
  if (counted > 0)
    for (const auto& [variable, meter] : meters_) measured_[variable].push_back(meter);
  for (const int target : targets) sums.targets[target] = {};
  const auto keep_draws = [&](const Values& state) {
    for (const int target : targets) {
      const int64_t floats = rows * image_.variables[static_cast<size_t>(target)].elements();
      const std::vector<float>& values = state.at(target);
      answer.draws[target].insert(answer.draws[target].end(), values.begin(), values.begin() + floats);
    }
  };
  for (int64_t sample = 0; sample < effort_.samples; ++sample) {
    // The chains of a row share the draws before them, so any difference between them comes from the chains
    // themselves.
    Values once = evidence.values;
    follow(0, plan_.first_chain(), evidence, once, rows, &sums);
    if (!has_chain()) {
      keep_draws(once);
      continue;
    }
    const Evidence known = copies({once, evidence.masks}, chains);
    Values state = known.values;
    start(known, state, all);
    for (auto& [variable, meter] : meters_) sums.series[variable] = {};
    for (int64_t done = 0; done < effort_.sweeps; ++done)
      sweep(known, state, all, done < effort_.left_out() ? nullptr : &sums);
    measure_mixing(sums, rows, counted);
    keep_draws(state);
  }
  for (const auto& [target, sum] : sums.targets) {
    const auto floats = static_cast<size_t>(rows * image_.variables[static_cast<size_t>(target)].elements());
    const bool swept = !drawn_once(target);
    const int64_t count = effort_.samples * (swept ? chains * effort_.kept() : 1);
    std::vector<float>& mean = answer.means[target];
    for (size_t i = 0; i < floats; ++i) {
      double total = 0;
      for (size_t place = i; place < sum.size(); place += floats) total += sum[place];
      mean.push_back(static_cast<float>(total / static_cast<double>(count)));
    }
  }
  // A state sets all elements of a variable, so it cannot keep elements that are known in part.
  if (!summed_.empty() && evidence.masks.empty()) answer.means = sum_over_states(evidence, targets, rows);
  return answer;
}

bool Conditioner::is_exact() const {
  if (has_chain()) return false;
  const std::vector<int> all = conditionals_of(plan_);
  return std::ranges::all_of(all, [&](int id) {
    const std::vector<int>& parents = conditional(id).parents;
    return sampler_.has_mean(id) && std::ranges::all_of(parents, [&](int parent) {
             return plan_.used.contains(parent) || summed_.variables().contains(parent);
           });
  });
}

Values Conditioner::sum_over_states(const Evidence& evidence, const std::vector<int>& targets, int64_t rows) {
  const int64_t samples = is_exact() ? 1 : effort_.samples;
  std::map<int, std::vector<double>> totals;
  for (int64_t state = 0; state < summed_.states(); ++state) {
    Values given = evidence.values;
    summed_.put(state, rows, given);
    const std::vector<double> log_weight = summed_.log_probability(sampler_, given, rows);
    Sums sums;
    for (const int target : targets)
      if (!summed_.variables().contains(target)) sums.targets[target] = {};
    for (int64_t sample = 0; sample < samples; ++sample) {
      Values values = given;
      for (const int id : conditionals_of(plan_))
        if (!summed_.variables().contains(conditional(id).target))
          draw_one(id, evidence, values, rows, &sums);
    }
    for (const int target : targets) {
      const bool is_summed = summed_.variables().contains(target);
      const auto width = static_cast<size_t>(image_.variables[static_cast<size_t>(target)].elements());
      std::vector<double>& total = totals[target];
      total.resize(static_cast<size_t>(rows) * width);
      for (size_t i = 0; i < total.size(); ++i) {
        const double weight = std::exp(log_weight[i / width]);
        const double mean =
            is_summed ? given.at(target)[i] : sums.targets.at(target)[i] / static_cast<double>(samples);
        if (weight > 0) total[i] += weight * mean;
      }
    }
  }
  Values means;
  for (const auto& [target, total] : totals) means[target].assign(total.begin(), total.end());
  return means;
}

void Conditioner::measure_mixing(const Sums& sums, int64_t rows, int64_t counted) {
  const int64_t all = rows * effort_.chains;
  if (counted == 0) return;
  for (auto& [variable, meters] : measured_) {
    MixingMeter& meter = meters.back();
    const std::vector<double>& series = sums.series.at(variable);
    for (int64_t row = 0; row < counted; ++row) {
      std::vector<double> numbers;
      for (int64_t chain = 0; chain < effort_.chains; ++chain)
        for (int64_t kept = 0; kept < effort_.kept(); ++kept)
          numbers.push_back(series[static_cast<size_t>(kept * all + chain * rows + row)]);
      meter.add(numbers);
    }
  }
}

bool Conditioner::drawn_once(int variable) const {
  for (size_t step = 0; step < plan_.first_chain(); ++step)
    for (const std::vector<int>& group : plan_.steps[step].groups)
      for (const int id : group)
        if (conditional(id).target == variable) return true;
  return false;
}

Values Conditioner::draw(const Evidence& evidence, int64_t rows) {
  Values state = evidence.values;
  follow(0, plan_.first_chain(), evidence, state, rows, nullptr);
  if (!has_chain()) return state;
  start(evidence, state, rows);
  for (int64_t done = 0; done < effort_.sweeps; ++done) sweep(evidence, state, rows, nullptr);
  return state;
}

std::map<int, Mixing> Conditioner::mixing() const {
  std::map<int, Mixing> found;
  for (const auto& [variable, none] : meters_) {
    MixingMeter meter = none;
    if (const auto measured = measured_.find(variable); measured != measured_.end())
      for (const MixingMeter& part : measured->second) meter.add(part);
    found.emplace(variable, meter.result());
  }
  return found;
}

void Conditioner::join_mixing(Ranks& ranks) {
  for (const auto& [variable, none] : meters_) {
    std::vector<MixingMeter>& meters = measured_[variable];
    std::vector<double> own;
    for (const MixingMeter& meter : meters) std::ranges::copy(meter.sums(), std::back_inserter(own));
    const std::vector<double> all = joined(ranks, own);
    const size_t size = none.sums().size();
    meters.assign(all.size() / size, none);
    for (size_t i = 0; i < meters.size(); ++i) meters[i].set_sums(all.data() + i * size);
  }
}

}  // namespace core
