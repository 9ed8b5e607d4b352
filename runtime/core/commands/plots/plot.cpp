#include "runtime/core/commands/plots/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/core/commands/plots/html.h"

namespace core {
namespace {

// In pixels of a figure in full size.
constexpr double width = 460, height = 250, letter = 6.8;
constexpr size_t longest_slanted = 24;  // letters

// The colours of Okabe and Ito, followed by darker and lighter ones, for up to twelve classes.
constexpr const char* colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b38600", "#56b4e9",
                                   "#000000", "#7a3db8", "#8c510a", "#7fbf3f", "#888888", "#e6194b"};

/// A label, cut to the space in the plot; the tooltip shows the whole text.
std::string label(const std::string& text, size_t most) {
  if (text.size() <= most) return html_escaped(text);
  size_t end = most - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return fmt::format("<title>{}</title>{}…", html_escaped(text), html_escaped(text.substr(0, end)));
}

class Drawing {
 public:
  explicit Drawing(const Plot& plot) : plot_(plot), frame_(plot, width, height, letter) {}

  bool is_empty() const { return frame_.is_empty(); }

  std::string html() const {
    std::string svg = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", width, height,
                                  html_escaped(plot_.title));
    svg += axes();
    for (const PlotLayer& layer : plot_.layers) svg += marks(layer);
    return fmt::format("<figure><figcaption>{}</figcaption>{}</svg>{}</figure>\n", html_escaped(plot_.title),
                       svg, legend());
  }

 private:
  std::string axes() const {
    std::string svg;
    for (const auto& [value, text] : frame_.y_ticks)
      svg += fmt::format(
          R"(<line class="grid" x1="{0:.1f}" x2="{1:.1f}" y1="{2:.1f}" y2="{2:.1f}"/><text x="{3:.1f}" )"
          R"(y="{4:.1f}" text-anchor="end">{5}</text>)",
          frame_.left, frame_.right, frame_.y_at(value), frame_.left - 5, frame_.y_at(value) + 4,
          html_escaped(text));
    for (const auto& [value, text] : frame_.x_ticks) svg += x_tick(frame_.x_at(value), text);
    svg += fmt::format(R"(<path class="axis" d="M{:.1f} {:.1f} V{:.1f} H{:.1f}"/>)", frame_.left, frame_.top,
                       frame_.bottom, frame_.right);
    svg += fmt::format(R"(<text class="name" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)",
                       (frame_.left + frame_.right) / 2, height - 6, label(plot_.x_name, 50));
    svg += fmt::format(
        R"svg(<text class="name" transform="translate(13 {:.1f}) rotate(-90)" text-anchor="middle">{}</text>)svg",
        (frame_.top + frame_.bottom) / 2, label(plot_.y_name, 26));
    return svg;
  }

  std::string x_tick(double x, const std::string& text) const {
    const std::string mark =
        fmt::format(R"(<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>)", x,
                    frame_.bottom, frame_.bottom + 4);
    if (frame_.slanted)
      return mark + fmt::format(R"svg(<text transform="translate({:.1f} {:.1f}) rotate(-30)" )svg"
                                R"(text-anchor="end">{}</text>)",
                                x + 4, frame_.bottom + 14, label(text, longest_slanted));
    // Near the edges of the figure, a label is moved inwards.
    const double half = letter * static_cast<double>(text.size()) / 2;
    return mark + fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)",
                              std::clamp(x, std::min(half, width / 2), std::max(width - half, width / 2)),
                              frame_.bottom + 17, html_escaped(text));
  }

  std::string marks(const PlotLayer& layer) const {
    const char* colour = plot_colour(layer.colour);
    std::string path, dots;
    bool connected = false;
    const bool alone = layer.points.size() == 1, whiskers = layer.mark == PlotLayer::Mark::whiskers;
    for (const PlotPoint& point : layer.points) {
      if (!std::isfinite(point.x) || !std::isfinite(point.y)) {
        connected = false;
        continue;
      }
      const double x = frame_.x_at(point.x), y = frame_.y_at(point.y);
      path += fmt::format("{}{:.1f} {:.1f}", connected ? "L" : "M", x, y);
      connected = true;
      if (layer.mark == PlotLayer::Mark::dots || alone || whiskers)
        dots +=
            fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="{}"/>)", x, y, alone || whiskers ? 3.0 : 1.8);
      if (whiskers && point.spread > 0)
        dots += fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="1.6" height="{:.1f}"/>)", x - 0.8,
                            frame_.y_at(point.y + point.spread),
                            frame_.y_at(point.y - point.spread) - frame_.y_at(point.y + point.spread));
    }
    if (layer.mark == PlotLayer::Mark::area)
      return fmt::format(R"(<path class="area" d="{}Z" fill="{}" fill-opacity=".22"/>)", path, colour);
    std::string svg;
    if (!dots.empty())
      svg = fmt::format(R"(<g fill="{}" fill-opacity="{}">{}</g>)", colour,
                        layer.mark == PlotLayer::Mark::dots ? ".55" : "1", dots);
    if (layer.mark != PlotLayer::Mark::dots && layer.points.size() > 1)
      svg += fmt::format(R"(<path class="line" d="{}" fill="none" stroke="{}" stroke-width="1.7"{}/>)", path,
                         colour, layer.mark == PlotLayer::Mark::dashed ? R"( stroke-dasharray="6 3")" : "");
    return svg;
  }

  std::string legend() const {
    std::string items;
    for (const PlotLayer& layer : plot_.layers) {
      if (layer.name.empty()) continue;
      const char* style = layer.mark == PlotLayer::Mark::dashed ? "dashed" : "solid";
      items += fmt::format(R"(<span><i style="border-top:3px {} {}"></i>{}</span>)", style,
                           plot_colour(layer.colour), html_escaped(layer.name));
    }
    return items.empty() ? "" : fmt::format(R"(<div class="legend">{}</div>)", items);
  }

  const Plot& plot_;
  PlotFrame frame_;
};

}  // namespace

std::vector<PlotPoint> thinned(const std::vector<PlotPoint>& points, size_t count) {
  if (points.size() <= count) return points;
  std::vector<PlotPoint> means;
  for (size_t bucket = 0; bucket < count; ++bucket) {
    const size_t begin = bucket * points.size() / count, end = (bucket + 1) * points.size() / count;
    PlotPoint mean;
    for (size_t i = begin; i < end; ++i) {
      mean.x += points[i].x / static_cast<double>(end - begin);
      mean.y += points[i].y / static_cast<double>(end - begin);
    }
    means.push_back(mean);
  }
  return means;
}

std::vector<PlotPoint> histogram(const std::vector<double>& values, double low, double high, size_t bins) {
  std::vector<double> counts(bins);
  double all = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    all += 1;
    if (value < low || value > high) continue;
    const double place = (value - low) / (high - low) * static_cast<double>(bins);
    counts[std::min(bins - 1, static_cast<size_t>(place))] += 1;
  }
  std::vector<PlotPoint> outline = {{low, 0}};
  for (size_t bin = 0; bin < bins && all > 0; ++bin) {
    const auto edge = [&](size_t i) {
      return low + (high - low) * static_cast<double>(i) / static_cast<double>(bins);
    };
    outline.push_back({edge(bin), counts[bin] / all});
    outline.push_back({edge(bin + 1), counts[bin] / all});
  }
  outline.push_back({high, 0});
  return outline;
}

const char* plot_colour(size_t index) { return colours[index % std::size(colours)]; }

std::string html_plot(const Plot& plot) {
  const Drawing drawing(plot);
  return drawing.is_empty() ? "" : drawing.html();
}

}  // namespace core
