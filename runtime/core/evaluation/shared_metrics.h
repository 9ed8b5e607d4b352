// How the ranks of `evaluate` share the rows of a metric.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/inference/shared_batches.h"
#include "runtime/metrics/points.h"

namespace core {

inline Ranks& sharing_ranks(const EvaluateRequest& request) {
  return request.together ? *request.together : Ranks::alone();
}

/// The points of all ranks, in their order. A rank without points may not know their width.
inline metrics::Points joined(Ranks& ranks, const metrics::Points& own) {
  metrics::Points all;
  for (const int64_t width : joined(ranks, std::vector<int64_t>{own.width}))
    all.width = std::max(all.width, width);
  all.values = joined(ranks, own.values);
  return all;
}

}  // namespace core
