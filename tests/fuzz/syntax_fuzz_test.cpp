// For any input: the parser does not crash, its positions lie inside the text, and formatting keeps the
// meaning.
// links: syntax base
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "compiler/syntax/parse.h"

namespace {

std::vector<std::string> programs() {
  std::vector<std::string> texts;
  for (const char* folder : {"/tests/golden/syntax", "/tests/errors/syntax", "/stdlib"}) {
    const std::filesystem::path path = std::string(VAEC_ROOT) + folder;
    if (!std::filesystem::exists(path)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.path().extension() != ".vae") continue;
      std::ifstream in(entry.path());
      std::stringstream text;
      text << in.rdbuf();
      if (text.str().size() < 6000) texts.push_back(text.str());
    }
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

/// Removes, doubles, moves and replaces pieces of a program.
std::string mutate(std::string text, const std::vector<std::string>& others, std::mt19937& random) {
  static const std::vector<std::string> pieces = {"(",         ")",        "[",
                                                  "]",         "{",        "}",
                                                  "\n",        ";",        ",",
                                                  "~",         "|",        "=",
                                                  "==",        "<",        "-",
                                                  "**",        ".",        ":",
                                                  "\"",        "\\",       "/*",
                                                  "*/",        "//",       "let ",
                                                  "for ",      "if ",      "else ",
                                                  "net ",      "decoder ", "source ",
                                                  "complete ", "from ",    "fixed ",
                                                  "over ",     "weight ",  "return ",
                                                  "1e",        "0.",       "9999999999999999999",
                                                  "η",         "\xFF",     "\xE2\x82",
                                                  "\t",        "\r",       std::string(1, '\0'),
                                                  " ",         "param ",   "not ",
                                                  "&&",        "'",        "漢"};
  const auto below = [&](size_t n) {
    return n == 0 ? 0 : std::uniform_int_distribution<size_t>(0, n - 1)(random);
  };
  const size_t changes = 1 + below(6);
  for (size_t i = 0; i < changes; ++i) {
    const size_t at = below(text.size() + 1);
    const size_t length = std::min(below(12), text.size() - at);
    switch (below(5)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, pieces[below(pieces.size())]);
        break;
      case 2:
        text.insert(at, text.substr(below(text.size() + 1), below(30)));
        break;
      case 3:
        text.replace(at, length, pieces[below(pieces.size())]);
        break;
      default: {
        const std::string& other = others[below(others.size())];
        text.insert(at, other.substr(below(other.size() + 1), below(60)));
      }
    }
  }
  return text;
}

/// The parts of the text that formatting must not change, comments included.
std::string without_layout(const std::string& text) {
  std::string rest;
  for (const char c : text)
    if (std::string_view(" \t\r\n;,").find(c) == std::string_view::npos) rest += c;
  return rest.starts_with("\xEF\xBB\xBF") ? rest.substr(3) : rest;
}

void check(const std::string& text) {
  SCOPED_TRACE(text);
  base::SourceSet sources;
  const auto file = sources.add("fuzz.vae", text);
  base::Report report(sources);
  const syntax::Tree tree = syntax::parse(file, report);
  for (const auto& diagnostic : report.diagnostics()) {
    ASSERT_TRUE(diagnostic.span.has_value());
    ASSERT_LE(diagnostic.span->begin, diagnostic.span->end) << diagnostic.message;
    ASSERT_LE(diagnostic.span->end, text.size()) << diagnostic.message;
    ASSERT_FALSE(diagnostic.message.empty());
    // A user must never see the words of the parser generator.
    for (const char* jargon :
         {"viable", "mismatched", "extraneous", "EOF", "LPAREN", "token", "something else"})
      ASSERT_EQ(diagnostic.message.find(jargon), std::string::npos) << diagnostic.message;
  }
  base::render_text(report, false);
  base::render_json(report);
  const std::string printed = syntax::print(tree);
  if (report.has_errors()) return;
  const std::string once = syntax::format(file, sources);
  const auto file_once = sources.add("once.vae", once);
  base::Report report_once(sources);
  ASSERT_EQ(syntax::print(syntax::parse(file_once, report_once)), printed) << "formatted:\n" << once;
  ASSERT_FALSE(report_once.has_errors()) << base::render_text(report_once, false);
  ASSERT_EQ(syntax::format(file_once, sources), once);
  ASSERT_EQ(without_layout(once), without_layout(text));
}

TEST(Fuzz, MutatedPrograms) {
  const std::vector<std::string> texts = programs();
  ASSERT_FALSE(texts.empty());
  const char* rounds = std::getenv("VAEC_FUZZ_ROUNDS");
  const int count = rounds ? std::atoi(rounds) : 3000;
  std::mt19937 random(7);
  for (int i = 0; i < count && !testing::Test::HasFatalFailure(); ++i)
    check(mutate(texts[static_cast<size_t>(i) % texts.size()], texts, random));
}

TEST(Fuzz, EveryPrefixOfAProgram) {
  for (const std::string& text : programs()) {
    if (text.size() > 2500) continue;
    for (size_t end = 0; end < text.size() && !testing::Test::HasFatalFailure(); ++end)
      check(text.substr(0, end));
  }
}

TEST(Fuzz, RandomBytes) {
  std::mt19937 random(11);
  for (int i = 0; i < 500 && !testing::Test::HasFatalFailure(); ++i) {
    std::string text(std::uniform_int_distribution<size_t>(0, 200)(random), ' ');
    for (char& c : text)
      c = static_cast<char>(std::uniform_int_distribution<int>(i % 2 ? 1 : 32, i % 2 ? 255 : 126)(random));
    check(text);
  }
}

TEST(Fuzz, ManyLinesAndManyErrors) {
  base::SourceSet sources;
  base::Report report(sources);
  const std::string blank(100'000, '\n');
  const auto lines =
      sources.add("lines.vae", "param a = 1" + blank + "net f(h) {" + blank + "h = (" + blank + "h\n)");
  syntax::parse(lines, report);
  ASSERT_EQ(report.diagnostics().size(), 1u);
  EXPECT_EQ(report.diagnostics()[0].message, "`{` is never closed");
  std::string strings;
  for (int i = 0; i < 50'000; ++i) strings += "param p = \"\n";
  syntax::parse(sources.add("strings.vae", strings), report);
  EXPECT_EQ(report.diagnostics().size(), 50'001u);
  const std::string told = base::render_json(report);
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 50'001);
}

}  // namespace
