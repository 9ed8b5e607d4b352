// Pictures as tables: every kind of PNG and JPEG, orientation, and which pictures of a folder become rows.
// links: vaert_data
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/expressions/arguments.h"
#include "runtime/data/expressions/evaluate.h"
#include "runtime/data/pictures/orientation.h"
#include "runtime/data/pictures/picture_files.h"
#include "runtime/data/population.h"
#include "runtime/shared/failure.h"
#include "tests/numeric/support/data_expressions.h"
#include "tests/numeric/support/picture_bytes.h"

namespace fs = std::filesystem;
using nlohmann::json;
using namespace data;
using namespace data_tests;
using pictures::Bytes;
using pictures::png;
using pictures::two_bytes;
using Floats = std::vector<float>;

namespace {

json images(json named = json::object()) { return reader("images", {"set"}, named); }

class Pictures : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder);
    fs::create_directories(folder / "set");
    context.places = {folder, "", ""};
  }
  void TearDown() override { fs::remove_all(folder); }

  void write(const std::string& name, const Bytes& bytes) {
    fs::create_directories((folder / "set" / name).parent_path());
    write_file(folder / "set" / name, bytes);
  }
  /// A gray picture of one pixel.
  void write_shade(const std::string& name, int shade) {
    write(name, png(1, 1, 8, 0, {static_cast<uint8_t>(shade)}));
  }
  DecodedPicture decode(const std::string& name, Colours colours) {
    return decode_picture(folder / "set" / name, colours);
  }
  Floats values(const json& expression) {
    context.evaluated.clear();
    const Column column = held(evaluate_column(expression, context));
    Floats result;
    for (int64_t i = 0; i < column.rows * column.row_elements(); ++i) result.push_back(column.at(i));
    return result;
  }
  /// The shades of one-pixel pictures. Keeps the reader's messages in `said`.
  std::vector<int> shades(const json& named = json::object()) {
    json gray = {{"gray", true}};
    gray.update(named);
    testing::internal::CaptureStderr();
    std::vector<int> result;
    for (const float value : values(images(gray)))
      result.push_back(static_cast<int>(std::lround(value * 255)));
    said = testing::internal::GetCapturedStderr();
    return result;
  }

  fs::path folder;
  Context context;
  std::string said;
};

TEST_F(Pictures, SixteenBitsAreReadWhole) {
  write("gray.png", png(2, 2, 16, 0, two_bytes({0, 1, 258, 65535})));
  EXPECT_EQ(values(images({{"gray", true}})), (Floats{0, 1 / 65535.0f, 258 / 65535.0f, 1}));
  fs::remove(folder / "set" / "gray.png");
  write("alpha.png", png(1, 2, 16, 4, two_bytes({300, 7, 60000, 65535})));
  EXPECT_EQ(values(images({{"gray", true}})), (Floats{300 / 65535.0f, 60000 / 65535.0f}));
  fs::remove(folder / "set" / "alpha.png");
  write("rgb.png", png(1, 1, 16, 2, two_bytes({1, 300, 65535})));
  EXPECT_EQ(values(images()), (Floats{1 / 65535.0f, 300 / 65535.0f, 1}));
  const float gray = values(images({{"gray", true}})).at(0);
  EXPECT_NEAR(gray, (.299 * 1 + .587 * 300 + .114 * 65535) / 65535, 1.0 / 65535);
  write("rgb.png", png(1, 1, 16, 6, two_bytes({65535, 300, 1, 9})));
  EXPECT_EQ(values(images()), (Floats{1, 300 / 65535.0f, 1 / 65535.0f}));
}

TEST_F(Pictures, ClassesOfSixteenBitsAreTheirNumbers) {
  write("mask.png", png(2, 2, 16, 0, two_bytes({0, 1, 2, 5})));
  const int64_t row = 0;
  Floats one_hot(6 * 4);
  load(images(), {"s", "category", 6, {2, 2}}, context).gather(&row, 1, one_hot.data());
  const Floats expected = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  EXPECT_EQ(one_hot, expected);
  write("mask.png", png(1, 2, 16, 0, two_bytes({300, 3})));
  EXPECT_EQ(values(images({{hidden_indices, true}})), (Floats{300, 3}));
}

