#include "compiler/lsp/names/program.h"

#include <map>

#include "compiler/base/text_file.h"
#include "compiler/semantics/imports.h"
#include "compiler/semantics/stdlib_text.h"
#include "compiler/syntax/parse.h"

namespace lsp {
namespace {

constexpr const char* always_there = "families";

class ProgramReader {
 public:
  explicit ProgramReader(Program& program) : program_(program) {}

  base::FileId add(const std::string& name, std::string text, bool library) {
    const base::FileId id = program_.sources.add(name, std::move(text), library);
    program_.trees.push_back(syntax::parse(id, program_.syntax_errors));
    return id;
  }

  void follow_imports() {
    // The list grows during this loop. Every file is read only once, so circular imports end.
    for (size_t i = 0; i < program_.trees.size(); ++i)
      for (const syntax::Declaration& declaration : program_.trees[i].declarations)
        if (const auto* import = std::get_if<syntax::ImportDecl>(&declaration.kind)) follow(i, *import);
    add(std::string(always_there) + ".vae", std::string(semantics::stdlib_text(always_there).value_or("")),
        true);
  }

 private:
  void follow(size_t importer, const syntax::ImportDecl& import) {
    const std::string name =
        import.path ? semantics::imported_path(program_.sources.file({static_cast<int32_t>(importer)}).name,
                                               import.what.text)
                    : import.what.text + ".vae";
    if (!import.path && (import.what.text == always_there || import.what.text == "readers")) return;
    const std::pair key{import.path, name};
    const auto known = read_.find(key);
    if (known != read_.end()) {
      if (known->second.index >= 0) program_.imports.push_back({import.what.span, known->second});
      return;
    }
    base::FileId id;
    std::string cause;
    if (import.path) {
      program_.wanted.push_back(name);
      if (auto text = base::read_text_file(name, cause)) id = add(name, std::move(*text), false);
    } else if (const auto text = semantics::stdlib_text(import.what.text)) {
      id = add(name, std::string(*text), true);
    }
    read_[key] = id;
    if (id.index >= 0) program_.imports.push_back({import.what.span, id});
  }

  Program& program_;
  std::map<std::pair<bool, std::string>, base::FileId> read_;
};

}  // namespace

void read_program(const std::string& path, const std::string& text, Program& program) {
  ProgramReader reader(program);
  reader.add(path, text, false);
  reader.follow_imports();
}

}  // namespace lsp
