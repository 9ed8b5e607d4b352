// Rows of another trained model: `run("FILE", from = RUN)`. Its players are compiled in, and its parameters
// are those of RUN's last checkpoint. The players draw all variables, as for a source without data. A draw
// depends only on (seed, step).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/data/table.h"

namespace core {

class Simulator {
 public:
  /// `reader`: the run(...) of a data expression. Draws the variables that the image's columns read from it.
  /// Failures: missing_input if there is no RUN, bad_data if its parameters do not fit, bad_configuration if
  /// the players cannot draw these variables.
  Simulator(const Image& image, const schema::Reader& reader);
  ~Simulator();

  /// One column per variable that is read; classes as indices.
  data::Table draw(uint64_t seed, uint64_t step, int64_t rows);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace core
