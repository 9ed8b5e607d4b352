// Columns that memory has no space for give the same bits as columns in memory, and fail with the same
// messages.
// links: vaert_data
#include <gtest/gtest.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/arrays/npy.h"
#include "runtime/data/arrays/safetensors.h"
#include "runtime/data/pictures/png.h"
#include "runtime/data/population.h"
#include "runtime/data/read_ahead.h"
#include "runtime/data/sets/random.h"
#include "runtime/shared/failure.h"
#include "tests/numeric/support/data_expressions.h"

namespace fs = std::filesystem;
using nlohmann::json;
using namespace data;
using namespace data_tests;

namespace {

constexpr int64_t count = 300;

/// Files of 300 rows of 4 by 6: bytes, reals, big-endian reals, and 300 pictures in three folders.
class Streamed : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = fs::path(testing::TempDir()) / ("streamed" + std::to_string(getpid()));
    fs::create_directories(folder / "pictures");
    Random random(5);
    std::vector<float> reals(count * 24), units(count * 24);
    std::vector<uint8_t> bytes(count * 24);
    for (float& value : reals) value = static_cast<float>(random.normal());
    for (float& value : units) value = static_cast<float>(random.uniform());
    for (uint8_t& value : bytes) value = static_cast<uint8_t>(random.below(256));
    std::copy_n(reals.begin(), 48, reals.begin() + 96);  // rows 4 and 5 are rows 0 and 1
    write_npy(folder / "reals.npy", {count, 4, 6}, reals.data());
    write_npy(folder / "units.npy", {count, 24}, units.data());
    write_safetensors(folder / "t.safetensors",
                      {{"first", {{3}, {1, 2, 3}}}, {"reals", {{count, 4, 6}, reals}}});
    std::vector<uint8_t> idx = {0, 0, 8, 3, 0, 0, 1, 44, 0, 0, 0, 4, 0, 0, 0, 6};
    idx.insert(idx.end(), bytes.begin(), bytes.end());
    write_file(folder / "bytes.idx", idx);
    const gzFile packed = gzopen((folder / "packed.idx.gz").c_str(), "wb");
    gzwrite(packed, idx.data(), static_cast<unsigned>(idx.size()));
    gzclose(packed);
    std::vector<uint8_t> doubles = {0, 0, 0x0e, 1, 0, 0, 1, 44};
    for (int64_t i = 0; i < count; ++i) {
      const auto bits = std::bit_cast<uint64_t>(double(i) / 3);
      for (int shift = 56; shift >= 0; shift -= 8) doubles.push_back(static_cast<uint8_t>(bits >> shift));
    }
    write_file(folder / "doubles.idx", doubles);
    int code = 0;
    const std::vector<uint8_t> array = npy_bytes({count, 4, 6}, reals.data());
    zip_t* archive = zip_open((folder / "a.npz").c_str(), ZIP_CREATE, &code);
    zip_file_add(archive, "reals.npy", zip_source_buffer(archive, array.data(), array.size(), 0), 0);
    zip_close(archive);
    for (int64_t i = 0; i < count; ++i) {
      const fs::path of_class = folder / "pictures" / ("class" + std::to_string(i % 3));
      fs::create_directories(of_class);
      Picture picture{5, 7, 3, {}};
      for (int k = 0; k < 105; ++k) picture.pixels.push_back(static_cast<uint8_t>(random.below(256)));
      write_png(of_class / (std::to_string(1000 + i) + ".png"), picture);
    }
  }
  static void TearDownTestSuite() { fs::remove_all(folder); }

  static Context context(int64_t memory) { return {{folder, "", folder / "cache"}, {}, Memory(memory)}; }

  /// Compares the rows in memory with the streamed ones, in several orders. Returns how many rows there are.
  static int64_t same_bits(const json& expression, const VariableSpec& variable) {
    Context large = context(1 << 30), none = context(0);
    const Population held = load(expression, variable, large), streamed = load(expression, variable, none);
    EXPECT_FALSE(held.is_streamed()) << expression;
    EXPECT_TRUE(streamed.is_streamed()) << expression;
    EXPECT_EQ(held.rows(), streamed.rows()) << expression;
    Random random(1);
    for (const int64_t n : {1, 7, 64}) {
      std::vector<int64_t> chosen(n);
      for (int64_t& row : chosen) row = random.below(held.rows());
      if (n == 64)
        for (int64_t i = 0; i < n; ++i) chosen[i] = i % held.rows();
      std::vector<float> expected(n * held.row_size()), got(n * held.row_size());
      held.gather(chosen.data(), n, expected.data());
      streamed.expect(chosen.data(), n);
      streamed.gather(chosen.data(), n, got.data());
      EXPECT_EQ(std::memcmp(expected.data(), got.data(), got.size() * sizeof(float)), 0) << expression;
    }
    return held.rows();
  }

  static std::string failure(const json& expression, const VariableSpec& variable,
                             std::vector<int64_t> drawn) {
    try {
      Context none = context(0);
      const Population population = load(expression, variable, none);
      std::vector<float> out(drawn.size() * population.row_size());
      population.gather(drawn.data(), static_cast<int64_t>(drawn.size()), out.data());
    } catch (const Failure& failure) {
      EXPECT_EQ(static_cast<int>(failure.exit_code), 65) << failure.what();
      return failure.what();
    }
    return "no failure";
  }

  static inline fs::path folder;
  const VariableSpec real{"x", "real", 0, {4, 6}}, binary{"x", "binary", 0, {4, 6}},
      unit{"x", "unit", 0, {4, 6}};
  const json bytes = reader("idx", {"bytes.idx"}), reals = reader("npy", {"reals.npy"}),
             units = reader("npy", {"units.npy"}), doubles = reader("idx", {"doubles.idx"});
};

