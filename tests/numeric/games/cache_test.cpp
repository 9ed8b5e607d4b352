// The results that compilations keep in the cache: their size is limited, and an entry is complete or not
// there.
// links: base
#include "compiler/base/cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "runtime/shared/cache_folder.h"
#include "runtime/shared/content_hash.h"

namespace {

namespace fs = std::filesystem;
using base::Cache;

class CacheTest : public testing::Test {
 protected:
  CacheTest() : root_(fs::temp_directory_path() / ("vaec-cache-" + std::to_string(getpid()))) {
    fs::create_directories(root_);
    setenv("XDG_CACHE_HOME", root_.c_str(), 1);
    unsetenv("VAEC_CACHE");
  }
  ~CacheTest() override { fs::remove_all(root_); }

  fs::path folder() const { return root_ / "vaec" / "things"; }
  uint64_t bytes() const {
    uint64_t sum = 0;
    for (const auto& entry : fs::directory_iterator(folder())) sum += entry.file_size();
    return sum;
  }
  /// Makes the cache look for old entries again, as if it had not done so for a long time.
  void age_look() const { fs::remove(folder() / "tidied"); }

  fs::path root_;
};

TEST_F(CacheTest, FindsWhatWasKeptUnderAnEqualKey) {
  Cache cache("things");
  const std::string value("a\0\nb", 4);
  EXPECT_EQ(cache.find("key"), std::nullopt);
  cache.keep("key", value);
  cache.keep("none", "");
  EXPECT_EQ(cache.find("key"), value);
  EXPECT_EQ(Cache("things").find("none"), "");
  EXPECT_EQ(cache.find("key "), std::nullopt);
  EXPECT_EQ(Cache("others").find("key"), std::nullopt);
  cache.keep("key", "another");
  EXPECT_EQ(cache.find("key"), "another");
}

TEST_F(CacheTest, AnEntryOfAnotherKeyInItsPlaceDoesNotCount) {
  Cache cache("things");
  cache.keep("one", "1");
  cache.keep("two", "2");
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder())) files.push_back(entry.path());
  ASSERT_EQ(files.size(), 2);
  fs::copy_file(files[0], files[1], fs::copy_options::overwrite_existing);
  EXPECT_EQ(cache.find("one").has_value() + cache.find("two").has_value(), 1);
}

TEST_F(CacheTest, EveryChangedByteIsNoticed) {
  Cache cache("things");
  cache.keep("key", "the value");
  const fs::path file = fs::directory_iterator(folder())->path();
  std::ifstream in(file, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(in), {});
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string broken = whole;
    broken[i] = static_cast<char>(broken[i] ^ 4);
    std::ofstream(file, std::ios::binary) << broken;
    EXPECT_EQ(cache.find("key"), std::nullopt) << i;
    std::ofstream(file, std::ios::binary) << whole.substr(0, i);
    EXPECT_EQ(cache.find("key"), std::nullopt) << i;
  }
}

/// Makes a folder with one entry, and gives the file of the entry.
struct OneEntry {
  explicit OneEntry(const fs::path& folder) {
    Cache("things").keep("key", "value");
    file = fs::directory_iterator(folder)->path();
    if (file.filename() == "tidied") file = (++fs::directory_iterator(folder))->path();
  }
  fs::path file;
};

TEST_F(CacheTest, EntriesThatOthersMayWriteAreNotUsed) {
  const mode_t usual = umask(0);  // the entry is its owner's alone even with this umask
  const OneEntry entry(folder());
  umask(usual);
  EXPECT_EQ(Cache("things").find("key"), "value");
  EXPECT_EQ(Cache::why_off("things"), "");
  fs::permissions(entry.file, fs::perms::others_write, fs::perm_options::add);
  EXPECT_EQ(Cache("things").find("key"), std::nullopt);
  fs::permissions(entry.file, fs::perms::others_write, fs::perm_options::remove);
  for (const fs::perms writer : {fs::perms::others_write, fs::perms::group_write}) {
    fs::permissions(folder(), writer, fs::perm_options::add);
    EXPECT_EQ(Cache("things").find("key"), std::nullopt);
    EXPECT_EQ(Cache::why_off("things"), folder().string() + " can be written by other users");
    Cache("things").keep("another", "value");
    fs::permissions(folder(), writer, fs::perm_options::remove);
    EXPECT_EQ(Cache("things").find("another"), std::nullopt) << "written into an open folder";
  }
  EXPECT_EQ(Cache("things").find("key"), "value");
}

TEST_F(CacheTest, EntriesOfAnotherUserAreNotUsed) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to give files away";
  const OneEntry entry(folder());
  ASSERT_EQ(chown(entry.file.c_str(), 1, 1), 0);
  EXPECT_EQ(Cache("things").find("key"), std::nullopt);
  ASSERT_EQ(chown(entry.file.c_str(), 0, 0), 0);
  ASSERT_EQ(chown(folder().c_str(), 1, 1), 0);
  EXPECT_EQ(Cache("things").find("key"), std::nullopt);
  EXPECT_EQ(Cache::why_off("things"), folder().string() + " belongs to another user");
}

