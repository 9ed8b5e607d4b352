// How the game is written for LaTeX's mathematics: names as symbols, conditionals, expectations. In: names of
// the model. Out: text for math mode, with the width that it takes on the page, so that lines can be broken.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "compiler/game/game.h"

namespace game {

/// Mathematics and about how many letters of the text's size it is wide. After a `may_break` in it a line may
/// end; plain() leaves them out.
constexpr char may_break = '\v';
struct Formula {
  std::string text;
  double width = 0;
  std::string plain() const;
  Formula& operator+=(const Formula& other);
};
Formula operator+(Formula left, const Formula& right);

/// `z1` is z with an index, `z[1]` z^(1), `η` \eta; a longer word stands upright as it is written.
Formula symbol(std::string_view name);
/// A word of the file outside mathematics.
std::string escape_latex(std::string_view text);
Formula symbols(const semantics::Model& model, const std::vector<VariableId>& variables);  // x, z
Formula conditional_formula(const semantics::Model& model, ConditionalId id);              // p(x \mid z)
Formula weight_formula(double weight);                                                     // nothing for 1
Formula subscript(const Formula& base, const Formula& below);

}  // namespace game
