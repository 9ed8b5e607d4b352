// A hand-made image, so that the runtime is tested without the compiler. The model, all scalars:
//   decoder p { z ~ Normal(0); x | z ~ Normal(w z) }    encoder q { z | x ~ Normal(a x, std = s) }
//   source images { x = npy("x.npy") }    source generated { }
// With a = w / (1 + w^2), s^2 = 1 / (1 + w^2) the encoder is exact, and log p(x) = log N(x; 0, 1 + w^2).
#pragma once
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/core/execution/philox.h"
#include "runtime/data/arrays/npy.h"

namespace toy {
using nlohmann::json;

inline constexpr double encoder_variance = 0.5;

/// A phase without chains.
inline json phase_of(int program) { return {{"stages", json::array()}, {"program", program}}; }

inline float normal(const vae_loop* loop, int64_t element) {
  return static_cast<float>(
      core::philox_normal(loop->seed, loop->step, loop->sites[0], static_cast<uint64_t>(element)));
}

/// target = weight * parent + scalars[0] * normal
inline void draw_given(const vae_loop* loop, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    loop->pointers[2][i] = loop->pointers[1][0] * loop->pointers[0][i] + loop->scalars[0] * normal(loop, i);
}
inline void draw_prior(const vae_loop* loop, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) loop->pointers[0][i] = normal(loop, i);
}
/// gradient = coefficient / variance * sum (target - weight * parent) * parent
inline void gradient(const vae_loop* loop, int64_t begin, int64_t end) {
  const float *target = loop->pointers[0], *parent = loop->pointers[1], *weight = loop->pointers[2];
  if (begin == end) return;
  double sum = 0;
  for (int64_t i = 0; i < loop->extents[0]; ++i) sum += (target[i] - weight[0] * parent[i]) * parent[i];
  loop->pointers[4][0] = static_cast<float>(sum * loop->pointers[3][0] / loop->scalars[0]);
}
inline double log_normal(double value, double mean, double variance) {
  return -0.5 * ((value - mean) * (value - mean) / variance + std::log(2 * M_PI * variance));
}
inline void sum_density(const vae_loop* loop, int64_t begin, int64_t end) {
  if (begin == end) return;
  double sum = 0;
  for (int64_t i = 0; i < loop->extents[0]; ++i)
    sum += log_normal(loop->pointers[0][i], loop->pointers[2][0] * loop->pointers[1][i], loop->scalars[0]);
  loop->pointers[3][0] = static_cast<float>(sum);
}
inline void density(const vae_loop* loop, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    loop->pointers[3][i] = static_cast<float>(
        log_normal(loop->pointers[0][i], loop->pointers[2][0] * loop->pointers[1][i], loop->scalars[0]));
}
inline void prior_density(const vae_loop* loop, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    loop->pointers[1][i] = static_cast<float>(log_normal(loop->pointers[0][i], 0, 1));
}
inline void mean_given(const vae_loop* loop, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) loop->pointers[2][i] = loop->pointers[1][0] * loop->pointers[0][i];
}
inline void mean_prior(const vae_loop* loop, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) loop->pointers[0][i] = 0;
}

inline const vae_kernel kernels[] = {draw_given, draw_prior,    gradient,   sum_density,
                                     density,    prior_density, mean_given, mean_prior};
enum Kernel {
  k_draw_given,
  k_draw_prior,
  k_gradient,
  k_sum_density,
  k_density,
  k_prior_density,
  k_mean_given,
  k_mean_prior
};

inline const json rows = json::array({{{"batch", 0}}});

inline json buffer(const char* kind, const std::string& name, json extents, int number = 0) {
  json entry = {{"name", name}, {"kind", kind}, {"extents", extents}, {"offset", 0}};
  if (std::string(kind) == "scratch") entry["slot"] = number;
  if (std::string(kind) == "parameters" || std::string(kind) == "coefficients") entry["index"] = number;
  return entry;
}

/// A loop over one axis, the rows. The stride of an access is 1 if the buffer has rows, and 0 for a scalar.
inline json loop(Kernel kernel, int kept, std::vector<std::pair<int, int>> accesses,
                 std::vector<float> scalars, std::vector<uint32_t> sites = {}) {
  json list = json::array();
  for (auto [index, stride] : accesses)
    list.push_back({{"buffer", index}, {"offset", 0}, {"strides", {stride}}});
  return {{"op", "loop"}, {"name", "toy"},    {"kernel", kernel},   {"space", rows}, {"kept", kept},
          {"unit", 1},    {"accesses", list}, {"scalars", scalars}, {"sites", sites}};
}