TEST_F(Streamed, EveryReaderOfLargeFilesGivesTheBitsOfMemory) {
  EXPECT_EQ(same_bits(reals, real), count);
  EXPECT_EQ(same_bits(units, {"x", "unit", 0, {24}}), count);
  EXPECT_EQ(same_bits(reader("safetensors", {"t.safetensors", "reals"}), real), count);
  EXPECT_EQ(same_bits(reader("npz", {"a.npz", "reals"}), real), count);
  EXPECT_EQ(same_bits(bytes, real), count);
  EXPECT_EQ(same_bits(bytes, {"x", "count", 0, {4, 6}}), count);
  EXPECT_EQ(same_bits(bytes, {"x", "category", 256, {4, 6}}), count);
  EXPECT_EQ(same_bits(doubles, {"x", "real", 0, {}}), count);
  EXPECT_EQ(same_bits(doubles, {"x", "real", 0, {2, 2}}), count);  // a scalar stretches
  EXPECT_EQ(same_bits(reader("images", {"pictures"}), {"x", "unit", 0, {3, 5, 7}}), count);
  EXPECT_EQ(same_bits(reader("images", {"pictures"}), {"x", "real", 0, {3, 4, 4}}), count);
  EXPECT_EQ(same_bits(reader("images", {"pictures"}, {{"gray", true}}), {"x", "unit", 0, {5, 7}}), count);
}

TEST_F(Streamed, ACompressedFileIsUnpackedOnceAndReadFromThere) {
  EXPECT_EQ(same_bits(reader("idx", {"packed.idx"}), real), count);
  const auto unpacked = [] {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder / "cache" / "unpacked"))
      files.push_back(entry.path());
    return files;
  };
  const std::vector<fs::path> first = unpacked();
  EXPECT_EQ(same_bits(reader("idx", {"packed.idx"}), real), count);
  EXPECT_EQ(unpacked(), first);
  // A new version of the file is unpacked again, and the unpacked copy of the old version is deleted.
  fs::last_write_time(folder / "packed.idx.gz", fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(same_bits(reader("idx", {"packed.idx"}), real), count);
  EXPECT_EQ(unpacked().size(), first.size());
  EXPECT_NE(unpacked(), first);
}

