#include "compiler/semantics/graph/polynomial.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace semantics {

namespace {

/// A longer sum stays an atom: the sums that families declare are short.
constexpr size_t most_monomials = 64;
/// A coefficient that is this much smaller than those it was computed from is a rounding error.
constexpr double rounding = 1e-12;

template <class Key>
void add_to(std::map<Key, double>& sum, const Key& key, double value) {
  double& entry = sum[key];
  const double size = std::abs(entry) + std::abs(value);
  entry += value;
  if (std::abs(entry) <= rounding * size) sum.erase(key);
}

Monomial multiply(const Monomial& a, const Monomial& b) {
  Monomial product = a;
  for (const auto& [base, exponent] : b.powers) add_to(product.powers, base, exponent);
  for (const auto& [powers, coefficient] : b.exponent) add_to(product.exponent, powers, coefficient);
  return product;
}

Polynomial number(double value) { return value == 0 ? Polynomial{} : Polynomial{{Monomial{}, value}}; }

bool is_whole(double value) { return std::floor(value) == value; }

}  // namespace

Polynomial add(Polynomial a, const Polynomial& b, double scale) {
  for (const auto& [monomial, coefficient] : b) add_to(a, monomial, scale * coefficient);
  return a;
}

Polynomial multiply(const Polynomial& a, const Polynomial& b) {
  Polynomial product;
  for (const auto& [left, left_coefficient] : a)
    for (const auto& [right, right_coefficient] : b)
      add_to(product, multiply(left, right), left_coefficient * right_coefficient);
  return product;
}

std::optional<Polynomial> power(const Polynomial& a, double exponent) {
  if (a.size() == 1) {
    const auto& [monomial, coefficient] = *a.begin();
    if (coefficient < 0 && !is_whole(exponent)) return std::nullopt;
    Monomial raised;
    for (const auto& [base, own] : monomial.powers) raised.powers[base] = own * exponent;
    for (const auto& [powers, own] : monomial.exponent) raised.exponent[powers] = own * exponent;
    const double scale = std::pow(coefficient, exponent);
    if (!std::isfinite(scale) || scale == 0) return std::nullopt;
    return Polynomial{{raised, scale}};
  }
  if (!is_whole(exponent) || exponent < 1 || exponent > 4) return std::nullopt;
  Polynomial product = a;
  for (double done = 1; done < exponent; ++done) {
    product = multiply(product, a);
    if (product.size() > most_monomials) return std::nullopt;
  }
  return product;
}

std::optional<Polynomial> divide(const Polynomial& a, const Polynomial& b) {
  if (b.size() != 1) return std::nullopt;
  const auto inverse = power(b, -1);
  if (!inverse) return std::nullopt;
  return multiply(a, *inverse);
}

std::optional<double> number_of(const Polynomial& a) {
  if (a.empty()) return 0;
  if (a.size() == 1 && a.begin()->first == Monomial{}) return a.begin()->second;
  return std::nullopt;
}

Polynomial Algebra::atom(NodeId node) const { return {{Monomial{{{node.index, 1}}, {}}, 1}}; }

Polynomial Algebra::of(NodeId node) {
  if (const auto found = known_.find(node.index); found != known_.end()) return found->second;
  Polynomial result = find(node);
  if (result.size() > most_monomials) result = atom(node);
  return known_[node.index] = std::move(result);
}

Polynomial Algebra::product_of(NodeId node) {
  Polynomial whole = of(node);
  if (whole.size() == 1) return whole;
  const Node made = (*build_.graph)[node];  // a copy, because adding nodes moves the others
  std::optional<Polynomial> result;
  if (made.op == Op::multiply) result = multiply(product_of(made.inputs[0]), product_of(made.inputs[1]));
  if (made.op == Op::divide) result = divide(product_of(made.inputs[0]), product_of(made.inputs[1]));
  if (made.op == Op::negate) result = multiply(product_of(made.inputs[0]), number(-1));
  if (made.op == Op::power)
    if (const auto exponent = build_.constant_of(made.inputs[1]))
      result = power(product_of(made.inputs[0]), *exponent);
  return result ? *result : atom(node);
}

