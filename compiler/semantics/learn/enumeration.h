// Sums over discrete variables instead of draws: which variables a learn block sums over, and how many values
// they have.
#pragma once
#include <optional>

#include "compiler/semantics/model.h"

namespace semantics {

/// The number of values of the variable; none if it is not finite. Saturates.
std::optional<int64_t> finite_values(const Variable& variable);

/// Does the learn block say `estimator = {v: enumerate}`, or `enumerate = [v]`?
bool is_enumerated(const Learn& learn, const Variable& variable);
bool enumerates(const Learn& learn);

/// The most terms that a sum may have (key `enumerate_limit`).
int64_t enumerate_limit(const Learn& learn);

}  // namespace semantics
