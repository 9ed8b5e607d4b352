// One open document and what is known about it. In: its path and text. Out: names after every change;
// diagnostics, shapes and the game when they are requested, as `vaec check` finds them.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "compiler/lsp/names/names.h"
#include "compiler/lsp/names/program.h"
#include "compiler/pipeline.h"

namespace lsp {

/// What the compiler finds out about a text.
struct Analysis {
  base::SourceSet sources;
  base::Report report{sources};
  semantics::Observations observed;
  std::optional<vaec::CheckedModel> checked;
};
std::unique_ptr<Analysis> analyse(const std::string& path, const std::string& text);

class Document {
 public:
  Document(std::string uri, std::string text);

  void set_text(std::string text);
  /// Forgets the analysis, because a file that the document imports may have changed.
  void forget();

  const std::string& uri() const { return uri_; }
  const std::string& path() const { return path_; }
  const std::string& text() const { return text_; }
  const Program& program() const;
  const base::SourceFile& file() const { return program().file(program().own().file); }
  const Names& names() const;
  /// The names of the last text without syntax errors. If there was none, those of the current text.
  const Names& whole_names() const;
  const Analysis& analysis() const;
  bool imports(const std::string& path) const;

  bool shown = false;  // the editor has the current diagnostics

 private:
  std::string uri_, path_, text_;
  mutable std::unique_ptr<Program> program_;
  mutable std::optional<Names> names_, whole_names_;
  mutable std::unique_ptr<Analysis> analysis_;
};

}  // namespace lsp
