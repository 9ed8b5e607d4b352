// Diagnostics as data. In: a code of diagnostics.def, a span, and the arguments of its message. Out: a list,
// sorted by place, that is printed as text (as rustc does) or as JSON lines.
#pragma once
#include <fmt/format.h>

#include <deque>
#include <string>
#include <vector>

#include "compiler/base/source.h"

namespace base {

enum class Severity { error, warning };

enum class Code : int {
#define DIAGNOSTIC(code, severity, text) code,
#include "compiler/base/diagnostics.def"
#undef DIAGNOSTIC
};
using enum Code;

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

class Report {
 public:
  explicit Report(const SourceSet& sources) : sources_(&sources) {}

  /// Adds a diagnostic; the table gives its severity. `at` may be std::nullopt.
  template <class... Arguments>
  Diagnostic& add(Code code, std::optional<Span> at, Arguments&&... arguments) {
    return push(code, at, fmt::format(fmt::runtime(info(code).text), arguments...));
  }

  bool has_errors() const;
  const std::deque<Diagnostic>& diagnostics() const { return diagnostics_; }
  const SourceSet& sources() const { return *sources_; }

 private:
  Diagnostic& push(Code code, std::optional<Span> at, std::string message);
  const SourceSet* sources_;
  std::deque<Diagnostic> diagnostics_;
};

/// All diagnostics in the order of file and place, equal ones once. In colour only if `colour`.
std::string render_text(const Report& report, bool colour);
/// One JSON object for each line: code, severity, message, file, line, column, notes, help.
std::string render_json(const Report& report);

}  // namespace base
