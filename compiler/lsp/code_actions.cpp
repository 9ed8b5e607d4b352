#include "compiler/lsp/code_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "compiler/base/diagnostic_order.h"
#include "compiler/lsp/diagnostics.h"
#include "compiler/lsp/protocol/positions.h"
#include "compiler/syntax/words.h"

namespace lsp {
namespace {
using nlohmann::json;

struct Edit {
  base::Span span;
  std::string text;
};

/// The pieces between backquotes in a help. A piece with `...` is a pattern, not text to insert.
std::vector<std::string> quoted_pieces(const std::string& help) {
  std::vector<std::string> pieces;
  for (size_t at = help.find('`'); at != std::string::npos;) {
    const size_t end = help.find('`', at + 1);
    if (end == std::string::npos) break;
    std::string piece = help.substr(at + 1, end - at - 1);
    const bool fresh = std::ranges::find(pieces, piece) == pieces.end();
    if (!piece.empty() && piece.find("...") == std::string::npos && fresh) pieces.push_back(std::move(piece));
    at = help.find('`', end + 1);
  }
  return pieces;
}

bool covers(base::Span outer, base::Span inner) {
  return outer.begin <= inner.begin && inner.end <= outer.end;
}

/// Errors come in stages. The errors of a later stage are known only if there are none of an earlier stage.
enum class Stage { syntax, names_and_shapes, game };
Stage stage_of(base::Code code) {
  const char digit = base::info(code).name[2];
  return digit == '1' ? Stage::syntax : digit == '7' ? Stage::game : Stage::names_and_shapes;
}

/// The errors up to a stage, by code and message.
std::multiset<std::string> errors_in(const base::Report& report, Stage last) {
  std::multiset<std::string> errors;
  for (const base::Diagnostic* diagnostic : base::in_order(report)) {
    const base::CodeInfo& kind = base::info(diagnostic->code);
    if (kind.severity == base::Severity::error && stage_of(diagnostic->code) <= last)
      errors.insert(kind.name + diagnostic->message);
  }
  return errors;
}

class FixFinder {
 public:
  FixFinder(const Document& document, const base::Diagnostic& diagnostic)
      : document_(document), diagnostic_(diagnostic), span_(place_in(document, diagnostic)) {}

  /// The edits that a piece of the help may mean, the most likely first.
  std::vector<Edit> candidates(const std::string& piece) const {
    std::vector<Edit> list;
    if (span_.begin != span_.end) list.push_back({span_, piece});
    add_words(piece, list);
    if (stage_of(diagnostic_.code) == Stage::syntax) return list;
    add_heads(piece, list);
    add_statements(piece, list);
    return list;
  }

  bool works(const Edit& edit) const {
    std::string text = document_.text();
    text.replace(edit.span.begin, edit.span.end - edit.span.begin, edit.text);
    if (text == document_.text()) return false;
    const auto after = analyse(document_.path(), text);
    if (count_of_this(after->report) >= count_of_this(document_.analysis().report)) return false;
    const bool error = base::info(diagnostic_.code).severity == base::Severity::error;
    if (error && errors_in(after->report, stage_of(diagnostic_.code)).empty()) return true;
    return std::ranges::includes(errors_in(document_.analysis().report, Stage::game),
                                 errors_in(after->report, Stage::game));
  }

 private:
  /// How many diagnostics have the same code and message.
  ptrdiff_t count_of_this(const base::Report& report) const {
    return std::ranges::count_if(base::in_order(report), [&](const base::Diagnostic* other) {
      return other->code == diagnostic_.code && other->message == diagnostic_.message;
    });
  }

