// The flags of methods' own keys (runtime/learn_keys.def), which are compiled in: `vaec build FILE --samples
// 8`, `vaec run FILE train --samples 8`.
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
  std::vector<std::string> learns;          // the blocks; none: the first, or every one that has the key
  std::map<std::string, std::string> keys;  // what is given, by key
  bool first_block = false;                 // where there is none: the file's first, as `train` takes it

  void add_to(CLI::App* command);
};

/// What the words after FILE say: those of `train` and `bench`. Takes them out of `words`, and adds what the
/// environment says (VAEC_SAMPLES).
LearnFlags take_learn_flags(std::vector<std::string>& words);

/// The names of the learn blocks, in order; none where the text has errors.
std::vector<std::string> learn_names(const std::string& path, const std::string& text);

/// The keys for the blocks of `tree` that they are meant for. Failure(usage) naming a key that no block has.
std::vector<semantics::Options::Key> keys_for(const LearnFlags& flags, const syntax::Tree& tree);

}  // namespace vaec
