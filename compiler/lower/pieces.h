// Code in pieces that depend on nothing of each other, so that one which an earlier compilation made can
// serve this one too. In: pieces. Out: the code of each. What is cached is byte for byte what would be
// made here: same content, same vaec and LLVM, same processor.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "compiler/base/cache.h"

namespace lower {

struct Piece {
  std::string key;  // all that the code depends on besides vaec, LLVM and the processor
  std::function<std::string()> make;
};

struct MadePieces {
  std::vector<std::string> code;
  size_t anew = 0;  // of them; the others were cached
};

/// Several at a time on the processor's threads. Without a memory, all are made anew; so they are where this
/// vaec cannot tell itself from another.
MadePieces make_pieces(const std::vector<Piece>& pieces, base::Cache* cache);

}  // namespace lower
