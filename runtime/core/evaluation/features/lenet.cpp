#include "runtime/core/evaluation/features/lenet.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "runtime/core/evaluation/accuracy.h"
#include "runtime/core/execution/rows_at_once.h"
#include "runtime/core/learning/settings/settings.h"
#include "runtime/core/learning/trainer.h"
#include "runtime/core/run/elapsed.h"
#include "runtime/core/run/progress.h"
#include "runtime/core/run/run_directory.h"
#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/lookup.h"
#include "runtime/data/optional_library.h"
#include "runtime/shared/cache_folder.h"
#include "runtime/shared/closed_folder.h"
#include "runtime/shared/content_hash.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"
#include "runtime/shared/printable.h"

namespace core {
namespace {
namespace fs = std::filesystem;
using nlohmann::json;

constexpr int64_t side = 28, steps_between_lines = 500;
constexpr float threshold = 0.4375;
constexpr double least_accuracy = 0.99;
constexpr const char* description_file = "classifier.json";
constexpr const char* model_file = "model.safetensors";

/// The classifier: its image, and a session of its own.
class Classifier {
 public:
  explicit Classifier(int threads)
      : image_(read_image(
            *static_cast<const vae_image*>(data::function_of("libvaert_lenet.so", "vaert_lenet_image")))),
        session_(image_, {.threads = threads}),
        settings_(settings_of(find_learn(image_, ""), image_)),
        sampler_(session_, settings_.seed),
        pictures_(image_.variable("x")),
        features_(image_.variable("features")) {
    for (size_t i = 0; i < image_.conditionals.size(); ++i)
      if (image_.conditionals[i].target == features_ && image_.conditionals[i].player >= 0)
        conditional_ = static_cast<int>(i);
  }

  bool is_kept() const { return fs::exists(folder() / description_file); }

  /// Loads the trained classifier from the cache.
  void load() {
    const fs::path folder = this->folder();
    session_.load_parameters(folder / model_file);
    about_ = read_json(folder / description_file);
    about_["hash"] = fmt::format("{:016x}", content_hash(data::read_file(folder / model_file)));
    about_["mean"].get_to(mean_);
    about_["deviation"].get_to(deviation_);
    about_.erase("mean");
    about_.erase("deviation");
  }

  const json& about() const { return about_; }
  int64_t width() const { return image_.variables[static_cast<size_t>(features_)].elements(); }

  /// Appends the features of `count` rows of 28 * 28 zeros and ones. They are standardised if load() was
  /// called.
  void append(const float* rows, int64_t count, metrics::Points& to) {
    to.width = width();
    for (int64_t first = 0; first < count; first += classified_rows_at_once) {
      const int64_t taken = std::min(classified_rows_at_once, count - first);
      Values values;
      // The number of rows is always the same, so that the network is loaded only once.
      std::vector<float>& pictures = values[pictures_];
      pictures.assign(static_cast<size_t>(classified_rows_at_once * side * side), 0);
      std::copy_n(rows + first * side * side, taken * side * side, pictures.data());
      const std::vector<float> found = sampler_.mean(conditional_, values, classified_rows_at_once);
      for (int64_t i = 0; i < taken * to.width; ++i) {
        const auto unit = static_cast<size_t>(i % to.width);
        to.values.push_back(mean_.empty() ? found[static_cast<size_t>(i)]
                                          : (found[static_cast<size_t>(i)] - mean_[unit]) / deviation_[unit]);
      }
    }
  }

  /// Trains the classifier and writes it to the cache.
  void train() {
    print_error("training the classifier of FD-LeNet, once; it is kept in {}\n",
                printable(folder().string()));
    const auto begin = std::chrono::steady_clock::now();
    try {
      Trainer trainer(session_, settings_, initial_state(session_, settings_));
      while (trainer.step() < settings_.steps) {
        trainer.do_step();
        if (trainer.step() % steps_between_lines == 0)
          print_error("  step {} of {}, {}\n", trainer.step(), settings_.steps,
                      duration_text(seconds_since(begin)));
      }
    } catch (const Failure& failure) {
      if (failure.exit_code != Exit::missing_input) throw;
      throw Failure(Exit::missing_input,
                    fmt::format("--features lenet needs MNIST to train its classifier: {} "
                                "(--features pca64 needs no classifier)",
                                failure.what()));
    }
    json about = measure();
    about["seconds"] = std::round(seconds_since(begin));
    keep(about);
    print_error("  it finds {:.2f} % of MNIST's test images\n", 100 * about["accuracy"].get<double>());
  }

