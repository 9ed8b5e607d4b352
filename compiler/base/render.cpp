#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "compiler/base/diagnostic_order.h"
#include "runtime/shared/printable.h"

namespace base {

std::vector<const Diagnostic*> in_order(const Report& report) {
  std::vector<const Diagnostic*> list;
  for (const Diagnostic& diagnostic : report.diagnostics()) list.push_back(&diagnostic);
  const auto key = [](const Diagnostic* d) {
    return d->span ? std::tuple(d->span->file.index, d->span->begin, d->span->end)
                   : std::tuple(-1, uint32_t{0}, uint32_t{0});
  };
  std::stable_sort(list.begin(), list.end(), [&](auto* a, auto* b) { return key(a) < key(b); });
  std::vector<const Diagnostic*> unique;
  std::set<std::pair<Code, std::string_view>> seen;  // diagnostics of one place
  for (const Diagnostic* candidate : list) {
    if (!unique.empty() && !(unique.back()->span == candidate->span)) seen.clear();
    if (seen.emplace(candidate->code, candidate->message).second) unique.push_back(candidate);
  }
  return unique;
}

namespace {

constexpr int tab_width = 4;

const char* severity_name(Severity severity) { return severity == Severity::error ? "error" : "warning"; }

/// A line as the terminal shows it: tabs become spaces, and control characters are replaced. `cells` has, for
/// each byte of the line and for its end, the column on the terminal.
struct Shown {
  std::string text;
  std::vector<int> cells;
};
Shown show(std::string_view line) {
  Shown shown;
  int cell = 0;
  while (!line.empty()) {
    // A file that is not UTF-8 is refused, but its lines must be shown in the message.
    const CodePoint point = first_code_point(line);
    const size_t bytes = std::max<size_t>(point.bytes, 1);
    shown.cells.insert(shown.cells.end(), bytes, cell);
    if (point.value == '\t') {
      const int next = (cell / tab_width + 1) * tab_width;
      shown.text.append(static_cast<size_t>(next - cell), ' ');
      cell = next;
    } else if (point.bytes == 0 || is_obeyed(point.value)) {
      shown.text += "\uFFFD";
      ++cell;
    } else {
      shown.text += line.substr(0, bytes);
      cell += cells_of(point.value);
    }
    line.remove_prefix(bytes);
  }
  shown.cells.push_back(cell);
  return shown;
}

/// Shows the line. Of a long line, it shows only the part around the place, and adapts `begin` and `end` to
/// this part.
Shown clip(std::string_view line, size_t& begin, size_t& end) {
  constexpr size_t longest = 140, before = 40, kept = 110;
  if (line.size() <= longest) return show(line);
  const auto boundary = [&](size_t i) {
    while (i < line.size() && (line[i] & 0xC0) == 0x80) ++i;
    return i;
  };
  const size_t first = begin > before ? boundary(begin - before) : 0;
  const size_t last = boundary(std::min(first + kept, line.size()));
  const std::string text = (first > 0 ? "..." : "") + std::string(line.substr(first, last - first)) +
                           (last < line.size() ? "..." : "");
  const size_t shift = first > 0 ? 3 : 0;
  begin = begin - first + shift;
  end = std::min(end, last) - first + shift;
  return show(text);
}

class TextRenderer {
 public:
  TextRenderer(const SourceSet& sources, bool colour) : sources_(sources), colour_(colour) {}

  void write(const Diagnostic& diagnostic) {
    const CodeInfo& kind = info(diagnostic.code);
    const char* shade = kind.severity == Severity::error ? "\033[1;31m" : "\033[1;33m";
    if (!out_.empty()) out_ += '\n';
    out_ += paint(shade, fmt::format("{}[{}]", severity_name(kind.severity), kind.name)) +
            paint("\033[1m", ": " + printable(diagnostic.message)) + '\n';
    const size_t margin = margin_of(diagnostic);
    if (diagnostic.span) {
      arrow(margin, *diagnostic.span);
      excerpt(margin, *diagnostic.span, printable(diagnostic.text_label), shade);
    }
    // An empty line separates the notes from the excerpt. Without an excerpt there is nothing to separate.
    if (diagnostic.span && (!diagnostic.notes.empty() || !diagnostic.text_help.empty()))
      out_ += gutter(margin, "") + '\n';
    for (const Note& note : diagnostic.notes) {
      out_ += paint("\033[1;32m", "note") + ": " + printable(note.text) + '\n';
      if (note.span) arrow(margin, *note.span);
    }
    if (!diagnostic.text_help.empty())
      out_ += paint("\033[1;36m", "help") + ": " + printable(diagnostic.text_help) + '\n';
  }

