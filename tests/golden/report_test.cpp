// Diagnostics are reported in order and once. They point at the right column, whatever characters the line
// has.
// links: base
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compiler/base/report.h"
#include "runtime/shared/nearest_name.h"

namespace {

using base::Span;

Span of(const base::SourceSet& sources, base::FileId file, const std::string& word) {
  const auto at = static_cast<uint32_t>(sources.file(file).text.find(word));
  return {file, at, static_cast<uint32_t>(at + word.size())};
}

TEST(Report, ShowsLineLabelNoteAndHelp) {
  base::SourceSet sources;
  const auto file = sources.add("digits.vae", "var x : binary\n\n\n\n\n\n\n\n\ndecoder p { x ~ F(700) }\n");
  base::Report report(sources);
  report.add(base::E0101, of(sources, file, "700"), "a name", "`700`")
      .label("not a name")
      .note(of(sources, file, "x"), "x is declared here")
      .help("write one");
  EXPECT_EQ(base::render_text(report, false),
            "error[E0101]: expected a name, found `700`\n"
            "  --> digits.vae:10:19\n"
            "   |\n"
            "10 | decoder p { x ~ F(700) }\n"
            "   |                   ^^^ not a name\n"
            "   |\n"
            "note: x is declared here\n"
            "  --> digits.vae:1:5\n"
            "help: write one\n");
}

TEST(Report, EqualOnesOfOnePlaceAreToldOnce) {
  base::SourceSet sources;
  const auto file = sources.add("a.vae", "xx");
  base::Report report(sources);
  const Span place{file, 0, 1};
  for (const char* found : {"`1`", "`2`", "`1`"}) report.add(base::E0101, place, "a name", found);
  report.add(base::E0101, Span{file, 1, 2}, "a name", "`1`");
  const std::string told = base::render_json(report);
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 3) << told;
}

TEST(Report, UnderlinesBehindTabsAndWideLetters) {
  base::SourceSet sources;
  const auto file = sources.add("a.vae", "\tη = \"漢\" + bad\n");
  base::Report report(sources);
  report.add(base::E0101, of(sources, file, "bad"), "a", "b");
  const std::string text = base::render_text(report, false);
  // A tab goes to the next multiple of four; a Chinese character takes two cells.
  EXPECT_NE(text.find("1 |     η = \"漢\" + bad\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  |                ^^^\n"), std::string::npos) << text;
  EXPECT_NE(text.find("a.vae:1:12"), std::string::npos) << text;
}

TEST(Report, OrdersByFileAndPlaceAndTellsEqualOnesOnce) {
  base::SourceSet sources;
  const auto first = sources.add("a.vae", "one two\n");
  const auto second = sources.add("b.vae", "three\n");
  base::Report report(sources);
  report.add(base::E0103, of(sources, second, "three"), "three");
  report.add(base::E0103, of(sources, first, "two"), "two");
  report.add(base::E0103, of(sources, first, "one"), "one");
  report.add(base::E0103, of(sources, first, "two"), "two");
  report.add(base::E0002, std::nullopt, "code", "no such param");
  std::vector<std::string> messages;
  std::istringstream lines(base::render_json(report));
  for (std::string line; std::getline(lines, line);)
    messages.push_back(nlohmann::json::parse(line)["message"]);
  EXPECT_EQ(messages, (std::vector<std::string>{"`-D code`: no such param", "`one` is never closed",
                                                "`two` is never closed", "`three` is never closed"}));
}

TEST(Report, WithoutPlaceIsItsHeadLineAlone) {
  base::SourceSet sources;
  base::Report report(sources);
  report.add(base::E0002, std::nullopt, "code", "no such param");
  EXPECT_EQ(base::render_text(report, false), "error[E0002]: `-D code`: no such param\n");
}

TEST(Report, JsonCountsColumnsInCodePoints) {
  base::SourceSet sources;
  const auto file = sources.add("a.vae", "ηθ = bad\n");
  base::Report report(sources);
  report.add(base::E0103, of(sources, file, "bad"), "x").note(of(sources, file, "θ"), "here").help("do");
  const auto line = nlohmann::json::parse(base::render_json(report));
  EXPECT_EQ(line["code"], "E0103");
  EXPECT_EQ(line["severity"], "error");
  EXPECT_EQ(line["file"], "a.vae");
  EXPECT_EQ(line["line"], 1);
  EXPECT_EQ(line["column"], 6);
  EXPECT_EQ(line["notes"][0]["column"], 2);
  EXPECT_EQ(line["help"], "do");
}

TEST(Report, ShowsOnlyThePlaceOfAVeryLongLine) {
  base::SourceSet sources;
  const auto file = sources.add("a.vae", std::string(5000, 'a') + "bad" + std::string(5000, 'c'));
  base::Report report(sources);
  report.add(base::E0103, of(sources, file, "bad"), "x");
  std::istringstream lines(base::render_text(report, false));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 140u);
}

TEST(Utf8, FirstInvalidByteIsFound) {
  EXPECT_FALSE(base::find_invalid_utf8("plain, η, 漢, \U0001F600"));
  EXPECT_EQ(base::find_invalid_utf8("ab\xB0"), 2u);
  EXPECT_EQ(base::find_invalid_utf8("a\xC0\x80"), 1u);          // overlong
  EXPECT_EQ(base::find_invalid_utf8("a\xED\xA0\x80"), 1u);      // a surrogate
  EXPECT_EQ(base::find_invalid_utf8("a\xF4\x90\x80\x80"), 1u);  // past U+10FFFF
  EXPECT_EQ(base::find_invalid_utf8("abc\xE2\x82"), 3u);        // cut short
}

TEST(Nearest, SuggestsWhatIsNearAndNothingElse) {
  const std::vector<std::string> names = {"relu", "gelu", "sigmoid", "dense", "x", "z"};
  EXPECT_EQ(nearest_name("rleu", names), "relu");
  EXPECT_EQ(nearest_name("sigmid", names), "sigmoid");
  EXPECT_EQ(nearest_name("desne", names), "dense");
  EXPECT_FALSE(nearest_name("y", names));
  EXPECT_FALSE(nearest_name("transformer", names));
}

}  // namespace
