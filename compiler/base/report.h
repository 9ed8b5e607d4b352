// Diagnostics as data. In: a code of diagnostics.def, a span, and the arguments of its message. Out: a list,
// sorted by place, that is printed as text (as rustc does) or as JSON lines.
#pragma once
#include <fmt/format.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/source.h"

namespace base {

enum class Severity { error, warning };

enum class Code : int {
#define DIAGNOSTIC(code, severity, text) code,
#include "compiler/base/diagnostics.def"
#undef DIAGNOSTIC
};

/// The number of arguments that a message takes: its `{}`, but no `{{`.
consteval size_t count_arguments(std::string_view message) {
  size_t count = 0;
  for (size_t i = 0; i + 1 < message.size(); ++i) {
    if (message[i] == '{' && message[i + 1] == '}') ++count;
    if (message[i] == '{' && message[i + 1] == '{') ++i;
  }
  return count;
}

/// For each code an object of its own type, which knows its message: `report.add(base::E0101, span, a, b)`
/// does not compile with a wrong number of arguments, or with one that has no text.
// NOLINTBEGIN(bugprone-macro-parentheses): `name` is declared here
#define DIAGNOSTIC(name, severity, message)                       \
  inline constexpr struct name##Message {                         \
    static constexpr Code code = Code::name;                      \
    static constexpr const char* text = message;                  \
    static constexpr size_t arguments = count_arguments(message); \
    constexpr operator Code() const { return code; }              \
  } name;
#include "compiler/base/diagnostics.def"
#undef DIAGNOSTIC
// NOLINTEND(bugprone-macro-parentheses)

struct CodeInfo {
  const char* name;  // "E0203"
  Severity severity;
  const char* text;  // a fmt format
};
const CodeInfo& info(Code code);

struct Note {
  std::optional<Span> span;
  std::string text;
};

struct Diagnostic {
  Code code;
  std::string message;
  std::optional<Span> span;  // none if the diagnostic is about the whole run, such as a wrong -D
  std::string text_label;    // text after the underline
  std::vector<Note> notes;
  std::string text_help;

  Diagnostic& label(std::string text) {
    text_label = std::move(text);
    return *this;
  }
  Diagnostic& note(Span at, std::string text) {
    notes.push_back({at, std::move(text)});
    return *this;
  }
  Diagnostic& note(std::string text) {
    notes.push_back({std::nullopt, std::move(text)});
    return *this;
  }
  Diagnostic& help(std::string text) {
    text_help = std::move(text);
    return *this;
  }
};

template <class Message, class... Arguments>
  requires(Message::arguments == sizeof...(Arguments))
Diagnostic diagnostic(Message, std::optional<Span> at, const Arguments&... arguments) {
  constexpr fmt::format_string<const Arguments&...> text = Message::text;
  return {Message::code, fmt::format(text, arguments...), at, {}, {}, {}};
}

class Report {
 public:
  explicit Report(const SourceSet& sources) : sources_(&sources) {}

  /// Adds a diagnostic; the table gives its severity. `at` may be std::nullopt.
  template <class Message, class... Arguments>
    requires(Message::arguments == sizeof...(Arguments))
  Diagnostic& add(Message message, std::optional<Span> at, const Arguments&... arguments) {
    return add(diagnostic(message, at, arguments...));
  }
  Diagnostic& add(Diagnostic diagnostic);

  /// Removes what was added after the first `count` diagnostics: the attempt that made it was given up.
  void forget_after(size_t count);

  bool has_errors() const;
  const std::deque<Diagnostic>& diagnostics() const { return diagnostics_; }
  const SourceSet& sources() const { return *sources_; }

 private:
  const SourceSet* sources_;
  std::deque<Diagnostic> diagnostics_;
};

/// All diagnostics in the order of file and place, equal ones once. In colour only if `colour`.
std::string render_text(const Report& report, bool colour);
/// One JSON object for each line: code, severity, message, file, line, column, notes, help.
std::string render_json(const Report& report);

}  // namespace base
