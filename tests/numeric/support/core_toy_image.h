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
#include "runtime/schema/description.h"

namespace toy {
using nlohmann::json;

inline constexpr double encoder_variance = 0.5;

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

/// Loads: parameters, gradient, two moments, lr, beta1, beta2, eps, 1 / (1 - beta1^t), 1 / (1 - beta2^t).
inline void adam(const vae_loop* loop, int64_t begin, int64_t end) {
  float* const* at = loop->pointers;
  const float lr = at[4][0], beta1 = at[5][0], beta2 = at[6][0], eps = at[7][0];
  for (int64_t i = begin; i < end; ++i) {
    const float g = at[1][i], m = beta1 * at[2][i] + (1 - beta1) * g,
                v = beta2 * at[3][i] + (1 - beta2) * g * g;
    at[10][i] = at[0][i] + lr * at[8][0] * m / (std::sqrt(v * at[9][0]) + eps);
    at[11][i] = m;
    at[12][i] = v;
  }
}
/// Loads: parameters, gradient, lr.
inline void sgd(const vae_loop* loop, int64_t begin, int64_t end) {
  float* const* at = loop->pointers;
  for (int64_t i = begin; i < end; ++i) at[3][i] = at[0][i] + at[2][0] * at[1][i];
}

inline const vae_kernel kernels[] = {draw_given,    draw_prior, gradient,   sum_density, density,
                                     prior_density, mean_given, mean_prior, adam,        sgd};
enum Kernel {
  k_draw_given,
  k_draw_prior,
  k_gradient,
  k_sum_density,
  k_density,
  k_prior_density,
  k_mean_given,
  k_mean_prior,
  k_adam,
  k_sgd
};

inline const std::vector<schema::Extent> rows = {{1, 0}}, scalar = {{1, -1}};

/// `number`: the slot of a scratch buffer, or the index of parameters.
inline schema::Buffer buffer(schema::Buffer::Kind kind, const std::string& name,
                             const std::vector<schema::Extent>& extents, int number = -1) {
  const bool scratch = kind == schema::Buffer::Kind::scratch;
  return {name, kind, extents, -1, 0, scratch ? -1 : number, scratch ? number : -1};
}
inline schema::Buffer input(const std::string& name) {
  return buffer(schema::Buffer::Kind::input, name, rows);
}
inline schema::Buffer output(const std::string& name, const std::vector<schema::Extent>& extents = rows) {
  return buffer(schema::Buffer::Kind::output, name, extents);
}
inline schema::Buffer parameters(const std::string& name, int player) {
  return buffer(schema::Buffer::Kind::parameters, name, scalar, player);
}
inline schema::Buffer scratch(const std::string& name, const std::vector<schema::Extent>& extents, int slot) {
  return buffer(schema::Buffer::Kind::scratch, name, extents, slot);
}
inline schema::Buffer coefficients() { return buffer(schema::Buffer::Kind::coefficients, "", {{2, -1}}, 0); }

/// A loop over one axis, the rows. The stride of an access is 1 if the buffer has rows, and 0 for a scalar.
inline schema::Loop loop(Kernel kernel, int kept, const std::vector<std::pair<int, int64_t>>& accesses,
                         const std::vector<float>& scalars, const std::vector<uint32_t>& sites = {}) {
  schema::Loop made{"toy", kernel, 0, rows, kept, scalar, {}, scalars, sites};
  for (const auto& [index, stride] : accesses) made.accesses.push_back({index, 0, {stride}});
  return made;
}

inline schema::Program program(const std::string& name, int batch, const std::vector<schema::Buffer>& buffers,
                               const std::vector<schema::Instruction>& instructions) {
  return {name, {batch}, buffers, {{0, 99}, {0, 99}, {0, 99}}, instructions};
}

/// The update of an optimizer: arrays that it reads, numbers, arrays that it writes.
inline schema::Program update(Kernel kernel, const std::vector<std::string>& read,
                              const std::vector<std::string>& numbers,
                              const std::vector<std::string>& written) {
  std::vector<schema::Buffer> buffers;
  std::vector<std::pair<int, int64_t>> accesses;
  const auto add = [&](schema::Buffer::Kind kind, const std::string& name, bool array) {
    accesses.emplace_back(static_cast<int>(buffers.size()), array ? 1 : 0);
    buffers.push_back(buffer(kind, name, array ? rows : std::vector<schema::Extent>()));
  };
  for (const std::string& name : read) add(schema::Buffer::Kind::input, name, true);
  for (const std::string& name : numbers) add(schema::Buffer::Kind::input, name, false);
  for (const std::string& name : written) add(schema::Buffer::Kind::output, name, true);
  return program("update", -1, buffers, {loop(kernel, 1, accesses, {})});
}

inline std::vector<schema::Program> programs() {
  const float variance = encoder_variance, std_q = std::sqrt(variance);
  const auto given = [&](const char* in, const char* out, int player, const schema::Loop& instruction) {
    return program(std::string(out) + " given " + in, -1, {input(in), parameters("", player), output(out)},
                   {instruction});
  };
  const auto log_density = [&](const char* target, const char* parent, int player, float v) {
    return program("log_density", -1,
                   {input(target), input(parent), parameters("", player), output("log_density")},
                   {loop(k_density, 1, {{0, 1}, {1, 1}, {2, 0}, {3, 1}}, {v})});
  };
  const schema::Gather gather{0, 0, 0};
  schema::Loop q_gradient = loop(k_gradient, 0, {{0, 1}, {2, 1}, {3, 0}, {4, 0}, {5, 0}}, {variance});
  q_gradient.accesses[3].offset = 1;  // the coefficient of the source `generated`
  return {
      // 0: p learns on the images; z is drawn from q.
      program("p", 0,
              {scratch("x", rows, 0), parameters("q", 1), scratch("z", rows, 1), parameters("p", 0),
               coefficients(), scratch("g", scalar, 2), output("p.x@images", scalar)},
              {gather, loop(k_draw_given, 1, {{0, 1}, {1, 0}, {2, 1}}, {std_q}, {1}),
               loop(k_sum_density, 0, {{0, 1}, {2, 1}, {3, 0}, {6, 0}}, {1}),
               loop(k_gradient, 0, {{0, 1}, {2, 1}, {3, 0}, {4, 0}, {5, 0}}, {1}), schema::Update{0, 5}}),
      // 1: q learns on the source `generated`; x is drawn from p.
      program("q", 1,
              {scratch("z", rows, 0), parameters("p", 0), scratch("x", rows, 1), parameters("q", 1),
               coefficients(), scratch("g", scalar, 2), output("q.z@generated", scalar)},
              {loop(k_draw_prior, 1, {{0, 1}}, {}, {2}),
               loop(k_draw_given, 1, {{0, 1}, {1, 0}, {2, 1}}, {1}, {3}),
               loop(k_sum_density, 0, {{0, 1}, {2, 1}, {3, 0}, {6, 0}}, {variance}), q_gradient,
               schema::Update{1, 5}}),
      // 2: the rows of the source.
      program("images", -1, {output("x")}, {gather}),
      // 3-5: z ~ p
      program("prior draw", -1, {output("z")}, {loop(k_draw_prior, 1, {{0, 1}}, {}, {4})}),
      program("prior mean", -1, {output("mean")}, {loop(k_mean_prior, 1, {{0, 1}}, {})}),
      program("prior density", -1, {input("z"), output("log_density")},
              {loop(k_prior_density, 1, {{0, 1}, {1, 1}}, {})}),
      // 6-8: x | z ~ p
      given("z", "x", 0, loop(k_draw_given, 1, {{0, 1}, {1, 0}, {2, 1}}, {1}, {5})),
      given("z", "mean", 0, loop(k_mean_given, 1, {{0, 1}, {1, 0}, {2, 1}}, {})),
      log_density("x", "z", 0, 1),
      // 9-11: z | x ~ q
      given("x", "z", 1, loop(k_draw_given, 1, {{0, 1}, {1, 0}, {2, 1}}, {std_q}, {6})),
      given("x", "mean", 1, loop(k_mean_given, 1, {{0, 1}, {1, 0}, {2, 1}}, {})),
      log_density("z", "x", 1, variance),
      // 12, 13: the updates.
      update(k_adam, {"parameters", "gradient", "exp_avg", "exp_avg_sq"},
             {"lr", "beta1", "beta2", "eps", "1 / (1 - beta1^t)", "1 / (1 - beta2^t)"},
             {"parameters", "exp_avg", "exp_avg_sq"}),
      update(k_sgd, {"parameters", "gradient"}, {"lr"}, {"parameters"}),
  };
}

inline std::vector<schema::Learn> learns() {
  schema::Learn symmetric, elbo;
  symmetric.method = symmetric.name = "symmetric";
  schema::Settings& settings = symmetric.settings;
  settings.method = settings.learn = "symmetric";
  settings.steps = 300;
  settings.batch = {{"images", 32}, {"generated", 16}};
  OptimizerSettings adam("adam");
  adam.numbers["lr"] = 0.01;
  settings.optimizers = {{"p", adam}, {"q", adam}};
  settings.clip = {{"p", 0}, {"q", 0}};
  settings.seed = 7;
  settings.sources = {"images", "generated"};
  settings.every = {{"log", 20}, {"sample", 0}, {"checkpoint", 50}, {"evaluate", 0}};
  symmetric.sources = {0, 1};
  symmetric.alternating = {{{}, 0, {}}, {{}, 1, {}}};
  elbo.method = elbo.name = elbo.settings.method = elbo.settings.learn = "elbo";
  elbo.settings.steps = 1;
  elbo.settings.batch = {{"images", 32}};
  elbo.settings.every = settings.every;
  elbo.settings.sources = {"images"};
  elbo.sources = {0};
  elbo.unavailable = "needs what this version of vaec cannot run";
  return {symmetric, elbo};
}

inline schema::ImageDescription whole(const std::filesystem::path& folder) {
  const auto player = [](const char* name, schema::Role role, const char* parameter, double value) {
    return schema::Player{name, role, 1, {{parameter, {1}, 0, {schema::Initial::Kind::constant, value, 0}}}};
  };
  const auto conditional = [](int player, int target, std::vector<int> parents, int draw) {
    schema::Conditional made;
    made.draw = draw;
    made.mean = draw + 1;
    made.log_density = draw + 2;
    made.player = player;
    made.target = target;
    made.parents = std::move(parents);
    made.family = "Normal";
    return made;
  };
  schema::ImageDescription toy;
  toy.vaec = "test";
  toy.file = "toy";
  toy.folder = folder.string();
  toy.text = "// toy\n";
  toy.cpu.name = "any";
  toy.game = json::object();
  toy.variables = {{"x", "real", 0, {}, {}}, {"z", "real", 0, {}, {}}};
  toy.players = {player("p", schema::Role::decoder, "p.x.weight", 0.5),
                 player("q", schema::Role::encoder, "q.z.weight", 0.1)};
  schema::Reader npy;
  npy.name = "npy";
  npy.args.push_back({std::string("x.npy")});
  toy.columns = {{npy, 0, "real"}};
  toy.sources = {{"images", 1, {0}, 2}, {"generated", 1, {}, -1}};
  toy.conditionals = {conditional(0, 1, {}, 3), conditional(0, 0, {1}, 6), conditional(1, 1, {0}, 9)};
  toy.learns = learns();
  toy.optimizers = {{"adam", "", 12}, {"sgd", "", 13}};
  toy.programs = programs();
  return toy;
}

inline json description(const std::filesystem::path& folder) { return schema::write(whole(folder)); }

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
