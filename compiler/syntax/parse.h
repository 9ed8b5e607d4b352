// From text to a syntax tree. In: one file of a SourceSet. Out: its tree. All syntax errors of the file go to
// the report; the tree then contains what could be read. Never throws, whatever the input is.
#pragma once
#include "compiler/base/report.h"
#include "compiler/syntax/tree.h"

namespace syntax {

Tree parse(base::FileId file, base::Report& report);

/// The tree as indented text, for --emit=syntax and golden tests.
std::string print(const Tree& tree);

/// The file in canonical layout, with its comments. Formatting twice changes nothing more. The file must
/// parse without errors.
std::string format(base::FileId file, const base::SourceSet& sources);

}  // namespace syntax
