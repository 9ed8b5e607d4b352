#include "compiler/base/report.h"

#include <algorithm>
#include <array>

namespace base {

namespace {
constexpr std::array table{
#define DIAGNOSTIC(code, severity, text) CodeInfo{#code, Severity::severity, text},
#include "compiler/base/diagnostics.def"
#undef DIAGNOSTIC
};
/// UTF-8, one string a code point: `η` and `μ` share a byte but no letter.
std::vector<std::string> letters(std::string_view text) {
  std::vector<std::string> found;
  for (const char byte : text) {
    const bool continues = (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
    if (!continues || found.empty()) found.emplace_back();
    found.back() += byte;
  }
  return found;
}
}  // namespace

const CodeInfo& info(Code code) { return table[static_cast<size_t>(code)]; }

Diagnostic& Report::push(Code code, std::optional<Span> at, std::string message) {
  diagnostics_.push_back({code, std::move(message), at, {}, {}, {}});
  return diagnostics_.back();
}

bool Report::has_errors() const {
  return std::any_of(diagnostics_.begin(), diagnostics_.end(), [](const Diagnostic& diagnostic) {
    return info(diagnostic.code).severity == Severity::error;
  });
}

std::optional<std::string> nearest(std::string_view text, const std::vector<std::string>& candidates) {
  const std::vector<std::string> name = letters(text);
  // Damerau-Levenshtein distance (adjacent swaps count one); a third of the length may differ.
  const auto distance = [&](const std::vector<std::string>& other) {
    std::vector<std::vector<size_t>> rows(name.size() + 1, std::vector<size_t>(other.size() + 1));
    for (size_t i = 0; i <= name.size(); ++i) rows[i][0] = i;
    for (size_t j = 0; j <= other.size(); ++j) rows[0][j] = j;
    for (size_t i = 1; i <= name.size(); ++i)
      for (size_t j = 1; j <= other.size(); ++j) {
        const size_t change = rows[i - 1][j - 1] + (name[i - 1] != other[j - 1]);
        rows[i][j] = std::min({change, rows[i - 1][j] + 1, rows[i][j - 1] + 1});
        if (i > 1 && j > 1 && name[i - 1] == other[j - 2] && name[i - 2] == other[j - 1])
          rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    return rows[name.size()][other.size()];
  };
  std::optional<std::string> best;
  size_t best_distance = std::max<size_t>(name.size() / 3, 1) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate == text || candidate.empty()) continue;
    const std::vector<std::string> other = letters(candidate);
    const size_t apart = distance(other);
    // Two names that share no letter (`x` and `z`) are not near however short they are.
    if (apart >= std::max(name.size(), other.size())) continue;
    if (apart < best_distance) {
      best = candidate;
      best_distance = apart;
    }
  }
  return best;
}

}  // namespace base
