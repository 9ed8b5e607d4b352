#include "runtime/core/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "runtime/core/run_directory.h"
#include "runtime/data/byte_source.h"
#include "runtime/failure.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr double width = 640, height = 220, left = 70, bottom = 30;  // of a plot, in pixels

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string base64(const std::vector<uint8_t>& bytes) {
  const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? bytes[i + k] : 0U);
    for (size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? digits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

struct Point {
  double step, value;
};

std::string plot(const std::vector<Point>& points) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Point& point : points) {
    low = std::min(low, point.value);
    high = std::max(high, point.value);
  }
  const double last = std::max(1.0, points.back().step), range = std::max(high - low, 1e-9);
  std::string line;
  for (const Point& point : points) {
    line += fmt::format("{:.1f},{:.1f} ", left + (width - left) * point.step / last,
                        (height - bottom) * (high - point.value) / range + 5);
  }
  return fmt::format(
      R"(<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}"><polyline points="{2}" fill="none" stroke="#36c" stroke-width="1.5"/>)"
      R"(<text x="0" y="15">{3:.2f}</text><text x="0" y="{4}">{5:.2f}</text><text x="{6}" y="{1}">0</text>)"
      R"(<text x="{0}" y="{1}" text-anchor="end">{7:.0f} steps</text></svg>)",
      width, height, line, high, height - bottom, low, left, last);
}

/// The picture of the highest step, if there is one.
fs::path last_picture(const fs::path& run) {
  fs::path best;
  int64_t best_step = -1;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "samples")) {
    int64_t step = -1;
    if (std::sscanf(entry.path().filename().c_str(), "step-%ld.png", &step) == 1 && step > best_step) {
      best = entry.path();
      best_step = step;
    }
  }
  return best;
}

}  // namespace

std::string report_page(const fs::path& run) {
  std::map<std::string, std::vector<Point>> utilities;
  std::istringstream lines(read_text(run / "metrics.jsonl"));
  try {
    for (std::string text; std::getline(lines, text);) {
      const json line = json::parse(text);
      for (const auto& [player, value] : line.at("utility").items())
        utilities[player].push_back({line.at("step").get<double>(), value.get<double>()});
    }
  } catch (const json::exception& error) {
    throw Failure(Exit::bad_data, fmt::format("{}: {}", (run / "metrics.jsonl").string(), error.what()));
  }
  const std::string name = escaped(fs::absolute(run).lexically_normal().filename().string());
  std::string page = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{0}</title>\n"
      "<style>body{{font:15px sans-serif;max-width:60em;margin:2em auto;padding:0 1em}}"
      "pre{{background:#f4f4f4;padding:1em;overflow:auto}}svg{{font-size:12px}}"
      "img{{image-rendering:pixelated;width:100%}}</style>\n<h1>{0}</h1>\n",
      name);
  for (const auto& [player, points] : utilities) {
    page += fmt::format("<h2>Utility of {}: {:.2f} nats per row</h2>\n{}\n", escaped(player),
                        points.back().value, plot(points));
  }
  if (const fs::path picture = last_picture(run); !picture.empty()) {
    page += fmt::format(
        "<h2>{}</h2>\n<p>A row of data and its reconstructions where the model has them, then means decoded "
        "from "
        "codes, then means after 100 steps of the chain.</p>\n"
        "<img alt=\"samples\" src=\"data:image/png;base64,{}\">\n",
        escaped(picture.stem().string()), base64(data::read_file(picture)));
  }
  page += fmt::format("<h2>Program</h2>\n<pre>{}</pre>\n<h2>Settings</h2>\n<pre>{}</pre>\n</html>\n",
                      escaped(read_text(run / "model.vae")), escaped(read_text(run / "config.json")));
  return page;
}

}  // namespace core
