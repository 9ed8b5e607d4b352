// Code in pieces that do not depend on each other, so that a compilation can use pieces that an earlier one
// cached. In: pieces. Out: the code of each. Cached code equals byte for byte the code that would be
// generated here: same content, same vaec and LLVM, same processor.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "compiler/base/cache.h"

namespace lower {

struct Piece {
  std::string key;  // all that the code depends on, except vaec, LLVM and the processor
  std::function<std::string()> make;
};

struct MadePieces {
  std::vector<std::string> code;
  size_t anew = 0;  // how many were generated; the others were cached
};

/// Generates several pieces at a time, on the processor's threads. All pieces are generated anew if there is
/// no cache, or if this vaec cannot tell itself from other builds.
MadePieces make_pieces(const std::vector<Piece>& pieces, base::Cache* cache);

}  // namespace lower
