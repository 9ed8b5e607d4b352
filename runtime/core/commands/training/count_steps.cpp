#include "runtime/core/commands/training/count_steps.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

#include "runtime/core/execution/session.h"
#include "runtime/core/learning/trainer.h"
#include "runtime/core/machine/counted_device.h"
#include "runtime/shared/printable.h"

namespace core {
namespace {

using nlohmann::json;

constexpr int64_t steps_to_count = 12;  // enough for each order of a chain and each phase of libi
/// The time that a GPU takes from one node of a graph to the next. It is assumed, not published.
constexpr double node_seconds = 2e-6;
constexpr size_t most_counted = 25;

struct KindWords {
  NodeKind kind;
  const char *key, *text;
};
constexpr std::array kind_words = {KindWords{NodeKind::loop, "loops", "generated kernels"},
                                   KindWords{NodeKind::product, "products", "matrix products"},
                                   KindWords{NodeKind::convolution, "convolutions", "convolutions"},
                                   KindWords{NodeKind::copy, "copies", "copies"},
                                   KindWords{NodeKind::runtime, "runtime", "runtime kernels"}};

struct CountSum {
  double nodes = 0, bytes = 0, flops = 0, seconds = 0;
};

json counted_json(const CountSum& sum, double steps) {
  return {{"nodes", sum.nodes / steps},
          {"megabytes", 1e-6 * sum.bytes / steps},
          {"gigaflops", 1e-9 * sum.flops / steps},
          {"roofline_microseconds", 1e6 * sum.seconds / steps}};
}

}  // namespace

json count_steps(const Image& image, const BenchRequest& request, const Settings& settings) {
  const Card& card = card_of(request.count);
  MachineRequest machine = request;
  machine.precision = precision_of(settings);
  machine.counted = &card;
  Session session(image, machine);
  auto& device = dynamic_cast<CountedDevice&>(*session.device);
  Trainer trainer(session, settings, initial_state(session, settings));
  trainer.do_step();  // the first step allocates memory, and a GPU would not record it
  device.begin_count();
  const int64_t count = request.steps > 0 ? request.steps : steps_to_count;
  for (int64_t i = 0; i < count; ++i) trainer.do_step();

  const auto steps = static_cast<double>(count);
  const double peak = card.flops(machine.precision);
  CountSum all;
  double alone = 0;
  std::map<NodeKind, CountSum> by_kind;
  std::map<std::pair<NodeKind, std::string>, CountSum> by_name;
  for (const CountedNode& node : device.nodes()) {
    const double seconds = std::max(node.bytes / card.bytes, node.flops / peak);
    for (CountSum* sum : {&all, &by_kind[node.kind], &by_name[{node.kind, node.name}]}) {
      sum->nodes += 1;
      sum->bytes += node.bytes;
      sum->flops += node.flops;
      sum->seconds += seconds;
    }
    alone += node.in_graph ? 0 : 1;
  }
  json sums = json::object();
  std::vector<json> kernels;
  for (const KindWords& words : kind_words) sums[words.key] = counted_json(by_kind[words.kind], steps);
  for (const auto& [key, sum] : by_name) {
    json line = counted_json(sum, steps);
    line["name"] = key.second;
    line["kind"] = std::ranges::find(kind_words, key.first, &KindWords::kind)->key;
    kernels.push_back(std::move(line));
  }
  std::ranges::stable_sort(kernels, std::greater<>(), [](const json& line) {
    return std::pair(line["roofline_microseconds"].get<double>(), line["nodes"].get<double>());
  });
  return {{"program", image.file},
          {"learn", settings.learn},
          {"batch", settings.batch},
          {"precision", settings.precision},
          {"card", {{"name", card.name}, {"source", card.source}}},
          {"steps", count},
          {"graphs", static_cast<double>(device.graphs()) / steps},
          {"nodes", all.nodes / steps},
          {"nodes_outside_graphs", alone / steps},
          {"uploaded_megabytes", 1e-6 * device.uploaded() / steps},
          {"kinds", sums},
          {"gigaflops", 1e-9 * all.flops / steps},
          {"megabytes", 1e-6 * all.bytes / steps},
          {"roofline_milliseconds", 1e3 * all.seconds / steps},
          {"estimated_milliseconds", 1e3 * (all.seconds + node_seconds * all.nodes) / steps},
          {"kernels", kernels}};
}

void print_count(const json& count) {
  const auto number = [](const json& at, const char* key) { return at[key].get<double>(); };
  std::vector<std::string> batches;
  for (const auto& [source, rows] : count["batch"].items())
    batches.push_back(fmt::format("{}={}", source, rows.get<int64_t>()));
  fmt::print("{}, learn {}, batch {}\n", printable(count["program"].get<std::string>()),
             count["learn"].get<std::string>(), fmt::join(batches, ", "));
  fmt::print("counted for {}, {}; nothing was executed or measured\n",
             count["card"]["name"].get<std::string>(), count["precision"].get<std::string>());
  fmt::print(
      "{:.6g} nodes a step, {:.6g} of them outside graphs; graphs replayed: {:.6g}; {:.3f} GFLOP, {:.3f} "
      "MB\n",
      number(count, "nodes"), number(count, "nodes_outside_graphs"), number(count, "graphs"),
      number(count, "gigaflops"), number(count, "megabytes"));
  fmt::print(
      "roofline {:.4f} ms from published peaks; {:.4f} ms if each node also takes {:g} us (assumed)\n\n",
      number(count, "roofline_milliseconds"), number(count, "estimated_milliseconds"), 1e6 * node_seconds);
  fmt::print("{:>7}  {:>10}  {:>8}  {:>9}\n", "nodes", "MB", "GFLOP", "us");
  const auto line = [&](const json& sums, const std::string& name) {
    fmt::print("{:>7.6g}  {:>10.3f}  {:>8.3f}  {:>9.2f}  {}\n", number(sums, "nodes"),
               number(sums, "megabytes"), number(sums, "gigaflops"), number(sums, "roofline_microseconds"),
               name);
  };
  for (const KindWords& words : kind_words) line(count["kinds"][words.key], words.text);
  fmt::print("\n");
  size_t place = 0;
  for (const json& kernel : count["kernels"]) {
    if (++place > most_counted) break;
    const std::string kind = kernel["kind"].get<std::string>(), name = kernel["name"].get<std::string>();
    line(kernel, kind == "copies" ? fmt::format("copies of {}", name) : name);
  }
  if (place > most_counted) fmt::print("{:>7}  others\n", count["kernels"].size() - most_counted);
}

}  // namespace core
