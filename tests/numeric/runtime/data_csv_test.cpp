// CSV files: what counts as a row, a name, a number, a missing value and a word; and words as classes.
// links: vaert_data
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>

#include "runtime/data/cells/csv.h"
#include "runtime/data/expressions/evaluate.h"
#include "runtime/data/population.h"
#include "runtime/shared/failure.h"
#include "tests/numeric/support/data_expressions.h"

namespace fs = std::filesystem;
using nlohmann::json;
using namespace data;
using namespace data_tests;
using Floats = std::vector<float>;

namespace {

/// `columns`: the wanted columns; if there are none, all columns are read.
json csv(const std::vector<json>& columns = {}, json named = json::object()) {
  std::vector<json> args = {"t.csv"};
  if (!columns.empty()) args.push_back(columns);
  return reader("csv", args, named);
}

class Csv : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder);
    fs::create_directories(folder);
    context.places = {folder, "", ""};
  }
  void TearDown() override { fs::remove_all(folder); }

  void write(const std::string& text, const std::string& name = "t.csv") {
    std::ofstream(folder / name, std::ios::binary) << text;
    context.evaluated.clear();
  }
  Floats values(const json& expression) {
    const Column column = evaluate_column(expression, context);
    Floats result;
    for (int64_t i = 0; i < column.rows * column.row_elements(); ++i) result.push_back(column.at(i));
    return result;
  }
  /// Class indices; -1 for a missing value.
  std::vector<int> classes(const json& expression, VariableSpec variable) {
    const Population population = load(expression, variable, context);
    const int64_t rows = population.rows(), width = population.row_size();
    std::vector<int64_t> all(rows);
    for (int64_t row = 0; row < rows; ++row) all[row] = row;
    Floats hot(rows * width);
    population.gather(all.data(), rows, hot.data());
    const int64_t positions = width / variable.classes;
    std::vector<int> result;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t position = 0; position < positions; ++position) {
        const bool missing = !population.missing().empty() && population.missing()[row];
        for (int64_t k = 0; k < variable.classes; ++k)
          if (hot[row * width + k * positions + position] == 1)
            result.push_back(missing ? -1 : static_cast<int>(k));
      }
    return result;
  }
  std::string failure(const std::function<void()>& act, Exit code = Exit::bad_data) {
    try {
      act();
    } catch (const Failure& failure) {
      EXPECT_EQ(static_cast<int>(failure.exit_code), static_cast<int>(code)) << failure.what();
      const std::string text = failure.what(), place = (folder / "t.csv").string() + ": ";
      const size_t at = text.find(place);
      return at == 0 ? text.substr(place.size()) : text;
    }
    return "no failure";
  }
  std::string failure_of(const json& expression, Exit code = Exit::bad_data) {
    return failure([&] { load(expression, {"x", "real", 0, {}}, context); }, code);
  }

  fs::path folder;
  Context context;
};

TEST_F(Csv, SeparatorsCommentsAndMissingWordsAreThoseThatAreNamed) {
  write("# made by hand\na;b # and more\n\n1;\"2;5\"\n  # nothing\nNA;x\n-;7#8\n");
  const json named = {
      {"separator", ";"}, {"comment", "#"}, {"missing", json::array({"NA", "-", "x", "2;5"})}};
  const Floats a = values(column(csv({}, named), "a")), b = values(column(csv({}, named), "b"));
  ASSERT_EQ(a.size(), 3u);
  EXPECT_EQ(a[0], 1);
  EXPECT_TRUE(std::isnan(a[1]) && std::isnan(a[2]));
  EXPECT_TRUE(std::isnan(b[0]) && std::isnan(b[1]));
  EXPECT_EQ(b[2], 7);
  write("a\tb\n1\t\n\t2\n");
  const Floats tabs = values(csv({"a", "b"}, {{"separator", "\t"}}));
  ASSERT_EQ(tabs.size(), 4u);
  EXPECT_EQ(tabs[0], 1);
  EXPECT_TRUE(std::isnan(tabs[1]) && std::isnan(tabs[2]));
  EXPECT_EQ(tabs[3], 2);
}

