// The normal form of an expression: a sum of products of powers and one exponential. In: nodes of a graph.
// Out: polynomials, in which equal products meet and cancel, and nodes made of them again. What is no sum,
// product, power or exponential is an atom. Equalities hold where both sides are finite.
#pragma once
#include <map>
#include <optional>
#include <set>

#include "compiler/semantics/build.h"

namespace semantics {

/// Exponents by the node index of the base.
using Powers = std::map<int32_t, double>;

/// Product of `powers` times exp(sum of coefficient times product of powers).
struct Monomial {
  Powers powers;
  std::map<Powers, double> exponent;
  auto operator<=>(const Monomial&) const = default;
};

/// Coefficients by monomial; 0 where there is none.
using Polynomial = std::map<Monomial, double>;

class Algebra {
 public:
  /// `atoms` are not looked into.
  explicit Algebra(Build& build, std::set<int32_t> atoms = {}) : build_(build), atoms_(std::move(atoms)) {}

  Polynomial of(NodeId node);
  /// The same with sums as atoms, except one that is a product of a number: at most one monomial.
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
/// To a power; none where a sum would be raised to one that is no small whole number.
std::optional<Polynomial> power(const Polynomial& a, double exponent);
std::optional<Polynomial> divide(const Polynomial& a, const Polynomial& b);
/// The number that it equals, if it has no atoms.
std::optional<double> number_of(const Polynomial& a);

}  // namespace semantics
