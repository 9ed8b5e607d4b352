#include "compiler/lsp/document.h"

#include <algorithm>

#include "compiler/lsp/protocol/uri.h"

namespace lsp {

std::unique_ptr<Analysis> analyse(const std::string& path, const std::string& text) {
  auto analysis = std::make_unique<Analysis>();
  vaec::Request request{path, text, {}};
  request.observed = &analysis->observed;
  analysis->checked = vaec::check_model(request, analysis->sources, analysis->report);
  return analysis;
}

Document::Document(std::string uri, std::string text)
    : uri_(std::move(uri)), path_(path_of(uri_)), text_(std::move(text)) {}

void Document::set_text(std::string text) {
  if (program_ && !program_->syntax_errors.has_errors()) whole_names_ = names();
  text_ = std::move(text);
  forget();
}

void Document::forget() {
  program_.reset();
  names_.reset();
  analysis_.reset();
  shown = false;
}

const Program& Document::program() const {
  if (!program_) {
    program_ = std::make_unique<Program>();
    read_program(path_, text_, *program_);
  }
  return *program_;
}

const Names& Document::names() const {
  if (!names_) names_ = resolve_names(program());
  return *names_;
}

const Names& Document::whole_names() const {
  return program().syntax_errors.has_errors() && whole_names_ ? *whole_names_ : names();
}

const Analysis& Document::analysis() const {
  if (!analysis_) analysis_ = analyse(path_, text_);
  return *analysis_;
}

bool Document::imports(const std::string& path) const {
  return std::ranges::find(program().wanted, path) != program().wanted.end();
}

}  // namespace lsp