TEST_F(Csv, OneColumnKeepsItsEmptyLinesAndLosesItsComments) {
  write("a\n1\n#\n\n2\n");
  const Floats a = values(csv({}, {{"comment", "#"}}));
  ASSERT_EQ(a.size(), 3u);
  EXPECT_TRUE(std::isnan(a[1]));
}

TEST_F(Csv, WordsOfMissingValuesAreNamed) {
  write("a,b\n1,NA\n,2\n");
  EXPECT_EQ(failure_of(column(csv(), "b")),
            "line 2, column `b`: \"NA\" is not a number; if it stands for a missing value, write "
            "`missing = [\"\", \"NA\"]`");
  const json both = {{"missing", json::array({"", "NA"})}};
  EXPECT_TRUE(std::isnan(values(column(csv({}, both), "a"))[1]));
  EXPECT_TRUE(std::isnan(values(column(csv({}, both), "b"))[0]));
  const json named = {{"missing", "NA"}};
  EXPECT_TRUE(std::isnan(values(column(csv({}, named), "a"))[1])) << "an empty cell is missing all the same";
  EXPECT_TRUE(std::isnan(values(column(csv({}, named), "b"))[0]));
  write("a\nNaN\n1\nnan\n");
  EXPECT_TRUE(std::isnan(values(csv())[2]));
}

TEST_F(Csv, AFileWithoutAHeaderKeepsItsFirstRow) {
  write("1,2\n3,4\n");
  const json bare = {{"header", false}};
  testing::internal::CaptureStderr();
  EXPECT_EQ(values(csv({}, bare)), (Floats{1, 3}));
  EXPECT_EQ(values(column(csv({}, bare), "column1")), (Floats{2, 4}));
  EXPECT_EQ(values(csv({1, 0}, bare)), (Floats{2, 1, 4, 3}));
  EXPECT_EQ(values(csv({"0", "column1"}, bare)), (Floats{1, 2, 3, 4}));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_NE(failure_of(csv({"2"}, bare)).find("has no column `2`; it has `column0`, `column1`"),
            std::string::npos);
  write("1,2\n3\n");
  EXPECT_NE(failure_of(csv({}, bare)).find("line 2 has 1 cells, the first row has 2"), std::string::npos);
}

