// Data expressions: element-wise arithmetic, selections of rows, CSV, pictures and glyphs.
// links: vaert_data
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <set>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/arrays/npy.h"
#include "runtime/data/arrays/npz.h"
#include "runtime/data/arrays/safetensors.h"
#include "runtime/data/cells/csv.h"
#include "runtime/data/expressions/evaluate.h"
#include "runtime/data/pictures/picture_files.h"
#include "runtime/data/pictures/png.h"
#include "runtime/data/population.h"
#include "runtime/data/sets/glyphs.h"
#include "runtime/data/sets/synthetic.h"
#include "runtime/shared/failure.h"
#include "tests/numeric/support/data_expressions.h"
#include "tests/numeric/support/picture_bytes.h"

namespace fs = std::filesystem;
using nlohmann::json;
using namespace data;
using namespace data_tests;

namespace {

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

/// A folder with t.csv: columns a = 0 ... 9, b = a / 2, label = a % 3, and a missing b in row 4.
class Expressions : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder);
    fs::create_directories(folder);
    std::ofstream csv(folder / "t.csv");
    csv << "a,b,label,note\r\n";
    for (int i = 0; i < 10; ++i)
      csv << i << "," << (i == 4 ? "" : std::to_string(i / 2.0)) << "," << i % 3 << ",\"x, \"\"y\"\"\"\r\n";
    context.places = {folder, "", ""};
  }
  void TearDown() override { fs::remove_all(folder); }
  std::vector<float> values(const json& expression) {
    Column column = evaluate_column(expression, context);
    std::vector<float> result;
    for (int64_t i = 0; i < column.rows * column.row_elements(); ++i) result.push_back(column.at(i));
    return result;
  }
  std::string failure(const json& expression, Exit code = Exit::bad_data) {
    return failure_of([&] { evaluate_column(expression, context); }, code);
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder / name) << text; }

  fs::path folder;
  Context context;
  json table = reader("csv", {"t.csv"});
  json a = column(table, "a"), b = column(table, "b");
};

using Floats = std::vector<float>;

TEST_F(Expressions, ArithmeticIsElementWiseAndNumbersStretch) {
  EXPECT_EQ(values(call("add", {a, call("multiply", {number(10), b})}))[3], 18);
  Floats quotients = values(call("modulo", {call("subtract", {a, number(5)}), number(3)}));
  EXPECT_EQ(quotients, (Floats{1, 2, 0, 1, 2, 0, 1, 2, 0, 1}));  // the sign of the divisor, as in Python
  EXPECT_EQ(values(call("power", {a, number(2)}))[9], 81);
  EXPECT_FLOAT_EQ(values(call("exp", {call("negate", {a})}))[1], std::exp(-1.0f));
  Value alone = evaluate(call("divide", {number(1), number(4)}), context);
  EXPECT_EQ(std::get<double>(alone), 0.25);
}

