#include "compiler/semantics/model.h"

#include <fmt/format.h>

#include <algorithm>

namespace semantics {

const char* name_of(DomainKind kind) {
  switch (kind) {
    case DomainKind::binary:
      return "binary";
    case DomainKind::category:
      return "category";
    case DomainKind::count:
      return "count";
    case DomainKind::real:
      return "real";
    case DomainKind::positive:
      return "positive";
    case DomainKind::unit:
      return "unit";
    case DomainKind::angle:
      return "angle";
    case DomainKind::simplex:
      return "simplex";
  }
  return "";
}

std::string text_of(const Domain& domain) {
  std::string text;
  for (const std::string& word : domain.words)
    text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", word);
  if (text.empty() && domain.classes > 0) text = std::to_string(domain.classes);
  return text.empty() ? name_of(domain.kind) : fmt::format("{}({})", name_of(domain.kind), text);
}

Shape Variable::tensor_shape() const {
  if (domain.kind != DomainKind::category && domain.kind != DomainKind::simplex) return shape;
  Shape result = {domain.classes};
  result.insert(result.end(), shape.begin(), shape.end());
  return result;
}

bool is_frozen(const Learn& learn, const Player& player) {
  const auto optimizer = learn.optimizers.find(player.name);
  return optimizer != learn.optimizers.end() && !optimizer->second.learns();
}

bool rows_may_miss(const Model& model, const std::vector<SourceId>& sources, MissingValues least) {
  return std::any_of(sources.begin(), sources.end(), [&](SourceId source) {
    const std::vector<Given>& givens = model[source].givens;
    return std::any_of(givens.begin(), givens.end(),
                       [&](const Given& given) { return given.missing >= least; });
  });
}

}  // namespace semantics
