// links: tensor
// Runs each pass on small programs. The file tensor/PASS/CASE.ir contains a sentence, the program, `---`, the
// result of the pass, and then lines `count: WORD N`: the result has N statements of that operation.
// VAEC_ACCEPT=1 rewrites the result.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "compiler/tensor/passes.h"
#include "compiler/tensor/passes/remove_dead.h"

namespace {
namespace fs = std::filesystem;
using tensor::Program;

const fs::path cases = fs::path(VAEC_ROOT) / "tests/golden/tensor";

/// By name: the passes in the compiler's lists, and remove_dead, which they call. Before a pass of kernel
/// programs, the passes from fuse on run too.
std::map<std::string, std::function<std::string(Program)>> passes() {
  std::map<std::string, std::function<std::string(Program)>> result;
  static const std::vector<tensor::Pass> all = [] {
    std::vector<tensor::Pass> both = tensor::passes;
    both.insert(both.end(), tensor::gpu_passes.begin(), tensor::gpu_passes.end());
    return both;
  }();
  const auto fuse = std::ranges::find(all, std::string("fuse"), &tensor::Pass::name);
  for (auto pass = all.begin(); pass != all.end(); ++pass)
    result[pass->name] = [pass, fuse](Program program) {
      tensor::AnyProgram made = std::move(program);
      for (auto one = pass < fuse ? pass : fuse; one <= pass; ++one) made = run(*one, std::move(made));
      return print(made);
    };
  result["remove_dead"] = [](Program program) { return print(tensor::remove_dead(std::move(program))); };
  return result;
}

struct Case {
  std::string sentence, program, expected;
  std::vector<std::pair<std::string, int>> counts;
  int lines = 0;
};

Case read(const fs::path& path) {
  Case result;
  std::ifstream in(path);
  std::string* section = &result.program;
  for (std::string line; std::getline(in, line); ++result.lines) {
    std::istringstream words(line);
    std::string first, word;
    int count = 0;
    words >> first;
    if (first == "//") {
      result.sentence += line + "\n";
    } else if (first == "---") {
      section = &result.expected;
    } else if (first == "count:" && words >> word >> count) {
      result.counts.emplace_back(word, count);
    } else {
      *section += line + "\n";
    }
  }
  return result;
}

/// The number of statements of an operation (`%3 = exp %1`), or of a kind of a kernel program (`loop "y"
/// ...`).
int statements(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  int result = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first, second, third;
    words >> first >> second >> third;
    result += (second == "=" ? third : first.starts_with('@') ? second : first) == name;
  }
  return result;
}

void write(const fs::path& path, const Case& tested, const std::string& made) {
  std::ofstream out(path);
  out << tested.sentence << tested.program << "---\n" << made;
  for (const auto& [name, count] : tested.counts) out << "count: " << name << " " << count << "\n";
}

std::vector<fs::path> files() {
  std::vector<fs::path> result;
  for (const auto& entry : fs::recursive_directory_iterator(cases))
    if (entry.path().extension() == ".ir") result.push_back(entry.path());
  std::ranges::sort(result);
  return result;
}

class OnePass : public testing::TestWithParam<fs::path> {};

TEST_P(OnePass, MakesWhatIsExpected) {
  const fs::path path = GetParam();
  Case tested = read(path);
  const Program program = tensor::parse(tested.program);
  ASSERT_EQ(verify(program), std::nullopt);
  EXPECT_EQ(print(program), tested.program) << "as the printer would write the program";
  const std::string made = passes().at(path.parent_path().filename())(program);
  const char* accept = std::getenv("VAEC_ACCEPT");
  if (accept != nullptr && std::string(accept) == "1") {
    write(path, tested, made);
  } else {
    EXPECT_EQ(made, tested.expected);
  }
  for (const auto& [name, count] : tested.counts) EXPECT_EQ(statements(made, name), count) << name;
  EXPECT_FALSE(tested.sentence.empty() || tested.counts.empty())
      << "a case says what it shows, and counts it";
  EXPECT_LT(tested.lines, 60);
}

INSTANTIATE_TEST_SUITE_P(Golden, OnePass, testing::ValuesIn(files()), [](const auto& tested) {
  return tested.param.parent_path().filename().string() + "_" + tested.param.stem().string();
});

TEST(Passes, EachHasThreeCases) {
  std::map<std::string, int> found;
  for (const fs::path& path : files()) ++found[path.parent_path().filename()];
  for (const auto& [name, run_pass] : passes()) EXPECT_GE(found[name], 3) << name;
}

}  // namespace