TEST_F(Pictures, OnePictureOfSixteenBitsLeavesTheOthersWhatTheyAre) {
  write("a.png", png(1, 1, 8, 0, {51}));
  write("b.png", png(1, 1, 16, 0, two_bytes({515})));
  const Floats expected = {51 / 255.0f, 515 / 65535.0f};
  EXPECT_EQ(values(images({{"gray", true}})), expected);
  context.memory = Memory(0);
  EXPECT_EQ(values(images({{"gray", true}})), expected);
}

TEST_F(Pictures, PaletteIndicesAndSmallDepthsStandAsInTheFile) {
  const std::vector<std::pair<std::string, Bytes>> palette = {{"PLTE", {9, 9, 9, 200, 0, 0, 0, 100, 0}}};
  write("a.png", png(1, 4, 2, 3, {0b00011000}, palette));
  EXPECT_EQ(decode("a.png", Colours::indices).values, (std::vector<uint16_t>{0, 1, 2, 0}));
  EXPECT_EQ(decode("a.png", Colours::rgb).values,
            (std::vector<uint16_t>{9, 9, 9, 200, 0, 0, 0, 100, 0, 9, 9, 9}));
  write("b.png", png(1, 4, 2, 0, {0b00011011}));
  EXPECT_EQ(decode("b.png", Colours::indices).values, (std::vector<uint16_t>{0, 1, 2, 3}));
  EXPECT_EQ(decode("b.png", Colours::gray).values, (std::vector<uint16_t>{0, 85, 170, 255}));
}

/// The picture 1 2 3 / 4 5 6 as each of the orientations stores it (EXIF 2.3, section 4.6.4).
struct StoredAs {
  int orientation;
  uint32_t height, width;
  Bytes shades;
};
const std::vector<StoredAs> orientations = {{1, 2, 3, {1, 2, 3, 4, 5, 6}}, {2, 2, 3, {3, 2, 1, 6, 5, 4}},
                                            {3, 2, 3, {6, 5, 4, 3, 2, 1}}, {4, 2, 3, {4, 5, 6, 1, 2, 3}},
                                            {5, 3, 2, {1, 4, 2, 5, 3, 6}}, {6, 3, 2, {3, 6, 2, 5, 1, 4}},
                                            {7, 3, 2, {6, 3, 5, 2, 4, 1}}, {8, 3, 2, {4, 1, 5, 2, 6, 3}}};

TEST_F(Pictures, EveryOrientationIsTurnedUpright) {
  for (const StoredAs& stored : orientations)
    for (const bool big_endian : {false, true}) {
      write("a.png", png(stored.height, stored.width, 8, 0, stored.shades,
                         {{"eXIf", pictures::exif(stored.orientation, big_endian, {})}}));
      for (const Colours colours : {Colours::gray, Colours::indices}) {
        const DecodedPicture picture = decode("a.png", colours);
        EXPECT_EQ(picture.height, 2) << stored.orientation;
        EXPECT_EQ(picture.values, (std::vector<uint16_t>{1, 2, 3, 4, 5, 6})) << stored.orientation;
      }
      // JPEG keeps uniform blocks of 8 by 8 exactly, so each pixel becomes such a block.
      const auto height = static_cast<int>(stored.height), width = static_cast<int>(stored.width);
      Bytes blocks;
      for (int y = 0; y < 8 * height; ++y)
        for (int x = 0; x < 8 * width; ++x)
          blocks.push_back(
              static_cast<uint8_t>(40 * stored.shades[static_cast<size_t>(y / 8 * width + x / 8)]));
      write("b.jpg", pictures::jpeg(8 * height, 8 * width, blocks, JCS_GRAYSCALE,
                                    pictures::exif(stored.orientation, big_endian, {"Exif\0\0", 6})));
      const DecodedPicture picture = decode("b.jpg", Colours::gray);
      ASSERT_EQ(picture.height, 16) << stored.orientation;
      ASSERT_EQ(picture.width, 24) << stored.orientation;
      for (int64_t y = 0; y < 2; ++y)
        for (int64_t x = 0; x < 3; ++x)
          EXPECT_NEAR(picture.values[(8 * y + 3) * 24 + 8 * x + 3], 40 * (3 * y + x + 1), 3)
              << stored.orientation;
    }
}