Polynomial Algebra::find(NodeId node) {
  if (const auto value = build_.constant_of(node); value && std::isfinite(*value)) return number(*value);
  if (atoms_.contains(node.index)) return atom(node);
  const Node made = (*build_.graph)[node];  // a copy, because adding nodes moves the others
  const auto in = [&](size_t i) { return of(made.inputs[i]); };
  std::optional<Polynomial> result;
  switch (made.op) {
    case Op::negate:
      return multiply(in(0), number(-1));
    case Op::add:
      return add(in(0), in(1));
    case Op::subtract:
      return add(in(0), in(1), -1);
    case Op::multiply:
      return multiply(in(0), in(1));
    case Op::divide: {
      Polynomial below = in(1);
      if (below.size() != 1) below = atom(made.inputs[1]);
      result = divide(in(0), below);
      break;
    }
    case Op::sqrt:
      result = power(in(0), 0.5);
      break;
    case Op::power:
      if (const auto exponent = build_.constant_of(made.inputs[1])) result = power(in(0), *exponent);
      break;
    case Op::exp:
      result = exp_of(in(0));
      break;
    case Op::log:
      result = log_of(in(0));
      break;
    case Op::broadcast:
    case Op::reshape:
      return moved(node);
    default:
      break;
  }
  return result ? *result : atom(node);
}

std::optional<Polynomial> Algebra::exp_of(const Polynomial& argument) const {
  Monomial result;
  double scale = 1;
  for (const auto& [monomial, coefficient] : argument) {
    if (!monomial.exponent.empty()) return std::nullopt;
    if (monomial.powers.empty()) {
      scale = std::exp(coefficient);
      continue;
    }
    // exp(c log a) = a^c.
    const auto& [base, exponent] = *monomial.powers.begin();
    const Node& inner = (*build_.graph)[NodeId{base}];
    if (monomial.powers.size() == 1 && exponent == 1 && inner.op == Op::log)
      add_to(result.powers, inner.inputs[0].index, coefficient);
    else
      result.exponent[monomial.powers] = coefficient;
  }
  if (!std::isfinite(scale) || scale == 0) return std::nullopt;
  return Polynomial{{result, scale}};
}

/// Only for a single exponential times a positive number: the signs of other products are not known.
std::optional<Polynomial> Algebra::log_of(const Polynomial& argument) const {
  if (argument.size() != 1) return std::nullopt;
  const auto& [monomial, coefficient] = *argument.begin();
  if (!monomial.powers.empty() || coefficient <= 0) return std::nullopt;
  Polynomial result = number(std::log(coefficient));
  for (const auto& [powers, own] : monomial.exponent) add_to(result, Monomial{powers, {}}, own);
  return result;
}

/// For a broadcast or a reshape: the same operation is applied to each atom.
Polynomial Algebra::moved(NodeId node) {
  const Node made = (*build_.graph)[node];
  const auto elsewhere = [&](const Powers& powers) {
    Powers result;
    for (const auto& [base, exponent] : powers) {
      const NodeId from{base};
      const NodeId to =
          made.op == Op::broadcast ? build_.broadcast(from, made.shape) : build_.reshape(from, made.shape);
      result[to.index] = exponent;
    }
    return result;
  };
  Polynomial result;
  for (const auto& [monomial, coefficient] : of(made.inputs[0])) {
    Monomial there{elsewhere(monomial.powers), {}};
    for (const auto& [powers, own] : monomial.exponent) there.exponent[elsewhere(powers)] = own;
    result[there] = coefficient;
  }
  return result;
}

NodeId Algebra::node_of(const Powers& powers, Shape shape) {
  NodeId above, below;
  for (const auto& [base, exponent] : powers) {
    NodeId raised = build_.broadcast(NodeId{base}, shape);
    const double size = std::abs(exponent);
    if (size == 2)
      raised = build_.multiply(raised, raised);
    else if (size == 0.5)
      raised = build_.pointwise(Op::sqrt, {raised});
    else if (size != 1)
      raised = build_.pointwise(Op::power, {raised, build_.constant(size)});
    NodeId& side = exponent > 0 ? above : below;
    side = side ? build_.multiply(side, raised) : raised;
  }
  if (!above) above = build_.filled(1, shape);
  return below ? build_.divide(above, below) : above;
}

NodeId Algebra::node_of(const Monomial& monomial, double coefficient, Shape shape) {
  NodeId product = node_of(monomial.powers, shape);
  if (!monomial.exponent.empty()) {
    NodeId sum;
    for (const auto& [powers, own] : monomial.exponent) {
      const NodeId part = node_of(powers, shape);
      if (!sum)
        sum = build_.scale(part, own);
      else if (own < 0)
        sum = build_.subtract(sum, build_.scale(part, -own));
      else
        sum = build_.add(sum, build_.scale(part, own));
    }
    product = build_.multiply(product, build_.pointwise(Op::exp, {sum}));
  }
  return build_.scale(product, coefficient);
}

NodeId Algebra::node_of(const Polynomial& polynomial, Shape shape) {
  NodeId sum = build_.filled(0, shape);
  for (const auto& [monomial, coefficient] : polynomial) {
    const NodeId part = node_of(monomial, std::abs(coefficient), shape);
    sum = coefficient < 0 ? build_.subtract(sum, part) : build_.add(sum, part);
  }
  return build_.broadcast(sum, shape);
}

}  // namespace semantics
