#include "runtime/core/commands/plots/plot_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "runtime/core/commands/plots/letters.h"
#include "runtime/shared/printable.h"

namespace core {
namespace {

// In pixels; scale: size of a letter's dot
constexpr int picture_width = 720, picture_height = 560, scale = 2;
constexpr int title_height = 30, letter_size = letter_width * scale;
constexpr size_t longest_name = 18, most_names = 24;

using Colour = std::array<uint8_t, 3>;

Colour colour_of(const char* css) {
  const auto value = static_cast<uint32_t>(std::stoul(css + 1, nullptr, 16));
  return {static_cast<uint8_t>(value >> 16), static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
}

constexpr Colour ink = {40, 40, 40}, grid_ink = {225, 225, 225};

/// Replaces characters that are not ASCII by question marks.
std::string plain(const std::string& text, size_t most) {
  std::string shown;
  for (std::string_view rest = text; !rest.empty();) {
    const CodePoint point = first_code_point(rest);
    shown += point.value >= 32 && point.value < 127 ? static_cast<char>(point.value) : '?';
    rest.remove_prefix(std::max<size_t>(1, point.bytes));
  }
  if (shown.size() > most) shown = shown.substr(0, most - 2) + "..";
  return shown;
}

class Canvas {
 public:
  Canvas(int64_t across, int64_t down) {
    picture_.width = across;
    picture_.height = down;
    picture_.channels = 3;
    picture_.pixels.assign(static_cast<size_t>(3 * across * down), 255);
  }

  data::Picture take() { return std::move(picture_); }

  void mix(double x, double y, const Colour& colour, double share) {
    const auto column = static_cast<int64_t>(std::floor(x)), row = static_cast<int64_t>(std::floor(y));
    if (column < 0 || row < 0 || column >= picture_.width || row >= picture_.height) return;
    for (size_t c = 0; c < 3; ++c) {
      uint8_t& pixel = picture_.pixels[static_cast<size_t>(3 * (row * picture_.width + column)) + c];
      pixel = static_cast<uint8_t>(std::lround(pixel * (1 - share) + colour[c] * share));
    }
  }

  void line(double x0, double y0, double x1, double y1, const Colour& colour, int thick = 1) {
    const int steps = static_cast<int>(std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1.0}));
    for (int i = 0; i <= steps; ++i) {
      const double share = static_cast<double>(i) / steps;
      for (int a = 0; a < thick; ++a)
        for (int b = 0; b < thick; ++b)
          mix(x0 + share * (x1 - x0) + a, y0 + share * (y1 - y0) + b, colour, 1);
    }
  }

  void dot(double x, double y, double radius, const Colour& colour, double share) {
    for (double dy = -radius; dy <= radius; ++dy)
      for (double dx = -radius; dx <= radius; ++dx)
        if (dx * dx + dy * dy <= radius * radius + 0.5) mix(x + dx, y + dy, colour, share);
  }

  /// Writes text from the upper left corner to the right; with `up`, from the lower left corner upwards.
  void text(double x, double y, const std::string& shown, bool up = false) {
    for (const char c : shown) {
      const uint8_t* columns = letters[c - 32];
      for (int i = 0; i < 5; ++i)
        for (int j = 0; j < letter_height; ++j)
          if ((columns[i] >> j & 1) != 0)
            for (int a = 0; a < scale; ++a)
              for (int b = 0; b < scale; ++b) {
                const int along = i * scale + a, across = j * scale + b;
                up ? mix(x + across, y - along, ink, 1) : mix(x + along, y + across, ink, 1);
              }
      up ? y -= letter_size : x += letter_size;
    }
  }

 private:
  data::Picture picture_;
};

class PlotPicture {
 public:
  explicit PlotPicture(const Plot& plot)
      : plot_(plot),
        canvas_(picture_width + legend_width(), picture_height),
        frame_(plot, picture_width, picture_height - title_height, letter_size) {}

  data::Picture draw() {
    canvas_.text(10, 8, plain(plot_.title, (picture_width - 20) / letter_size));
    if (frame_.is_empty()) return canvas_.take();
    axes();
    for (const PlotLayer& layer : plot_.layers) marks(layer);
    legend();
    return canvas_.take();
  }

 private:
  std::vector<const PlotLayer*> named() const {
    std::vector<const PlotLayer*> found;
    for (const PlotLayer& layer : plot_.layers)
      if (!layer.name.empty() && found.size() < most_names) found.push_back(&layer);
    return found;
  }

  int64_t legend_width() const {
    size_t longest = 0;
    for (const PlotLayer* layer : named())
      longest = std::max(longest, plain(layer->name, longest_name).size());
    return longest == 0 ? 0 : 40 + letter_size * static_cast<int64_t>(longest);
  }

  double y_at(double value) const { return title_height + frame_.y_at(value); }

  void axes() {
    const double bottom = title_height + frame_.bottom, top = title_height + frame_.top;
    for (const auto& [value, text] : frame_.y_ticks) {
      canvas_.line(frame_.left, y_at(value), frame_.right, y_at(value), grid_ink);
      const std::string shown = plain(text, 12);
      canvas_.text(frame_.left - 8 - letter_size * static_cast<double>(shown.size()), y_at(value) - 7, shown);
    }
    for (const auto& [value, text] : frame_.x_ticks) {
      const std::string shown = plain(text, 12);
      canvas_.line(frame_.x_at(value), bottom, frame_.x_at(value), bottom + 4, ink);
      const double half = letter_size * static_cast<double>(shown.size()) / 2;
      canvas_.text(std::clamp(frame_.x_at(value) - half, 2.0, picture_width - 2 * half), bottom + 5, shown);
    }
    canvas_.line(frame_.left, top, frame_.left, bottom, ink);
    canvas_.line(frame_.left, bottom, frame_.right, bottom, ink);
    const std::string x_name = plain(plot_.x_name, 50), y_name = plain(plot_.y_name, 38);
    canvas_.text((frame_.left + frame_.right - letter_size * static_cast<double>(x_name.size())) / 2,
                 picture_height - 17, x_name);
    canvas_.text(4, (top + bottom + letter_size * static_cast<double>(y_name.size())) / 2, y_name, true);
  }

  void marks(const PlotLayer& layer) {
    const Colour colour = colour_of(plot_colour(layer.colour));
    const bool dots = layer.mark == PlotLayer::Mark::dots;
    const PlotPoint* before = nullptr;
    for (const PlotPoint& point : layer.points) {
      if (!std::isfinite(point.x) || !std::isfinite(point.y)) {
        before = nullptr;
        continue;
      }
      const double x = frame_.x_at(point.x), y = y_at(point.y);
      if (dots)
        canvas_.dot(x, y, 2, colour, 0.7);
      else if (before)
        canvas_.line(frame_.x_at(before->x), y_at(before->y), x, y, colour, 2);
      before = &point;
    }
  }

  void legend() {
    double y = title_height + frame_.top;
    for (const PlotLayer* layer : named()) {
      canvas_.dot(picture_width + 12, y + 7, 5, colour_of(plot_colour(layer->colour)), 1);
      canvas_.text(picture_width + 24, y, plain(layer->name, longest_name));
      y += 20;
    }
  }

  const Plot& plot_;
  Canvas canvas_;
  PlotFrame frame_;
};

}  // namespace

data::Picture plot_picture(const Plot& plot) { return PlotPicture(plot).draw(); }

}  // namespace core
