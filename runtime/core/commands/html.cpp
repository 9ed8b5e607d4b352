#include "runtime/core/commands/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace core {
namespace {

constexpr double width = 640, height = 220, left = 70, bottom = 30;  // of a plot, in pixels

// Told apart by those who see few colours too (Okabe, Ito).
constexpr const char* colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                   "#e69f00", "#56b4e9", "#000000"};

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

std::string html_beginning(const std::string& title) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{0}</title>\n"
      "<style>body{{font:15px sans-serif;max-width:60em;margin:2em auto;padding:0 1em}}"
      "pre{{background:#f4f4f4;padding:1em;overflow:auto}}svg{{font-size:12px}}"
      "table{{border-collapse:collapse}}td,th{{padding:.3em .8em;text-align:right;border-bottom:1px solid "
      "#ddd}}"
      "td:first-child,th:first-child{{text-align:left}}"
      "img{{image-rendering:pixelated;width:100%}}</style>\n<h1>{0}</h1>\n",
      html_escaped(title));
}

std::string html_picture(const std::string& description, const std::vector<uint8_t>& png) {
  return fmt::format("<img alt=\"{}\" src=\"data:image/png;base64,{}\">\n", html_escaped(description),
                     base64(png));
}

std::string html_colour(size_t i) { return colours[i % std::size(colours)]; }

std::string html_plot(const std::vector<PlotLine>& lines) {
  double low = std::numeric_limits<double>::infinity(), high = -low, last = 1;
  for (const PlotLine& line : lines) {
    for (const PlotPoint& point : line.points) {
      low = std::min(low, point.value);
      high = std::max(high, point.value);
      last = std::max(last, point.step);
    }
  }
  const double range = std::max(high - low, 1e-9);
  std::string svg = fmt::format(R"(<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}">)", width, height);
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string colour = html_colour(i);
    std::string path;
    for (const PlotPoint& point : lines[i].points)
      path += fmt::format("{:.1f},{:.1f} ", left + (width - left) * point.step / last,
                          (height - bottom) * (high - point.value) / range + 5);
    svg += fmt::format(R"(<polyline points="{}" fill="none" stroke="{}" stroke-width="1.5"/>)", path, colour);
    if (lines.size() > 1)
      svg += fmt::format(R"(<text x="{}" y="{}" fill="{}" text-anchor="end">{}</text>)", width,
                         height - bottom - 14 * static_cast<double>(lines.size() - i), colour,
                         html_escaped(lines[i].name));
  }
  return svg +
         fmt::format(
             R"(<text x="0" y="15">{0:.2f}</text><text x="0" y="{1}">{2:.2f}</text><text x="{3}" y="{4}">0</text>)"
             R"(<text x="{5}" y="{4}" text-anchor="end">{6:.0f} steps</text></svg>)",
             high, height - bottom, low, left, height, width, last);
}

}  // namespace core
