#include "runtime/core/learning/optimizer.h"

#include <algorithm>
#include <cmath>

#include "runtime/shared/failure.h"

// The sweeps are compiled for several kinds of processors. The resolver that chooses among them runs before
// sanitizers have started, so with sanitizers there is one version.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

namespace core {
namespace {

constexpr int64_t piece = 1 << 14;            // floats that a thread takes at a time
constexpr int64_t parallel_floats = 1 << 16;  // up to this number, waking threads costs more than the sweep

// The square of a larger gradient overflows. The second moment would then be infinite, and the parameter
// would never change again. The GPU's sweep has the same limit.
constexpr float most_gradient = 0x1p63F;

struct AdamNumbers {
  float beta1, beta2, eps, gradient_scale;
  float lr;           // divided by the first bias correction
  float second_root;  // 1 / sqrt of the second bias correction
  float kept;         // 1 - lr * weight decay
};

FOR_EACH_PROCESSOR
void adam_sweep(float* __restrict parameters, float* __restrict first, float* __restrict second,
                const float* __restrict gradient, int64_t count, AdamNumbers n) {
  for (int64_t i = 0; i < count; ++i) {
    const float scaled = gradient[i] * n.gradient_scale;
    const float bounded = std::min(std::max(scaled, -most_gradient), most_gradient);
    // A gradient that is not finite stays so
    const float g = std::abs(scaled) < HUGE_VALF ? bounded : scaled;
    const float m = n.beta1 * first[i] + (1 - n.beta1) * g;
    const float v = n.beta2 * second[i] + (1 - n.beta2) * g * g;
    first[i] = m;
    second[i] = v;
    parameters[i] = parameters[i] * n.kept + n.lr * m / (std::sqrt(v) * n.second_root + n.eps);
  }
}

FOR_EACH_PROCESSOR
void sgd_sweep(float* __restrict parameters, const float* __restrict gradient, int64_t count, float lr) {
  for (int64_t i = 0; i < count; ++i) parameters[i] += lr * gradient[i];
}

FOR_EACH_PROCESSOR
void momentum_sweep(float* __restrict parameters, float* __restrict buffer, const float* __restrict gradient,
                    int64_t count, float lr, float momentum, float gradient_scale) {
  for (int64_t i = 0; i < count; ++i) {
    buffer[i] = momentum * buffer[i] + gradient_scale * gradient[i];
    parameters[i] += lr * buffer[i];
  }
}

double square_sum(const float* values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += double{values[i]} * values[i];
  return sum;
}

}  // namespace

Optimizer::Optimizer(const Player& player, const OptimizerSettings& settings) : settings_(settings) {
  std::vector<Range> whole;
  for (const Parameter& parameter : player.parameters)
    whole.push_back({parameter.offset, parameter.offset + parameter.elements()});
  std::sort(whole.begin(), whole.end(), [](Range a, Range b) { return a.begin < b.begin; });
  std::vector<Range> joined;
  for (const Range& range : whole) {
    if (!joined.empty() && joined.back().end == range.begin)
      joined.back().end = range.end;
    else
      joined.push_back(range);
  }
  for (const Range& range : joined)
    for (int64_t begin = range.begin; begin < range.end; begin += piece)
      ranges_.push_back({begin, std::min(begin + piece, range.end)});
  for (const Range& range : ranges_) floats_ += range.end - range.begin;
  parallel_ = floats_ > parallel_floats;
  squares_.resize(ranges_.size());
  const std::string& kind = settings.kind;
  if (kind != "adam" && kind != "adamw" && kind != "sgd" && kind != "none")
    throw Failure(Exit::bad_configuration, "there is no optimizer " + kind + ": adam, adamw, sgd or none");
  if (kind == "adam" || kind == "adamw") {
    first_ = Floats(player.elements);
    second_ = Floats(player.elements);
  }
  if (kind == "sgd" && settings.momentum != 0) first_ = Floats(player.elements);
}

void Optimizer::update(float* parameters, const float* gradient, double rate, double clip) {
  if (settings_.kind == "none") return;
  ++steps;
  const auto pieces = static_cast<int64_t>(ranges_.size());
  double scale = 1;
  if (clip > 0) {
#pragma omp parallel for schedule(static) if (parallel_)
    for (int64_t i = 0; i < pieces; ++i) {
      const Range range = ranges_[static_cast<size_t>(i)];
      squares_[static_cast<size_t>(i)] = square_sum(gradient + range.begin, range.end - range.begin);
    }
    double sum = 0;
    for (double square : squares_) sum += square;
    // The same formula as torch.nn.utils.clip_grad_norm_.
    scale = std::min(1.0, clip / (std::sqrt(sum) + 1e-6));
  }
  const double lr = settings_.lr * rate;
  const bool adam = settings_.kind != "sgd";
  const Numbers n = this->numbers(steps, rate);
  const AdamNumbers numbers = {n[0], n[1], n[2], static_cast<float>(scale), n[3], n[4], n[5]};
#pragma omp parallel for schedule(static) if (parallel_)
  for (int64_t i = 0; i < pieces; ++i) {
    const Range range = ranges_[static_cast<size_t>(i)];
    const int64_t begin = range.begin, size = range.end - range.begin;
    if (adam)
      adam_sweep(parameters + begin, first_.data() + begin, second_.data() + begin, gradient + begin, size,
                 numbers);
    else if (first_.size() == 0)
      sgd_sweep(parameters + begin, gradient + begin, size, static_cast<float>(lr * scale));
    else
      momentum_sweep(parameters + begin, first_.data() + begin, gradient + begin, size,
                     static_cast<float>(lr), static_cast<float>(settings_.momentum),
                     static_cast<float>(scale));
  }
}

Optimizer::Numbers Optimizer::numbers(int64_t update, double rate) const {
  const double lr = settings_.lr * rate;
  const auto count = static_cast<double>(update);
  const double first_left = 1 - std::pow(settings_.beta1, count),
               second_left = 1 - std::pow(settings_.beta2, count);
  return {static_cast<float>(settings_.beta1),
          static_cast<float>(settings_.beta2),
          static_cast<float>(settings_.eps),
          static_cast<float>(settings_.kind == "sgd" ? lr : lr / first_left),
          static_cast<float>(1 / std::sqrt(second_left)),
          static_cast<float>(settings_.kind == "adamw" ? 1 - lr * settings_.weight_decay : 1),
          static_cast<float>(settings_.momentum)};
}

std::vector<std::pair<int64_t, int64_t>> Optimizer::ranges() const {
  std::vector<std::pair<int64_t, int64_t>> joined;
  for (const Range& range : ranges_) {
    if (!joined.empty() && joined.back().second == range.begin)
      joined.back().second = range.end;
    else
      joined.emplace_back(range.begin, range.end);
  }
  return joined;
}

std::map<std::string, float*> Optimizer::state() const {
  if (second_.size() > 0) return {{"exp_avg", first_.data()}, {"exp_avg_sq", second_.data()}};
  if (first_.size() > 0) return {{"momentum_buffer", first_.data()}};
  return {};
}

double Optimizer::bytes() const {
  if (settings_.kind == "none") return 0;
  // The gradient is read; parameters and state are read and written.
  const int arrays = 3 + 2 * (first_.size() > 0) + 2 * (second_.size() > 0);
  return static_cast<double>(floats_) * arrays * sizeof(float);
}

double RateSchedule::rate(int64_t step, int64_t steps) const {
  const auto now = static_cast<double>(step), all = static_cast<double>(steps);
  if (kind == "cosine") {
    const double rising = warmup < 1 ? warmup * all : warmup;  // below 1: as a share of all steps
    if (now < rising) return (now + 1) / rising;
    return 0.5 * (1 + std::cos(M_PI * std::min(1.0, (now - rising) / std::max(1.0, all - rising))));
  }
  if (kind == "step" && every >= 1) return std::pow(factor, std::floor(now / every));
  return 1;
}

}  // namespace core
