#include "runtime/data/sets/glyphs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "runtime/data/sets/random.h"
#include "runtime/shared/failure.h"

namespace data {
namespace {

constexpr int side = 28;

struct Point {
  double x, y;
};
using Stroke =
    std::vector<Point>;  // control points of a Catmull-Rom curve; x to the right, y down, in [-1, 1]
using Form = std::vector<Stroke>;

/// The different ways in which people write each digit; each glyph uses one of them.
const std::array<std::vector<Form>, 10> forms = {{
    {{{{.1, -1}, {-.55, -.65}, {-.65, .2}, {-.25, .95}, {.35, .8}, {.65, .05}, {.45, -.75}, {-.05, -.98}}},
     {{{.3, -.85}, {-.3, -.9}, {-.65, 0}, {-.1, .95}, {.55, .45}, {.6, -.4}, {.2, -.95}}}},
    {{{{.05, -1}, {.02, -.35}, {-.02, .35}, {-.05, 1}}},
     {{{-.35, -.6}, {.1, -1}}, {{.1, -1}, {.08, 0}, {.05, 1}}},
     {{{-.3, -.65}, {.05, -1}}, {{.05, -1}, {.03, 0}, {.02, .95}}, {{-.4, .97}, {.02, .95}, {.45, .95}}}},
    {{{{-.55, -.5}, {-.2, -.95}, {.4, -.8}, {.45, -.25}, {-.05, .4}, {-.6, .9}},
      {{-.6, .9}, {0, .85}, {.65, .9}}},
     {{{-.5, -.6}, {.05, -1}, {.5, -.5}, {.1, .2}, {-.5, .8}, {-.55, .5}, {-.2, .55}, {.3, .9}, {.7, .7}}}},
    {{{{-.5, -.75}, {0, -1}, {.45, -.7}, {.3, -.2}, {-.1, -.05}},
      {{-.1, -.05}, {.45, .15}, {.5, .65}, {.05, 1}, {-.55, .75}}},
     {{{-.5, -.9}, {.1, -.92}, {.5, -.9}},
      {{.5, -.9}, {.2, -.45}, {-.05, -.15}},
      {{-.05, -.15}, {.5, .1}, {.45, .75}, {-.05, 1}, {-.5, .75}}}},
    {{{{-.4, -.9}, {-.5, -.3}, {-.5, .1}},
      {{-.5, .1}, {0, .08}, {.6, .02}},
      {{.35, -.85}, {.3, 0}, {.25, 1}}},
     {{{.3, -1}, {-.2, -.4}, {-.65, .25}},
      {{-.65, .25}, {0, .25}, {.65, .2}},
      {{.3, -1}, {.3, 0}, {.28, 1}}}},
    {{{{.5, -.95}, {.05, -.95}, {-.35, -.9}},
      {{-.35, -.9}, {-.4, -.5}, {-.42, -.15}},
      {{-.42, -.15}, {.1, -.3}, {.5, .15}, {.4, .75}, {-.1, 1}, {-.55, .7}}},
     {{{.55, -.9}, {-.3, -.8}, {-.4, -.2}, {.15, -.2}, {.5, .25}, {.3, .85}, {-.25, .95}, {-.55, .7}}}},
    {{{{.3, -1},
       {-.2, -.5},
       {-.5, .2},
       {-.35, .85},
       {.15, .95},
       {.45, .5},
       {.2, .1},
       {-.25, .25},
       {-.45, .55}}},
     {{{.1, -1}, {-.3, -.3}, {-.4, .45}, {0, 1}, {.4, .65}, {.2, .2}, {-.35, .5}}}},
    {{{{-.55, -.85}, {0, -.88}, {.55, -.9}}, {{.55, -.9}, {.2, -.1}, {-.1, 1}}},
     {{{-.55, -.8}, {0, -.9}, {.55, -.85}},
      {{.55, -.85}, {.2, 0}, {-.05, 1}},
      {{-.3, .05}, {.05, .02}, {.45, 0}}}},
    {{{{.35, -.75},
       {-.1, -1},
       {-.45, -.6},
       {-.05, -.1},
       {.42, .4},
       {.25, .9},
       {-.2, .95},
       {-.45, .5},
       {0, 0},
       {.4, -.45},
       {.3, -.8}}},
     {{{0, -1}, {-.42, -.7}, {-.3, -.2}, {.05, -.05}, {.4, -.35}, {.35, -.85}, {0, -1}},
      {{.05, -.05}, {-.4, .25}, {-.4, .8}, {.05, 1}, {.45, .7}, {.4, .2}, {.05, -.05}}}},
    {{{{.4, -.6}, {.05, -1}, {-.4, -.7}, {-.35, -.15}, {.1, -.1}, {.42, -.55}},
      {{.42, -.6}, {.38, .2}, {.2, 1}}},
     {{{.42, -.7},
       {-.1, -.95},
       {-.45, -.45},
       {-.05, -.05},
       {.4, -.45},
       {.42, -.7},
       {.4, 0},
       {.1, .85},
       {-.4, .85}}}},
}};

Point catmull_rom(const Stroke& stroke, size_t piece, double t) {
  auto at = [&](int64_t i) {
    return stroke[std::clamp<int64_t>(i, 0, static_cast<int64_t>(stroke.size()) - 1)];
  };
  auto p = static_cast<int64_t>(piece);
  Point a = at(p - 1), b = at(p), c = at(p + 1), d = at(p + 2);
  auto blend = [t](double a, double b, double c, double d) {
    return .5 *
           (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t * t * t);
  };
  return {blend(a.x, b.x, c.x, d.x), blend(a.y, b.y, c.y, d.y)};
}

/// The pen's path as short straight pieces, with the habits of a writer: wobbling points, slant, rotation and
/// proportions.
std::vector<Stroke> write(const Form& form, Random& random) {
  constexpr int steps = 6;
  const double slant = std::clamp(.12 + .22 * random.normal(), -.4, .6), turn = .09 * random.normal();
  const double width = random.uniform(.75, 1.15), wobble = random.uniform(.02, .075);
  const double bend = .08 * random.normal();
  std::vector<Stroke> paths;
  for (Stroke stroke : form) {
    for (Point& point : stroke) {
      point.x += wobble * random.normal();
      point.y += wobble * random.normal();
    }
    Stroke path;
    for (size_t piece = 0; piece + 1 < stroke.size(); ++piece)
      for (int step = 0; step <= steps; ++step) {
        if (step == 0 && piece > 0) continue;
        Point p = catmull_rom(stroke, piece, static_cast<double>(step) / steps);
        double x = width * p.x - slant * p.y + bend * p.y * p.y, y = p.y;
        path.push_back({x * std::cos(turn) - y * std::sin(turn), x * std::sin(turn) + y * std::cos(turn)});
      }
    paths.push_back(std::move(path));
  }
  return paths;
}

/// Moves the paths to the middle of the picture and scales them to a height of 17 to 20 pixels, or to that
/// width if they are wider than high.
void fit(std::vector<Stroke>& paths, Random& random) {
  Point low{1e9, 1e9}, high{-1e9, -1e9};
  for (const Stroke& path : paths)
    for (Point p : path) {
      low = {std::min(low.x, p.x), std::min(low.y, p.y)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    }
  const double scale = random.uniform(16, 19) / std::max(high.y - low.y, high.x - low.x);
  const double left = .5 * side + .6 * random.normal(), top = .5 * side + .6 * random.normal();
  for (Stroke& path : paths)
    for (Point& p : path)
      p = {left + scale * (p.x - .5 * (low.x + high.x)), top + scale * (p.y - .5 * (low.y + high.y))};
}

using Canvas = std::array<double, side * side>;

/// Adds ink along the line from a to b. The pen is a disc of radius `radius` with an edge one pixel wide.
void draw_piece(Canvas& ink, Point a, Point b, double radius) {
  const double reach = radius + 1, dx = b.x - a.x, dy = b.y - a.y;
  const double length = std::max(dx * dx + dy * dy, 1e-9);
  auto bound = [](double value) { return static_cast<int>(std::clamp(value, 0., side - 1.)); };
  for (int y = bound(std::min(a.y, b.y) - reach); y <= bound(std::max(a.y, b.y) + reach); ++y)
    for (int x = bound(std::min(a.x, b.x) - reach); x <= bound(std::max(a.x, b.x) + reach); ++x) {
      const double px = x + .5 - a.x, py = y + .5 - a.y;
      const double t = std::clamp((px * dx + py * dy) / length, 0., 1.);
      const double distance = std::sqrt((px - t * dx) * (px - t * dx) + (py - t * dy) * (py - t * dy));
      double& pixel = ink[y * side + x];
      pixel = std::max(pixel, std::clamp(radius + .5 - distance, 0., 1.));
    }
}

Canvas draw(const std::vector<Stroke>& paths, Random& random) {
  Canvas ink{};
  const double radius = random.uniform(.75, 1.75), pressure = random.uniform(0, .3);
  double phase = random.uniform(0, 2 * std::numbers::pi);
  for (const Stroke& path : paths)
    for (size_t i = 0; i + 1 < path.size(); ++i, phase += .25)
      draw_piece(ink, path[i], path[i + 1], radius * (1 + pressure * std::sin(phase)));
  return ink;
}

/// Adds waves and grain to the ink, and a faint cloud behind it.
void paint(const Canvas& ink, Random& random, uint8_t* image, uint8_t* mask) {
  const double depth = random.uniform(.05, .35), angle = random.uniform(0, std::numbers::pi);
  const double wave = random.uniform(.5, 1.6), phase = random.uniform(0, 6.3), cloud = random.uniform(0, .1);
  const double drift_x = random.uniform(-.4, .4), drift_y = random.uniform(-.4, .4);
  std::array<double, side> cloud_x, cloud_y;
  for (int i = 0; i < side; ++i) {
    cloud_x[i] = .25 * std::sin(drift_x * i + phase);
    cloud_y[i] = .25 * std::cos(drift_y * i + phase);
  }
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const int i = y * side + x;
      double value = (1 - ink[i]) * cloud * (.5 + cloud_x[x] + cloud_y[y]);
      if (ink[i] > 0) {
        const double along = x * std::cos(angle) + y * std::sin(angle);
        value += ink[i] * (1 - depth * (.5 + .5 * std::sin(wave * along + phase)) - .05 * random.uniform());
      }
      image[i] = static_cast<uint8_t>(std::lround(255 * std::clamp(value, 0., 1.)));
      mask[i] = ink[i] > .5;
    }
}

}  // namespace

Table draw_glyphs(int64_t n, uint64_t seed) {
  if (n < 1 || n > 10'000'000)
    throw Failure(Exit::bad_configuration, fmt::format("glyphs: `n` must be from 1 to 10000000, not {}", n));
  std::vector<uint8_t> images(n * side * side), masks(n * side * side), labels(n);
  for (int64_t i = 0; i < n; ++i) {
    Random random(Random(seed).next() ^ static_cast<uint64_t>(i) * 0xd1342543de82ef95);
    labels[i] = static_cast<uint8_t>(random.below(10));
    const auto& ways = forms[labels[i]];
    std::vector<Stroke> paths = write(ways[random.below(static_cast<int64_t>(ways.size()))], random);
    fit(paths, random);
    paint(draw(paths, random), random, images.data() + i * side * side, masks.data() + i * side * side);
  }
  Column image = byte_column("image", {side, side}, n, std::move(images), pixel_levels());
  image.pixels = true;
  return {"",
          {image, byte_column("label", {}, n, std::move(labels), whole_levels()),
           byte_column("mask", {side, side}, n, std::move(masks), whole_levels())}};
}

}  // namespace data
