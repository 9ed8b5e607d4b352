// One wrong token is one error, and errors in different places are all reported.
// links: game
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>

#include "compiler/game/game.h"
#include "compiler/semantics/analyse.h"
#include "compiler/syntax/parse.h"

namespace {

struct Program {
  std::string path;
  std::string text;
  bool library;  // a file of the standard library: it is only parsed, because its declarations exist already
};

std::vector<Program> programs() {
  std::vector<Program> list;
  for (const char* folder : {"/examples", "/stdlib"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(VAEC_ROOT + std::string(folder))) {
      if (entry.path().extension() != ".vae") continue;
      std::ifstream in(entry.path());
      std::stringstream text;
      text << in.rdbuf();
      list.push_back({entry.path().string(), text.str(), folder == std::string("/stdlib")});
    }
  }
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return list;
}

/// The position and the length of each token in a correct program, without comments and spaces.
struct Piece {
  size_t begin, length;
};
std::vector<Piece> tokens_of(const std::string& text) {
  static const std::vector<std::string> long_operators = {"**", "<=", ">=", "==", "!="};
  std::vector<Piece> tokens;
  size_t i = 0;
  while (i < text.size()) {
    const auto letter = [&](size_t at) {
      const auto byte = static_cast<unsigned char>(text[at]);
      return std::isalnum(byte) || byte == '_' || byte >= 0x80;
    };
    size_t end = i + 1;
    if (std::isspace(static_cast<unsigned char>(text[i]))) {
      i = end;
      continue;
    }
    if (text.compare(i, 2, "//") == 0) {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    if (text.compare(i, 2, "/*") == 0) {
      i = text.find("*/", i) + 2;
      continue;
    }
    if (text[i] == '"') {
      end = text.find('"', i + 1) + 1;
    } else if (letter(i)) {
      const bool number = std::isdigit(static_cast<unsigned char>(text[i]));
      while (end < text.size() &&
             (letter(end) || (number && (text[end] == '.' || (text[end] == '-' && text[end - 1] == 'e')))))
        ++end;
    } else if (std::find(long_operators.begin(), long_operators.end(), text.substr(i, 2)) !=
               long_operators.end()) {
      end = i + 2;
    }
    tokens.push_back({i, end - i});
    i = end;
  }
  return tokens;
}

enum class Change { remove, duplicate, swap, replace };

std::string change(const std::string& text, const std::vector<Piece>& tokens, size_t at, Change kind,
                   const std::string& other) {
  const auto [begin, length] = tokens[at];
  const std::string token = text.substr(begin, length);
  std::string result = text;
  switch (kind) {
    case Change::remove:
      return result.erase(begin, length);
    case Change::duplicate:
      return result.insert(begin + length,
                           std::isalnum(static_cast<unsigned char>(token[0])) ? " " + token : token);
    case Change::swap: {
      // The spaces keep words apart that would otherwise become one token.
      const auto [next, next_length] = tokens[at + 1];
      const std::string between = text.substr(begin + length, next - begin - length);
      return result.replace(
          begin, next + next_length - begin,
          " " + text.substr(next, next_length) + (between.empty() ? " " : between) + token + " ");
    }
    case Change::replace:
      return result.replace(begin, length, " " + other + " ");
  }
  return result;
}

/// The errors that a user sees, one per line.
std::vector<std::string> errors_of(const std::string& path, const std::string& text, bool parse_only) {
  base::SourceSet sources;
  base::Report report(sources);
  const syntax::Tree tree = syntax::parse(sources.add(path, text), report);
  if (!report.has_errors() && !parse_only) {
    semantics::Model model = semantics::analyse(tree, {}, sources, report);
    if (!report.has_errors()) game::derive(model, report);
  }
  std::vector<std::string> errors;
  std::istringstream lines(base::render_json(report));
  for (std::string line; std::getline(lines, line);) {
    const auto entry = nlohmann::json::parse(line);
    if (entry.at("severity") == "error")
      errors.push_back(entry.at("line").dump() + ":" + entry.at("column").dump() + " " +
                       entry.at("code").get<std::string>() + " " + entry.at("message").get<std::string>());
  }
  return errors;
}

const std::vector<std::string> replacements = {"(",   ")",   "[",  "]",   "{",      "}",      ",",      ";",
                                               "=",   "~",   "|",  ":",   ".",      "+",      "**",     "<",
                                               "let", "for", "if", "net", "return", "source", "decoder"};

bool is_bracket(const std::string& token) {
  return token.size() == 1 && std::string("()[]{}").find(token) != std::string::npos;
}

/// The number of wrong programs, and of all their errors.
struct Count {
  int programs = 0;
  size_t errors = 0;
  double mean() const { return programs == 0 ? 0 : static_cast<double>(errors) / programs; }
};

void count(const Program& program, const std::string& mutant, Count& counted) {
  const std::vector<std::string> errors = errors_of(program.path, mutant, program.library);
  if (errors.empty()) return;
  ++counted.programs;
  counted.errors += errors.size();
  std::string listed;
  for (const std::string& error : errors) listed += error + "\n";
  if (errors.size() > 1 && std::getenv("VAEC_SHOW_ERRORS")) std::cout << program.path << "\n" << listed;
  // A wrong shape is reported at each use of its variable. A few errors from one token are therefore
  // acceptable.
  EXPECT_LE(errors.size(), 6u) << program.path << "\n" << listed << mutant;
}

TEST(FollowOnErrors, OneWrongTokenIsOneError) {
  const std::vector<Program> list = programs();
  std::mt19937 random(13);
  const auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
  Count counted;
  for (size_t i = 0; counted.programs < 1400; ++i) {
    const Program& program = list[i % list.size()];
    const std::vector<Piece> tokens = tokens_of(program.text);
    const auto kind = static_cast<Change>(below(4));
    const size_t at = below(tokens.size() - 1);
    count(program, change(program.text, tokens, at, kind, replacements[below(replacements.size())]), counted);
  }
  EXPECT_LE(counted.mean(), 1.1);
  std::cout << "errors of a program with one wrong token: " << counted.mean() << "\n";
}

TEST(FollowOnErrors, OneMissingOrDoubledBracketIsOneError) {
  Count counted;
  for (const Program& program : programs()) {
    const std::vector<Piece> tokens = tokens_of(program.text);
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (!is_bracket(program.text.substr(tokens[i].begin, tokens[i].length))) continue;
      for (const Change kind : {Change::remove, Change::duplicate})
        count(program, change(program.text, tokens, i, kind, ""), counted);
    }
  }
  EXPECT_GE(counted.programs, 1400);
  EXPECT_LE(counted.mean(), 1.03);
  std::cout << "errors of a program with one wrong bracket: " << counted.mean() << " of " << counted.programs
            << "\n";
}

/// The number of the line in which each declaration begins, counted from 1, and then the number after the
/// last line.
std::vector<int> declaration_lines(const std::string& text) {
  static const std::set<std::string> words = {"import", "param",   "family",  "net",    "var",  "let",
                                              "source", "decoder", "encoder", "player", "learn"};
  std::vector<int> lines;
  int line = 1;
  std::istringstream in(text);
  for (std::string row; std::getline(in, row); ++line)
    if (words.contains(row.substr(0, row.find(' ')))) lines.push_back(line);
  lines.push_back(line);
  return lines;
}

/// A wrong program whose errors all lie in one declaration, number `at`.
struct Wrong {
  Piece removed;
  size_t at;
  std::vector<std::string> errors;
};

std::vector<Wrong> wrong_in_one_declaration(const Program& program) {
  const std::vector<int> lines = declaration_lines(program.text);
  std::vector<Wrong> list;
  const auto declaration = [&](int line) {
    return static_cast<size_t>(std::upper_bound(lines.begin(), lines.end(), line) - lines.begin());
  };
  for (const Piece& token : tokens_of(program.text)) {
    if (!is_bracket(program.text.substr(token.begin, token.length))) continue;
    const auto before = program.text.begin() + static_cast<std::ptrdiff_t>(token.begin);
    const size_t at = declaration(1 + static_cast<int>(std::count(program.text.begin(), before, '\n')));
    std::string text = program.text;
    Wrong wrong{token, at, errors_of(program.path, text.erase(token.begin, token.length), true)};
    if (wrong.errors.empty()) continue;
    if (std::all_of(wrong.errors.begin(), wrong.errors.end(),
                    [&](const std::string& error) { return declaration(std::stoi(error)) == at; }))
      list.push_back(std::move(wrong));
  }
  return list;
}

bool has_code(const Wrong& wrong, const std::string& code) {
  return std::ranges::any_of(wrong.errors,
                             [&](const std::string& error) { return error.find(code) != std::string::npos; });
}

TEST(FollowOnErrors, IndependentErrorsAreAllReported) {
  std::mt19937 random(17);
  int pairs = 0;
  for (const Program& program : programs()) {
    const std::vector<Wrong> list = wrong_in_one_declaration(program);
    for (int round = 0; round < 60; ++round) {
      const auto any = [&] { return std::uniform_int_distribution<size_t>(0, list.size() - 1)(random); };
      const Wrong& first = list[any()];
      const Wrong& second = list[any()];
      if (first.at + 1 >= second.at) continue;
      // An open bracket and a closing one later on are a pair, so these two errors are not independent.
      if (has_code(first, "E0103") && has_code(second, "E0104")) continue;
      std::string text = program.text;
      text.erase(second.removed.begin, second.removed.length)
          .erase(first.removed.begin, first.removed.length);
      std::vector<std::string> expected = first.errors;
      expected.insert(expected.end(), second.errors.begin(), second.errors.end());
      EXPECT_EQ(errors_of(program.path, text, true), expected) << text;
      ++pairs;
    }
  }
  EXPECT_GE(pairs, 300);
}

TEST(FollowOnErrors, StatementsOfOneBlockHaveTheirOwnErrors) {
  const auto errors = errors_of("two.vae",
                                "net f(h) {\n"
                                "  a = relu(dense(h, 3)\n"
                                "  b = tanh(a\n"
                                "  c = b +\n"
                                "  return [a, c)\n"
                                "}\n"
                                "source s { x = }\n",
                                true);
  const std::vector<std::string> expected = {
      "2:11 E0103 `(` is never closed", "3:11 E0103 `(` is never closed",
      "4:10 E0101 expected a value, found the end of the line", "5:15 E0117 `)` cannot close `[`",
      "7:16 E0101 expected a value, found `}`"};
  EXPECT_EQ(errors, expected);
}

}  // namespace
