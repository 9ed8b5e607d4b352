#include "runtime/core/commands/reports/evaluate_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "runtime/shared/counted.h"
#include "runtime/shared/printable.h"

namespace core {
namespace {
using nlohmann::json;

constexpr size_t most_classes_shown = 20, most_factors_shown = 20;

std::string text(const json& result, const char* key) { return result[key].get<std::string>(); }
double number(const json& result, const char* key) { return result[key].get<double>(); }
int64_t count(const json& result, const char* key) { return result[key].get<int64_t>(); }
/// " +- 0.012"; empty if the standard error is unknown.
std::string error_of(const json& result, const char* format) {
  const double error = number(result, "standard_error");
  return std::isnan(error) ? "" : fmt::format(fmt::runtime(format), error);
}
std::string rows(const json& result) { return counted(count(result, "rows"), "row"); }

void print_likelihood(const json& result) {
  const std::string way = result["exact"].get<bool>()
                              ? "exact"
                              : fmt::format("{} each", counted(count(result, "samples"), "sample"));
  fmt::print("{}: {} = {:.3f}{} nats ({}, {})\n", text(result, "source"), text(result, "of"),
             number(result, "mean"), error_of(result, " +- {:.3f}"), rows(result), way);
}

void print_accuracy(const json& result) {
  const std::string metric = text(result, "metric");
  const std::string sweeps =
      result.contains("sweeps")
          ? fmt::format(", a chain of {} each", counted(count(result, "sweeps"), "sweep"))
          : "";
  fmt::print("{}: {} of {} = {:.4f}{} ({}{})\n", text(result, "source"),
             metric == "mean_iou" ? "mean IoU" : metric, text(result, "of"), number(result, "mean"),
             error_of(result, " +- {:.4f}"), rows(result), sweeps);
  if (!result.contains("confusion") || result["confusion"].size() > most_classes_shown) return;
  fmt::print("  true class, and how often each class was found\n");
  std::vector<std::string> names;
  size_t width = 3;
  for (size_t k = 0; k < result["confusion"].size(); ++k) {
    names.push_back(result.contains("words") ? printable(result["words"][k].get<std::string>())
                                             : std::to_string(k));
    width = std::max(width, names.back().size());
  }
  for (size_t k = 0; k < names.size(); ++k)
    fmt::print("  {:>{}} {:>7}\n", names[k], width,
               fmt::join(result["confusion"][k].get<std::vector<int64_t>>(), " "));
}

/// Distances may have any scale, so they are shown with four digits.
std::string with_error(const json& estimate) {
  return fmt::format("{:#.4g}{}", number(estimate, "value"), error_of(estimate, " +- {:.2g}"));
}

std::string features_of(const json& result) {
  std::string words = counted(count(result, "width"), "feature");
  if (result.contains("classifier"))
    words += fmt::format(" of classifier {}, seed {}, accuracy {:.2f} %",
                         text(result["classifier"], "hash").substr(0, 8), count(result["classifier"], "seed"),
                         100 * number(result["classifier"], "accuracy"));
  if (result.contains("hash"))
    words += fmt::format(" of {}, hash {}", text(result, "features"), text(result, "hash").substr(0, 8));
  return words;
}

void print_line(const std::string& what, const json& distance, const std::string& details) {
  fmt::print("  {:<24} {:<22} KID {:<26} {}\n", what, with_error(distance), with_error(distance["kid"]),
             details);
}

void print_information(const json& result) {
  fmt::print("{}: information of the data in {} = {:.3f}{} nats ({}{})\n", text(result, "source"),
             text(result, "of"), number(result, "value"), error_of(result, " +- {:.3f}"), rows(result),
             result.contains("at_most")
                 ? fmt::format(", which show {:.2f} at most", number(result, "at_most"))
                 : "");
}

void print_active_units(const json& result) {
  fmt::print("{}: {}{} of {} units of {} are active: {} above {} ({})\n", text(result, "source"),
             number(result, "value"), error_of(result, " +- {:.1f}"), count(result, "of_units"),
             text(result, "of"), text(result, "measure"), number(result, "threshold"), rows(result));
}

void print_distances(const json& result) {
  fmt::print("{} of {} to {} of {} ({})\n", text(result, "distance"), text(result, "of"),
             counted(count(result, "data_rows"), "row"), text(result, "source"), features_of(result));
  const json& floor = result["floor"];
  const bool halves = floor["source"] == result["source"];
  print_line("floor", floor,
             halves ? fmt::format("{} against {}: the halves of {}", rows(floor), count(floor, "data_rows"),
                                  text(floor, "source"))
                    : fmt::format("{} of {}", rows(floor), text(floor, "source")));
  for (const json& sample : result["samples"]) {
    const bool limiting = sample["codes"] == "limiting";
    print_line(
        fmt::format("{}, {}", limiting ? "limiting" : "random codes", text(sample, "values")), sample,
        fmt::format("{}{}", rows(result),
                    limiting ? fmt::format(" after {}", counted(count(result, "limiting"), "step")) : ""));
  }
}

void print_consistency(const json& result) {
  fmt::print("{} of {} from random codes to {} after {} of the chain ({}, {} each)\n",
             text(result, "distance"), text(result, "of"), text(result, "of"),
             counted(count(result, "limiting"), "step"), features_of(result), rows(result));
  print_line("consistency", result, "");
}

void print_encoder_fit(const json& result) {
  fmt::print("{}: {} = {} nats on samples of the model, {} on its own codes of data ({})\n",
             text(result, "source"), text(result, "of"), with_error(result["on_samples"]),
             with_error(result["on_data"]), rows(result));
}

void print_discrepancy(const json& result) {
  fmt::print("{}: squared MMD of {} ({}) = {} ({} each)\n", text(result, "source"), text(result, "between"),
             text(result, "of"), with_error(result), rows(result));
}

void print_factors(const json& result) {
  fmt::print("{}: MCC of {} with {} = {:.4f}{} ({})\n", text(result, "source"), text(result, "of"),
             text(result, "factors"), number(result, "value"), error_of(result, " +- {:.4f}"), rows(result));
  for (size_t factor = 0; factor < result["codes"].size() && factor < most_factors_shown; ++factor)
    if (const int code = result["codes"][factor].get<int>(); code >= 0)
      fmt::print("  factor {:>3}  code {:>3}  {:+.4f}\n", factor, code,
                 result["correlations"][factor].get<double>());
}

void print_contrast(const json& result) {
  fmt::print("{}: IMA contrast of {} in {} = {} nats ({}{}); of mean Jacobians over {} = {}\n",
             text(result, "source"), text(result, "of"), text(result, "codes"), with_error(result),
             rows(result),
             count(result, "dependent") > 0
                 ? fmt::format(", without {} whose columns are dependent", count(result, "dependent"))
                 : "",
             rows(result["mean_jacobian"]), with_error(result["mean_jacobian"]));
}

void print_self_consistency(const json& result) {
  fmt::print("{}: mean squared difference of {} and its encoding from the mean of {} = {} ({})\n",
             text(result, "source"), text(result, "codes"), text(result, "of"), with_error(result),
             rows(result));
  for (size_t k = 0; k < result["variances"].size() && k < most_factors_shown; ++k) {
    const json& unit = result["variances"][k];
    fmt::print("  code {:>3}  variance {}{}\n", k, with_error(unit),
               unit.contains("predicted") ? "  predicted " + with_error(unit["predicted"]) : "");
  }
}

}  // namespace

void print_result(const json& result) {
  static const std::map<std::string, void (*)(const json&)> printers = {
      {"loglik", print_likelihood},
      {"elbo", print_likelihood},
      {"kl", print_likelihood},
      {"gap", print_likelihood},
      {"mi", print_information},
      {"active_units", print_active_units},
      {"accuracy", print_accuracy},
      {"mean_iou", print_accuracy},
      {"fd", print_distances},
      {"consistency", print_consistency},
      {"encoder_fit", print_encoder_fit},
      {"mmd", print_discrepancy},
      {"mcc", print_factors},
      {"ima", print_contrast},
      {"self_consistency", print_self_consistency}};
  printers.at(text(result, "metric"))(result);
}

}  // namespace core
