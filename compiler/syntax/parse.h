// Text to tree. In: one file of a SourceSet. Out: its tree; all syntax errors of the file go to the report
// and the tree then holds what could be read. Never throws on any input.
#pragma once
#include "compiler/base/report.h"
#include "compiler/syntax/tree.h"

namespace syntax {

Tree parse(base::FileId file, base::Report& report);

/// The tree as indented text, for --emit=syntax and golden tests.
std::string print(const Tree& tree);

/// The file in canonical layout, comments kept; idempotent. The file must parse without errors.
std::string format(base::FileId file, const base::SourceSet& sources);

}  // namespace syntax
