// HDF5 files written by libhdf5 itself and read as columns, in memory and streamed.
// links: vaert_data libhdf5
#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <functional>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/arrays/hdf5.h"
#include "runtime/data/expressions/evaluate.h"
#include "runtime/data/sets/random.h"
#include "runtime/shared/failure.h"
#include "tests/numeric/support/data_expressions.h"

namespace fs = std::filesystem;
using namespace data;
using namespace data_tests;

namespace {

std::string failure_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Failure& failure) {
    EXPECT_EQ(static_cast<int>(failure.exit_code), 65) << failure.what();
    EXPECT_EQ(std::string(failure.what()).find('\n'), std::string::npos);
    return failure.what();
  }
  return "no failure";
}

constexpr int64_t count = 200;

class Hdf5 : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / ("hdf5" + std::to_string(getpid()));
    fs::create_directories(folder);
    path = folder / "t.h5";
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    Random random(1);
    for (float& value : reals) value = static_cast<float>(random.normal());
    for (uint8_t& value : bytes) value = static_cast<uint8_t>(random.below(256));
    for (int64_t i = 0; i < count; ++i) labels[i] = static_cast<int32_t>(i - 100);
    const hid_t group = H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    write(file, "reals", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {count, 3, 4}, reals.data(), false);
    write(file, "big", H5T_IEEE_F64BE, H5T_NATIVE_FLOAT, {count, 3, 4}, reals.data(), false);
    write(file, "packed", H5T_IEEE_F32BE, H5T_NATIVE_FLOAT, {count, 3, 4}, reals.data(), true);
    write(file, "group/bytes", H5T_STD_U8LE, H5T_NATIVE_UINT8, {count, 5}, bytes.data(), false);
    write(file, "group/packed", H5T_STD_U8LE, H5T_NATIVE_UINT8, {count, 5}, bytes.data(), true);
    write(file, "labels", H5T_STD_I16BE, H5T_NATIVE_INT32, {count}, labels.data(), true);
    const hid_t truth = H5Tenum_create(H5T_NATIVE_INT8);  // as h5py writes booleans
    for (int8_t value : {0, 1}) H5Tenum_insert(truth, value ? "TRUE" : "FALSE", &value);
    std::vector<int8_t> truths(count);
    for (int64_t i = 0; i < count; ++i) truths[i] = i % 3 == 0;
    write(file, "truths", truth, truth, {count}, truths.data(), false);
    H5Tclose(truth);
    const float one = 1;
    write(file, "single", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {}, &one, false);
    const hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 4);
    write(file, "text", text, text, {2}, "one two ", false);
    H5Tclose(text);
    H5Gclose(group);
    H5Fclose(file);
  }
  void TearDown() override { fs::remove_all(folder); }

  static void write(hid_t file, const char* name, hid_t stored, hid_t given,
                    const std::vector<hsize_t>& shape, const void* values, bool packed) {
    const hid_t space = shape.empty()
                            ? H5Screate(H5S_SCALAR)
                            : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
    if (packed) {
      std::vector<hsize_t> chunk = shape;
      chunk[0] = 16;
      H5Pset_chunk(plan, static_cast<int>(chunk.size()), chunk.data());
      H5Pset_deflate(plan, 6);
    }
    const hid_t set = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    H5Dwrite(set, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    H5Pclose(plan);
    H5Sclose(space);
  }

  std::vector<float> all(const Column& column) const {
    std::vector<float> values;
    scan(column, [&](int64_t, int64_t rows, const float* piece) {
      values.insert(values.end(), piece, piece + rows * column.row_elements());
    });
    return values;
  }

  /// The values are right in memory, and also streamed with reading ahead.
  void gives(const std::string& name, const std::vector<float>& expected, const Shape& row_shape) const {
    Memory none(0);
    const Column held = read_hdf5(path, name), streamed = read_hdf5(path, name, {&none, folder});
    EXPECT_FALSE(held.is_streamed()) << name;
    EXPECT_TRUE(streamed.is_streamed()) << name;
    for (const Column& column : {held, streamed}) {
      EXPECT_EQ(column.rows, count) << name;
      EXPECT_EQ(column.row_shape, row_shape) << name;
      EXPECT_EQ(all(column), expected) << name;
      const std::vector<int64_t> chosen = {7, 150, 8, 150, 0};
      const int64_t elements = column.row_elements();
      std::vector<float> some(chosen.size() * elements);
      column.expect(chosen.data(), 5);
      column.read(chosen.data(), 5, some.data());
      for (size_t i = 0; i < some.size(); ++i)
        ASSERT_EQ(some[i], expected[chosen[i / elements] * elements + i % elements]) << name;
    }
  }

  fs::path folder, path;
  std::vector<float> reals = std::vector<float>(count * 12);
  std::vector<uint8_t> bytes = std::vector<uint8_t>(count * 5);
  std::vector<int32_t> labels = std::vector<int32_t>(count);
};

