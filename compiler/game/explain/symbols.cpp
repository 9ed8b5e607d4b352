#include "compiler/game/explain/symbols.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace game {
namespace {
using semantics::Model;

constexpr double script_size = 0.7;  // the size of an index, relative to the text

/// The Greek letters from alpha (U+03B1). The final sigma stands between rho and sigma.
constexpr std::array<const char*, 25> small_greek = {
    "\\alpha",  "\\beta", "\\gamma", "\\delta",    "\\varepsilon", "\\zeta", "\\eta",
    "\\theta",  "\\iota", "\\kappa", "\\lambda",   "\\mu",         "\\nu",   "\\xi",
    "o",        "\\pi",   "\\rho",   "\\varsigma", "\\sigma",      "\\tau",  "\\upsilon",
    "\\varphi", "\\chi",  "\\psi",   "\\omega"};
/// The letters from Alpha (U+0391). U+03A2 is not a letter.
constexpr std::array<const char*, 25> capital_greek = {
    "\\mathrm{A}", "\\mathrm{B}", "\\Gamma",     "\\Delta",  "\\mathrm{E}", "\\mathrm{Z}", "\\mathrm{H}",
    "\\Theta",     "\\mathrm{I}", "\\mathrm{K}", "\\Lambda", "\\mathrm{M}", "\\mathrm{N}", "\\Xi",
    "\\mathrm{O}", "\\Pi",        "\\mathrm{P}", "",         "\\Sigma",     "\\mathrm{T}", "\\Upsilon",
    "\\Phi",       "\\mathrm{X}", "\\Psi",       "\\Omega"};
/// Letters with an accent, and the variants that LaTeX knows. Other Greek letters of Unicode are written by
/// their number.
constexpr std::array<std::pair<char32_t, const char*>, 13> other_greek = {{{0x3AC, "\\acute{\\alpha}"},
                                                                           {0x3AD, "\\acute{\\varepsilon}"},
                                                                           {0x3AE, "\\acute{\\eta}"},
                                                                           {0x3AF, "\\acute{\\iota}"},
                                                                           {0x3CC, "\\acute{o}"},
                                                                           {0x3CD, "\\acute{\\upsilon}"},
                                                                           {0x3CE, "\\acute{\\omega}"},
                                                                           {0x3D1, "\\vartheta"},
                                                                           {0x3D5, "\\phi"},
                                                                           {0x3D6, "\\varpi"},
                                                                           {0x3F0, "\\varkappa"},
                                                                           {0x3F1, "\\varrho"},
                                                                           {0x3F5, "\\epsilon"}}};

std::u32string code_points(std::string_view text) {
  std::u32string result;
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i++]);
    const int more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    char32_t point = more == 0 ? first : first & (0x3FU >> more);
    for (int k = 0; k < more && i < text.size(); ++k)
      point = point << 6 | (static_cast<unsigned char>(text[i++]) & 0x3FU);
    result.push_back(point);
  }
  return result;
}

bool ascii(char32_t point) { return point < 0x80; }
bool digit(char32_t point) { return point >= '0' && point <= '9'; }

/// A letter that is not ASCII, in math mode.
std::string greek(char32_t point) {
  if (point >= 0x3B1 && point <= 0x3C9) return small_greek[point - 0x3B1];
  if (point >= 0x391 && point <= 0x3A9 && point != 0x3A2) return capital_greek[point - 0x391];
  for (const auto& [letter, command] : other_greek) {
    if (letter == point) return command;
  }
  return fmt::format("\\langle\\mathrm{{U{{+}}{:04X}}}\\rangle", static_cast<uint32_t>(point));
}

/// The name in upright letters, as it is written.
Formula word(std::u32string_view name) {
  Formula result;
  for (size_t i = 0; i < name.size();) {
    if (!ascii(name[i])) {
      result += Formula{"{" + greek(name[i++]) + "}", 1};
      continue;
    }
    std::string run;
    for (; i < name.size() && ascii(name[i]); ++i) {
      if (name[i] == '_') run += '\\';
      run += static_cast<char>(name[i]);
    }
    result += Formula{"\\mathrm{" + run + "}", static_cast<double>(run.size())};
  }
  return result;
}

Formula name_formula(std::u32string_view name) {
  if (name.size() == 1 && name[0] != '_') {
    return {ascii(name[0]) ? std::string(1, static_cast<char>(name[0])) : greek(name[0]), 1};
  }
  const std::u32string_view rest = name.substr(1);
  if (name[0] != '_' && !rest.empty()) {
    if (std::all_of(rest.begin(), rest.end(), digit)) {
      return subscript(name_formula(name.substr(0, 1)),
                       {std::string(rest.begin(), rest.end()), 1. * static_cast<double>(rest.size())});
    }
    if (rest.size() > 1 && rest[0] == '_' && rest[1] != '_' && !digit(rest[1])) {
      return subscript(name_formula(name.substr(0, 1)), word(rest.substr(1)));
    }
  }
  return word(name);
}

}  // namespace

std::string Formula::plain() const {
  std::string result = text;
  std::erase(result, may_break);
  return result;
}

Formula& Formula::operator+=(const Formula& other) {
  text += other.text;
  width += other.width;
  return *this;
}
Formula operator+(Formula left, const Formula& right) { return left += right; }

Formula subscript(const Formula& base, const Formula& below) {
  return {base.text + "_{" + below.plain() + "}", base.width + script_size * below.width};
}

Formula symbol(std::string_view name) {
  const size_t bracket = name.find('[');
  if (bracket == std::string_view::npos) return name_formula(code_points(name));
  const std::string_view index = name.substr(bracket + 1, name.size() - bracket - 2);
  const Formula base = symbol(name.substr(0, bracket));
  return {fmt::format("{{{}}}^{{({})}}", base.text, index),
          base.width + script_size * (2 + static_cast<double>(index.size()))};
}

std::string escape_latex(std::string_view text) {
  std::string result;
  for (const char32_t point : code_points(text)) {
    if (!ascii(point)) {
      result += "$" + greek(point) + "$";
    } else if (point == '\\' || point == '~' || point == '^' || point == '$') {
      result += fmt::format("\\char{}{{}}", static_cast<int>(point));
    } else {
      if (std::string_view("#%&_{}").find(static_cast<char>(point)) != std::string_view::npos) result += '\\';
      result += static_cast<char>(point);
    }
  }
  return result;
}

Formula symbols(const Model& model, const std::vector<VariableId>& variables) {
  Formula result;
  for (const VariableId variable : variables) {
    if (!result.text.empty()) result += {std::string(", ") + may_break, 1};
    result += symbol(model[variable].name);
  }
  return result;
}

Formula conditional_formula(const Model& model, ConditionalId id) {
  const semantics::Conditional& conditional = model[id];
  Formula result =
      symbol(model[conditional.player].name) + Formula{"(", 1} + symbol(model[conditional.target].name);
  if (!conditional.parents.empty()) result += Formula{" \\mid ", 2} + symbols(model, conditional.parents);
  return result + Formula{")", 1};
}

Formula weight_formula(double weight) {
  if (weight == 1) return {};
  const std::string digits = fmt::format("{:g}", weight);
  const size_t exponent = digits.find('e');
  if (exponent == std::string::npos) return {digits, static_cast<double>(digits.size())};
  const std::string mantissa = digits.substr(0, exponent);
  const int power = std::stoi(digits.substr(exponent + 1));
  return {fmt::format("{}10^{{{}}}", mantissa == "1" ? "" : mantissa + " \\cdot ", power),
          static_cast<double>(digits.size()) + 2};
}

}  // namespace game
