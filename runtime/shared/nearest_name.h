// Finds the name that a user probably meant by a misspelt one; for the compiler's diagnostics and for command
// lines.
#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The candidate nearest to `name` by edit distance (adjacent swaps count one), if at most a third of the
/// letters differ. Both are UTF-8: `η` and `μ` share a byte but no letter.
inline std::optional<std::string> nearest_name(std::string_view name,
                                               const std::vector<std::string>& candidates) {
  const auto letters = [](std::string_view text) {
    std::vector<std::string> found;
    for (const char byte : text) {
      const bool continues = (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
      if (!continues || found.empty()) found.emplace_back();
      found.back() += byte;
    }
    return found;
  };
  const std::vector<std::string> written = letters(name);
  const auto distance = [&](const std::vector<std::string>& other) {
    std::vector<std::vector<size_t>> rows(written.size() + 1, std::vector<size_t>(other.size() + 1));
    for (size_t i = 0; i <= written.size(); ++i) rows[i][0] = i;
    for (size_t j = 0; j <= other.size(); ++j) rows[0][j] = j;
    for (size_t i = 1; i <= written.size(); ++i)
      for (size_t j = 1; j <= other.size(); ++j) {
        const size_t change = rows[i - 1][j - 1] + (written[i - 1] != other[j - 1]);
        rows[i][j] = std::min({change, rows[i - 1][j] + 1, rows[i][j - 1] + 1});
        if (i > 1 && j > 1 && written[i - 1] == other[j - 2] && written[i - 2] == other[j - 1])
          rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    return rows[written.size()][other.size()];
  };
  std::optional<std::string> best;
  size_t best_distance = std::max<size_t>(written.size() / 3, 1) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate == name || candidate.empty()) continue;
    const std::vector<std::string> other = letters(candidate);
    // The edit distance is at least the difference in length, and nobody mistypes a name of hundreds of
    // letters.
    constexpr size_t longest = 100;
    if (written.size() > longest || other.size() > longest) continue;
    if (std::max(written.size(), other.size()) - std::min(written.size(), other.size()) >= best_distance)
      continue;
    const size_t apart = distance(other);
    // Two short names without a common letter, such as `x` and `z`, are not similar.
    if (apart >= std::max(written.size(), other.size())) continue;
    if (apart < best_distance) {
      best = candidate;
      best_distance = apart;
    }
  }
  return best;
}
