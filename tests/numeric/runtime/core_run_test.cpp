// Runs a hand-made executable (core_toy_image.h) through its command line: what training writes, that a
// resumed run gives the same bits, that the other commands agree with closed forms, and the exit codes.
// links: vaert_core
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <thread>

#include "runtime/core/image.h"
#include "runtime/core/run/event_file.h"
#include "runtime/core/run/run_directory.h"
#include "runtime/data/arrays/npy.h"
#include "runtime/data/arrays/safetensors.h"
#include "runtime/shared/failure.h"
#include "runtime/version.h"
#include "tests/numeric/support/core_toy_image.h"

namespace {
namespace fs = std::filesystem;
using nlohmann::json;

struct Outcome {
  int code;
  std::string out, err;
};

class CoreRun : public testing::Test {
 protected:
  void SetUp() override {
    setenv("GOMP_SPINCOUNT", "2000", 0);  // else the first run would start this test again
    folder_ = toy::fresh_folder("run");
    toy::write_rows(folder_);
    before_ = fs::current_path();
    fs::current_path(folder_);
  }
  void TearDown() override {
    fs::current_path(before_);
    fs::remove_all(folder_);
  }

  Outcome run(std::vector<std::string> arguments, const json& description = {}) {
    const toy::Image image(description.is_null() ? toy::description(folder_) : description);
    arguments.insert(arguments.begin(), "toy");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = vaert_main(&image.binary, static_cast<int>(argv.size()), argv.data());
    return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
  }

  std::vector<json> metrics(const fs::path& directory) {
    std::ifstream file(directory / "metrics.jsonl");
    std::vector<json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
    return lines;
  }

  /// Makes a run with the parameters w and a, by overwriting its only checkpoint.
  void write_model(const fs::path& directory, float w, float a) {
    ASSERT_EQ(run({"train", "--steps", "1", "--out", directory.string(), "--quiet"}).code, 0);
    data::write_safetensors(core::latest_checkpoint(directory)->path / "model.safetensors",
                            {{"p.x.weight", {{1}, {w}}}, {"q.z.weight", {{1}, {a}}}});
  }