TEST_F(CacheTest, OnlyPlainFilesOfABoundedSizeAreRead) {
  const OneEntry entry(folder());
  const fs::path kept = root_ / "kept";
  fs::rename(entry.file, kept);
  const auto find = [] { return Cache("things").find("key"); };
  fs::create_symlink(kept, entry.file);
  EXPECT_EQ(find(), std::nullopt) << "a link, even to a good entry";
  fs::remove(entry.file);
  fs::create_symlink("/dev/zero", entry.file);
  EXPECT_EQ(find(), std::nullopt);
  fs::remove(entry.file);
  ASSERT_EQ(mkfifo(entry.file.c_str(), 0600), 0);
  EXPECT_EQ(find(), std::nullopt);
  Cache("things").keep("key", "again");  // replaces the pipe
  EXPECT_EQ(find(), "again");
  fs::remove(entry.file);
  fs::create_directory(entry.file);
  EXPECT_EQ(find(), std::nullopt);
  Cache("things").keep("key", "value");  // cannot be written, which is not an error
  EXPECT_EQ(find(), std::nullopt);
  fs::remove(entry.file);
  std::ofstream(entry.file).close();
  fs::resize_file(entry.file, uint64_t{1} << 40);
  EXPECT_EQ(find(), std::nullopt) << "larger than the whole folder may be";
  fs::remove(entry.file);
  fs::rename(kept, entry.file);
  EXPECT_EQ(find(), "value");
}

TEST_F(CacheTest, PastItsLimitWhatIsUnusedForLongestGoes) {
  constexpr uint64_t limit = 100'000;
  const auto key = [](int i) { return "key " + std::to_string(i); };
  {
    Cache cache("things", limit);
    for (int i = 0; i < 90; ++i) {
      cache.keep(key(i), std::string(1000, 'x'));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(cache.find(key(0)));  // used, so it is now the youngest
  }
  EXPECT_GT(bytes(), 90'000);  // within the limit nothing is removed
  age_look();
  {
    Cache cache("things", limit);
    for (int i = 90; i < 110; ++i) cache.keep(key(i), std::string(1000, 'x'));
  }
  EXPECT_LE(bytes(), limit);
  EXPECT_GT(bytes(), limit / 2);
  const Cache cache("things", limit);
  EXPECT_TRUE(cache.find(key(0)));
  EXPECT_FALSE(cache.find(key(1)));
  EXPECT_TRUE(cache.find(key(109)));
}

TEST_F(CacheTest, ThreadsMayShareIt) {
  Cache cache("things");
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          const std::string value(static_cast<size_t>(100 * i), 'v');
          cache.keep(std::to_string(i), value);
          const auto found = cache.find(std::to_string(i));
          EXPECT_TRUE(found == std::nullopt || *found == value);
        }
      });
  }
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(cache.find(std::to_string(i))) << i;
}

TEST_F(CacheTest, AChosenFolderIsTheCache) {
  setenv("VAEC_CACHE", (root_ / "chosen").c_str(), 1);
  Cache cache("things");
  cache.keep("key", "value");
  EXPECT_EQ(cache.find("key"), "value");
  EXPECT_EQ(cache.folder(), root_ / "chosen" / "things");
  EXPECT_EQ(cache_folder(), root_ / "chosen");
  EXPECT_FALSE(fs::exists(folder()));
  setenv("VAEC_CACHE", "", 1);
  EXPECT_EQ(Cache("things").folder(), folder());
}

TEST_F(CacheTest, OffOrWithoutAHomeNothingIsKept) {
  for (const char* chosen : {"off", "relative", "./off"}) {
    setenv("VAEC_CACHE", chosen, 1);
    Cache cache("things");
    cache.keep("key", "value");
    EXPECT_EQ(cache.find("key"), std::nullopt);
    EXPECT_TRUE(cache.folder().empty());
    EXPECT_EQ(cache_folder(), root_ / "vaec");  // the cache folder for data does not change
    EXPECT_FALSE(fs::exists(chosen));
  }
  unsetenv("VAEC_CACHE");
  setenv("XDG_CACHE_HOME", "relative", 1);
  setenv("HOME", "", 1);
  Cache cache("things");
  cache.keep("key", "value");
  EXPECT_TRUE(cache.folder().empty());
  EXPECT_FALSE(fs::exists(root_ / "vaec"));
  EXPECT_TRUE(cache_folder().empty());
}

// http://www.isthe.com/chongo/tech/comp/fnv: the offset basis, and two published values.
TEST(ContentHash, IsFnv1a) {
  EXPECT_EQ(content_hash(std::string()), 0xcbf29ce484222325u);
  EXPECT_EQ(content_hash(std::string("a")), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(content_hash(std::string("foobar")), 0x85944171f73967e8u);
}

}  // namespace
