#include "runtime/core/commands/plots/html.h"

#include <fmt/format.h>

#include <algorithm>

namespace core {
namespace {

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

}  // namespace

std::string html_escaped(const std::string& text) {
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

std::string html_beginning(const std::string& title, int64_t reload_seconds) {
  const std::string reload =
      reload_seconds > 0 ? fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">", reload_seconds) : "";
  return fmt::format(
      R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">{1}<title>{0}</title>
<style>
body {{font: 15px sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em; overflow-wrap: anywhere}}
pre {{background: #f4f4f4; padding: 1em; overflow: auto}}
table {{border-collapse: collapse}}
td, th {{padding: .3em .8em; text-align: right; border-bottom: 1px solid #ddd}}
td:first-child, th:first-child {{text-align: left}}
.plots {{display: flex; flex-wrap: wrap; gap: 1em}}
.plots figure {{flex: 1 1 24em; max-width: 36em}}
figure {{margin: 0 0 1em}}
figcaption {{font-weight: bold}}
svg {{font-size: 12px; width: 100%; height: auto}}
.grid {{stroke: #e4e4e4}}
.axis {{stroke: #555; fill: none}}
.name {{fill: #444}}
.legend span {{margin-right: 1.2em; font-size: 13px}}
.legend i {{display: inline-block; width: 1.8em; margin-right: .4em; vertical-align: middle}}
.heat {{overflow: auto}}
.heat td, .heat th {{padding: .25em .4em; border: 0; text-align: center; font-size: 12px}}
.heat td {{min-width: 1.6em}}
.heat .side {{text-align: right}}
img {{image-rendering: pixelated; width: 100%; max-width: 44em}}
</style>
<h1>{0}</h1>
)",
      html_escaped(title), reload);
}

std::string html_picture(const std::string& description, const std::vector<uint8_t>& png) {
  return fmt::format("<img alt=\"{}\" src=\"data:image/png;base64,{}\">\n", html_escaped(description),
                     base64(png));
}

std::string html_table(const std::vector<std::vector<std::string>>& rows) {
  std::string text = "<table>";
  for (size_t row = 0; row < rows.size(); ++row) {
    text += "<tr>";
    for (const std::string& cell : rows[row])
      text += fmt::format("<{0}>{1}</{0}>", row == 0 ? "th" : "td", html_escaped(cell));
    text += "</tr>\n";
  }
  return text + "</table>\n";
}

std::string html_heat_map(const std::string& title, const std::vector<std::string>& names,
                          const std::vector<std::vector<int64_t>>& counts) {
  std::string text = fmt::format(
      "<figure class=\"heat\"><figcaption>{}</figcaption><table><tr><th></th><th></th><th "
      "colspan=\"{}\">found class</th></tr>\n<tr><th></th><th></th>",
      html_escaped(title), counts.size());
  for (const std::string& name : names) text += fmt::format("<th>{}</th>", html_escaped(name));
  text += "</tr>\n";
  for (size_t row = 0; row < counts.size(); ++row) {
    text += row == 0 ? fmt::format("<tr><th rowspan=\"{}\">true class</th>", counts.size()) : "<tr>";
    text += fmt::format("<th class=\"side\">{}</th>", html_escaped(names[row]));
    int64_t all = 0;
    for (const int64_t count : counts[row]) all += count;
    for (const int64_t count : counts[row]) {
      const double share = all > 0 ? static_cast<double>(count) / static_cast<double>(all) : 0;
      // The colour is between white and the blue of the first curve.
      const auto mixed = [&](int dark) { return static_cast<int>(255 - share * (255 - dark)); };
      text += fmt::format("<td style=\"background:rgb({},{},{});color:{}\">{}</td>", mixed(0), mixed(0x72),
                          mixed(0xb2), share > 0.5 ? "#fff" : "#000", count);
    }
    text += "</tr>\n";
  }
  return text + "</table></figure>\n";
}

}  // namespace core