  fs::path folder_, before_;
};

TEST_F(CoreRun, TrainingFillsTheRunDirectory) {
  const Outcome outcome = run({"train"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const fs::path directory = "runs/toy-symmetric-1";
  const json config = core::read_json(directory / "config.json");
  EXPECT_EQ(config["steps"], 300);
  EXPECT_EQ(config["batch"]["generated"], 16);
  EXPECT_EQ(core::read_text(directory / "model.vae"), "// toy\n");
  EXPECT_TRUE(core::read_json(directory / "env.json").contains("threads"));
  const std::vector<json> lines = metrics(directory);
  ASSERT_EQ(lines.size(), 15u);
  EXPECT_EQ(lines.back()["step"], 300);
  EXPECT_EQ(lines.back()["utility"]["p"], lines.back()["terms"]["p.x@images"]);
  for (const char* file : {"model.safetensors", "optimizer.safetensors", "state.json"})
    EXPECT_TRUE(fs::exists(directory / "checkpoints/step-50" / file));
  EXPECT_EQ(core::latest_checkpoint(directory)->step, 300);
  // A second run gets a directory of its own.
  EXPECT_EQ(run({"train", "--steps", "1", "--quiet"}).out, "");
  EXPECT_TRUE(fs::exists("runs/toy-symmetric-2/config.json"));
}

TEST_F(CoreRun, LearningRaisesTheUtilityTowardsTheTruth) {
  ASSERT_EQ(
      run({"train", "--out", "long", "--steps", "3000", "--batch", "200", "--lr", "0.02", "--quiet"}).code,
      0);
  const data::Tensors model =
      data::read_safetensors(core::latest_checkpoint("long")->path / "model.safetensors");
  // At the equilibrium, with s^2 = 1/2 and data of variance v: w = a v / (a^2 v + s^2), a = w / (1 + w^2).
  const double w = model.at("p.x.weight").values[0], a = model.at("q.z.weight").values[0];
  EXPECT_NEAR(a, w / (1 + w * w), 0.05);
}

TEST_F(CoreRun, AResumedRunGivesTheSameBits) {
  ASSERT_EQ(run({"train", "--out", "whole", "--quiet"}).code, 0);
  // Step 130 is not a multiple of the steps between lines of metrics or between checkpoints.
  ASSERT_EQ(run({"train", "--out", "parts", "--steps", "130", "--every", "log=1000", "--quiet"}).code, 0);
  fs::remove_all("parts/checkpoints/step-130");
  ASSERT_EQ(run({"train", "--resume", "parts", "--steps", "300", "--every", "log=20", "--quiet"}).code, 0);
  for (const char* file : {"model.safetensors", "optimizer.safetensors"}) {
    const auto read = [&](const char* name) {
      return core::read_text(fs::path(name) / "checkpoints/step-300" / file);
    };
    EXPECT_EQ(read("whole"), read("parts")) << file;
  }
  const std::vector<json> whole = metrics("whole"), parts = metrics("parts");
  EXPECT_EQ(parts.back()["terms"], whole.back()["terms"]);
  EXPECT_EQ(core::read_json("parts/config.json")["resumed"], json::array({100}));
}

TEST_F(CoreRun, ResumingForgetsTheLinesAfterTheCheckpoint) {
  ASSERT_EQ(run({"train", "--out", "a", "--quiet"}).code, 0);
  fs::remove_all("a/checkpoints/step-300");
  const std::vector<json> before = {metrics("a")[0], metrics("a")[14]};
  std::ofstream("a/metrics.jsonl", std::ios::app) << R"({"step": 300, "cut)";
  ASSERT_EQ(run({"train", "--resume", "a", "--quiet"}).code, 0);
  const std::vector<json> lines = metrics("a");
  ASSERT_EQ(lines.size(), 15u);
  EXPECT_EQ(lines[14]["terms"], before[1]["terms"]);
  EXPECT_EQ(lines[0], before[0]);
}

TEST_F(CoreRun, InterruptsCheckpointAndExit130) {
  std::thread user([] {
    while (!fs::exists("stopped/checkpoints/step-100"))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    kill(getpid(), SIGINT);
  });
  const Outcome outcome = run({"train", "--out", "stopped", "--steps", "100000000", "--quiet"});
  user.join();
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  const int64_t step = core::latest_checkpoint("stopped")->step;
  const Outcome more = run({"train", "--resume", "stopped", "--steps", std::to_string(step + 10), "--quiet"});
  EXPECT_EQ(more.code, 0) << more.err;
}

TEST_F(CoreRun, FlagsOverrideTheEnvironmentAndTheEnvironmentTheFile) {
  setenv("VAEC_STEPS", "3", 1);
  setenv("VAEC_SEED", "11", 1);
  EXPECT_EQ(
      run({"train", "--out", "a", "--steps", "2", "--lr", "q=0.5", "--batch", "images=8", "--quiet"}).code,
      0);
  unsetenv("VAEC_STEPS");
  unsetenv("VAEC_SEED");
  const json config = core::read_json("a/config.json");
  EXPECT_EQ(config["steps"], 2);
  EXPECT_EQ(config["seed"], 11);
  EXPECT_EQ(config["optimizers"]["q"]["lr"], 0.5);
  EXPECT_EQ(config["optimizers"]["p"]["lr"], 0.01);
  EXPECT_EQ(config["batch"], json({{"images", 8}, {"generated", 16}}));
}

TEST_F(CoreRun, FailuresAreOneLineWithTheirExitCode) {
  const auto expect = [&](std::vector<std::string> arguments, int code, const std::string& words) {
    const Outcome outcome = run(std::move(arguments));
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_NE(outcome.err.find(words), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  };
  expect({"train", "--step", "3"}, 64, "--step");
  expect({"train", "--steps", "many"}, 64, "a whole number");
  expect({"train", "--batch", "image=3"}, 64, "generated, images");
  expect({"train", "--learn", "symetric"}, 64, "symmetric, elbo");
  expect({"train", "--learn", "elbo"}, 78, "learn elbo needs what this version of vaec cannot run");
  expect({"train", "--device", "cuda"}, 78, "no code for GPUs");
  expect({"train", "--precision", "tf32"}, 78, "only on a CUDA device");
  expect({"train", "--order", "simultaneous"}, 78, "simultaneous");
  expect({"train", "--resume", "nowhere"}, 66, "no run directory");
  expect({"train", "--out", folder_.string()}, 73, "there already");
  expect({"sample", "--run", "nowhere", "--out", "a.npy"}, 66, "no run directory");
  expect({"sample", "--run", "nowhere", "--out", "a.doc"}, 64, ".safetensors");
  expect({}, 64, "a command is needed");
  EXPECT_FALSE(fs::exists("runs"));
  fs::remove("x.npy");
  expect({"train"}, 66, "x.npy");
  EXPECT_FALSE(fs::exists("runs"));
}

TEST_F(CoreRun, DivergenceNamesThePlayerAndTheLastCheckpoint) {
  const Outcome outcome = run({"train", "--out", "a", "--optimizer", "sgd(1e20)"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("player"), std::string::npos);
  EXPECT_NE(outcome.err.find("there is no checkpoint yet"), std::string::npos) << outcome.err;
}

TEST_F(CoreRun, InferGivesTheConditionalMean) {
  write_model("a", 2, 0.4f);
  const Outcome outcome = run({"infer", "--run", "a", "--given", "x=x.npy", "z | x", "--out", "z.npy"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const data::Column x = data::read_npy("x.npy", "x"), z = data::read_npy("z.npy", "z");
  ASSERT_EQ(z.rows, 200);
  for (int64_t i = 0; i < 200; ++i) ASSERT_FLOAT_EQ(z.at(i), 0.4f * x.at(i));
  EXPECT_EQ(run({"infer", "--run", "a", "x | y", "--given", "x=x.npy", "--out", "z.npy"}).code, 64);
}

TEST_F(CoreRun, SamplesHaveTheVarianceOfTheModel) {
  write_model("a", 2, 0.4f);
  ASSERT_EQ(run({"sample", "--run", "a", "--n", "20000", "--out", "s.safetensors"}).code, 0);
  const data::Tensors drawn = data::read_safetensors("s.safetensors");
  ASSERT_EQ(drawn.at("x").shape, data::Shape{20000});
  double squares = 0, cross = 0;
  for (size_t i = 0; i < 20000; ++i) {
    squares += drawn.at("x").values[i] * drawn.at("x").values[i];
    cross += drawn.at("x").values[i] * drawn.at("z").values[i];
  }
  EXPECT_NEAR(squares / 20000, 5, 0.25);
  EXPECT_NEAR(cross / 20000, 2, 0.15);
}

TEST_F(CoreRun, LimitingSamplesFollowTheChain) {
  // x -> z -> x with w = 1, a = 0.5, s^2 = 0.5: x' = 0.5 x + noise of variance 1.5; its limit has variance 2.
  write_model("a", 1, 0.5f);
  ASSERT_EQ(run({"sample", "--run", "a", "--n", "20000", "--limiting", "30", "--out", "s.npy"}).code, 0);
  const data::Column x = data::read_npy("s.npy", "x");
  double squares = 0;
  for (int64_t i = 0; i < 20000; ++i) squares += x.at(i) * x.at(i);
  EXPECT_NEAR(squares / 20000, 2, 0.1);
}

TEST_F(CoreRun, LogLikelihoodAgreesWithTheClosedForm) {
  // With w = 1, a = 0.5 the encoder is the exact posterior. Its bound is then log N(x; 0, 2) for every draw.
  // The estimate of the likelihood also draws from the prior.
  write_model("a", 1, 0.5f);
  const Outcome outcome =
      run({"evaluate", "--run", "a", "--samples", "100", "--metrics", "loglik,elbo", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json results = json::parse(outcome.out)["results"], result = results[0];
  const data::Column x = data::read_npy("x.npy", "x");
  double expected = 0;
  for (int64_t i = 0; i < 200; ++i) expected += toy::log_normal(x.at(i), 0, 2) / 200;
  EXPECT_NEAR(results[1]["mean"].get<double>(), expected, 1e-4);
  EXPECT_NEAR(result["mean"].get<double>(), expected, 5e-3);
  EXPECT_EQ(result["rows"], 200);
  EXPECT_EQ(result["of"], "log p(x)");
  // A wrong encoder gives the same result in the limit of many samples.
  write_model("b", 1, 0.2f);
  const json wrong =
      json::parse(run({"evaluate", "--run", "b", "--samples", "3000", "--json"}).out)["results"][0];
  EXPECT_NEAR(wrong["mean"].get<double>(), expected, 0.03);
}

TEST_F(CoreRun, TrainingEvaluatesEverySoManySteps) {
  ASSERT_EQ(run({"train", "--out", "a", "--steps", "60", "--every", "evaluate=30", "--quiet"}).code, 0);
  std::vector<int> evaluated;
  for (const json& line : metrics("a"))
    if (line.contains("evaluate")) evaluated.push_back(line["step"]);
  EXPECT_EQ(evaluated, (std::vector<int>{30, 60}));
  EXPECT_LT(metrics("a").back()["evaluate"][0]["mean"], -1);
}

TEST_F(CoreRun, ACheckpointThatFailsLeavesNothingBehind) {
  auto directory = core::RunDirectory::create("r", "");
  EXPECT_THROW(directory.checkpoint(5,
                                    [](const fs::path& folder) {
                                      std::ofstream(folder / "model.safetensors") << "half";
                                      throw std::runtime_error("the disk is full");
                                    }),
               std::runtime_error);
  EXPECT_TRUE(fs::is_empty("r/checkpoints"));
  EXPECT_FALSE(core::latest_checkpoint("r").has_value());
}

// If the interfaces of an executable and the runtime differ, the message names both versions, so that the
// user knows which one to replace.
TEST(Version, AnImageOfAnotherInterfaceNamesBothVersions) {
  toy::Image image(json{{"vaec", "9.8.7"}});
  image.binary.abi_version = VAE_ABI_VERSION + 1;
  try {
    core::read_image(image.binary);
    FAIL() << "accepted";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.exit_code, Exit::bad_configuration);
    EXPECT_EQ(
        failure.what(),
        fmt::format("this executable was made by vaec 9.8.7 (runtime interface {}), and the runtime is of "
                    "vaec {} (interface {}); build it again with vaec {}",
                    VAE_ABI_VERSION + 1, vaert_version(), VAE_ABI_VERSION, vaert_version()));
  }
}

// The CRC's known answer is that of RFC 3720, B.4.
TEST(EventFile, RecordsAreLengthMaskedCrcAndData) {
  EXPECT_EQ(core::crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(core::crc32c(std::string(32, '\0')), 0x8a9136aau);
  const std::string event = core::scalar_event(1.5, 300, {{"a", 2.0}});
  const std::string expected("\x09\0\0\0\0\0\0\xf8\x3f\x10\xac\x02\x2a\x0a\x0a\x08\x0a\x01\x61\x15\0\0\0\x40",
                             24);
  EXPECT_EQ(event, expected);
  const std::string record = core::record(event);
  EXPECT_EQ(record.size(), 8 + 4 + event.size() + 4);
  EXPECT_EQ(record[0], 24);
}

}  // namespace