TEST_F(Hdf5, NumbersOfEveryKindAndLayoutComeAsTheyWereWritten) {
  gives("reals", reals, {3, 4});
  gives("big", reals, {3, 4});
  gives("/packed", reals, {3, 4});
  gives("group/bytes", {bytes.begin(), bytes.end()}, {5});
  gives("group/packed", {bytes.begin(), bytes.end()}, {5});
  gives("labels", {labels.begin(), labels.end()}, {});
  std::vector<float> truths;
  for (int64_t i = 0; i < count; ++i) truths.push_back(i % 3 == 0);
  gives("truths", truths, {});
  EXPECT_TRUE(read_hdf5(path, "group/bytes").is_bytes());
}

/// A filter that does nothing, and that libhdf5 knows only while the file is written.
size_t pass_through(unsigned, size_t, const unsigned*, size_t bytes, size_t*, void**) { return bytes; }

TEST_F(Hdf5, AFilterThatIsNotAvailableIsNamed) {
  const auto write_with = [&](H5Z_filter_t id, const char* name) {
    const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, id, 1, 1, name, nullptr, nullptr, pass_through};
    ASSERT_GE(H5Zregister(&filter), 0);
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t shape[] = {4};
    const hid_t space = H5Screate_simple(1, shape, nullptr), plan = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plan, 1, shape);
    H5Pset_filter(plan, id, H5Z_FLAG_MANDATORY, 0, nullptr);
    const hid_t set = H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, reals.data());
    H5Dclose(set), H5Pclose(plan), H5Sclose(space), H5Fclose(file);
    H5Zunregister(id);
  };
  write_with(32000, "lzf");
  EXPECT_NE(
      failure_of([&] { read_hdf5(path, "x"); }).find("dataset `x` is packed with the filter LZF, which"),
      std::string::npos);
  write_with(40000, "of the house");
  EXPECT_NE(failure_of([&] { read_hdf5(path, "x"); }).find("the filter of the house, which"),
            std::string::npos);
}

TEST_F(Hdf5, NumbersInOtherFilesAreRefused) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t shape[] = {4};
  const hid_t space = H5Screate_simple(1, shape, nullptr), plan = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(plan, (folder / "other.raw").c_str(), 0, 16);
  const hid_t set = H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, plan, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, reals.data());
  H5Dclose(set), H5Pclose(plan), H5Sclose(space), H5Fclose(file);
  EXPECT_NE(failure_of([&] { read_hdf5(path, "x"); }).find("external storage"), std::string::npos);
}

/// Writes a virtual dataset `x` of four numbers, taken from the dataset `name` of `source_file`.
void write_virtual(const fs::path& path, const char* source_file, const char* name, bool with_source) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t shape[] = {4};
  const float numbers[] = {1, 2, 3, 4};
  const hid_t space = H5Screate_simple(1, shape, nullptr), plan = H5Pcreate(H5P_DATASET_CREATE);
  if (with_source) {
    const hid_t source = H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(source, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
    H5Dclose(source);
  }
  H5Pset_virtual(plan, space, source_file, name, space);
  H5Dclose(H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, plan, H5P_DEFAULT));
  H5Lcreate_external("other.h5", "x", file, "link", H5P_DEFAULT, H5P_DEFAULT);
  H5Pclose(plan), H5Sclose(space), H5Fclose(file);
}

