#include "compiler/lsp/rename.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/base/text_file.h"
#include "compiler/lsp/protocol/positions.h"
#include "compiler/syntax/words.h"

namespace lsp {
namespace {

/// The text with `name` in place of the spans, which are sorted and do not overlap.
std::string replaced(const std::string& text, const std::vector<base::Span>& spans, const std::string& name) {
  std::string result;
  size_t done = 0;
  for (const base::Span span : spans) {
    result.append(text, done, span.begin - done);
    result += name;
    done = span.end;
  }
  return result.append(text, std::min(done, text.size()));
}

/// The place of an offset of the old text in the new text.
uint32_t moved(uint32_t offset, const std::vector<base::Span>& spans, size_t length) {
  int64_t shift = 0;
  for (const base::Span span : spans)
    if (span.end <= offset) shift += static_cast<int64_t>(length) - (span.end - span.begin);
  return static_cast<uint32_t>(offset + shift);
}

/// For each name in the program's own file: its place, and the place of its declaration.
using Meanings = std::vector<std::pair<uint32_t, std::pair<std::string, uint32_t>>>;
Meanings meanings_of(const Program& program, const std::string& own_path) {
  const Names names = resolve_names(program);
  Meanings list;
  for (const Occurrence& occurrence : names.occurrences) {
    if (occurrence.span.file != program.own().file) continue;
    const Symbol& symbol = names[occurrence];
    const bool own = symbol.declared.file == program.own().file;
    const std::string where = own                  ? own_path
                              : symbol.in_a_file() ? program.file(symbol.declared.file).name
                                                   : symbol.name;
    list.push_back({occurrence.span.begin, {where, symbol.in_a_file() ? symbol.declared.begin : 0}});
  }
  return list;
}

/// While it lives, other texts are read instead of the files.
class Tentative {
 public:
  ~Tentative() {
    for (const auto& [path, before] : before_) base::set_unsaved_text(path, before);
  }
  void set(const std::string& path, const std::string& text, std::optional<std::string> before) {
    before_.emplace_back(path, std::move(before));
    base::set_unsaved_text(path, text);
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

struct Edited {
  std::string path, uri, before, after;
  std::vector<base::Span> spans;
};

size_t errors_of(const std::string& path, const std::string& text) {
  const auto analysis = analyse(path, text);
  return static_cast<size_t>(std::ranges::count_if(
      analysis->report.diagnostics(),
      [](const auto& diagnostic) { return base::info(diagnostic.code).severity == base::Severity::error; }));
}

class Renaming {
 public:
  Renaming(const Workspace& workspace, const Document& document, const Symbol& symbol, std::string name)
      : workspace_(workspace), document_(document), symbol_(symbol), name_(std::move(name)) {}

  std::variant<nlohmann::json, Refusal> run() {
    for (auto& [path, spans] : places_of(workspace_, document_, symbol_)) {
      Edited file{path, workspace_.uri_for(path), {}, {}, spans};
      std::string cause;
      const Document* open = workspace_.find_path(path);
      const auto text = open ? std::optional(open->text()) : base::read_text_file(path, cause);
      if (!text) return Refusal{fmt::format("cannot read {}: {}", path, cause)};
      std::ranges::sort(file.spans, {}, &base::Span::begin);
      file.before = *text;
      file.after = replaced(*text, file.spans, name_);
      files_.push_back(std::move(file));
    }
    if (auto refusal = check()) return *refusal;
    nlohmann::json changes = nlohmann::json::object();
    for (const Edited& file : files_) {
      base::SourceSet sources;
      const base::SourceFile& source = sources.file(sources.add(file.path, file.before));
      for (const base::Span span : file.spans)
        changes[file.uri].push_back({{"range", range_json(source, span)}, {"newText", name_}});
    }
    return nlohmann::json{{"changes", changes}};
  }

 private:
  std::optional<Refusal> check() {
    std::vector<Meanings> before;
    std::vector<size_t> errors;
    for (const Edited& file : files_) {
      Program program;
      read_program(file.path, file.before, program);
      before.push_back(moved_meanings(meanings_of(program, file.path), file));
      errors.push_back(errors_of(file.path, file.before));
    }
    Tentative tentative;
    for (const Edited& file : files_)
      tentative.set(file.path, file.after,
                    workspace_.find_path(file.path) ? std::optional(file.before) : std::nullopt);
    for (size_t i = 0; i < files_.size(); ++i) {
      Program program;
      read_program(files_[i].path, files_[i].after, program);
      if (meanings_of(program, files_[i].path) != before[i])
        return Refusal{fmt::format("`{}` would be mistaken for another name in {}", name_, files_[i].path)};
      if (errors_of(files_[i].path, files_[i].after) > errors[i])
        return Refusal{fmt::format("{} would not compile with the name `{}`", files_[i].path, name_)};
    }
    return {};
  }

  Meanings moved_meanings(Meanings meanings, const Edited& file) const {
    for (auto& [place, declared] : meanings) {
      place = moved(place, file.spans, name_.size());
      for (const Edited& other : files_)
        if (other.path == declared.first) declared.second = moved(declared.second, other.spans, name_.size());
    }
    return meanings;
  }

  const Workspace& workspace_;
  const Document& document_;
  const Symbol& symbol_;
  std::string name_;
  std::vector<Edited> files_;
};

}  // namespace

std::variant<base::Span, Refusal> prepare_rename(const Document& document, uint32_t offset) {
  const Occurrence* occurrence = document.names().at(document.program().own().file, offset);
  if (!occurrence) return Refusal{"no name stands here"};
  const Symbol& symbol = document.names()[*occurrence];
  if (!symbol.in_a_file()) return Refusal{fmt::format("`{}` is a word of the language", symbol.name)};
  if (document.program().file(symbol.declared.file).library)
    return Refusal{fmt::format("`{}` is declared in the standard library", symbol.name)};
  return occurrence->span;
}

std::variant<nlohmann::json, Refusal> rename(const Workspace& workspace, const Document& document,
                                             uint32_t offset, const std::string& name) {
  const auto place = prepare_rename(document, offset);
  if (const auto* refusal = std::get_if<Refusal>(&place)) return *refusal;
  if (!syntax::is_identifier(name)) return Refusal{fmt::format("`{}` is no name", name)};
  if (document.program().syntax_errors.has_errors())
    return Refusal{"the file has syntax errors; what is named where is not known"};
  const Occurrence* occurrence = document.names().at(document.program().own().file, offset);
  return Renaming(workspace, document, document.names()[*occurrence], name).run();
}

}  // namespace lsp