TEST_F(Csv, AHeaderOfNumbersIsWarnedOfOnce) {
  write("1.5,2\n3,4\n");
  testing::internal::CaptureStderr();
  values(csv());
  values(column(csv(), "2"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "warning: " + (folder / "t.csv").string() +
                ": line 1 holds numbers only and is read as the names of the columns; if it is a row, write "
                "`header = false`\n");
  write("a,2\n3,4\n");
  testing::internal::CaptureStderr();
  values(csv());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(Csv, ColumnsThatNobodyUsesDoNoHarm) {
  write("\"\",a,,b,b\n0,1,x,2,3\n1,4,y,5,6\n");  // pandas and R write row numbers like this
  EXPECT_EQ(values(column(csv(), "a")), (Floats{1, 4}));
  EXPECT_EQ(values(csv({"a"})), (Floats{1, 4}));
  EXPECT_EQ(failure_of(csv()), "line 1: column 1 has no name in the header row");
  EXPECT_EQ(failure_of(column(csv(), "b")), "line 1: two columns have the name `b`");
  EXPECT_EQ(failure_of(csv({"a", "b"})), "line 1: two columns have the name `b`");
  EXPECT_NE(failure_of(csv({""})).find("has no column ``; it has `a`, `b`, `b`"), std::string::npos);
}

TEST_F(Csv, OtherKindsOfTextAreNamed) {
  write("a,b\r1,2\r3,4\r");
  EXPECT_NE(failure_of(csv()).find("lines end with CR alone"), std::string::npos);
  for (const bool big : {false, true})
    for (const bool mark : {false, true}) {
      std::string wide = mark ? (big ? "\xfe\xff" : "\xff\xfe") : "";
      for (const char letter : std::string("a,b\n1,2\n"))
        wide += big ? std::string{'\0', letter} : std::string{letter, '\0'};
      write(wide);
      EXPECT_NE(failure_of(csv()).find("UTF-16"), std::string::npos);
    }
  write(
      "\xef\xbb\xbf"
      "a,b\r\n\"1\",\"2\"\r\n");
  EXPECT_EQ(values(csv()), (Floats{1}));
  write("a,b\n1,\"two\nlines\"\n3,\"4 \"\"5\"\"\"\n");
  EXPECT_EQ(values(csv()), (Floats{1, 3}));
}

TEST_F(Csv, SortedWordsAreTheClasses) {
  write("city,a\nParis,1\nBern,2\n,3\nRom,4\n\"Bern\",5\nNaN,6\n");
  EXPECT_EQ(classes(column(csv(), "city"), {"c", "category", 3, {}}), (std::vector<int>{1, 0, -1, 2, 0, -1}));
  EXPECT_EQ(classes(csv({"city"}), {"c", "category", 3, {}}), (std::vector<int>{1, 0, -1, 2, 0, -1}));
  const std::string two = failure([&] { load(column(csv(), "city"), {"c", "category", 2, {}}, context); });
  EXPECT_NE(two.find("has 3 different words (\"Bern\", \"Paris\", \"Rom\"), but the variable has 2 classes"),
            std::string::npos)
      << two;
  EXPECT_NE(failure([&] {
              load(column(csv(), "city"), {"c", "category", 4, {}}, context);
            }).find("3 different words"),
            std::string::npos);
  EXPECT_NE(failure([&] {
              load(column(csv(), "city"), {"c", "real", 0, {}}, context);
            }).find("\"Paris\" is not a number"),
            std::string::npos);
  const json sum = call("add", {column(csv(), "city"), number(1)});
  EXPECT_NE(failure_of(sum).find("\"Paris\" is not a number"), std::string::npos);
}

TEST_F(Csv, WordsThatLookLikeNumbersStandAmongWords) {
  write("c\n1\nx\n01\n");
  EXPECT_EQ(classes(csv(), {"c", "category", 3, {}}), (std::vector<int>{1, 2, 0}));
}

TEST_F(Csv, DeclaredWordsKeepTheirOrder) {
  write("c\nsouth\nnorth\n\nsouth\n");
  const VariableSpec wind{"c", "category", 2, {}, {"south", "north"}};
  EXPECT_EQ(classes(csv(), wind), (std::vector<int>{0, 1, -1, 0}));
  const json rest = rows(csv(), 3, nullptr);
  EXPECT_EQ(classes(rest, wind), (std::vector<int>{0})) << "a part of the rows has the same classes";
  write("c\nsouth\nnorth\neast\n");
  EXPECT_EQ(
      failure([&] { load(csv(), wind, context); }),
      "`c` (category(\"south\", \"north\")) from csv(\"t.csv\").c: row 2 holds \"east\", which is none of "
      "its words \"south\", \"north\"");
  write("c\n2\n1\n");
  EXPECT_EQ(classes(csv(), {"c", "category", 2, {}, {"2", "1"}}), (std::vector<int>{0, 1}));
  EXPECT_NE(failure([&] { load(csv(), wind, context); }).find("row 0 holds \"2\""), std::string::npos);
}

TEST_F(Csv, VectorsOfWordsShareTheirClasses) {
  write("a,b\nx,y\nz,x\n");
  EXPECT_EQ(classes(csv({"a", "b"}), {"c", "category", 3, {2}}), (std::vector<int>{0, 1, 2, 0}));
  EXPECT_EQ(classes(csv({"a", "b"}), {"c", "category", 3, {2}, {"z", "y", "x"}}),
            (std::vector<int>{2, 1, 0, 2}));
}

TEST_F(Csv, RowsOfWordsAreToldApartByTheirText) {
  write("c\nb\na\n");
  write("c\nc\nb\n", "u.csv");
  json other = csv();
  other["args"][0] = "u.csv";
  const json rest = without(csv(), other);
  EXPECT_EQ(classes(rest, {"c", "category", 2, {}, {"a", "b"}}), (std::vector<int>{0}));
}

}  // namespace
