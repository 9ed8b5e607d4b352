// The command `bench`: times training steps of the model, without a run directory, and shows where the time
// goes.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "runtime/core/commands/commands.h"
#include "runtime/core/commands/training/count_steps.h"
#include "runtime/core/commands/training/machine_of_rank.h"
#include "runtime/core/commands/training/stopwatch.h"
#include "runtime/core/learning/trainer.h"
#include "runtime/core/machine/peaks.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/core/run/elapsed.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"
#include "runtime/shared/printable.h"

namespace core {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr int warming = 3;        // steps that fill the caches, start the threads and read rows of data
constexpr double enough = 3;      // seconds, if the number of steps is not given
constexpr int64_t few_steps = 5;  // at least, no matter how slow they are
constexpr int64_t most_steps = 2000;
constexpr size_t most_listed = 25;  // kernels in the table

struct Times {
  std::vector<double> steps;  // seconds of each step without a watch
  Stopwatch kernels;          // kernels of equally many steps with a watch
};

/// Steps with and without a watch alternate, so that a change in the machine's speed affects both.
void measure(Trainer& trainer, int64_t steps, Times& times) {
  for (int i = 0; i < warming; ++i) trainer.do_step();
  const auto started = steady_clock::now();
  for (int64_t done = 0;
       steps > 0 ? done < steps : done < few_steps || (done < most_steps && seconds_since(started) < enough);
       ++done) {
    const auto begin = steady_clock::now();
    trainer.do_step();
    times.steps.push_back(seconds_since(begin));
    trainer.tell(&times.kernels);
    trainer.do_step();
    trainer.tell(nullptr);
    times.kernels.end_step();
  }
}

/// The time that rank 0 waited for other ranks, per step.
struct Communication {
  double waiting = 0, bytes = 0;
};

/// Times steps of several ranks. Each must make as many steps as the others, so rank 0 says how many.
Communication measure_ranks(Trainer& trainer, Ranks& ranks, int64_t steps, Times& times) {
  for (int i = 0; i < warming; ++i) trainer.do_step();
  const auto begun = steady_clock::now();
  for (int64_t i = 0; i < few_steps; ++i) trainer.do_step();
  const double step = seconds_since(begun) / static_cast<double>(few_steps);
  const auto fitting = std::clamp(static_cast<int64_t>(enough / step), few_steps, most_steps);
  const int64_t count = std::stoll(ranks.from_first(std::to_string(steps > 0 ? steps : fitting)));
  Communication found;
  const auto one_step = [&] {
    trainer.take_waiting();
    trainer.take_bytes();
    const auto start = steady_clock::now();
    trainer.do_step();
    return seconds_since(start);
  };
  for (int64_t i = 0; i < count; ++i) {
    times.steps.push_back(one_step());
    found.waiting += trainer.take_waiting() / static_cast<double>(count);
    found.bytes = trainer.take_bytes();
    trainer.tell(&times.kernels);
    trainer.do_step();
    trainer.tell(nullptr);
    times.kernels.end_step();
  }
  return found;
}

double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

json kernel_json(const Kernel& kernel, const Trainer& trainer, const Peaks& peaks, double all) {
  const Work& work = kernel.work;
  json line = {{"name", work.name},
               {"kind", name_of(work.kind)},
               {"calls", kernel.calls},
               {"milliseconds", 1e3 * kernel.seconds},
               {"share", kernel.seconds / all}};
  if (!work.shape.empty()) line["shape"] = work.shape;
  if (!kernel.implementation.empty()) line["implementation"] = kernel.implementation;
  if (kernel.seconds <= 0) return line;
  const double a_second = kernel.calls / kernel.seconds;
  if (work.flops > 0) {
    line["gigaflops_per_second"] = 1e-9 * work.flops * a_second;
    line["of_peak"] = work.flops * a_second / peaks.flops;
    return line;
  }
  const double bytes = work.player >= 0 ? trainer.update_bytes(work.player) : work.bytes;
  line["gigabytes_per_second"] = 1e-9 * bytes * a_second;
  line["of_peak"] = bytes * a_second / peaks.bytes;
  return line;
}

/// Times steps on a GPU. The host only enqueues steps, so it enqueues many and then waits for the last one.
/// With several ranks, rank 0 says how many.
json measure_device(const Session& session, Trainer& trainer, const Settings& settings, int64_t steps) {
  Ranks& ranks = *session.ranks;
  constexpr double long_block = 0.1;  // seconds
  for (int i = 0; i < warming; ++i) trainer.do_step();
  trainer.fetch(false);
  const auto block_of = [&](int64_t count) {
    const auto begin = steady_clock::now();
    for (int64_t i = 0; i < count; ++i) trainer.do_step();
    trainer.fetch(false);
    return seconds_since(begin);
  };
  int64_t block = std::clamp<int64_t>(static_cast<int64_t>(long_block / block_of(1)), 1, most_steps);
  if (steps > 0) block = std::min(block, steps);
  block = std::stoll(ranks.from_first(std::to_string(block)));
  std::vector<double> times;
  const auto started = steady_clock::now();
  const auto goes_on = [&](int64_t done) {
    return steps > 0 ? done < steps : done < few_steps || seconds_since(started) < enough;
  };
  for (int64_t done = 0; ranks.from_first(goes_on(done)); done += block)
    times.push_back(block_of(block) / static_cast<double>(block));
  const double step = median(times);
  json result = {{"device", session.device->name()},
                 {"precision", settings.precision},
                 {"cudnn_benchmark", session.cudnn_benchmark},
                 {"block", block},
                 {"blocks", times.size()},
                 {"steps_per_second", 1 / step},
                 {"milliseconds", 1e3 * step}};
  if (ranks.is_several())
    result["ranks"] = {
        {"size", ranks.size()}, {"transport", ranks.transport()}, {"nccl", nccl::Library::get().version()}};
  return result;
}

json results(const Session& session, const Trainer& trainer, const Settings& settings, const Times& times,
             double peak_memory) {
  const Peaks peaks = measure_peaks(session.machine.threads, 0.3, precision_of(settings));
  const std::vector<Kernel> kernels = times.kernels.kernels();
  const double step = median(times.steps);
  double flops = 0, all = 0;
  for (const Kernel& kernel : kernels) {
    flops += kernel.calls * kernel.work.flops;
    all += kernel.seconds;
  }
  json lines = json::array();
  for (const Kernel& kernel : kernels) lines.push_back(kernel_json(kernel, trainer, peaks, all));
  return {
      {"program", session.image.file},
      {"learn", settings.learn},
      {"batch", settings.batch},
      {"device", "cpu"},
      {"backend", session.machine.library->name},
      {"precision", settings.precision},
      {"threads", session.machine.threads},
      {"peak", {{"gigaflops_per_second", 1e-9 * peaks.flops}, {"gigabytes_per_second", 1e-9 * peaks.bytes}}},
      {"steps", times.steps.size()},
      {"steps_per_second", 1 / step},
      {"milliseconds", 1e3 * step},
      {"fastest_tenth_milliseconds", 1e3 * quantile(times.steps, 0.1)},
      {"slowest_tenth_milliseconds", 1e3 * quantile(times.steps, 0.9)},
      {"gigaflops", 1e-9 * flops},
      {"of_peak", flops / step / peaks.flops},
      {"kernels_milliseconds", 1e3 * all},
      {"peak_memory_megabytes", peak_memory},
      {"kernels", lines},
      {"devices",
       {{{"device", "cpu"},
         {"precision", settings.precision},
         {"steps_per_second", 1 / step},
         {"milliseconds", 1e3 * step}}}}};
}

/// The peak memory of this process so far.
double peak_memory_megabytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

std::string calls_text(double calls) {
  return calls == std::round(calls) ? fmt::format("{:.0f}", calls) : fmt::format("{:.2f}", calls);
}

void print_table(const json& all) {
  std::vector<std::string> batches;
  for (const auto& [source, rows] : all["batch"].items())
    batches.push_back(fmt::format("{}={}", source, rows.get<int64_t>()));
  const auto number = [&](const char* key) { return all[key].get<double>(); };
  fmt::print("{}, learn {}, batch {}\n", printable(all["program"].get<std::string>()),
             all["learn"].get<std::string>(), fmt::join(batches, ", "));
  if (const json& gpu = all["devices"].back(); gpu["device"] != "cpu")
    fmt::print(
        "{}{}, {}: {:.1f} steps a second: {:.4f} ms (median of {} times {} steps; the host waits after each "
        "{})\n",
        gpu.contains("ranks") ? fmt::format("{} ranks with a GPU each, ", gpu["ranks"]["size"].get<int>())
                              : "",
        gpu["device"].get<std::string>(), gpu["precision"].get<std::string>(),
        gpu["steps_per_second"].get<double>(), gpu["milliseconds"].get<double>(),
        gpu["blocks"].get<int64_t>(), gpu["block"].get<int64_t>(), gpu["block"].get<int64_t>());
  if (!all.contains("kernels")) return;
  fmt::print("{} ({}), {}: {:.0f} GFLOP/s of {}, {:.1f} GB/s of memory\n", all["device"].get<std::string>(),
             all["backend"].get<std::string>(), counted(all["threads"].get<int>(), "thread"),
             all["peak"]["gigaflops_per_second"].get<double>(),
             all["precision"] == "bf16" ? "bf16 products" : "fused multiply-adds",
             all["peak"]["gigabytes_per_second"].get<double>());
  fmt::print(
      "{:.1f} steps a second: {:.3f} ms (median of {}; a tenth under {:.3f}, a tenth above {:.3f}), "
      "{:.3f} GFLOP, {:.0f} % of the peak\n",
      number("steps_per_second"), number("milliseconds"), all["steps"].get<int64_t>(),
      number("fastest_tenth_milliseconds"), number("slowest_tenth_milliseconds"), number("gigaflops"),
      100 * number("of_peak"));
  fmt::print("{:.0f} MB of memory at most\n", number("peak_memory_megabytes"));
  if (const auto ranks = all.find("ranks"); ranks != all.end())
    fmt::print(
        "{} ranks ({}): rank 0 waits {:.3f} ms of a step for the sums of {:.2f} MB of gradients, {:.1f} % of "
        "the "
        "step\n",
        ranks->at("size").get<int64_t>(), ranks->at("transport").get<std::string>(),
        ranks->at("waiting_milliseconds").get<double>(), ranks->at("megabytes").get<double>(),
        100 * ranks->at("share_of_communication").get<double>());
  fmt::print("\n");
  fmt::print("{:>6}  {:>9}  {:>5}  {:>7}  kernel\n", "share", "ms", "calls", "of peak");
  size_t place = 0;
  double rest = 0;
  for (const json& kernel : all["kernels"]) {
    if (++place > most_listed) {
      rest += kernel["milliseconds"].get<double>();
      continue;
    }
    const bool computes = kernel.contains("gigaflops_per_second");
    fmt::print("{:>4.1f} %  {:>9.4f}  {:>5}  {:>3.0f} % {}  {}{}{}\n", 100 * kernel["share"].get<double>(),
               kernel["milliseconds"].get<double>(), calls_text(kernel["calls"].get<double>()),
               100 * kernel.value("of_peak", 0.0), computes ? 'f' : 'm', kernel["name"].get<std::string>(),
               kernel.contains("shape") ? "  " + kernel["shape"].get<std::string>() : "",
               kernel.contains("implementation")
                   ? fmt::format("  ({})", kernel["implementation"].get<std::string>())
                   : "");
  }
  if (place > most_listed)
    fmt::print("{:>4.1f} %  {:>9.4f}  {} others\n", 100 * rest / number("kernels_milliseconds"), rest,
               place - most_listed);
  fmt::print("100.0 %  {:>9.4f}  in kernels\n", number("kernels_milliseconds"));
}

/// Times steps on a GPU; null if the machine is not a GPU.
json time_device(const Image& image, const MachineRequest& machine, const Settings& settings, int64_t steps,
                 Ranks& ranks) {
  if (gpu_of(machine.device) < 0) return {};
  Session session(image, machine);
  session.ranks = &ranks;
  Trainer trainer(session, settings, initial_state(session, settings));
  ranks.agree();
  ranks.settle();
  json result = measure_device(session, trainer, settings, steps);
  ranks.unsettle();
  return result;
}

json time_processor(const Image& image, const BenchRequest& request, const Settings& settings,
                    bool beside_gpu, Ranks& ranks) {
  MachineRequest machine = request;
  machine.device = "cpu";
  machine.cudnn_benchmark = request.cudnn_benchmark && !beside_gpu;
  machine.precision = precision_of(settings);
  ranks.share_cores(machine);
  Session session(image, machine);
  session.ranks = &ranks;
  Trainer trainer(session, settings, initial_state(session, settings));
  Times times;
  if (!ranks.is_several()) {
    measure(trainer, request.steps, times);
    return results(session, trainer, settings, times, peak_memory_megabytes());
  }
  ranks.agree();
  ranks.settle();
  const Communication found = measure_ranks(trainer, ranks, request.steps, times);
  // The peaks are measured while the other ranks are idle.
  json all = ranks.is_first() ? results(session, trainer, settings, times, peak_memory_megabytes()) : json();
  if (ranks.is_first())
    all["ranks"] = {{"size", ranks.size()},
                    {"transport", ranks.transport()},
                    {"waiting_milliseconds", 1e3 * found.waiting},
                    {"megabytes", 1e-6 * found.bytes},
                    {"share_of_communication", found.waiting / median(times.steps)}};
  return all;
}

}  // namespace