/// The lists are vectors, because of braces around a single json value g++ makes an array and clang a copy.
inline json program(const std::string& name, int batch, const std::vector<json>& buffers,
                    const std::vector<json>& instructions) {
  return {{"name", name},
          {"batches", {batch}},
          {"slots", {{0, 99}, {0, 99}, {0, 99}}},
          {"buffers", buffers},
          {"instructions", instructions}};
}

inline json programs() {
  const json scalar = json::array({1}), s = std::sqrt(encoder_variance);
  const float std_q = s.get<float>(), variance = encoder_variance;
  const auto given = [&](const char* in, const char* out, int player, json instruction) {
    return program(
        std::string(out) + " given " + in, -1,
        {buffer("input", in, rows), buffer("parameters", "", scalar, player), buffer("output", out, rows)},
        {instruction});
  };
  const auto log_density = [&](const char* target, const char* parent, int player, float v) {
    return program("log_density", -1,
                   {buffer("input", target, rows), buffer("input", parent, rows),
                    buffer("parameters", "", scalar, player), buffer("output", "log_density", rows)},
                   {loop(k_density, 1, {{0, 1}, {1, 1}, {2, 0}, {3, 1}}, {v})});
  };
  return {
      // 0: p learns on the images; z is drawn from q.
      program("p", 0,
              {buffer("scratch", "x", rows, 0), buffer("parameters", "q", scalar, 1),
               buffer("scratch", "z", rows, 1), buffer("parameters", "p", scalar, 0),
               buffer("coefficients", "", {2}, 0), buffer("scratch", "g", scalar, 2),
               buffer("output", "p.x@images", scalar)},
              {{{"op", "gather"}, {"column", 0}, {"source", 0}, {"buffer", 0}},
               loop(k_draw_given, 1, {{0, 1}, {1, 0}, {2, 1}}, {std_q}, {1}),
               loop(k_sum_density, 0, {{0, 1}, {2, 1}, {3, 0}, {6, 0}}, {1}),
               loop(k_gradient, 0, {{0, 1}, {2, 1}, {3, 0}, {4, 0}, {5, 0}}, {1}),
               {{"op", "update"}, {"player", 0}, {"gradient", 5}}}),
      // 1: q learns on the source `generated`; x is drawn from p.
      program("q", 1,
              {buffer("scratch", "z", rows, 0), buffer("parameters", "p", scalar, 0),
               buffer("scratch", "x", rows, 1), buffer("parameters", "q", scalar, 1),
               buffer("coefficients", "", {2}, 0), buffer("scratch", "g", scalar, 2),
               buffer("output", "q.z@generated", scalar)},
              {loop(k_draw_prior, 1, {{0, 1}}, {}, {2}),
               loop(k_draw_given, 1, {{0, 1}, {1, 0}, {2, 1}}, {1}, {3}),
               loop(k_sum_density, 0, {{0, 1}, {2, 1}, {3, 0}, {6, 0}}, {variance}),
               [&] {
                 json g = loop(k_gradient, 0, {{0, 1}, {2, 1}, {3, 0}, {4, 0}, {5, 0}}, {variance});
                 g["accesses"][3]["offset"] = 1;  // the coefficient of the source `generated`
                 return g;
               }(),
               {{"op", "update"}, {"player", 1}, {"gradient", 5}}}),
      // 2: the rows of the source.
      program("images", -1, {buffer("output", "x", rows)},
              {{{"op", "gather"}, {"column", 0}, {"source", 0}, {"buffer", 0}}}),
      // 3-5: z ~ p
      program("prior draw", -1, {buffer("output", "z", rows)}, {loop(k_draw_prior, 1, {{0, 1}}, {}, {4})}),
      program("prior mean", -1, {buffer("output", "mean", rows)}, {loop(k_mean_prior, 1, {{0, 1}}, {})}),
      program("prior density", -1, {buffer("input", "z", rows), buffer("output", "log_density", rows)},
              {loop(k_prior_density, 1, {{0, 1}, {1, 1}}, {})}),
      // 6-8: x | z ~ p
      given("z", "x", 0, loop(k_draw_given, 1, {{0, 1}, {1, 0}, {2, 1}}, {1}, {5})),
      given("z", "mean", 0, loop(k_mean_given, 1, {{0, 1}, {1, 0}, {2, 1}}, {})),
      log_density("x", "z", 0, 1),
      // 9-11: z | x ~ q
      given("x", "z", 1, loop(k_draw_given, 1, {{0, 1}, {1, 0}, {2, 1}}, {std_q}, {6})),
      given("x", "mean", 1, loop(k_mean_given, 1, {{0, 1}, {1, 0}, {2, 1}}, {})),
      log_density("z", "x", 1, variance),
  };
}

