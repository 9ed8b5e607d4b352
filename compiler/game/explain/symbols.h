// How the game is written in LaTeX mathematics: names as symbols, conditionals, expectations. In: names of
// the model. Out: text for math mode, with its width on the page, so that lines can be broken.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "compiler/game/game.h"

namespace game {

/// A formula and its approximate width, counted in letters of the text's size. A line may end after a
/// `may_break` in the formula; plain() removes these marks.
constexpr char may_break = '\v';
struct Formula {
  std::string text;
  double width = 0;
  std::string plain() const;
  Formula& operator+=(const Formula& other);
};
Formula operator+(Formula left, const Formula& right);

/// `z1` becomes z with an index, `z[1]` becomes z^(1), `η` becomes \eta. A longer word becomes upright text.
Formula symbol(std::string_view name);
/// A word of the file, for text outside mathematics.
std::string escape_latex(std::string_view text);
Formula symbols(const semantics::Model& model, const std::vector<VariableId>& variables);  // x, z
Formula conditional_formula(const semantics::Model& model, ConditionalId id);              // p(x \mid z)
Formula weight_formula(double weight);                                                     // empty for 1
Formula subscript(const Formula& base, const Formula& below);

}  // namespace game
