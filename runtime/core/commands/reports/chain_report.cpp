#include "runtime/core/commands/reports/chain_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "runtime/shared/counted.h"
#include "runtime/shared/print_error.h"

namespace core {
using nlohmann::json;

json chain_report(const Image& image, const Conditioner& conditioner) {
  const Effort& effort = conditioner.effort();
  json variables = json::array();
  bool mixed = true;
  for (const auto& [variable, mixing] : conditioner.mixing()) {
    mixed &= mixing.mixed(effort.chains);
    json entry = {{"variable", image.name_of(variable)}, {"r_hat", nullptr},
                  {"effective", mixing.effective},       {"draws", mixing.draws},
                  {"rows_apart", mixing.apart},          {"mixed", mixing.mixed(effort.chains)}};
    if (mixing.enough && std::isfinite(mixing.r_hat)) entry["r_hat"] = mixing.r_hat;
    variables.push_back(entry);
  }
  return {{"sweeps", effort.sweeps},
          {"left_out", effort.left_out()},
          {"chains", effort.chains},
          {"mixed", mixed},
          {"variables", variables}};
}

void print_chain(const json& report) {
  const int64_t sweeps = report["sweeps"], left_out = report["left_out"], chains = report["chains"];
  fmt::print("{} for each row, of {}; the first {} discarded\n", counted(chains, "chain"),
             counted(sweeps, "sweep"), left_out);
  for (const json& entry : report["variables"])
    fmt::print(
        "{}: R-hat {}, {:.0f} effective draws of {}{}\n", entry["variable"].get<std::string>(),
        entry["r_hat"].is_null() ? "unknown" : fmt::format("{:.3f}", entry["r_hat"].get<double>()),
        entry["effective"].get<double>(), entry["draws"].get<int64_t>(),
        entry["rows_apart"] == 0 ? "" : fmt::format(", {} rows apart", entry["rows_apart"].get<int64_t>()));
}

void warn_of_chain(const json& report) {
  if (report["mixed"].get<bool>()) return;
  std::vector<std::string> names;
  for (const json& entry : report["variables"])
    if (!entry["mixed"].get<bool>()) names.push_back(entry["variable"]);
  print_error("warning: the chain has not mixed in {}: more --sweeps may help; do not trust these means\n",
              fmt::join(names, ", "));
}

}  // namespace core
