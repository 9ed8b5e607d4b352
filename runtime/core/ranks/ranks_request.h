// What a user asks of several ranks (ranks.h).
#pragma once
#include <cstdint>
#include <string>

namespace core {

struct RanksRequest {
  std::string ranks = "auto";  // or off, or how many
  std::string transport;       // c10d or mpi; empty: what the launcher offers
  double timeout = 60;         // seconds that a rank waits for another
  /// Slices of each batch, whose sums do not depend on the number of ranks; 0: one slice for each rank
  int64_t exact = 0;
};

}  // namespace core
