// The arguments of one call of a family, by the names of the parameters that they are for.
#pragma once
#include <map>
#include <string>

#include "compiler/semantics/evaluation.h"

namespace semantics {

struct FamilyCall {
  const syntax::FamilyDecl* decl = nullptr;
  const syntax::From* from = nullptr;
  std::map<std::string, Value> values;       // kind none where left out
  std::map<std::string, base::Span> places;  // of what was written
  std::map<std::string, Value> fixed;        // of the parameters known when compiling
};

/// Whether a parameter of this domain may have the value: `unit` has no ends here.
bool is_argument(DomainKind domain, double value);

/// Checks each argument that is known when compiling against its parameter's domain; false after an error.
bool check_domains(Evaluation& evaluation, const FamilyCall& call, const Variable& variable, bool in_source);

/// Checks that the arguments known when compiling leave a density; those that are not known stand at their
/// starting values. `arguments` are those of the template's parameters, in order. False after an error.
bool check_density(Evaluation& evaluation, const FamilyCall& call, const Variable& variable,
                   const FamilyTemplate& form, const std::vector<NodeId>& arguments, base::Span at);

/// What stands in for an argument where it is not known: the default, else a plain value of the domain.
double starting_value(const FamilyTemplate::Parameter& parameter);

}  // namespace semantics