  /// Replaces the left side of a conditional, for example by `z1 | z0, x`.
  void add_heads(const std::string& piece, std::vector<Edit>& list) const {
    const std::string& text = document_.text();
    const size_t line = text.rfind('\n', span_.begin) + 1;
    const size_t opening = text.find_last_of("{;\n", span_.begin);
    size_t begin = opening == std::string::npos ? line : opening + 1;
    while (begin < text.size() && text[begin] == ' ') ++begin;
    const size_t tilde = text.find('~', begin);
    if (tilde == std::string::npos || text.find('\n', begin) < tilde) return;
    size_t end = tilde;
    while (end > begin && text[end - 1] == ' ') --end;
    if (piece.find('~') == std::string::npos && piece.find('(') == std::string::npos)
      list.push_back({{span_.file, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}, piece});
  }

  /// Replaces a name within the span by the name of the piece, for example `dense` of `dense(h, n)`.
  void add_words(const std::string& piece, std::vector<Edit>& list) const {
    const std::string name = piece.substr(0, piece.find('('));
    if (!syntax::is_identifier(name)) return;
    for (const syntax::Word& word : syntax::words(span_.file, document_.program().sources))
      if (word.kind == syntax::Word::Kind::name && covers(span_, word.span) && word.span != span_)
        list.push_back({word.span, name});
    if (name != piece) list.push_back({span_, name});
  }

  /// Adds a statement at the end of the block that contains the diagnostic, or a declaration at the end of
  /// the file.
  void add_statements(const std::string& piece, std::vector<Edit>& list) const {
    const std::string& text = document_.text();
    for (const syntax::Declaration& declaration : document_.program().own().declarations) {
      if (!covers(declaration.span, span_) || declaration.span.end == 0) continue;
      const uint32_t brace = declaration.span.end - 1;
      if (text[brace] != '}') continue;
      uint32_t begin = brace;
      while (begin > 0 && (text[begin - 1] == ' ' || text[begin - 1] == '\n')) --begin;
      const bool one_line = text.substr(begin, brace - begin).find('\n') == std::string::npos;
      const bool empty = begin > 0 && text[begin - 1] == '{';
      const bool ended = begin > 0 && text[begin - 1] == ';';
      const std::string before = !one_line ? "\n  " : empty || ended ? " " : "; ";
      list.push_back({{span_.file, begin, brace}, before + piece + (one_line ? " " : "\n")});
    }
    const auto end = static_cast<uint32_t>(text.size());
    list.push_back({{span_.file, end, end}, (text.ends_with('\n') ? "\n" : "\n\n") + piece + "\n"});
  }

  const Document& document_;
  const base::Diagnostic& diagnostic_;
  base::Span span_;
};

json action_json(const Document& document, const Edit& edit, const std::string& piece,
                 const std::string& code) {
  const json change = {{"range", range_json(document.file(), edit.span)}, {"newText", edit.text}};
  return {{"title", fmt::format("{}: `{}`", code, piece)},
          {"kind", "quickfix"},
          {"edit", {{"changes", {{document.uri(), json::array({change})}}}}}};
}

}  // namespace

json code_actions(const Document& document, base::Span range) {
  using clock = std::chrono::steady_clock;
  const clock::time_point last =
      clock::now() + std::chrono::seconds(3);  // limits the time for a file whose analysis is slow
  constexpr size_t most_pieces = 4;
  json actions = json::array();
  for (const base::Diagnostic* diagnostic : base::in_order(document.analysis().report)) {
    const base::Span span = place_in(document, *diagnostic);
    const bool own = !diagnostic->span || diagnostic->span->file == document.program().own().file;
    if (!own || span.begin > range.end || span.end < range.begin || diagnostic->text_help.empty()) continue;
    const FixFinder finder(document, *diagnostic);
    std::vector<std::string> pieces = quoted_pieces(diagnostic->text_help);
    pieces.resize(std::min(pieces.size(), most_pieces));
    for (const std::string& piece : pieces)
      for (const Edit& edit : finder.candidates(piece)) {
        if (clock::now() > last) return actions;
        if (!finder.works(edit)) continue;
        actions.push_back(action_json(document, edit, piece, base::info(diagnostic->code).name));
        break;
      }
  }
  return actions;
}

}  // namespace lsp
