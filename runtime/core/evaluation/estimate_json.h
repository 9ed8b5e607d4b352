// A number with its standard error, as the results of `evaluate` hold it.
#pragma once
#include <nlohmann/json.hpp>

#include "runtime/metrics/points.h"

namespace core {

inline nlohmann::json to_json(const metrics::Estimate& estimate) {
  return {{"value", estimate.value}, {"standard_error", estimate.standard_error}};
}

}  // namespace core
