#include "compiler/lsp/references.h"

#include <algorithm>
#include <filesystem>

#include "compiler/base/text_file.h"
#include "compiler/lsp/names/library_files.h"
#include "compiler/lsp/protocol/positions.h"
#include "compiler/lsp/protocol/uri.h"

namespace lsp {
namespace {
namespace fs = std::filesystem;

/// Limits for one workspace; files beyond them are not searched.
constexpr size_t most_files = 2000, most_entries = 50'000;

std::string whole_path(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(path, error);
  return error ? path : whole.string();
}

/// The .vae files of the folders. Hidden folders and links to folders are left out.
std::vector<std::string> files_of(const std::vector<std::string>& folders) {
  std::vector<std::string> files;
  for (const std::string& folder : folders) {
    std::error_code error;
    fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, error), end;
    for (size_t seen = 0; !error && entry != end && seen < most_entries; entry.increment(error), ++seen) {
      std::error_code unreadable;
      if (entry->is_directory(unreadable)) {
        if (entry->path().filename().string().starts_with('.')) entry.disable_recursion_pending();
      } else if (entry->path().extension() == ".vae" && files.size() < most_files) {
        files.push_back(entry->path().string());
      }
    }
  }
  return files;
}

/// Adds the places in one program that refer to the declaration at `declared` in the file `path`.
void add_places(const Program& program, const Names& names, const std::string& path, base::Span declared,
                Places& places) {
  for (const Occurrence& occurrence : names.occurrences) {
    const Symbol& symbol = names[occurrence];
    if (!symbol.in_a_file() || symbol.declared.begin != declared.begin ||
        symbol.declared.end != declared.end || whole_path(program.file(symbol.declared.file).name) != path)
      continue;
    auto& list = places[whole_path(program.file(occurrence.span.file).name)];
    const auto same = [&](const base::Span& span) { return span.begin == occurrence.span.begin; };
    if (std::ranges::none_of(list, same)) list.push_back(occurrence.span);
  }
}

bool can_be_imported(SymbolKind kind) {
  return kind == SymbolKind::param || kind == SymbolKind::net || kind == SymbolKind::family ||
         kind == SymbolKind::parameter;
}

Location location_of(const Workspace& workspace, const base::SourceFile& file, base::Span span,
                     const std::string& path) {
  return {workspace.uri_for(path), range_json(file, span)};
}

}  // namespace

const Document* Workspace::find_path(const std::string& path) const {
  const std::string whole = whole_path(path);
  for (const auto& [uri, document] : documents)
    if (whole_path(document.path()) == whole) return &document;
  return nullptr;
}

std::string Workspace::uri_for(const std::string& path) const {
  const Document* open = find_path(path);
  return open ? open->uri() : uri_of(path);
}

std::optional<Location> definition(const Workspace& workspace, const Document& document, uint32_t offset) {
  const Program& program = document.program();
  for (const Program::Import& import : program.imports)
    if (import.at.file == program.own().file && import.at.begin <= offset && offset <= import.at.end)
      if (const auto path = shown_path(program.file(import.file)))
        return location_of(workspace, program.file(import.file), {import.file, 0, 0}, *path);
  const Occurrence* occurrence = document.names().at(program.own().file, offset);
  if (!occurrence || !document.names()[*occurrence].in_a_file()) return {};
  const base::Span declared = document.names()[*occurrence].declared;
  const auto path = shown_path(program.file(declared.file));
  if (!path) return {};
  return location_of(workspace, program.file(declared.file), declared, *path);
}

Places places_of(const Workspace& workspace, const Document& document, const Symbol& symbol) {
  Places places;
  const base::SourceFile& home = document.program().file(symbol.declared.file);
  if (home.library) return places;
  const std::string path = whole_path(home.name);
  add_places(document.program(), document.names(), path, symbol.declared, places);
  if (!can_be_imported(symbol.kind)) return places;
  for (const auto& [uri, other] : workspace.documents)
    if (&other != &document) add_places(other.program(), other.names(), path, symbol.declared, places);
  for (const std::string& file : files_of(workspace.folders)) {
    if (workspace.find_path(file)) continue;
    std::string cause;
    const auto text = base::read_text_file(file, cause);
    if (!text || text->find("import") == std::string::npos) continue;
    Program program;
    read_program(file, *text, program);
    add_places(program, resolve_names(program), path, symbol.declared, places);
  }
  return places;
}

std::vector<Location> references(const Workspace& workspace, const Document& document, uint32_t offset,
                                 bool with_declaration) {
  std::vector<Location> found;
  const Occurrence* occurrence = document.names().at(document.program().own().file, offset);
  if (!occurrence || !document.names()[*occurrence].in_a_file()) return found;
  const Symbol& symbol = document.names()[*occurrence];
  const std::string home = whole_path(document.program().file(symbol.declared.file).name);
  for (const auto& [path, spans] : places_of(workspace, document, symbol)) {
    std::string cause;
    const auto text = base::read_text_file(path, cause);  // for an open document, the text in the editor
    base::SourceSet sources;
    const base::FileId file = sources.add(path, text.value_or(document.text()));
    for (const base::Span span : spans) {
      if (!with_declaration && path == home && span.begin == symbol.declared.begin) continue;
      found.push_back({workspace.uri_for(path), range_json(sources.file(file), span)});
    }
  }
  return found;
}

}  // namespace lsp
