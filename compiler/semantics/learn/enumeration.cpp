#include "compiler/semantics/learn/enumeration.h"

#include <algorithm>
#include <limits>

namespace semantics {
namespace {
bool sums(const nlohmann::json& estimator) { return estimator.at("kind") == "enumerate"; }
}  // namespace

std::optional<int64_t> finite_values(const Variable& variable) {
  if (variable.domain.kind != DomainKind::binary && variable.domain.kind != DomainKind::category) return {};
  const int64_t base = variable.domain.kind == DomainKind::binary ? 2 : variable.domain.classes;
  int64_t values = 1;
  for (int64_t i = 0; base > 1 && i < count(variable.shape); ++i)
    if (__builtin_mul_overflow(values, base, &values)) return std::numeric_limits<int64_t>::max();
  return values;
}

bool is_enumerated(const Learn& learn, const Variable& variable) {
  if (learn.own.contains("enumerate")) {
    const auto& names = learn.own["enumerate"];
    return std::ranges::find(names, nlohmann::json(variable.name)) != names.end();
  }
  if (learn.own.contains("estimators")) {
    const auto& kinds = learn.own["estimators"];
    return kinds.contains(variable.name) && sums(kinds[variable.name]);
  }
  return learn.own.contains("estimator") && sums(learn.own["estimator"]);
}

bool enumerates(const Learn& learn) {
  if (learn.own.contains("enumerate")) return !learn.own["enumerate"].empty();
  if (learn.own.contains("estimators")) return std::ranges::any_of(learn.own["estimators"], sums);
  return learn.own.contains("estimator") && sums(learn.own["estimator"]);
}

int64_t enumerate_limit(const Learn& learn) { return learn.own.value("enumerate_limit", int64_t{4096}); }

}  // namespace semantics