// Numbers that are not there would be read as zeros.
TEST_F(Hdf5, AVirtualDatasetOfOtherFilesOrOfNothingIsRefused) {
  write_virtual(path, ".", "y", true);
  EXPECT_EQ(read_hdf5(path, "x").at(2), 3);
  write_virtual(path, ".", "y", false);
  EXPECT_NE(
      failure_of([&] { read_hdf5(path, "x"); }).find("`y` (a virtual dataset), which is not in the file"),
      std::string::npos);
  write_virtual(path, ".", "link", false);  // the source is a link to another file
  EXPECT_NE(failure_of([&] { read_hdf5(path, "x"); }).find("which is not in the file"), std::string::npos);
  write_virtual(folder / "other.h5", ".", "y", true);
  for (const char* other : {"missing.h5", "other.h5"}) {
    write_virtual(path, other, "y", false);
    EXPECT_NE(failure_of([&] { read_hdf5(path, "x"); }).find("from other files (a virtual dataset)"),
              std::string::npos)
        << other;
  }
  EXPECT_NE(failure_of([&] { read_hdf5(path, "link"); }).find("`link` is a link to another file"),
            std::string::npos);
}

TEST_F(Hdf5, ADatasetWithoutRowsIsBadDataByName) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  write(file, "none", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {0, 3}, reals.data(), false);
  H5Fclose(file);
  Context context{{folder, "", ""}};
  const std::string text = failure_of([&] { evaluate_column(reader("hdf5", {"t.h5", "none"}), context); });
  EXPECT_EQ(text, "hdf5(\"t.h5\", \"none\"): there are no rows");
}

TEST_F(Hdf5, ItIsAReaderLikeTheOthers) {
  Context context{{folder, "", ""}};
  const Column column = evaluate_column(reader("hdf5", {"t.h5", "labels"}), context);
  EXPECT_EQ(column.label(), "hdf5(\"t.h5\", \"labels\")");
  EXPECT_EQ(column.at(0), -100);
}

// Found by fuzzing: libhdf5 1.10 never returns from opening this file; 1.14 refuses it.
TEST_F(Hdf5, AFileThatKeepsTheLibraryBusyForEverIsRefused) {
  const std::string failure =
      failure_of([] { read_hdf5(fs::path(VAEC_ROOT) / "tests/fuzz/corpus/hdf5/bad_endless", "x"); });
  EXPECT_NE(failure.find(H5_VERSION_GE(1, 12, 0) ? "`x`" : "libhdf5 does not come back from it within 5 s"),
            std::string::npos)
      << failure;
}

TEST_F(Hdf5, OfManyDatasetsTheFirstAreNamed) {
  const hid_t file = H5Fcreate((folder / "many.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  for (int i = 0; i < 1000; ++i)
    write(file, ("d" + std::to_string(i)).c_str(), H5T_STD_U8LE, H5T_NATIVE_UINT8, {5}, bytes.data(), false);
  H5Fclose(file);
  const std::string failure = failure_of([&] { read_hdf5(folder / "many.h5", "x"); });
  EXPECT_NE(failure.find("many.h5: has no dataset `x`; it has `d0`, `d1`, `d10`"), std::string::npos);
  EXPECT_TRUE(failure.ends_with("`, more")) << failure;
  EXPECT_LT(failure.size(), folder.string().size() + 300);
}

TEST_F(Hdf5, WhatIsNoArrayOfNumbersIsRefusedInOneLine) {
  EXPECT_EQ(failure_of([&] { read_hdf5(path, "none"); }),
            path.string() +
                ": has no dataset `none`; it has `big`, `group/bytes`, `group/packed`, `labels`, `packed`, "
                "`reals`, "
                "`single`, `text`, `truths`");
  EXPECT_EQ(failure_of([&] { read_hdf5(path, "text"); }),
            path.string() + ": dataset `text` does not hold numbers");
  EXPECT_EQ(failure_of([&] { read_hdf5(path, "single"); }),
            path.string() + ": dataset `single` is a single number and has no rows");
  EXPECT_NE(failure_of([&] { read_hdf5(path, "group"); }).find("has no dataset `group`"), std::string::npos);
  write_file(folder / "no.h5", {1, 2, 3});
  EXPECT_NE(failure_of([&] { read_hdf5(folder / "no.h5", "x"); }).find("not an HDF5 file"),
            std::string::npos);
  std::vector<uint8_t> content = read_file(path);
  content.resize(content.size() / 2);
  write_file(folder / "cut.h5", content);
  EXPECT_NE(failure_of([&] { read_hdf5(folder / "cut.h5", "reals"); }).find("cut.h5: "), std::string::npos);
}

}  // namespace
