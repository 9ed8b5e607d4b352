// Runs the targets on the files of the corpora, in every build. A file whose name begins with `good` must be
// accepted, one with `bad` refused. The corpora contain what fuzzing has found.
// links: vaec_pipeline vaert_core vaert_data
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/fuzz/targets.h"

namespace {

TEST(FuzzCorpora, EveryFileIsTakenOrRefusedAsItsNameSays) {
  for (const fuzz::Target& target : fuzz::targets) {
    const std::filesystem::path folder = std::filesystem::path(VAEC_ROOT) / "tests/fuzz/corpus" / target.name;
    int good = 0, bad = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      const bool expected = entry.path().filename().string().starts_with("good");
      EXPECT_EQ(target.take(bytes), expected) << entry.path() << ": " << fuzz::refusal();
      ++(expected ? good : bad);
    }
    EXPECT_TRUE(good > 0 && bad > 0) << target.name;
  }
}

}  // namespace
