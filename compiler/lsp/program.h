// The files of one program as trees: what it imports, the library's families, then the file itself. In: a
// path and its text. Out: plain trees with their sources; files that cannot be read are left out.
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
  base::Report syntax_errors{sources};  // of all files
  std::deque<syntax::Tree> trees;       // of every file, by its FileId; the program's own is the first
  struct Import {
    base::Span at;  // the name or path
    base::FileId file;
  };
  std::vector<Import> imports;
  std::vector<std::string> wanted;  // the paths that are imported, of files that are not there too

  const syntax::Tree& own() const { return trees.front(); }
  const base::SourceFile& file(base::FileId id) const { return sources.file(id); }
};

/// Reads it anew into `program`, which is empty.
void read_program(const std::string& path, const std::string& text, Program& program);

}  // namespace lsp
