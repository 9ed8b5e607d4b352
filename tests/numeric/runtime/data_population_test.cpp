// The values that a source gives to a variable: real MNIST, shapes, domains, and the messages if they do not
// fit.
// links: vaert_data
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "runtime/data/expressions/elementwise.h"
#include "runtime/data/population.h"
#include "runtime/shared/failure.h"
#include "tests/numeric/support/data_expressions.h"

namespace fs = std::filesystem;
using nlohmann::json;
using namespace data;
using namespace data_tests;

namespace {

Context context_in(const fs::path& folder) { return Context{places_from_environment({folder})}; }

std::vector<float> rows_of(const Population& population, const std::vector<int64_t>& rows) {
  std::vector<float> out(rows.size() * population.row_size());
  population.gather(rows.data(), static_cast<int64_t>(rows.size()), out.data());
  return out;
}

std::string failure_of(const std::function<void()>& act, Exit code = Exit::bad_data) {
  try {
    act();
  } catch (const Failure& failure) {
    EXPECT_EQ(static_cast<int>(failure.exit_code), static_cast<int>(code)) << failure.what();
    EXPECT_EQ(std::string(failure.what()).find('\n'), std::string::npos);
    return failure.what();
  }
  return "no failure";
}

Column reals(Shape row_shape, std::vector<float> values) {
  int64_t elements = 1;
  for (int64_t axis : row_shape) elements *= axis;
  int64_t rows = static_cast<int64_t>(values.size()) / elements;
  return real_column("x", std::move(row_shape), rows, std::move(values));
}

#define NEEDS_MNIST() \
  if (!std::getenv("VAEC_DATA")) GTEST_SKIP() << "VAEC_DATA is not set: real MNIST is not read"

TEST(Mnist, TrainHas60000ImagesAndTestHas10000WithTheirLabels) {
  NEEDS_MNIST();
  Context context = context_in(".");
  for (auto [split, rows, first_label] : {std::tuple{"train", 60000, 5}, {"test", 10000, 7}}) {
    Population images = load(column(reader("mnist", {split}), "image"), {"x", "unit", 0, {28, 28}}, context);
    EXPECT_EQ(images.rows(), rows);
    EXPECT_EQ(images.row_size(), 784);
    Population labels = load(column(reader("mnist", {split}), "label"), {"c", "category", 10, {}}, context);
    EXPECT_EQ(labels.rows(), rows);
    std::vector<float> expected(10, 0);
    expected[first_label] = 1;
    EXPECT_EQ(rows_of(labels, {0}), expected);
  }
  Column all = evaluate_column(column(reader("mnist", {"all"}), "label"), context);
  EXPECT_EQ(all.rows, 70000);
  EXPECT_EQ(all.at(60000), 7);
}

TEST(Mnist, ComparedWithAThresholdItIsBinaryAndAgreesWithTheGrayValues) {
  NEEDS_MNIST();
  Context context = context_in(".");
  json image = column(reader("mnist", {"train"}), "image");
  json black = call("greater", {image, number(0.4375)});
  Population binary = load(black, {"x", "binary", 0, {28, 28}}, context);
  Population gray = load(image, {"g", "real", 0, {784}}, context);
  std::vector<int64_t> rows = {0, 1, 59999, 31415};
  std::vector<float> bits = rows_of(binary, rows), grays = rows_of(gray, rows);
  int ones = 0;
  for (size_t i = 0; i < bits.size(); ++i) {
    ASSERT_EQ(bits[i], grays[i] > 0.4375f ? 1.0f : 0.0f) << i;
    ones += bits[i] == 1;
  }
  EXPECT_GT(ones, 300);
  EXPECT_LT(ones, 1000);
}

TEST(Mnist, OneReaderInSeveralExpressionsIsReadOnce) {
  NEEDS_MNIST();
  Context context = context_in(".");
  json table = reader("mnist", {"train"});
  Column image = evaluate_column(column(table, "image"), context);
  Column black = evaluate_column(call("greater", {column(table, "image"), number(0.5)}), context);
  EXPECT_EQ(image.bytes.get(), black.bytes.get());
}

TEST(Shapes, AScalarAndAxesOfLengthOneStretchToTheVariable) {
  const Population scalar(reals({}, {3, 4}), {"x", "real", 0, {2, 2}});
  EXPECT_EQ(rows_of(scalar, {1, 0}), (std::vector<float>{4, 4, 4, 4, 3, 3, 3, 3}));
  const Population column(reals({2, 1}, {1, 2}), {"x", "real", 0, {2, 3}});
  EXPECT_EQ(rows_of(column, {0}), (std::vector<float>{1, 1, 1, 2, 2, 2}));
  EXPECT_NE(failure_of([] { Population(reals({3, 1}, {1, 2, 3}), {"x", "real", 0, {2, 3}}); }), "no failure");
  EXPECT_NE(failure_of([] { Population(reals({2}, {1, 2}), {"x", "real", 0, {2, 3}}); }), "no failure");
}

TEST(Lookup, AMissingSetNamesEveryPlaceTried) {
  Context context{{"/nowhere/model", "/nowhere/data", "/nowhere/cache"}};
  std::string message =
      failure_of([&] { evaluate(reader("mnist", {"train"}), context); }, Exit::missing_input);
  for (const char* place :
       {"/nowhere/model/train-images-idx3-ubyte", "/nowhere/data/mnist/train-images-idx3-ubyte",
        "/nowhere/data/MNIST/raw/train-images-idx3-ubyte", "/nowhere/cache/mnist/train-images-idx3-ubyte"})
    EXPECT_NE(message.find(place), std::string::npos) << message;
}

TEST(Lookup, TheFolderOfTheFileComesBeforeTheDataFolderAndGzIsOptional) {
  fs::path root = fs::path(testing::TempDir()) / "vaec_lookup";
  fs::create_directories(root / "model");
  fs::create_directories(root / "data");
  Places places{root / "model", root / "data", ""};
  std::ofstream(root / "data" / "x.npy.gz") << "x";
  EXPECT_EQ(find_file(places, "x.npy"), root / "data" / "x.npy.gz");
  std::ofstream(root / "model" / "x.npy") << "x";
  EXPECT_EQ(find_file(places, "x.npy"), root / "model" / "x.npy");
  fs::remove_all(root);
}

TEST(Shapes, EqualOnesAndVectorsFitOthersAreRefusedWithBothShapes) {
  for (const Shape& given : {Shape{2, 3}, Shape{1, 2, 3}, Shape{6}, Shape{2, 1, 3}})
    EXPECT_EQ(Population(reals(given, std::vector<float>(12, 0)), {"x", "real", 0, {2, 3}}).rows(), 2);
  EXPECT_EQ(Population(reals({2, 3}, std::vector<float>(12, 0)), {"x", "real", 0, {6}}).rows(), 2);
  EXPECT_EQ(
      failure_of([] { Population(reals({3, 2}, std::vector<float>(12, 0)), {"x", "real", 0, {2, 3}}); }),
      "`x` (real[2, 3]) from x: its rows have the shape [3, 2], the variable needs [2, 3]");
}

TEST(Domains, TheFirstOffendingRowAndValueAreNamed) {
  EXPECT_EQ(failure_of([] { Population(reals({2}, {0, 1, 0, 0.25, 0.5, 0}), {"x", "binary", 0, {2}}); }),
            "`x` (binary[2]) from x: row 1 holds 0.25, which must be 0 or 1 (compare, as in `> 0.5`)");
  EXPECT_EQ(failure_of([] { Population(reals({}, {0, 9, 10}), {"c", "category", 10, {}}); }),
            "`c` (category(10)) from x: row 2 holds 10, which must be a class from 0 to 9");
  EXPECT_EQ(failure_of([] { Population(reals({}, {0, 1.5}), {"n", "count", 0, {}}); }),
            "`n` (count) from x: row 1 holds 1.5, which must be a whole number from 0");
  EXPECT_EQ(failure_of([] { Population(reals({}, {1, INFINITY}), {"r", "real", 0, {}}); }),
            "`r` (real) from x: row 1 holds an infinity, or a number beyond 3.4e38");
  EXPECT_EQ(failure_of([] { Population(reals({}, {NAN, NAN}), {"r", "real", 0, {}}); }),
            "`r` (real) from x: the value is missing in every row");
  EXPECT_EQ(failure_of([] { Population(reals({}, {1, 0}), {"s", "positive", 0, {}}); }),
            "`s` (positive) from x: row 1 holds 0, which must be above 0");
  EXPECT_EQ(failure_of([] { Population(reals({}, {3.14159265f, -3.14159265f}), {"a", "angle", 0, {}}); }),
            "`a` (angle) from x: row 1 holds -3.1415927, which must be above -pi and up to pi");
  EXPECT_EQ(failure_of([] { Population(reals({2}, {0.5, 0.5, 0.5, 0.25}), {"w", "simplex", 2, {}}); }),
            "`w` (simplex(2)) from x: row 1 sums to 0.75, which must be 1");
}

TEST(Domains, ANaNMakesTheWholeValueMissingAndGathersAsSomeValueOfTheDomain) {
  const Population population(reals({2}, {1, NAN, 2, 3, NAN, NAN}), {"s", "positive", 0, {2}});
  EXPECT_EQ(population.missing(), (std::vector<uint8_t>{1, 0, 1}));
  const std::vector<int64_t> rows = {0, 1, 2};
  std::vector<float> gathered(6);
  population.gather(rows.data(), 3, gathered.data());
  EXPECT_EQ(gathered, (std::vector<float>{2, 3, 2, 3, 2, 3}));
  EXPECT_TRUE(Population(reals({}, {1, 2}), {"r", "real", 0, {}}).missing().empty());
}

TEST(Domains, BytesAreCheckedByTheirValueAndTheFirstRowIsFound) {
  Column image = byte_column("image", {2}, 3, {0, 255, 255, 0, 51, 0}, pixel_levels());
  EXPECT_EQ(failure_of([&] { Population(image, {"x", "binary", 0, {2}}); }),
            "`x` (binary[2]) from image: row 2 holds 0.2, which must be 0 or 1 (compare, as in `> 0.5`)");
}

TEST(Domains, UnitMovesItsEndsInside) {
  for (const Column& column :
       {reals({}, {0, 0.5, 1}), byte_column("x", {}, 3, {0, 51, 255}, pixel_levels())}) {
    std::vector<float> out = rows_of(Population(column, {"x", "unit", 0, {}}), {0, 1, 2});
    EXPECT_FLOAT_EQ(out[0], 1e-6f);
    EXPECT_FLOAT_EQ(out[1], column.is_bytes() ? 0.2f : 0.5f);
    EXPECT_FLOAT_EQ(out[2], 1 - 1e-6f);
    EXPECT_LT(out[2], 1);
  }
}

TEST(Categories, ClassIndicesBecomeOneHotWithTheClassAxisFirst) {
  std::vector<float> expected = {0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1};  // [3, 2, 2]
  Column bytes = byte_column("s", {2, 2}, 2, {0, 0, 0, 0, 2, 0, 1, 2}, whole_levels());
  Column real = reals({2, 2}, {0, 0, 0, 0, 2, 0, 1, 2});
  for (const Column& column : {bytes, real})
    EXPECT_EQ(rows_of(Population(column, {"s", "category", 3, {2, 2}}), {1}), expected);
}

TEST(Categories, PixelsOfAnImageAreClassIndices) {
  Column mask = byte_column("image", {2}, 1, {0, 2}, pixel_levels());
  mask.pixels = true;
  EXPECT_EQ(rows_of(Population(mask, {"s", "category", 3, {2}}), {0}),
            (std::vector<float>{1, 0, 0, 0, 0, 1}));
}

TEST(Gather, RowsOfBitsThatFillNoWholeByteAreKept) {
  std::vector<float> values;
  for (int i = 0; i < 33; ++i) values.push_back(static_cast<float>(i * i % 3 == 1));
  std::vector<uint8_t> bytes(values.begin(), values.end());
  for (const Column& column : {reals({11}, values), byte_column("x", {11}, 3, bytes, whole_levels())})
    EXPECT_EQ(rows_of(Population(column, {"x", "binary", 0, {11}}), {0, 1, 2}), values);
}

TEST(Gather, EveryEncodingOfBytesGivesTheValuesOfTheColumn) {
  std::vector<uint8_t> bytes(256);
  for (int i = 0; i < 256; ++i) bytes[i] = static_cast<uint8_t>(i);
  Column column = byte_column("x", {}, 256, bytes, pixel_levels());
  for (const char* op : {"negate", "sqrt", "exp", "floor"}) {
    Column changed = std::get<Column>(apply_elementwise(op, {column}));
    Population population(changed, {"x", "real", 0, {}});
    for (int64_t row = 0; row < 256; ++row)
      EXPECT_NEAR(rows_of(population, {row})[0], changed.at(row), 1e-6) << op << row;
  }
}

}  // namespace