  std::string take() { return std::move(out_); }

 private:
  std::string paint(const char* shade, const std::string& text) const {
    return colour_ ? shade + text + "\033[0m" : text;
  }

  /// The width of the widest line number that this diagnostic shows.
  size_t margin_of(const Diagnostic& diagnostic) const {
    if (!diagnostic.span) return 0;
    return std::to_string(sources_.place(diagnostic.span->file, diagnostic.span->begin).line).size();
  }

  std::string gutter(size_t margin, const std::string& number) const {
    return paint("\033[1;34m", std::string(margin - number.size(), ' ') + number + " |");
  }

  void arrow(size_t margin, Span span) {
    const Place place = sources_.place(span.file, span.begin);
    out_ += std::string(std::max<size_t>(margin, 1), ' ') + paint("\033[1;34m", "-->") + " " +
            fmt::format("{}:{}:{}\n", printable(sources_.file(span.file).name), place.line, place.column);
  }

  void excerpt(size_t margin, Span span, const std::string& label, const char* shade) {
    const Place place = sources_.place(span.file, span.begin);
    const std::string_view line = sources_.line(span.file, place.line);
    const uint32_t start = sources_.file(span.file).line_starts[static_cast<size_t>(place.line - 1)];
    // A span over several lines is underlined only to the end of the first line.
    size_t begin = std::min<size_t>(span.begin - start, line.size());
    size_t end = std::clamp<size_t>(span.end - std::min(span.end, start), begin, line.size());
    const Shown shown = clip(line, begin, end);
    const int from = shown.cells[begin];
    const int width = std::max(shown.cells[end] - from, 1);
    out_ += gutter(margin, "") + '\n';
    out_ += gutter(margin, std::to_string(place.line)) + (shown.text.empty() ? "" : " " + shown.text) + '\n';
    std::string mark(static_cast<size_t>(width), '^');
    if (!label.empty()) mark += " " + label;
    out_ +=
        gutter(margin, "") + " " + std::string(static_cast<size_t>(from), ' ') + paint(shade, mark) + '\n';
  }

  const SourceSet& sources_;
  bool colour_;
  std::string out_;
};

nlohmann::ordered_json place_json(const SourceSet& sources, const std::optional<Span>& span) {
  nlohmann::ordered_json place = {{"file", nullptr}, {"line", nullptr}, {"column", nullptr}};
  if (span) {
    const Place at = sources.place(span->file, span->begin);
    place = {{"file", sources.file(span->file).name}, {"line", at.line}, {"column", at.column}};
  }
  return place;
}

}  // namespace

std::string render_text(const Report& report, bool colour) {
  TextRenderer renderer(report.sources(), colour);
  for (const Diagnostic* diagnostic : in_order(report)) renderer.write(*diagnostic);
  return renderer.take();
}

std::string render_json(const Report& report) {
  std::string out;
  for (const Diagnostic* diagnostic : in_order(report)) {
    const CodeInfo& kind = info(diagnostic->code);
    nlohmann::ordered_json line = {
        {"code", kind.name}, {"severity", severity_name(kind.severity)}, {"message", diagnostic->message}};
    line.update(place_json(report.sources(), diagnostic->span));
    line["notes"] = nlohmann::ordered_json::array();
    for (const Note& note : diagnostic->notes) {
      nlohmann::ordered_json entry = {{"message", note.text}};
      entry.update(place_json(report.sources(), note.span));
      line["notes"].push_back(std::move(entry));
    }
    line["help"] = diagnostic->text_help.empty() ? nlohmann::ordered_json(nullptr)
                                                 : nlohmann::ordered_json(diagnostic->text_help);
    out += line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
  }
  return out;
}

}  // namespace base
