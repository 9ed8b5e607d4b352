// Rows of another trained model: `run("FILE", from = RUN)`. Its players are compiled in, their parameters are
// RUN's last checkpoint; rows are drawn as a source without data would be: wholly from the players. A
// draw is a function of (seed, step) alone.
#pragma once
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/data/table.h"

namespace core {

class Simulator {
 public:
  /// `reader`: the run(...) of a data expression. Draws the variables that the image's columns ask of it.
  /// Failures: missing_input without RUN, bad_data where its parameters do not fit, bad_configuration where
  /// the players cannot draw what is asked.
  Simulator(const Image& image, const nlohmann::json& reader);
  ~Simulator();

  /// One column per variable asked, classes as indices.
  data::Table draw(uint64_t seed, uint64_t step, int64_t rows);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace core
