// Which declaration each name of a program refers to. In: the trees of its files. Out: symbols, the places
// where they are named, and the names that are visible at a place. The results agree with semantics/, which
// evaluates. A name that no file declares, such as `dense`, is a symbol without a place.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "compiler/lsp/names/program.h"

namespace lsp {

enum class SymbolKind {
  param,
  let,  // at the top level
  variable,
  family,
  net,
  player,
  source,
  learn,
  parameter,  // of a net or a family
  local,      // of a block
  function,   // of the language, including readers and operations on tables
  domain,
  method,
  key,       // of a learn block
  property,  // of a family
};

struct Symbol {
  SymbolKind kind;
  std::string name;
  base::Span declared;                    // file index -1 for a word of the language
  base::Span whole = {};                  // the declaration, or the first statement that binds the name
  std::map<std::string, int> parameters;  // of a net or a family, as symbols
  std::vector<std::string> targets = {};  // of a player: the variables for which it has conditionals
  std::string owner = {};                 // of a key: the method

  bool in_a_file() const { return declared.file.index >= 0; }
};

struct Occurrence {
  base::Span span;
  int symbol;
};

/// A block that has names of its own.
struct NameScope {
  base::Span span;
  std::vector<int> symbols;
};

struct Names {
  std::vector<Symbol> symbols;
  std::vector<Occurrence> occurrences;  // each place once
  std::map<std::string, int> top;       // the names of the top level, including the library's families
  std::vector<NameScope> scopes;        // outer scopes first

  const Symbol& operator[](const Occurrence& occurrence) const {
    return symbols[static_cast<size_t>(occurrence.symbol)];
  }
  /// The name at a place or just before it; null if there is none.
  const Occurrence* at(base::FileId file, uint32_t offset) const;
};

Names resolve_names(const Program& program);

}  // namespace lsp