TEST_F(Pictures, BrokenExifIsNoOrientation) {
  Bytes block = pictures::exif(6, true, {});
  for (size_t length = 0; length <= block.size(); ++length) {
    const int orientation = exif_orientation(block.data(), length);
    EXPECT_TRUE(orientation == 1 || orientation == 6) << length;
    if (length < 32) {
      EXPECT_EQ(orientation, 1) << length;
    }
  }
  for (const int wrong : {0, 9, 255}) {
    block = pictures::exif(wrong, false, {});
    EXPECT_EQ(exif_orientation(block.data(), block.size()), 1);
  }
}

TEST_F(Pictures, CmykIsReadAsTheColoursItPrints) {
  const auto patch = [](Bytes pixel) {
    Bytes all;
    for (int i = 0; i < 64; ++i) all.insert(all.end(), pixel.begin(), pixel.end());
    return all;
  };
  // As Adobe writes it, 255 means no ink: cyan 20 %, magenta none, yellow full, black 40 %.
  const Bytes ink = {204, 255, 0, 153};
  for (const J_COLOR_SPACE stored : {JCS_CMYK, JCS_YCCK}) {
    write("a.jpg", pictures::jpeg(8, 8, patch(ink), JCS_CMYK, {}, stored));
    const DecodedPicture picture = decode("a.jpg", Colours::rgb);
    EXPECT_EQ(picture.channels, 3);
    EXPECT_NEAR(picture.values[0], 204 * 153 / 255.0, 4);
    EXPECT_NEAR(picture.values[1], 153, 4);
    EXPECT_NEAR(picture.values[2], 0, 4);
    EXPECT_NEAR(decode("a.jpg", Colours::gray).values[0], .299 * 122 + .587 * 153, 4);
  }
}

TEST_F(Pictures, NamesThatBeginWithADotAreNoRowsAndNoClasses) {
  write_shade("cat/a.png", 1);
  write_shade("dog/b.png", 2);
  write("cat/._a.png", {'n', 'o'});
  write_shade(".thumbnails/c.png", 3);
  write("dog/notes.txt", {'n', 'o'});
  EXPECT_EQ(shades(), (std::vector<int>{1, 2}));
  EXPECT_NE(said.find("left out 2 names that begin with a dot (.thumbnails, cat/._a.png), "
                      "1 file of another kind (dog/notes.txt)"),
            std::string::npos)
      << said;
  EXPECT_EQ(values(column(images(), "label")), (Floats{0, 1}));
  shades();
  EXPECT_EQ(said, "") << "named once";
}

TEST_F(Pictures, PicturesBesideClassesAreRowsWhereNoClassIsUsed) {
  write_shade("a.png", 4);
  write_shade("cat/b.png", 1);
  write_shade("dog/c.png", 2);
  EXPECT_EQ(shades(), (std::vector<int>{4, 1, 2}));
  EXPECT_EQ(said, "");
  EXPECT_EQ(shades({{"labelled", true}}), (std::vector<int>{1, 2}));
  EXPECT_NE(said.find("left out 1 picture in no class folder (a.png)"), std::string::npos) << said;
  EXPECT_EQ(values(column(images({{"labels alone", true}}), "label")), (Floats{0, 1}));
}

TEST_F(Pictures, NestedFoldersBelongToTheirClass) {
  write_shade("cat/b.png", 1);
  write_shade("cat/day/1/a.png", 2);
  write_shade("cat/.day/1/a.png", 7);
  write_shade("dog/night/c.png", 3);
  fs::create_directories(folder / "set" / "cow");
  fs::create_directory_symlink(folder / "set" / "dog", folder / "set" / "dog" / "again");
  EXPECT_EQ(shades(), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(values(column(images(), "label")), (Floats{0, 0, 2}));
  EXPECT_NE(said.find("1 folder without pictures (cow)"), std::string::npos) << said;
}

}  // namespace
