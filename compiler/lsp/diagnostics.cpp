#include "compiler/lsp/diagnostics.h"

#include "compiler/base/diagnostic_order.h"
#include "compiler/lsp/names/library_files.h"
#include "compiler/lsp/protocol/positions.h"
#include "compiler/lsp/protocol/uri.h"

namespace lsp {
namespace {
using nlohmann::json;

constexpr int error_severity = 1, warning_severity = 2;

/// The import in the document that brings in this file. If another file imports it, the first import of a
/// file of the user.
base::Span import_of(const Program& program, const std::string& file) {
  const base::Span start{program.own().file, 0, 0};
  const Program::Import* first = nullptr;
  for (const Program::Import& import : program.imports) {
    if (import.at.file != program.own().file) continue;
    if (program.file(import.file).name == file) return import.at;
    if (!first && !program.file(import.file).library) first = &import;
  }
  return first ? first->at : start;
}

std::string message_of(const base::Diagnostic& diagnostic) {
  std::string text = diagnostic.message;
  if (!diagnostic.text_label.empty()) text += "\n" + diagnostic.text_label;
  for (const base::Note& note : diagnostic.notes)
    if (!note.span) text += "\nnote: " + note.text;
  if (!diagnostic.text_help.empty()) text += "\nhelp: " + diagnostic.text_help;
  return text;
}

/// A place in this file or in another.
json location_json(const base::SourceSet& sources, base::Span span, const Document& document) {
  const base::SourceFile& file = sources.file(span.file);
  const auto path = span.file.index == 0 ? document.path() : shown_path(file).value_or(file.name);
  return {{"uri", span.file.index == 0 ? document.uri() : uri_of(path)}, {"range", range_json(file, span)}};
}

json related_json(const Document& document, const base::Diagnostic& diagnostic) {
  const base::SourceSet& sources = document.analysis().sources;
  json related = json::array();
  const auto add = [&](base::Span span, const std::string& text) {
    related.push_back({{"location", location_json(sources, span, document)}, {"message", text}});
  };
  if (diagnostic.span && diagnostic.span->file.index > 0) add(*diagnostic.span, diagnostic.message);
  for (const base::Note& note : diagnostic.notes)
    if (note.span) add(*note.span, note.text);
  return related;
}

}  // namespace

base::Span place_in(const Document& document, const base::Diagnostic& diagnostic) {
  const Program& program = document.program();
  if (!diagnostic.span) return {program.own().file, 0, 0};
  if (diagnostic.span->file == program.own().file) return *diagnostic.span;
  return import_of(program, document.analysis().sources.file(diagnostic.span->file).name);
}

json diagnostics_json(const Document& document) {
  json list = json::array();
  if (is_library_copy(document.path())) return list;
  for (const base::Diagnostic* diagnostic : base::in_order(document.analysis().report)) {
    const base::CodeInfo& kind = base::info(diagnostic->code);
    json entry = {{"range", range_json(document.file(), place_in(document, *diagnostic))},
                  {"severity", kind.severity == base::Severity::error ? error_severity : warning_severity},
                  {"code", kind.name},
                  {"source", "vaec"},
                  {"message", message_of(*diagnostic)}};
    if (json related = related_json(document, *diagnostic); !related.empty())
      entry["relatedInformation"] = std::move(related);
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace lsp
