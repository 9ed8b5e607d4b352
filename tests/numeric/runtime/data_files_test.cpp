// Reads and writes files: IDX, NPY, safetensors, PNG. For each way in which a file can be broken there is one
// clear failure.
// links: vaert_data
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <random>

#include "runtime/data/arrays/array_file.h"
#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/arrays/idx.h"
#include "runtime/data/arrays/npy.h"
#include "runtime/data/arrays/npz.h"
#include "runtime/data/arrays/safetensors.h"
#include "runtime/data/pictures/png.h"
#include "runtime/shared/failure.h"

namespace fs = std::filesystem;
using namespace data;
using Bytes = std::vector<uint8_t>;

namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder);
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(folder); }
  fs::path file(const std::string& name, const Bytes& bytes) {
    write_file(folder / name, bytes);
    return folder / name;
  }
  fs::path folder;
};

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

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Bytes idx(uint8_t type, std::vector<uint32_t> shape, const Bytes& numbers) {
  Bytes bytes = {0, 0, type, static_cast<uint8_t>(shape.size())};
  for (uint32_t axis : shape)
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(axis >> shift));
  bytes.insert(bytes.end(), numbers.begin(), numbers.end());
  return bytes;
}

Bytes gzip(const Bytes& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&stream, bytes.size()) + 32);
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Bytes noise(size_t count) {
  std::mt19937 random(7);
  Bytes bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

TEST_F(Files, IdxGivesItsFirstAxisAsRowsPlainOrCompressed) {
  Bytes numbers = {1, 2, 3, 4, 5, 6};
  for (const fs::path& path :
       {file("a", idx(8, {3, 2}, numbers)), file("a.gz", gzip(idx(8, {3, 2}, numbers)))}) {
    Column column = read_idx(path, "values");
    EXPECT_EQ(column.rows, 3);
    EXPECT_EQ(column.row_shape, Shape{2});
    for (int i = 0; i < 6; ++i) EXPECT_EQ(column.at(i), i + 1);
  }
}

TEST_F(Files, IdxNumbersAreBigEndian) {
  Column column = read_idx(file("a", idx(0x0D, {2}, {0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0})), "values");
  EXPECT_EQ(column.at(0), 1.0f);
  EXPECT_EQ(column.at(1), -2.5f);
  EXPECT_EQ(read_idx(file("b", idx(0x0B, {1}, {0xff, 0xfe})), "values").at(0), -2);
}

TEST_F(Files, BrokenIdxFilesAreRefusedInOneLine) {
  Bytes good = idx(8, {30, 100}, noise(3000));
  auto message = [&](const Bytes& bytes) { return failure_of([&] { read_idx(file("a", bytes), "x"); }); };
  EXPECT_TRUE(contains(message({1, 2, 3, 4, 5}), "not an IDX file"));
  EXPECT_TRUE(contains(message(idx(7, {1}, {0})), "0x07"));
  EXPECT_TRUE(contains(message({}), "ends after 0 bytes"));
  EXPECT_TRUE(contains(message({0, 0, 8, 3, 0, 0}), "ends after 6 bytes"));
  EXPECT_TRUE(contains(message(Bytes(good.begin(), good.end() - 1)), "ends after 3011 bytes"));
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_TRUE(contains(message(longer), "holds more than"));
  EXPECT_TRUE(contains(message(idx(8, {0xffffffff, 0xffffffff, 0xffffffff}, {1})), "too large"));
  // The header promises a billion numbers, the file has one. The reader must not allocate a billion before it
  // fails.
  EXPECT_TRUE(contains(message(idx(0x0E, {0x3fffffff}, {1})), "ends after 9 bytes"));
  Bytes compressed = gzip(good);
  EXPECT_TRUE(contains(message(Bytes(compressed.begin(), compressed.begin() + 2000)), "truncated"));
  EXPECT_TRUE(contains(message(Bytes(compressed.begin(), compressed.end() - 4)), "truncated"));
  Bytes corrupt = compressed;
  corrupt[corrupt.size() - 6] ^= 1;
  EXPECT_TRUE(contains(message(corrupt), "corrupt"));
}

TEST_F(Files, NpyIsReadBackAsItWasWritten) {
  std::vector<float> values(24);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 7;
  write_npy(folder / "a.npy", {4, 3, 2}, values.data());
  Column column = read_npy(folder / "a.npy", "values");
  EXPECT_EQ(column.rows, 4);
  EXPECT_EQ(column.row_shape, (Shape{3, 2}));
  EXPECT_EQ(*column.reals, values);
  EXPECT_EQ((npy_bytes({4, 3, 2}, values.data()).size() - 96) % 64, 0u);
}

Bytes npy(const std::string& dictionary, const Bytes& numbers) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += {static_cast<char>(dictionary.size()), '\0'};
  text += dictionary;
  text.append(numbers.begin(), numbers.end());
  return Bytes(text.begin(), text.end());
}

