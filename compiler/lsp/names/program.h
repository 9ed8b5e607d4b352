// The files of one program as trees: the file itself, the files that it imports, then the library's families.
// In: a path and its text. Out: plain trees with their sources. Files that cannot be read are left out.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "compiler/base/report.h"
#include "compiler/syntax/tree.h"

namespace lsp {

struct Program {
  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  base::SourceSet sources;
  base::Report syntax_errors{sources};  // the errors of all files
  std::deque<syntax::Tree> trees;       // by FileId; the first is the program's own file
  struct Import {
    base::Span at;  // the place of the name or path
    base::FileId file;
  };
  std::vector<Import> imports;
  std::vector<std::string> wanted;  // paths of the imported files, including files that do not exist

  const syntax::Tree& own() const { return trees.front(); }
  const base::SourceFile& file(base::FileId id) const { return sources.file(id); }
};

/// Reads the program into `program`, which must be empty.
void read_program(const std::string& path, const std::string& text, Program& program);

}  // namespace lsp
