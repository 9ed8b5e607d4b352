// What the steps of a GPU do together with other ranks.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "runtime/core/learning/step/device_steps.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/shared/failure.h"

namespace core {

void DeviceSteps::add_rank_hooks() {
  hooks_.reduce = [this](int player, float* gradient) {
    const auto index = static_cast<size_t>(player);
    if (runners_[index]) reduction_->sum(gradient, session_.image.players[index].elements);
  };
  hooks_.sum_ranks = [this](int source, float* values, int64_t count) {
    if (!work_->shares[static_cast<size_t>(source)].counts) device_.clear(values, count);
    reduction_->sum(values, count);
  };
}

/// `bad`: per term, the first step after which it was not finite, or 0. All ranks leave with the earliest of
/// them.
void DeviceSteps::refuse_unless_finite(const std::vector<int64_t>& bad) {
  const auto step_of = [](int64_t step) { return step > 0 ? step : std::numeric_limits<int64_t>::max(); };
  const auto first = std::ranges::min_element(bad, {}, step_of);
  std::string own;
  if (first != bad.end() && *first > 0) {
    try {
      refuse(session_.image, work_->terms[static_cast<size_t>(first - bad.begin())], *first,
             std::string("infinite or not a number") + diverged);
    } catch (const Failure& failure) {
      if (!reduction_) throw;
      own = fmt::format("{:020} {}", *first, failure.what());
    }
  }
  if (!reduction_) return;
  const std::vector<std::string> all = session_.ranks->gather(own);
  constexpr size_t digits = 20;  // the greater of two texts is the later step; an empty one is none
  const auto earliest = std::ranges::min_element(all, {}, [](const std::string& text) {
    return text.empty() ? std::string(digits, '~') : text.substr(0, digits);
  });
  if (!earliest->empty())
    throw SharedFailure(Exit::diagnostics, earliest->substr(digits + 1), session_.ranks->is_first());
}

}  // namespace core