 private:
  fs::path folder() const {
    const fs::path cache = cache_folder();
    if (cache.empty())
      throw Failure(Exit::cannot_write,
                    "there is no folder to keep the classifier in: set VAEC_CACHE to one");
    const fs::path features = cache / "features";
    std::error_code ignored;
    if (const std::string cause = fs::exists(features, ignored) ? why_not_closed(features) : "";
        !cause.empty())
      throw Failure(Exit::cannot_write, fmt::format("the classifier cannot be kept in {}: the folder {}",
                                                    features.string(), cause));
    return features / fmt::format("lenet-{:016x}-seed{}", content_hash(image_.text), settings_.seed);
  }

  json measure() {
    const json accuracy = measure_accuracies(session_, settings_.seed, {}, 0, "c | x").at(0);
    if (accuracy["mean"] < least_accuracy)
      throw Failure(Exit::bad_data,
                    fmt::format("the classifier of FD-LeNet finds {:.2f} % of the test images of MNIST, and "
                                "must find {:.0f} %: the set that was found is not MNIST's",
                                100 * accuracy["mean"].get<double>(), 100 * least_accuracy));
    metrics::Points features;
    each_rows(sampler_, session_, image_.source("labelled"), pictures_, 0, 0,
              [&](const float* rows, int64_t count) { append(rows, count, features); });
    std::vector<double> mean(static_cast<size_t>(width())), deviation(mean.size());
    for (size_t unit = 0; unit < mean.size(); ++unit) {
      std::vector<double> numbers;
      for (int64_t row = 0; row < features.rows(); ++row) numbers.push_back(features.row(row)[unit]);
      const metrics::Estimate found = metrics::mean_of(numbers);
      mean[unit] = found.value;
      deviation[unit] = std::max(1e-6, found.standard_error * std::sqrt(static_cast<double>(numbers.size())));
    }
    return {{"seed", settings_.seed},
            {"accuracy", accuracy["mean"]},
            {"test_rows", accuracy["rows"]},
            {"mean", mean},
            {"deviation", deviation}};
  }

  /// Writes to another name, then renames, because another process may do the same.
  void keep(const json& about) {
    const fs::path folder = this->folder();
    const fs::path aside = fmt::format("{}.{}", folder.string(), getpid());
    try {
      if (const std::string cause = make_closed_folder(aside); !cause.empty())
        throw Failure(Exit::cannot_write, fmt::format("cannot write {}: {}", aside.string(), cause));
      data::Tensors tensors;
      for (size_t player = 0; player < image_.players.size(); ++player)
        add_tensors(image_.players[player], session_.parameters.of(static_cast<int>(player)), "", tensors);
      data::write_safetensors(aside / model_file, tensors);
      std::ofstream text(aside / description_file);
      text << about.dump(2) << "\n";
      if (!text.flush())
        throw Failure(Exit::cannot_write, "cannot write " + (aside / description_file).string());
      text.close();
      std::error_code there;
      fs::rename(aside, folder, there);
      if (there && !fs::exists(folder / description_file))
        throw Failure(Exit::cannot_write,
                      fmt::format("cannot write {}: {}", folder.string(), there.message()));
    } catch (const fs::filesystem_error& failure) {
      throw Failure(Exit::cannot_write, failure.what());
    }
    std::error_code ignored;
    fs::remove_all(aside, ignored);
  }

  const Image image_;
  Session session_;
  const Settings settings_;
  Sampler sampler_;
  const int pictures_, features_;
  int conditional_ = -1;
  json about_;
  std::vector<float> mean_, deviation_;
};

class LenetFeatures : public Features {
 public:
  explicit LenetFeatures(int threads) : classifier_(threads) {
    if (!classifier_.is_kept()) {
      // Uses one thread: the number of threads changes the last bits of sums, and so the classifier.
      Classifier(1).train();
      start_threads(threads, vaert_onednn());
    }
    classifier_.load();
  }

  std::string distance_name() const override { return "FD-LeNet"; }

  json about() const override {
    return {{"features", "lenet"}, {"width", classifier_.width()}, {"classifier", classifier_.about()}};
  }

  void append(const float* rows, int64_t count, metrics::Points& to) override {
    std::vector<float> pictures(rows, rows + count * side * side);
    for (float& pixel : pictures) pixel = pixel > threshold ? 1 : 0;
    classifier_.append(pictures.data(), count, to);
  }

 private:
  Classifier classifier_;
};

}  // namespace

std::unique_ptr<Features> make_lenet_features(const Session& session, int variable) {
  const Variable& entry = session.image.variables[static_cast<size_t>(variable)];
  const bool numbers = entry.domain == "binary" || entry.domain == "unit" || entry.domain == "real";
  if (!numbers || (entry.shape != Shape{side, side} && entry.shape != Shape{1, side, side}))
    throw Failure(
        Exit::bad_configuration,
        fmt::format("--features lenet needs pictures of 28 x 28 pixels in one channel; {} is {}[{}]. "
                    "--features pca64 works for any variable",
                    entry.name, entry.domain, fmt::join(entry.shape, ", ")));
  return std::make_unique<LenetFeatures>(session.machine.threads);
}

}  // namespace core