TEST_F(Streamed, ElementWiseFunctionsAreComputedForTheRowsThatAreDrawn) {
  same_bits(call("greater", {bytes, number(127.5)}), binary);
  same_bits(call("divide", {bytes, number(255)}), unit);
  same_bits(call("greater", {reals, call("divide", {bytes, number(100)})}), binary);
  same_bits(call("multiply", {call("tanh", {reals}), call("add", {doubles, number(1)})}), real);
  same_bits(call("where", {call("less", {reals, number(0)}), call("exp", {reals}), bytes}), real);
  same_bits(call("minimum", {bytes, number(9)}), {"x", "category", 10, {4, 6}});
}

TEST_F(Streamed, OperationsOnTablesKeepTheNumbersOfRows) {
  EXPECT_EQ(same_bits(rows(reals, 10, -5), real), count - 15);
  EXPECT_EQ(same_bits(on_table("shuffle", reals, {3}), real), count);
  EXPECT_EQ(same_bits(where(reals, call("less", {doubles, number(20)})), real), 60);
  EXPECT_EQ(same_bits(normalize(reals), real), count);
  EXPECT_EQ(same_bits(on_table("windows", reals, {5, 2}), {"x", "real", 0, {5, 4, 6}}), (count - 5) / 2 + 1);
  EXPECT_EQ(same_bits(without(reals, rows(reals, 0, 2)), real), count - 4);
  EXPECT_EQ(same_bits(column(on_table("per_class", reader("images", {"pictures"}), {7}), "image"),
                      {"x", "unit", 0, {3, 5, 7}}),
            21);
}

TEST_F(Streamed, OperationsCompose) {
  const json table = on_table("shuffle", rows(normalize(reals), 3, 250), {1});
  EXPECT_EQ(same_bits(on_table("windows", table, {3}), {"x", "real", 0, {3, 4, 6}}), 245);
  EXPECT_EQ(same_bits(call("greater", {rows(table, 40, 100), rows(bytes, 0, 60)}), binary), 60);
  const json lit = where(bytes, call("greater", {rows(doubles, nullptr, nullptr), number(50)}));
  EXPECT_EQ(same_bits(on_table("shuffle", on_table("shuffle", lit, {1}), {2}), real), 149);
}

TEST_F(Streamed, ARowOutsideTheDomainIsNamedWhenItIsDrawn) {
  EXPECT_EQ(failure(doubles, {"n", "count", 0, {}}, {0, 3, 6}), "no failure");
  EXPECT_EQ(
      failure(doubles, {"n", "count", 0, {}}, {3, 4}),
      "`n` (count) from idx(\"doubles.idx\"): row 4 holds 1.3333334, which must be a whole number from 0");
  EXPECT_EQ(failure(bytes, {"x", "category", 256, {4, 6}}, {1}), "no failure");
  EXPECT_NE(failure(bytes, {"x", "category", 3, {4, 6}}, {7}).find("row 7 holds "), std::string::npos);
  EXPECT_NE(failure(call("log", {reals}), real, {2}).find("row 2 "), std::string::npos);
  EXPECT_NE(failure(units, {"s", "simplex", 24, {}}, {5}).find("row 5 sums to"), std::string::npos);
}

TEST_F(Streamed, FilesThatAreCutShortOrTooLongAreRefusedOnOpening) {
  std::vector<uint8_t> idx = read_file(folder / "bytes.idx");
  idx.push_back(0);
  write_file(folder / "long.idx", idx);
  EXPECT_NE(failure(reader("idx", {"long.idx"}), real, {0}).find("holds more than"), std::string::npos);
  idx.resize(1000);
  write_file(folder / "short.idx", idx);
  EXPECT_NE(failure(reader("idx", {"short.idx"}), real, {0}).find("ends after 1000 bytes"),
            std::string::npos);
  write_file(folder / "shrinks.idx", read_file(folder / "bytes.idx"));
  Context none = context(0);
  const Population population = load(reader("idx", {"shrinks.idx"}), real, none);
  fs::resize_file(folder / "shrinks.idx", 1000);
  std::vector<float> out(24);
  const int64_t last = count - 1;
  EXPECT_THROW(population.gather(&last, 1, out.data()), Failure);
}