TEST_F(Expressions, ComparisonsGiveBytesOfZeroAndOne) {
  Column above = evaluate_column(call("greater_equal", {a, number(8)}), context);
  EXPECT_TRUE(above.is_bytes());
  EXPECT_EQ(values(call("logical_or",
                        {call("less", {a, number(1)}), call("logical_not", {call("less", {a, number(9)})})})),
            (Floats{1, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
}

TEST_F(Expressions, AMissingValueStaysMissingThroughComparisons) {
  Floats above = values(call("greater", {b, number(1)}));
  EXPECT_TRUE(std::isnan(above[4]));
  EXPECT_EQ(above[3], 1);
  const data::Population population = load(call("greater", {b, number(1)}), {"x", "binary", 0, {}}, context);
  EXPECT_EQ(population.missing().at(4), 1);
  EXPECT_EQ(population.missing().at(3), 0);
}

TEST_F(Expressions, AByteComparedWithItsOwnDecimalIsNotAboveIt) {
  Column pixel = byte_column("image", {}, 1, {51}, pixel_levels());  // 51 / 255 = 0.2
  context.evaluated.emplace(schema::text_of(expression(reader("p", json::array()))), Table{"p", {pixel}});
  EXPECT_EQ(values(call("greater", {reader("p", json::array()), number(0.2)})), Floats{0});
}

TEST_F(Expressions, RowsAreSlicedAsInPython) {
  const auto slice = [&](const json& begin, const json& end) { return values(rows(a, begin, end)); };
  EXPECT_EQ(slice(7, nullptr), (Floats{7, 8, 9}));
  EXPECT_EQ(slice(-2, nullptr), (Floats{8, 9}));
  EXPECT_EQ(slice(nullptr, -8), (Floats{0, 1}));
  EXPECT_EQ(slice(3, 5), (Floats{3, 4}));
  EXPECT_EQ(slice(8, 100), (Floats{8, 9}));
  EXPECT_EQ(slice(5, 2), Floats{});
  EXPECT_EQ(values(rows(column(rows(table, 2, nullptr), "a"), 1, 3)), (Floats{3, 4}));
}

TEST_F(Expressions, WhereKeepsTheRowsOfTheCondition) {
  const json kept = where(table, call("equal", {column(table, "label"), number(2)}));
  EXPECT_EQ(values(column(kept, "a")), (Floats{2, 5, 8}));
  EXPECT_EQ(failure(where(table, rows(a, 0, 3))),
            "where: the condition csv(\"t.csv\").a has 3 rows of shape [], the table csv(\"t.csv\") has 10 "
            "rows and "
            "needs one value for each");
}

TEST_F(Expressions, ShuffleIsAPermutationThatTheSeedDecides) {
  Floats first = values(on_table("shuffle", a, {1})),
         again = values(on_table("shuffle", a, json::array(), {{"seed", 1}}));
  EXPECT_EQ(first, again);
  EXPECT_NE(first, values(on_table("shuffle", a, {2})));
  EXPECT_EQ(std::set<float>(first.begin(), first.end()).size(), 10u);
}

TEST_F(Expressions, PerClassAndWithoutSplitATable) {
  json few = on_table("per_class", table, {2});
  Floats labels = values(column(few, "label"));
  EXPECT_EQ(labels.size(), 6u);
  for (float label : {0, 1, 2}) EXPECT_EQ(std::count(labels.begin(), labels.end(), label), 2);
  EXPECT_EQ(values(column(without(table, few), "a")).size(), 4u);
  EXPECT_EQ(failure(on_table("per_class", table, {4})),
            "per_class: csv(\"t.csv\") has 3 rows of class 1, fewer than 4");
}

TEST_F(Expressions, NormalizeGivesMeanZeroAndDeviationOne) {
  Floats normal = values(column(normalize(table), "a"));
  double sum = 0, squares = 0;
  for (float value : normal) sum += value, squares += value * value;
  EXPECT_NEAR(sum, 0, 1e-6);
  EXPECT_NEAR(squares / 10, 1, 1e-6);
}

TEST_F(Expressions, WindowsStackRows) {
  Column windows = evaluate_column(on_table("windows", a, {4}, {{"step", 3}}), context);
  EXPECT_EQ(windows.rows, 3);
  EXPECT_EQ(windows.row_shape, Shape{4});
  EXPECT_EQ(windows.at(4), 3);
  EXPECT_EQ(windows.at(11), 9);
  EXPECT_NE(failure(on_table("windows", a, {11})).find("no window of length 11"), std::string::npos);
}

TEST_F(Expressions, WindowsOfAVectorOfColumnsStackItsRows) {
  json both = reader("csv", {"t.csv", {"a", "label"}});
  Column windows = evaluate_column(on_table("windows", both, {3}), context);
  EXPECT_EQ(windows.row_shape, (Shape{3, 2}));
  EXPECT_EQ(windows.rows, 8);
  for (int64_t row = 0; row < windows.rows; ++row)
    for (int64_t i = 0; i < 3; ++i) {
      EXPECT_EQ(windows.at((row * 3 + i) * 2), row + i);
      EXPECT_EQ(windows.at((row * 3 + i) * 2 + 1), (row + i) % 3);
    }
  Column of_windows = evaluate_column(on_table("windows", on_table("windows", both, {3}), {2}), context);
  EXPECT_EQ(of_windows.row_shape, (Shape{2, 3, 2}));
  EXPECT_EQ(of_windows.at(2 * 3 * 2 + 6), 2);  // row 1, window 1, first row, a
  EXPECT_EQ(values(column(on_table("windows", both, {3}), "label")),
            values(on_table("windows", column(both, "label"), {3})));
  write("words.csv", "u,v\nn,e\ne,s\ns,w\n");
  const Column words =
      evaluate_column(on_table("windows", reader("csv", {"words.csv", {"u", "v"}}), {2}), context);
  EXPECT_EQ(words.row_shape, (Shape{2, 2}));
  const Floats expected = {1, 0, 0, 2, 0, 2, 2, 3};  // places in e, n, s, w
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(words.at(static_cast<int64_t>(i)), expected[i]) << i;
}

TEST_F(Expressions, NamedColumnsOfACsvAreAVectorAndTextIsRefusedWhereItIsUsed) {
  Column both = evaluate_column(reader("csv", {"t.csv", {"b", "a"}}), context);
  EXPECT_EQ(both.row_shape, Shape{2});
  EXPECT_EQ(both.at(6), 1.5f);
  EXPECT_EQ(both.at(7), 3);
  EXPECT_EQ(failure_of([&] { load(column(table, "note"), {"x", "real", 0, {}}, context); }),
            (folder / "t.csv").string() + ": line 2, column `note`: \"x, \"y\"\" is not a number");
  EXPECT_EQ(failure(column(table, "c")),
            "csv(\"t.csv\") has no column `c`; it has `a`, `b`, `label`, `note`");
}

TEST_F(Expressions, BrokenCsvFilesAreRefusedWithTheirLine) {
  auto message = [&](const std::string& text) {
    write("broken.csv", text);
    context.evaluated.clear();
    std::string whole = failure(reader("csv", {"broken.csv"}));
    return whole.substr(std::min(whole.size(), (folder / "broken.csv").string().size() + 2));
  };
  EXPECT_EQ(message(""), "line 1: the file is empty, it needs a header row of names");
  EXPECT_EQ(message("a,b\n1,2\n3\n"), "line 3 has 1 cells, the header row has 2");
  EXPECT_EQ(message("a,b\n1,2,3\n"), "line 2 has 3 cells, the header row has 2");
  EXPECT_EQ(message("a,a\n1,2\n"), "line 1: two columns have the name `a`");
  EXPECT_EQ(message(",a\n1,2\n"), "line 1: column 1 has no name in the header row");
  EXPECT_EQ(message("a\n1\n\"2\n"), "line 3: a quote does not end");
}

TEST_F(Expressions, RowsOrShapesThatDoNotGoTogetherAreNamed) {
  EXPECT_EQ(failure(call("add", {a, rows(b, 0, 3)})),
            "csv(\"t.csv\").a has 10 rows, csv(\"t.csv\").b has 3: they do not go together");
  EXPECT_EQ(failure(reader("mnist", {"training"}), Exit::bad_configuration),
            "mnist: `split` must be \"train\", \"test\" or \"all\", not \"training\"");
  EXPECT_EQ(failure(reader("csv", {3}), Exit::bad_configuration), "csv: `path` must be a string, not 3");
}

TEST_F(Expressions, PicturesAreReadBackSortedAndLabelledByFolder) {
  for (const char* name : {"pictures/cat/b.png", "pictures/cat/a.png", "pictures/dog/c.png"}) {
    fs::create_directories((folder / name).parent_path());
    uint8_t shade = static_cast<uint8_t>(name[13]);
    write_png(folder / name, {2, 2, 3, {shade, 0, 255, shade, 0, 255, shade, 0, 255, shade, 0, 255}});
  }
  json pictures = reader("images", {"pictures"});
  Column image = evaluate_column(pictures, context);
  EXPECT_EQ(image.row_shape, (Shape{3, 2, 2}));
  ASSERT_EQ(image.rows, 3);
  EXPECT_FLOAT_EQ(image.at(0), 'a' / 255.0f);
  EXPECT_FLOAT_EQ(image.at(12), 'b' / 255.0f);
  EXPECT_EQ(image.at(4), 0);
  EXPECT_EQ(image.at(11), 1);
  EXPECT_EQ(values(column(pictures, "label")), (Floats{0, 0, 1}));
  Column gray = evaluate_column(reader("images", {"pictures"}, {{"gray", true}, {"size", {4, 1}}}), context);
  EXPECT_EQ(gray.row_shape, (Shape{4, 1}));
  EXPECT_NEAR(gray.at(0), (.299 * 'a' + .114 * 255) / 255, .005);
}

TEST_F(Expressions, PicturesTakeTheSizeOfTheirVariableAndClassesStayWhole) {
  fs::create_directories(folder / "masks");
  write_png(folder / "masks" / "a.png", {4, 4, 1, {0, 0, 2, 2, 0, 0, 2, 2, 1, 1, 0, 0, 1, 1, 0, 0}});
  Population masks = load(reader("images", {"masks"}), {"s", "category", 3, {2, 2}}, context);
  int64_t row = 0;
  Floats one_hot(12);
  masks.gather(&row, 1, one_hot.data());
  EXPECT_EQ(one_hot, (Floats{1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0}));
  EXPECT_EQ(load(reader("images", {"masks"}), {"x", "unit", 0, {3, 2, 2}}, context).row_size(), 12);
}

// The same test for every reader except HDF5, which has its own.
TEST_F(Expressions, ATableWithoutRowsIsBadDataByName) {
  write_file(folder / "e.idx", {0, 0, 0x0d, 2, 0, 0, 0, 0, 0, 0, 0, 3});
  write_file(folder / "bytes.idx", {0, 0, 8, 1, 0, 0, 0, 0});
  write_npy(folder / "e.npy", {0, 3}, nullptr);
  write_npz(folder / "e.npz", {{"a", npy_bytes({0}, nullptr)}});
  write_safetensors(folder / "e.safetensors", {{"t", {{0, 3}, {}}}});
  write("header.csv", "a,b\n");
  write("lines.csv", "a,b\n\n\n");
  write("nothing.csv", "");
  fs::create_directories(folder / "empty");
  for (const json& each :
       {reader("idx", {"e.idx"}), reader("idx", {"bytes.idx"}), reader("npy", {"e.npy"}),
        reader("npz", {"e.npz", "a"}), reader("safetensors", {"e.safetensors", "t"}),
        reader("csv", {"header.csv"}), reader("csv", {"lines.csv"}), reader("csv", {"nothing.csv"}),
        reader("csv", {"nothing.csv"}, {{"header", false}}), reader("images", {"empty"}),
        column(reader("images", {"empty"}), "label")}) {
    const json inner = each.contains("table") ? each["table"] : each;
    const std::string name = inner["args"][0];
    // On its own, and inside operations that could accept an empty table.
    for (const json& whole :
         {each, normalize(each), call("divide", {each, each}), on_table("shuffle", each)}) {
      const std::string text = failure(whole);
      EXPECT_NE(text.find(name), std::string::npos) << whole << ": " << text;
      EXPECT_TRUE(text.find("no rows") != std::string::npos || text.find("is empty") != std::string::npos ||
                  text.find("holds no") != std::string::npos)
          << text;
    }
  }
}

TEST_F(Expressions, BrokenPicturesAreRefusedInOneLine) {
  fs::create_directories(folder / "pictures");
  fs::path path = folder / "pictures" / "a.png";
  EXPECT_NE(failure(reader("images", {"pictures"}), Exit::bad_data).find("holds no PNG or JPEG"),
            std::string::npos);
  write_png(path, {20, 20, 1, std::vector<uint8_t>(400, 7)});
  fs::resize_file(path, fs::file_size(path) - 20);
  EXPECT_EQ(failure(reader("images", {"pictures"})), path.string() + ": the file is truncated");
  write("pictures/a.png", "no picture");
  EXPECT_EQ(failure(reader("images", {"pictures"})), path.string() + ": neither a PNG nor a JPEG picture");
}

TEST_F(Expressions, AJpegIsReadAndATruncatedOneRefused) {
  std::vector<uint8_t> rgb(16 * 16 * 3);
  for (size_t i = 0; i < rgb.size(); i += 3) rgb[i] = 200;
  std::vector<uint8_t> bytes = pictures::jpeg(16, 16, rgb);
  write_file(folder / "a.jpg", bytes);
  DecodedPicture picture = decode_picture(folder / "a.jpg", Colours::rgb);
  EXPECT_EQ(picture.height, 16);
  EXPECT_NEAR(picture.values[0], 200, 4);
  EXPECT_NEAR(picture.values[1], 0, 4);
  bytes.resize(bytes.size() - 12);
  write_file(folder / "a.jpg", bytes);
  EXPECT_NE(failure_of([&] { decode_picture(folder / "a.jpg", Colours::rgb); }).find("a.jpg: "),
            std::string::npos);
}

TEST_F(Expressions, RandomChangesOfAPictureOrACsvNeverDoMoreThanFail) {
  std::mt19937 random(5);
  std::vector<uint8_t> noise(16 * 16 * 3);
  for (uint8_t& byte : noise) byte = static_cast<uint8_t>(random());
  write_png(folder / "a.png", {16, 16, 3, noise});
  const std::string csv = "a,b\n1,\"2\"\n3,4e5\n";
  const std::vector<std::vector<uint8_t>> seeds = {
      read_file(folder / "a.png"), pictures::jpeg(16, 16, noise), {csv.begin(), csv.end()}};
  for (int round = 0; round < 600; ++round) {
    std::vector<uint8_t> bytes = seeds[static_cast<size_t>(round) % seeds.size()];
    for (unsigned change = 0; change <= random() % 4; ++change)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const fs::path path = folder / "fuzz";
    std::ofstream(path).write(reinterpret_cast<const char*>(bytes.data()),
                              static_cast<std::streamsize>(bytes.size()));
    for (const std::function<void()>& read :
         {std::function<void()>([&] { decode_picture(path, Colours::rgb); }),
          std::function<void()>([&] { decode_picture(path, Colours::indices); }),
          std::function<void()>([&] { read_csv(path, {}); })})
      try {
        read();
      } catch (const Failure&) {
      }
  }
}

TEST(Synthetic, RowsLieOnTheCurveAtTheirFactorUpToTheNoiseOfTheSet) {
  constexpr int64_t n = 20000;
  double radius = 0, residual = 0;
  Table circle = draw_synthetic("circle", n, 1), absolute = draw_synthetic("absolute", n, 1);
  for (int64_t i = 0; i < n; ++i) {
    auto square = [](double value) { return value * value; };
    radius += square(circle.column("x").at(2 * i)) + square(circle.column("x").at(2 * i + 1));
    residual += square(absolute.column("x").at(2 * i + 1) - std::fabs(absolute.column("z").at(i)));
  }
  EXPECT_NEAR(radius / n, 1 + 2 * .01, .01);
  EXPECT_NEAR(residual / n, .01, .001);
  for (const char* set : {"figure8", "clusters", "spiral_dots", "semi_circles"}) {
    Table table = draw_synthetic(set, 1000, 2);
    EXPECT_EQ(table.column("x").row_shape, Shape{2}) << set;
    EXPECT_EQ(table.columns.size(), std::string(set) == "semi_circles" ? 3u : 2u);
    for (float value : *table.column("x").reals) ASSERT_LT(std::fabs(value), 15) << set;
  }
}

TEST(Glyphs, AreTheSameForTheSameSeedWhateverTheirNumber) {
  Table few = draw_glyphs(20, 3), many = draw_glyphs(50, 3), other = draw_glyphs(20, 4);
  EXPECT_TRUE(
      std::equal(few.columns[0].bytes->begin(), few.columns[0].bytes->end(), many.columns[0].bytes->begin()));
  EXPECT_NE(*few.columns[0].bytes, *other.columns[0].bytes);
}

TEST(Glyphs, TheMaskCoversTheInkAndEveryDigitOccurs) {
  Table table = draw_glyphs(1000, 0);
  std::vector<int> seen(10);
  for (int64_t row = 0; row < 1000; ++row) {
    ++seen[static_cast<int>(table.column("label").at(row))];
    int inked = 0;
    for (int i = 0; i < 784; ++i) {
      float image = table.column("image").at(row * 784 + i), mask = table.column("mask").at(row * 784 + i);
      inked += mask == 1;
      ASSERT_LT(image, mask == 0 ? .61f : 1.01f);
      ASSERT_GT(image, mask == 1 ? .25f : -1);
    }
    ASSERT_GT(inked, 20) << row;
    ASSERT_LT(inked, 350) << row;
  }
  for (int digit = 0; digit < 10; ++digit) EXPECT_GT(seen[digit], 60) << digit;
}

}  // namespace
