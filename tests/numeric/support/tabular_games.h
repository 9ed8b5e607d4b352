// Games with few states whose arguments are unrestricted tables, computed exactly. In: a program's text and,
// for its sources, the probabilities of all states. Out: the distribution of each source's completed rows
// (for chains, over every order of the players), each player's gradient, and the tables after gradient
// ascent.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/numeric/support/example_programs.h"

namespace tabular_games {

/// Probabilities of all states of all variables; the first variable changes slowest.
using Joint = std::vector<double>;
/// For sources that do not draw from the true joint: their own joint, by the source's name.
using Rows = std::map<std::string, Joint>;

inline Joint normalised(Joint weights) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// Values as for -D, by name.
using Defines = std::vector<std::pair<std::string, std::string>>;
/// The checked model of a program. Every variable must be a bit or a category, without a shape.
inline vaec::CheckedModel check_model(const std::string& text, const Defines& defines) {
  return programs::check_model({"game.vae", text, defines});
}

/// The states of a model's variables.
class Space {
 public:
  explicit Space(const semantics::Model& model) {
    for (const semantics::Variable& variable : model.variables) {
      const bool bit = variable.domain.kind == semantics::DomainKind::binary;
      classes_.push_back(bit ? 2 : static_cast<size_t>(variable.domain.classes));
    }
    strides_.assign(classes_.size(), 1);
    for (size_t v = classes_.size(); v-- > 1;) strides_[v - 1] = strides_[v] * classes_[v];
    size_ = strides_[0] * classes_[0];
  }
  size_t size() const { return size_; }
  size_t variables() const { return classes_.size(); }
  size_t classes(int variable) const { return classes_[static_cast<size_t>(variable)]; }
  size_t stride(int variable) const { return strides_[static_cast<size_t>(variable)]; }
  size_t value(size_t state, int variable) const { return state / stride(variable) % classes(variable); }

 private:
  std::vector<size_t> classes_, strides_;
  size_t size_ = 0;
};

/// One table per conditional: logits [states of the parents, classes of the target].
class Game {
 public:
  /// Only the proportions in `truth` and `rows` matter. `defines`: as with -D. All logits start at 0.
  Game(const std::string& text, Joint truth, const Rows& rows, const Defines& defines)
      : checked_(check_model(text, defines)), space_(checked_.model), truth_(normalised(std::move(truth))) {
    for (const auto& [source, counts] : rows) rows_[source] = normalised(counts);
    for (const semantics::Conditional& conditional : model().conditionals) {
      Table& table = tables_.emplace_back();
      table.target = conditional.target.index;
      table.classes = space_.classes(table.target);
      table.learned = !conditional.parameters.empty();
      size_t parents = 1;
      table.of_state.assign(space_.size(), 0);
      for (const semantics::VariableId parent : conditional.parents) {
        const size_t classes = space_.classes(parent.index);
        for (size_t state = 0; state < space_.size(); ++state)
          table.of_state[state] = table.of_state[state] * classes + space_.value(state, parent.index);
        parents *= classes;
      }
      table.logits.assign(parents * table.classes, 0);
    }
  }

  const semantics::Model& model() const { return checked_.model; }
  const Space& space() const { return space_; }
  const Joint& truth() const { return truth_; }
  const std::vector<double>& logits(size_t conditional) const { return tables_[conditional].logits; }
  void set_logits(size_t conditional, std::vector<double> logits) {
    tables_[conditional].logits = std::move(logits);
  }

  /// Draws every learned logit from N(0, spread^2).
  void start(uint64_t seed, double spread) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> normal(0, spread);
    for (Table& table : tables_)
      if (table.learned)
        for (double& logit : table.logits) logit = normal(generator);
  }

  /// The distribution of the source's completed rows. Variables that are not drawn have the value 0.
  Joint completed(const game::SourceGame& source) const {
    Joint joint = known(source);
    for (const game::Completion& completion : source.completions) {
      if (!completion.chain) {
        joint = draw(joint, tables_[static_cast<size_t>(completion.draws[0].conditional.index)]);
        continue;
      }
      for (const game::Draw& one : completion.draws) {  // the families at their default parameters: even odds
        Table even = tables_[static_cast<size_t>(one.conditional.index)];
        std::ranges::fill(even.logits, 0);
        joint = draw(joint, even);
      }
      for (int sweep = 0; sweep < completion.sweeps; ++sweep) joint = swept(joint, completion.draws);
    }
    return joint;
  }

  /// The derivatives of the utilities with respect to the logits: [conditional][logit]. Only those of
  /// `player`; -1: of all players.
  /// d/d logit of E log Categorical(v; logits of the parents' state) = mass(state, v) - mass(state) p(v).
  std::vector<std::vector<double>> gradient(int player = -1) const {
    std::vector<std::vector<double>> gradient(tables_.size());
    for (size_t c = 0; c < tables_.size(); ++c) gradient[c].assign(tables_[c].logits.size(), 0);
    for (const game::SourceGame& source : checked_.game.sources) {
      const auto maximizes = [&](semantics::ConditionalId term) {
        return player < 0 || model()[term].player.index == player;
      };
      if (std::ranges::none_of(source.terms, maximizes)) continue;
      const Joint joint = completed(source);
      for (const semantics::ConditionalId term : source.terms) {
        if (!maximizes(term)) continue;
        const auto c = static_cast<size_t>(term.index);
        const Table& table = tables_[c];
        std::vector<double> mass(table.logits.size(), 0);
        for (size_t state = 0; state < joint.size(); ++state)
          mass[table.place(space_, state)] += joint[state];
        const std::vector<double> p = probabilities(table);
        for (size_t row = 0; row < mass.size(); row += table.classes) {
          double sum = 0;
          for (size_t k = 0; k < table.classes; ++k) sum += mass[row + k];
          for (size_t k = 0; k < table.classes; ++k)
            gradient[c][row + k] += model()[source.source].weight * (mass[row + k] - sum * p[row + k]);
        }
      }
    }
    return gradient;
  }