TEST_F(Streamed, ABrokenPictureIsNamedWhenItIsDrawnAlsoAhead) {
  fs::create_directories(folder / "broken");
  for (int i = 0; i < 9; ++i)
    write_png(folder / "broken" / (std::to_string(i) + ".png"), {2, 2, 1, {0, 1, 2, 3}});
  std::ofstream(folder / "broken" / "5.png") << "no picture";
  Context none = context(0);
  const Population population =
      load(reader("images", {"broken"}, {{"gray", true}}), {"x", "unit", 0, {2, 2}}, none);
  const std::vector<int64_t> all = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  population.expect(all.data(), 9);
  std::vector<float> out(36);
  population.gather(all.data(), 5, out.data());
  try {
    population.gather(all.data() + 4, 3, out.data());
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("5.png"), std::string::npos);
  }
}

/// Row r has the values r and r + 1. Counts how many rows are read.
class Slow final : public RowSource<float> {
 public:
  void read(const int64_t* rows, int64_t n, float* to) const override {
    for (int64_t i = 0; i < n; ++i) {
      ++reads;
      to[2 * i] = static_cast<float>(rows[i]);
      to[2 * i + 1] = static_cast<float>(rows[i] + 1);
    }
  }
  void expect(const int64_t*, int64_t) const override {}
  mutable std::atomic<int> reads = 0;
};

TEST(ReadingAhead, EachExpectedRowIsReadOnceAndNoMoreAreKeptThanFit) {
  const auto slow = std::make_shared<Slow>();
  const ReadAhead<float> ahead(slow, 2, 100 * 2 * sizeof(float), 3);
  std::vector<int64_t> index(200);
  for (int64_t i = 0; i < 200; ++i) index[i] = 3 * i;
  ahead.expect(index.data(), 200);  // space for 100
  for (int waited = 0; slow->reads < 100 && waited < 1000; ++waited) usleep(1000);
  usleep(2000);
  EXPECT_EQ(slow->reads, 100);
  std::vector<float> out(400);
  for (int round = 0; round < 2; ++round) ahead.read(index.data(), 100, out.data());
  EXPECT_EQ(slow->reads, 100);
  ahead.read(index.data(), 200, out.data());
  EXPECT_EQ(slow->reads, 200);
  for (int64_t i = 0; i < 200; ++i) ASSERT_EQ(out[2 * i + 1], static_cast<float>(3 * i + 1));
  ahead.expect(index.data() + 100, 100);  // rows that were read leave space for these
  for (int waited = 0; slow->reads < 300 && waited < 1000; ++waited) usleep(1000);
  EXPECT_EQ(slow->reads, 300);
}

TEST(ReadingAhead, ManyThreadsExpectAndReadTheSameRows) {
  const auto slow = std::make_shared<Slow>();
  const ReadAhead<float> ahead(slow, 2, 50 * 2 * sizeof(float), 2);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Random random(t);
      std::vector<int64_t> index(20);
      std::vector<float> out(40);
      for (int step = 0; step < 300; ++step) {
        for (int64_t& row : index) row = random.below(80);
        ahead.expect(index.data(), 20);
        ahead.read(index.data(), 20, out.data());
        for (int i = 0; i < 20; ++i) wrong += out[2 * i] != static_cast<float>(index[i]);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(DataMemory, IsWhatTheEnvironmentSays) {
  for (const auto& [text, bytes] :
       std::map<std::string, int64_t>{{"1000", 1000}, {"3K", 3 << 10}, {"2M", 2 << 20}}) {
    setenv("VAEC_DATA_MEMORY", text.c_str(), 1);
    Memory memory = Memory::from_environment();
    EXPECT_FALSE(memory.take(bytes + 1));
    EXPECT_TRUE(memory.take(bytes));
    EXPECT_FALSE(memory.take(1));
  }
  for (const char* text : {"much", "-1", "1T", "99999999999G", "5 G"}) {
    setenv("VAEC_DATA_MEMORY", text, 1);
    EXPECT_THROW(Memory::from_environment(), Failure) << text;
  }
  unsetenv("VAEC_DATA_MEMORY");
  EXPECT_TRUE(Memory::from_environment().take(1 << 20));
}

}  // namespace