static void bench_on(const Image& image, const BenchRequest& request, Ranks& ranks) {
  Settings settings = settings_of(find_learn(image, request.learn), image);
  override_keys(settings, request.overrides);
  fit_to_program(settings, image);
  check(settings, image);
  if (!request.count.empty()) {
    if (ranks.is_several())
      throw Failure(Exit::usage, "--count counts the work of one process: use --ranks 1");
    const json count = count_steps(image, request, settings);
    return request.json ? fmt::print("{}\n", count.dump(2)) : print_count(count);
  }
  json all = {{"program", image.file},
              {"learn", settings.learn},
              {"batch", settings.batch},
              {"devices", json::array()}};
  json gpu;
  const bool may_choose = request.device == "auto";
  try {
    const LearningMachine machine = machine_of_rank(image, request, settings, ranks);
    if (!machine.why_no_gpu.empty())
      print_error("note: no GPU is timed: {}\n", printable(machine.why_no_gpu));
    gpu = time_device(image, machine.request, settings, request.steps, ranks);
  } catch (const Failure& failure) {
    // With several ranks, one alone cannot go on.
    if (!may_choose || failure.exit_code != Exit::bad_configuration || ranks.is_several()) throw;
    print_error("note: no GPU is timed: {}\n", failure.what());
  }
  // If the user asked for a GPU by name, or for a precision that only a GPU has, the processor is not timed.
  if (gpu.is_null() || (may_choose && settings.precision != "tf32"))
    all = time_processor(image, request, settings, !gpu.is_null(), ranks);
  if (!ranks.is_first()) return;
  if (!gpu.is_null()) all["devices"].push_back(gpu);
  if (request.json)
    fmt::print("{}\n", all.dump(2));
  else
    print_table(all);
}

void bench(const Image& image, const BenchRequest& request) {
  Ranks ranks(request.ranks, image.file + " bench");
  ranks.run([&] {
    bench_on(image, request, ranks);
    return 0;
  });
}

}  // namespace core
