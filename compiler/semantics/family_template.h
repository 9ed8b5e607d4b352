// A family's declaration, evaluated once for a variable's domain and shape: the statistic and the rest as
// nodes of a graph of its own, in which the parameters and x are variables. Copied into the model's graph
// with the arguments in their places.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/semantics/model.h"

namespace semantics {

struct FamilyTemplate {
  bool whole = false;  // false: the declaration has errors, which are reported
  Graph graph;
  struct Parameter {
    std::string name;
    DomainKind domain = DomainKind::real;
    Shape shape;                     // declared shape, then the positions'
    NodeId node;                     // a variable of the template's graph
    std::optional<double> fallback;  // default value
  };
  std::vector<Parameter> parameters;  // those that are not fixed
  Shape positions;                    // the variable's shape without a class axis
  NodeId x;                           // of the variable's tensor shape
  struct Term {
    NodeId own_statistic, own_natural;  // as declared, and
    NodeId statistic, natural;          // stretched to one shape
    NodeId mean, stretched_mean;        // E statistic, or none
    bool vector = false;                // paired along the axes before the positions
  };
  std::vector<Term> terms;
  NodeId log_partition, log_base;
  /// curvature (statistic - centre)^2 in the place of one or two terms (complete_square.h).
  struct Square {
    size_t linear;                        // the term of the statistic
    std::optional<size_t> quadratic;      // of its square; none where log_base has it
    double scale = 1;                     // that term's statistic is `scale` times the square
    NodeId statistic, curvature, centre;  // of one shape
    NodeId variance;                      // E (statistic - centre)^2, or none
    bool centred = false;                 // the centre is E statistic
    bool vector = false;                  // summed along the axes before the positions
  };
  std::vector<Square> squares;
  NodeId rest_partition, rest_base;  // of the log-partition and log_base what the squares leave
  NodeId derived;                    // log p at each position, from the terms
  NodeId declared;                   // the same as `log_density` says it, or none
  NodeId density;          // the declared value, else the derived one, with the gradient of the derived one
  NodeId sample;           // of the variable's tensor shape, inside its domain
  NodeId declared_sample;  // as the family declares it, of category(K) an index
  NodeId mean;             // likewise, or none
  NodeId entropy;          // at each position, or none
  bool expected = false;   // the mean was declared rather than derived
};

}  // namespace semantics
