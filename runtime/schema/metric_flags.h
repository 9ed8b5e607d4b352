// The flags of `evaluate` that only some metrics read. The runtime and `vaec sweep` refuse them without
// these.
#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <vector>

/// By the name of the flag: the metrics that read it.
inline const std::map<std::string, std::vector<std::string>> metric_flags = {
    {"query", {"accuracy", "mcc"}},
    {"features", {"fd", "consistency"}},
    {"of", {"fd", "consistency"}},
    {"factors", {"mcc"}},
};

/// Whether one of these metrics reads the flag. All metrics may read a flag that is not in the table.
inline bool is_read_by(const std::string& flag, const std::vector<std::string>& metrics) {
  const auto readers = metric_flags.find(flag);
  return readers == metric_flags.end() || std::ranges::any_of(metrics, [&](const std::string& metric) {
           return std::ranges::count(readers->second, metric) > 0;
         });
}

/// The message for a flag that none of these metrics reads.
inline std::string why_not_read(const std::string& flag, const std::vector<std::string>& metrics) {
  const auto joined = [](const std::vector<std::string>& names, const std::string& separator) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : separator) + name;
    return text;
  };
  return "--" + flag + " is read only by " + joined(metric_flags.at(flag), " and ") +
         ", but what is measured is " + joined(metrics, ", ");
}
