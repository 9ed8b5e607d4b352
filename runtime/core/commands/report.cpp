#include "runtime/core/commands/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "runtime/core/run_directory.h"
#include "runtime/data/byte_source.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// The picture of the highest step, if there is one.
fs::path last_picture(const fs::path& run) {
  fs::path best;
  int64_t best_step = -1;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "samples", none)) {
    int64_t step = -1;
    if (std::sscanf(entry.path().filename().c_str(), "step-%ld.png", &step) == 1 && step > best_step) {
      best = entry.path();
      best_step = step;
    }
  }
  return best;
}

}  // namespace

std::vector<PlotLine> read_utilities(const fs::path& run) {
  std::vector<PlotLine> utilities;
  for (const json& line : read_metrics(run))
    for (const auto& [player, value] : line.at("utility").items()) {
      auto entry = std::find_if(utilities.begin(), utilities.end(),
                                [&](const PlotLine& known) { return known.name == player; });
      if (entry == utilities.end()) entry = utilities.insert(entry, {player, {}});
      entry->points.push_back({line.at("step").get<double>(), value.get<double>()});
    }
  return utilities;
}

std::string report_page(const fs::path& run) {
  std::string page = html_beginning(fs::absolute(run).lexically_normal().filename().string());
  for (const PlotLine& line : read_utilities(run)) {
    page += fmt::format("<h2>Utility of {}: {:.2f} nats per row</h2>\n{}\n", html_escaped(line.name),
                        line.points.back().value, html_plot({line}));
  }
  if (const fs::path picture = last_picture(run); !picture.empty()) {
    page += fmt::format(
                "<h2>{}</h2>\n<p>A row of data and its reconstructions where the model has them, then means "
                "decoded from codes, then means after 100 steps of the chain.</p>\n",
                html_escaped(picture.stem().string())) +
            html_picture("samples", data::read_file(picture));
  }
  for (const auto& [title, file] : {std::pair("Program", "model.vae"), {"Settings", "config.json"}})
    if (fs::exists(run / file))
      page += fmt::format("<h2>{}</h2>\n<pre>{}</pre>\n", title, html_escaped(read_text(run / file)));
  return page + "</html>\n";
}

}  // namespace core
