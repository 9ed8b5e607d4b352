// The flags for methods' own keys (runtime/schema/learn_keys.def), which are compiled in: `vaec build FILE
// --samples 8`, `vaec run FILE train --samples 8`.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "compiler/semantics/analyse.h"
#include "compiler/syntax/tree.h"

namespace CLI {
class App;
}

namespace vaec {

struct LearnFlags {
  std::vector<std::string> learns;          // the blocks; if empty, the first one or all that have the key
  std::map<std::string, std::string> keys;  // the given values, by key
  bool first_block = false;                 // if `learns` is empty: the file's first block, as for `train`

  void add_to(CLI::App* command);
};

/// Takes the flags of keys out of `words`, the words after FILE of `train` or `bench`. Adds keys from the
/// environment (VAEC_SAMPLES).
LearnFlags take_learn_flags(std::vector<std::string>& words);

/// The names of the learn blocks, in order; empty if the text has errors.
std::vector<std::string> learn_names(const std::string& path, const std::string& text);

/// The keys, each for the blocks of `tree` that they are meant for. Throws Failure(usage) for a key that no
/// block has.
std::vector<semantics::Options::Key> keys_for(const LearnFlags& flags, const syntax::Tree& tree);

}  // namespace vaec
