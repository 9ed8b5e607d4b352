// The normal form of an expression: a sum of products of powers and one exponential. In: nodes of a graph.
// Out: polynomials, in which equal products are joined and cancel, and nodes made from them. A node that is
// not a sum, product, power or exponential is an atom. The equalities hold where both sides are finite.
#pragma once
#include <map>
#include <optional>
#include <set>

#include "compiler/semantics/graph/build.h"

namespace semantics {

/// Exponents, keyed by the node index of the base.
using Powers = std::map<int32_t, double>;

/// The product of `powers`, times exp(the sum over `exponent` of coefficient times product of powers).
struct Monomial {
  Powers powers;
  std::map<Powers, double> exponent;
  auto operator<=>(const Monomial&) const = default;
};

/// Coefficients, keyed by monomial; a missing monomial has coefficient 0.
using Polynomial = std::map<Monomial, double>;

class Algebra {
 public:
  /// `atoms`: nodes that are not taken apart.
  explicit Algebra(Build& build, std::set<int32_t> atoms = {}) : build_(build), atoms_(std::move(atoms)) {}

  Polynomial of(NodeId node);
  /// As `of`, but sums are atoms, except a sum that equals one product. The result has at most one monomial.
  Polynomial product_of(NodeId node);
  NodeId node_of(const Polynomial& polynomial, Shape shape);

 private:
  Polynomial find(NodeId node);
  Polynomial atom(NodeId node) const;
  std::optional<Polynomial> exp_of(const Polynomial& argument) const;
  std::optional<Polynomial> log_of(const Polynomial& argument) const;
  Polynomial moved(NodeId node);
  NodeId node_of(const Powers& powers, Shape shape);
  NodeId node_of(const Monomial& monomial, double coefficient, Shape shape);

  Build& build_;
  std::set<int32_t> atoms_;
  std::map<int32_t, Polynomial> known_;
};

Polynomial add(Polynomial a, const Polynomial& b, double scale = 1);
Polynomial multiply(const Polynomial& a, const Polynomial& b);
/// `a` to a power. None if `a` is a sum and the exponent is not a small whole number.
std::optional<Polynomial> power(const Polynomial& a, double exponent);
std::optional<Polynomial> divide(const Polynomial& a, const Polynomial& b);
/// The number that the polynomial equals; none if it has atoms.
std::optional<double> number_of(const Polynomial& a);

}  // namespace semantics