Column parse_npy(const Bytes& bytes) {
  ByteSource source(bytes, "f.npy", "f.npy");
  return read_npy(source, "values");
}

TEST_F(Files, NpyInFortranOrderIsTurned) {
  Column column =
      parse_npy(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", {1, 4, 2, 5, 3, 6}));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(column.at(i), i + 1);
}

TEST_F(Files, BrokenNpyFilesAreRefusedInOneLine) {
  auto message = [](const std::string& dictionary, const Bytes& numbers) {
    return failure_of([&] { parse_npy(npy(dictionary, numbers)); });
  };
  EXPECT_TRUE(contains(message("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", {1, 2, 3}),
                       "within an array of shape [2] (8 bytes)"));
  EXPECT_TRUE(contains(message("{'descr': '<U4', 'fortran_order': False, 'shape': (2,), }", {}), "`<U4`"));
  EXPECT_TRUE(
      contains(message("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", {}), "record"));
  EXPECT_TRUE(
      contains(message("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }", {}),
               "too large"));
  EXPECT_TRUE(
      contains(message("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", {0, 0, 0, 0}), "no rows"));
  EXPECT_TRUE(contains(message("{'descr': '<f4', 'fortran_order': False, 'shape': (1", {}), "does not end"));
  EXPECT_TRUE(contains(failure_of([] { parse_npy(Bytes(10, 1)); }), "not an NPY file"));
  EXPECT_TRUE(contains(failure_of([] { parse_npy({1, 2, 3}); }), "within the header of an NPY file"));
}

TEST_F(Files, AnArrayOfAnNpzIsReadByItsName) {
  const float values[] = {1, 2, 3, 4};
  Bytes array = npy_bytes({2, 2}, values);
  zip_t* archive = zip_open((folder / "a.npz").c_str(), ZIP_CREATE, nullptr);
  zip_file_add(archive, "w.npy", zip_source_buffer(archive, array.data(), array.size(), 0), 0);
  ASSERT_EQ(zip_close(archive), 0);
  EXPECT_EQ(read_npz(folder / "a.npz", "w").at(3), 4);
  EXPECT_TRUE(contains(failure_of([&] { read_npz(folder / "a.npz", "v"); }), "has no array `v`; it has `w`"));
  fs::resize_file(folder / "a.npz", fs::file_size(folder / "a.npz") - 30);
  EXPECT_TRUE(contains(failure_of([&] { read_npz(folder / "a.npz", "w"); }), "not an NPZ file"));
}

TEST_F(Files, SafetensorsAreReadBackAsTheyWereWritten) {
  Tensors tensors = {{"p.x.dense.weight", {{2, 3}, {1, 2, 3, 4, 5, 6}}},
                     {"q.z.dense.bias", {{}, {-1.5f}}},
                     {"empty", {{0, 4}, {}}}};
  write_safetensors(folder / "a.safetensors", tensors, {{"step", "100"}});
  Tensors back = read_safetensors(folder / "a.safetensors");
  ASSERT_EQ(back.size(), 3u);
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(back[name].shape, tensor.shape);
    EXPECT_EQ(back[name].values, tensor.values);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "nothing is left aside";
}

TEST_F(Files, BrokenSafetensorsAreRefusedInOneLine) {
  auto message = [&](const std::string& header, size_t numbers) {
    Bytes bytes(8 + header.size() + numbers);
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(header.size() >> (8 * i));
    std::copy(header.begin(), header.end(), bytes.begin() + 8);
    return failure_of([&] { read_safetensors(file("a", bytes)); });
  };
  EXPECT_TRUE(contains(message("{", 0), "not JSON"));
  EXPECT_TRUE(contains(message("[]", 0), "not JSON"));
  EXPECT_TRUE(contains(message(R"({"w":3})", 0), "malformed"));
  EXPECT_TRUE(
      contains(message(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7), "does not fit"));
  EXPECT_TRUE(
      contains(message(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), "does not fit"));
  EXPECT_TRUE(
      contains(message(R"({"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8), "malformed"));
  EXPECT_TRUE(
      contains(message(R"({"w":{"dtype":"F32","shape":[4000000000,4000000000],"data_offsets":[0,8]}})", 8),
               "too large"));
  EXPECT_TRUE(
      contains(failure_of([&] { read_safetensors(file("b", Bytes(8, 0xff))); }), "not a safetensors file"));
}

TEST_F(Files, OnlyTheTensorThatIsUsedMustBeReadable) {
  const std::string header = R"({"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                             R"("other":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[2,4]},"odd":7})";
  Bytes bytes(8 + header.size());
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(header.size() >> (8 * i));
  std::copy(header.begin(), header.end(), bytes.begin() + 8);
  bytes.insert(bytes.end(), {5, 6, 7, 8});
  for (const fs::path& path : {file("a", bytes), file("a.gz", gzip(bytes))}) {
    EXPECT_EQ(read_safetensors_column(path, "w", {}).at(1), 6);
    EXPECT_TRUE(contains(failure_of([&] { read_safetensors_column(path, "other", {}); }),
                         "tensor `other` holds numbers of type `F8_E4M3`, which are not read"));
    EXPECT_TRUE(contains(failure_of([&] { read_safetensors_column(path, "odd", {}); }),
                         "the entry of tensor `odd` is malformed"));
  }
}

/// An array of half-precision numbers. In memory, as floats, it takes twice as many bytes as in the file.
Bytes halves(const std::vector<uint16_t>& bits) {
  std::string header =
      "{'descr': '<f2', 'fortran_order': False, 'shape': (" + std::to_string(bits.size()) + ",), }";
  header.append(127 - 10 - header.size(), ' ');
  header += '\n';
  Bytes bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<uint8_t>(header.size()), 0};
  bytes.insert(bytes.end(), header.begin(), header.end());
  for (const uint16_t number : bits) {
    bytes.push_back(static_cast<uint8_t>(number));
    bytes.push_back(static_cast<uint8_t>(number >> 8));
  }
  return bytes;
}

