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
  NodeId density;         // log p at each position
  NodeId sample;          // of the variable's tensor shape
  NodeId mean;            // likewise, or none
  NodeId entropy;         // at each position, or none
  bool expected = false;  // the mean was declared rather than derived
};

}  // namespace semantics
