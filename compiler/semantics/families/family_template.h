// A family's declaration, evaluated once for the domain and shape of a variable. The statistic and the other
// properties are nodes of a separate graph, in which the parameters and x are variables. This graph is copied
// into the model's graph with the arguments in place of the parameters.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/semantics/model.h"

namespace semantics {

struct FamilyTemplate {
  bool whole = false;  // false: the declaration has errors, which have been reported
  Graph graph;
  struct Parameter {
    std::string name;
    DomainKind domain = DomainKind::real;
    Shape shape;                     // the declared shape, then that of the positions
    NodeId node;                     // a variable of the template's graph
    std::optional<double> fallback;  // default value
  };
  std::vector<Parameter> parameters;  // those that are not fixed
  Shape positions;                    // the variable's shape without a class axis
  NodeId x;                           // has the variable's tensor shape
  struct Term {
    NodeId own_statistic, own_natural;  // as declared
    NodeId statistic, natural;          // stretched to one shape
    NodeId mean, stretched_mean;        // E statistic, or none
    bool vector = false;                // the product is summed along the axes in front of the positions
  };
  std::vector<Term> terms;
  NodeId log_partition, log_base;
  /// curvature (statistic - centre)^2, which replaces one or two terms (complete_square.h).
  struct Square {
    size_t linear;                        // the term of the statistic itself
    std::optional<size_t> quadratic;      // the term of its square; none if the square is in log_base
    double scale = 1;                     // the statistic of `quadratic` is `scale` times the square
    NodeId statistic, curvature, centre;  // all have one shape
    NodeId variance;                      // E (statistic - centre)^2, or none
    bool centred = false;                 // the centre is E statistic
    bool vector = false;                  // summed along the axes in front of the positions
  };
  std::vector<Square> squares;
  NodeId rest_partition, rest_base;  // the parts of log_partition and log_base that are in no square
  NodeId derived;                    // log p at each position, from the terms
  NodeId declared;                   // log p as `log_density` declares it, or none
  NodeId density;          // the declared value (or else the derived one), with the derived gradient
  NodeId sample;           // has the variable's tensor shape; lies inside its domain
  NodeId declared_sample;  // as the family declares it; for category(K) an index
  NodeId mean;             // has the variable's tensor shape, or none
  NodeId entropy;          // at each position, or none
  bool expected = false;   // the mean is declared, not derived
};

}  // namespace semantics