  /// Takes `steps` steps of plain gradient ascent: the players in turn, each on newly completed rows, or all
  /// players at once.
  void ascend(bool alternating, double rate, int steps) {
    const int players = static_cast<int>(model().players.size());
    for (int step = 0; step < steps; ++step) {
      for (int player = alternating ? 0 : -1; player < (alternating ? players : 0); ++player) {
        const auto up = gradient(player);
        for (size_t c = 0; c < tables_.size(); ++c)
          for (size_t i = 0; i < up[c].size(); ++i) tables_[c].logits[i] += rate * up[c][i];
      }
    }
  }

  /// The largest total variation distance from the truth, over all learned conditionals and all states of
  /// their parents.
  double distance() const {
    double worst = 0;
    for (const Table& table : tables_) {
      if (!table.learned) continue;
      const std::vector<double> p = probabilities(table);
      std::vector<double> mass(p.size(), 0);
      for (size_t state = 0; state < truth_.size(); ++state)
        mass[table.place(space_, state)] += truth_[state];
      for (size_t row = 0; row < mass.size(); row += table.classes) {
        double sum = 0, variation = 0;
        for (size_t k = 0; k < table.classes; ++k) sum += mass[row + k];
        for (size_t k = 0; k < table.classes; ++k)
          variation += 0.5 * std::abs(mass[row + k] / sum - p[row + k]);
        worst = std::max(worst, variation);
      }
    }
    return worst;
  }

  /// The probabilities of a conditional's table: [states of the parents, classes].
  std::vector<double> probabilities(size_t conditional) const { return probabilities(tables_[conditional]); }

 private:
  struct Table {
    int target = 0;
    size_t classes = 0;
    bool learned = false;
    std::vector<size_t> of_state;  // for every state, the state of the parents
    std::vector<double> logits;
    size_t place(const Space& space, size_t state) const {
      return of_state[state] * classes + space.value(state, target);
    }
  };

  static std::vector<double> probabilities(const Table& table) {
    std::vector<double> p(table.logits.size());
    for (size_t row = 0; row < p.size(); row += table.classes) {
      const double top =
          *std::max_element(table.logits.begin() + static_cast<std::ptrdiff_t>(row),
                            table.logits.begin() + static_cast<std::ptrdiff_t>(row + table.classes));
      double sum = 0;
      for (size_t k = 0; k < table.classes; ++k) sum += p[row + k] = std::exp(table.logits[row + k] - top);
      for (size_t k = 0; k < table.classes; ++k) p[row + k] /= sum;
    }
    return p;
  }

  /// The distribution of the variables that the source knows; every other variable has the value 0.
  Joint known(const game::SourceGame& source) const {
    const auto own = rows_.find(model()[source.source].name);
    const Joint& from = own == rows_.end() ? truth_ : own->second;
    Joint joint(space_.size(), 0);
    for (size_t state = 0; state < from.size(); ++state) {
      size_t kept = 0;
      for (const semantics::VariableId variable : source.known)
        kept += space_.value(state, variable.index) * space_.stride(variable.index);
      joint[kept] += from[state];
    }
    return joint;
  }

  /// The distribution after the target is drawn again, whatever value it had.
  Joint draw(const Joint& from, const Table& table) const {
    const std::vector<double> p = probabilities(table);
    const size_t stride = space_.stride(table.target);
    Joint to(from.size(), 0);
    for (size_t state = 0; state < from.size(); ++state) {
      const size_t first = state - space_.value(state, table.target) * stride;
      for (size_t k = 0; k < table.classes; ++k)
        to[first + k * stride] += from[state] * p[table.of_state[first + k * stride] * table.classes + k];
    }
    return to;
  }

  /// One sweep of a chain. All orders of the players are equally likely; each player draws its variables,
  /// parents first.
  Joint swept(const Joint& from, const std::vector<game::Draw>& draws) const {
    std::vector<std::vector<const Table*>> parts;
    int last = -1;
    for (const game::Draw& one : draws) {
      const int player = model()[one.conditional].player.index;
      if (player != last) parts.emplace_back();
      last = player;
      parts.back().push_back(&tables_[static_cast<size_t>(one.conditional.index)]);
    }
    std::vector<size_t> order(parts.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    Joint sum(from.size(), 0);
    double orders = 0;
    do {
      Joint joint = from;
      for (const size_t part : order)
        for (const Table* table : parts[part]) joint = draw(joint, *table);
      for (size_t state = 0; state < sum.size(); ++state) sum[state] += joint[state];
      ++orders;
    } while (std::ranges::next_permutation(order).found);
    for (double& mass : sum) mass /= orders;
    return sum;
  }

  vaec::CheckedModel checked_;
  Space space_;
  Joint truth_;
  Rows rows_;
  std::vector<Table> tables_;
};

}  // namespace tabular_games
