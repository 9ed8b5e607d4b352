// The arguments of one call of a family, by the name of the parameter.
#pragma once
#include <map>
#include <string>

#include "compiler/semantics/expressions/evaluation.h"

namespace semantics {

struct FamilyCall {
  const syntax::FamilyDecl* decl = nullptr;
  const syntax::From* from = nullptr;
  std::map<std::string, Value> values;       // of kind `none` if left out
  std::map<std::string, base::Span> places;  // the places of the written arguments
  std::map<std::string, Value> fixed;        // the parameters that must be known when compiling
};

/// Whether a parameter with this domain may have the value. Here `unit` does not include 0 and 1.
bool is_argument(DomainKind domain, double value);

/// Checks each argument that is known when compiling against its parameter's domain; false after an error.
bool check_domains(Evaluation& evaluation, const FamilyCall& call, const Variable& variable, bool in_source);

/// Checks that the family has a density with the arguments that are known when compiling. Unknown arguments
/// have their starting values. `arguments` are in the order of the template's parameters. Returns false after
/// an error.
bool check_density(Evaluation& evaluation, const FamilyCall& call, const Variable& variable,
                   const FamilyTemplate& form, const std::vector<NodeId>& arguments, base::Span at);

/// The value used for an argument that is not known: the default or, without one, a simple value of the
/// domain.
double starting_value(const FamilyTemplate::Parameter& parameter);

}  // namespace semantics