TEST_F(Files, AnUnpackedArrayFollowsItsArchive) {
  constexpr uint16_t one = 0x3c00, two = 0x4000;
  const fs::path path = folder / "a.npz";
  const auto archive = [&](const std::vector<std::pair<std::string, Bytes>>& arrays) {
    fs::remove(path);
    write_npz(path, arrays);
  };
  // The memory is enough for the bytes of the file, but not for the numbers as floats.
  const auto value = [&](const std::string& name) {
    Memory memory(500);
    const Column column = read_npz(path, name, {&memory, folder / "cache"});
    EXPECT_TRUE(column.is_streamed());
    return held(column).at(3);
  };
  archive({{"a", halves(std::vector<uint16_t>(150, one))}, {"b", halves(std::vector<uint16_t>(150, two))}});
  EXPECT_EQ(value("a"), 1);
  EXPECT_EQ(value("b"), 2) << "another array of the same archive";
  EXPECT_EQ(value("a"), 1);
  archive({{"a", halves(std::vector<uint16_t>(150, two))}});
  fs::last_write_time(path, fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(value("a"), 2) << "the archive was replaced";
  for (const auto& entry : fs::directory_iterator(folder / "cache" / "unpacked"))
    fs::resize_file(entry.path(), 10);
  EXPECT_EQ(value("a"), 2) << "the copy was cut short";
  EXPECT_TRUE(contains(failure_of(
                           [&] {
                             unpacked(folder / "cache", folder / "nowhere", "a", 1,
                                      [](uint8_t*, size_t) -> size_t { return 0; });
                           },
                           Exit::missing_input),
                       "nowhere: No such file"));
}

// Files that another user may have put there are not read, and no file is put where another user could change
// it.
TEST_F(Files, AnUnpackedArrayIsThisUsersAlone) {
  const fs::path path = folder / "a.npz", kept = folder / "cache" / "unpacked";
  write_npz(path, {{"a", halves(std::vector<uint16_t>(150, 0x3c00))}});
  const auto value = [&](const fs::path& cache) {
    Memory memory(500);
    const Column column = read_npz(path, "a", {&memory, cache});
    EXPECT_TRUE(column.is_streamed());
    return held(column).at(3);
  };
  const auto files = [&] { return std::distance(fs::directory_iterator(kept), fs::directory_iterator()); };
  const mode_t before = umask(0);
  EXPECT_EQ(value(folder / "cache"), 1);
  umask(before);
  const auto closed = fs::perms::owner_all;
  EXPECT_EQ(fs::status(kept).permissions(), closed);
  EXPECT_EQ(fs::status(folder / "cache").permissions(), closed);
  ASSERT_EQ(files(), 1);
  const fs::path copy = fs::directory_iterator(kept)->path();
  EXPECT_EQ(fs::status(copy).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  // A copy of the right name and size with other numbers is not used if another user could write it, if it is
  // a link, or if it lies in a folder that others can write.
  const Bytes good = read_file(copy);
  Bytes bad = good;
  for (size_t i = 0; i < bad.size(); ++i) bad[i] = i % 2 == 0 ? 0x00 : 0x40;
  ASSERT_EQ(bad.size(), good.size());
  write_file(copy, bad);
  fs::permissions(copy, fs::perms::others_write, fs::perm_options::add);
  EXPECT_EQ(value(folder / "cache"), 1);
  write_file(folder / "bad", bad);
  fs::remove(copy);
  fs::create_symlink(folder / "bad", copy);
  EXPECT_EQ(value(folder / "cache"), 1);
  write_file(copy, bad);
  EXPECT_EQ(value(folder / "cache"), 2) << "the user's own writing is taken";
  fs::permissions(kept, fs::perms::group_write, fs::perm_options::add);
  EXPECT_EQ(value(folder / "cache"), 1);
  EXPECT_EQ(read_file(copy), bad) << "nothing is written there";
  // Without a cache no file is left behind, and no file has a name that can be guessed.
  fs::create_directories(folder / "tmp");
  setenv("TMPDIR", (folder / "tmp").c_str(), 1);
  EXPECT_EQ(value(""), 1);
  EXPECT_TRUE(fs::is_empty(folder / "tmp"));
  unsetenv("TMPDIR");
}

TEST_F(Files, RandomChangesOfAFileNeverDoMoreThanFail) {
  std::vector<float> values(12, 1.0f);
  write_safetensors(folder / "s", {{"w", {{3, 4}, values}}, {"v", {{3}, {1, 2, 3}}}});
  const std::vector<Bytes> seeds = {npy_bytes({3, 4}, values.data()), idx(8, {3, 4}, noise(12)),
                                    gzip(idx(8, {30, 4}, noise(120))), read_file(folder / "s")};
  std::mt19937 random(3);
  for (int round = 0; round < 1000; ++round) {
    Bytes bytes = seeds[round % seeds.size()];
    for (unsigned change = 0; change <= random() % 4; ++change)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random() % 3 ? random() : 0xff);
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    fs::path path = folder / "fuzz";
    FILE* stream = fopen(path.c_str(), "wb");
    fwrite(bytes.data(), 1, bytes.size(), stream);
    fclose(stream);
    for (const std::function<void()>& read : {std::function<void()>([&] { read_idx(path, "x"); }),
                                              std::function<void()>([&] { read_npy(path, "x"); }),
                                              std::function<void()>([&] { read_safetensors(path); })})
      try {
        read();
      } catch (const Failure&) {
      }
  }
}

TEST_F(Files, WhatCannotBeWrittenSaysWhereAndWhy) {
  float value = 1;
  std::string message =
      failure_of([&] { write_npy(folder / "none" / "a.npy", {1}, &value); }, Exit::cannot_write);
  EXPECT_EQ(message, "cannot write " + (folder / "none" / "a.npy").string() + ": No such file or directory");
}

TEST_F(Files, AGridHoldsEachImageBetweenMargins) {
  std::vector<float> images = {0, 1, 0.5f, 2, -1, NAN};  // three images of 1 by 2
  Picture picture = grid(images.data(), {3, 1, 2}, 2, 1);
  EXPECT_EQ(picture.width, 7);
  EXPECT_EQ(picture.height, 5);
  auto at = [&](int y, int x) { return int{picture.pixels[y * 7 + x]}; };
  EXPECT_EQ(at(0, 0), 128);
  EXPECT_EQ(at(1, 1), 0);
  EXPECT_EQ(at(1, 2), 255);
  EXPECT_EQ(at(1, 4), 128);
  EXPECT_EQ(at(1, 5), 255);
  EXPECT_EQ(at(3, 1), 0);
  EXPECT_EQ(at(3, 2), 0);
  EXPECT_TRUE(contains(failure_of([&] { grid(images.data(), {1, 2, 3, 1}, 1); }), "[2, 3, 1]"));
}

}  // namespace