inline json description(const std::filesystem::path& folder) {
  const auto parameter = [](const char* name, double value) {
    return json{{"name", name},
                {"shape", json::array({1})},
                {"offset", 0},
                {"initial", {{"kind", "constant"}, {"value", value}, {"scale", 0}}}};
  };
  const json adam = {{"kind", "adam"}, {"lr", 0.01}, {"beta1", 0.9}, {"beta2", 0.999}, {"eps", 1e-8}};
  return {
      {"abi", 1},
      {"vaec", "test"},
      {"file", "toy"},
      {"folder", folder.string()},
      {"text", "// toy\n"},
      {"cpu", {{"name", "any"}, {"features", json::array()}}},
      {"params", json::object()},
      {"variables",
       {{{"name", "x"},
         {"domain", "real"},
         {"classes", 0},
         {"shape", json::array()},
         {"tensor_shape", json::array()}},
        {{"name", "z"},
         {"domain", "real"},
         {"classes", 0},
         {"shape", json::array()},
         {"tensor_shape", json::array()}}}},
      {"players",
       {{{"name", "p"}, {"role", "decoder"}, {"elements", 1}, {"parameters", {parameter("p.x.weight", 0.5)}}},
        {{"name", "q"},
         {"role", "encoder"},
         {"elements", 1},
         {"parameters", {parameter("q.z.weight", 0.1)}}}}},
      {"columns",
       {{{"expression", {{"op", "reader"}, {"name", "npy"}, {"args", {"x.npy"}}, {"named", json::object()}}},
         {"variable", 0}}}},
      {"sources",
       {{{"name", "images"}, {"weight", 1.0}, {"known", {0}}, {"program", 2}},
        {{"name", "generated"}, {"weight", 1.0}, {"known", json::array()}, {"program", -1}}}},
      {"conditionals",
       {{{"player", 0},
         {"target", 1},
         {"parents", json::array()},
         {"family", "Normal"},
         {"discrete", false},
         {"draw", 3},
         {"mean", 4},
         {"log_density", 5}},
        {{"player", 0},
         {"target", 0},
         {"parents", {1}},
         {"family", "Normal"},
         {"discrete", false},
         {"draw", 6},
         {"mean", 7},
         {"log_density", 8}},
        {{"player", 1},
         {"target", 1},
         {"parents", {0}},
         {"family", "Normal"},
         {"discrete", false},
         {"draw", 9},
         {"mean", 10},
         {"log_density", 11}}}},
      {"game", json::object()},
      {"learns",
       {{{"method", "symmetric"},
         {"name", "symmetric"},
         {"steps", 300},
         {"batch", {{"images", 32}, {"generated", 16}}},
         {"optimizers", {{"p", adam}, {"q", adam}}},
         {"schedule", {{"kind", "constant"}}},
         {"clip", 0},
         {"seed", 7},
         {"order", "alternating"},
         {"precision", "fp32"},
         {"sources", {0, 1}},
         {"start", ""},
         {"every", {{"log", 20}, {"sample", 0}, {"checkpoint", 50}, {"evaluate", 0}}},
         {"own", json::object()},
         {"phases", {{"alternating", {phase_of(0), phase_of(1)}}, {"simultaneous", json::array()}}}},
        {{"method", "elbo"},
         {"name", "elbo"},
         {"steps", 1},
         {"batch", {{"images", 32}}},
         {"optimizers", json::object()},
         {"sources", {0}},
         {"unavailable", "needs what this version of vaec cannot run"}}}},
      {"programs", programs()},
  };
}

/// Owns the text that the image refers to.
struct Image {
  explicit Image(const json& description) : text(description.dump()) {
    binary = {VAE_ABI_VERSION, sizeof kernels / sizeof *kernels, text.data(), text.size(), kernels};
  }
  std::string text;
  vae_image binary;
};

/// x.npy: 200 numbers with variance 5, the variance of a model with w = 2.
inline void write_rows(const std::filesystem::path& folder) {
  std::vector<float> x;
  for (uint64_t i = 0; i < 200; ++i)
    x.push_back(static_cast<float>(std::sqrt(5.0) * core::philox_normal(1, 2, 3, i)));
  data::write_npy(folder / "x.npy", {200}, x.data());
}

/// An empty folder of this name in the system's temporary folder.
inline std::filesystem::path fresh_folder(const std::string& name) {
  const auto path =
      std::filesystem::temp_directory_path() / ("vaec-" + name + "-" + std::to_string(getpid()));
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

}  // namespace toy
