// `import nets` from the standard library; `import "path.vae"` relative to the importing file. A file that is
// imported by several files is read once. A file that imports itself, or imports the same file twice, is
// refused.
#include <filesystem>

#include "compiler/base/text_file.h"
#include "compiler/semantics/analysis.h"
#include "compiler/semantics/imports.h"
#include "compiler/semantics/stdlib_text.h"
#include "compiler/syntax/parse.h"

namespace semantics {
namespace {
using syntax::ImportDecl;
using syntax::Tree;

struct Reader {
  Analysis& analysis;
  std::deque<Tree>& owned;
  Files files;
  std::set<std::string> done;
  struct Open {
    std::string key, shown;
  };
  std::vector<Open> open;  // the chain of files that are being read

  void read_all(const Tree& tree) {
    std::map<std::string, base::Span> seen;
    for (const auto& declaration : tree.declarations) {
      const auto* import = std::get_if<ImportDecl>(&declaration.kind);
      if (!import) continue;
      std::string path = import->what.text, key = "standard " + path;
      if (import->path) {
        path = imported_path(analysis.sources.file(tree.file).name, path);
        key = key_of(path);
      }
      const auto [first, fresh] = seen.insert({key, import->what.span});
      if (!fresh) {
        analysis.report.add(base::E0208, import->what.span, import->what.text)
            .note(first->second, "the first import is here");
        continue;
      }
      read(*import, key, path);
    }
    files.push_back(&tree);
  }

  /// One name for a file, however its path is written.
  static std::string key_of(const std::string& path) {
    std::error_code failed;
    const auto whole = std::filesystem::weakly_canonical(path, failed);
    return failed ? path : whole.string();
  }

  void read(const ImportDecl& import, const std::string& key, const std::string& path) {
    for (size_t i = 0; i < open.size(); ++i) {
      if (open[i].key != key) continue;
      std::vector<std::string> chain;
      for (size_t k = i; k < open.size(); ++k) chain.push_back(open[k].shown);
      chain.push_back(open[i].shown);
      analysis.report.add(base::E0209, import.what.span, fmt::format("{}", fmt::join(chain, " → ")));
      return;
    }
    if (done.count(key)) return;
    constexpr size_t deepest = 100;
    if (open.size() > deepest) {
      analysis.report.add(base::E0219, import.what.span, deepest);
      analysis.broken_import = true;
      return;
    }
    if (!import.path && always_there(path)) return;
    const auto text = import.path ? file_text(import, path) : library_text(import);
    if (!text) {
      analysis.broken_import = true;
      return;
    }
    done.insert(key);
    open.push_back({key, import.path ? path : key});
    const base::FileId file = analysis.sources.add(import.path ? path : path + ".vae", *text, !import.path);
    const size_t errors = analysis.report.diagnostics().size();
    owned.push_back(syntax::parse(file, analysis.report));
    if (analysis.report.diagnostics().size() > errors) {
      analysis.broken_import = true;
      open.pop_back();
      return;
    }
    read_all(owned.back());
    open.pop_back();
  }

  std::optional<std::string> file_text(const ImportDecl& import, const std::string& path) {
    std::string cause;
    if (auto text = base::read_text_file(path, cause)) return text;
    analysis.report.add(base::E0001, import.what.span, path, cause).label("imported here");
    return {};
  }

  /// Files of the library that need no import: their names are always known.
  static bool always_there(const std::string& name) { return name == "families" || name == "readers"; }

  std::optional<std::string> library_text(const ImportDecl& import) {
    const std::string& name = import.what.text;
    if (const auto text = stdlib_text(name)) return std::string(*text);
    auto& error = analysis.report.add(base::E0207, import.what.span, name);
    suggest(error, name, stdlib_names());
    if (error.text_help.empty())
      error.help("a file of your own is imported by its path: `import \"" + name + ".vae\"`");
    return {};
  }
};

}  // namespace

Files read_imports(const Tree& tree, std::deque<Tree>& owned, Analysis& analysis) {
  const std::string name =
      std::filesystem::path(analysis.sources.file(tree.file).name).lexically_normal().string();
  Reader reader{analysis, owned, {}, {}, {{Reader::key_of(name), name}}};
  reader.read_all(tree);
  return reader.files;
}

}  // namespace semantics
