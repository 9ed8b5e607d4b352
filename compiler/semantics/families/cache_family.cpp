#include "compiler/semantics/families/cache_family.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/base/cache.h"

namespace semantics {
namespace {

std::vector<int32_t> indices(const std::vector<NodeId>& nodes) {
  std::vector<int32_t> found;
  for (const NodeId node : nodes) found.push_back(node.index);
  return found;
}

}  // namespace

std::string content_of(const FamilyTemplate& t, const Domain& domain) {
  std::string text =
      fmt::format("check {}\nover {} {}\n", VAEC_FAMILY_CHECK, static_cast<int>(domain.kind), domain.classes);
  for (const auto& parameter : t.parameters)
    text += fmt::format("parameter {} {}\n", static_cast<int>(parameter.domain), parameter.shape);
  for (const Node& node : t.graph.nodes)
    text += fmt::format("{} {} {} {} {:a} {}\n", info(node.op).name, indices(node.inputs), node.shape,
                        node.ints, node.number, node.index);
  for (const auto& term : t.terms)
    text += fmt::format("term {} {}\n", term.statistic.index, term.natural.index);
  return text + fmt::format("roots {} {} {} {} {} {}\n", t.x.index, t.log_partition.index, t.derived.index,
                            t.declared.index, t.sample.index, t.mean.index);
}

bool is_cached(const std::string& content) { return base::Cache("families").find(content).has_value(); }

void keep_checked(const std::string& content) { base::Cache("families").keep(content, ""); }

}  // namespace semantics
