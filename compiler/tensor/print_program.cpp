#include <fmt/format.h>

#include <charconv>
#include <map>
#include <stdexcept>

#include "compiler/tensor/program.h"

namespace tensor {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

Shape numbers(const std::vector<int64_t>& sizes) {
  Shape shape;
  for (int64_t n : sizes) shape.push_back({n, -1});
  return shape;
}

/// Reads the words, numbers, strings and signs of one line.
class Line {
 public:
  Line(std::string_view text, int number) : text_(text), number_(number) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(fmt::format("line {}: {}", number_, what));
  }
  void blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool done() {
    blanks();
    return at_ == text_.size();
  }
  bool accept(std::string_view sign) {
    blanks();
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }
  void expect(std::string_view sign) {
    if (!accept(sign)) fail(fmt::format("expected `{}`", sign));
  }
  std::string word() {
    blanks();
    const size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_'))
      ++at_;
    if (begin == at_) fail("expected a word");
    return std::string(text_.substr(begin, at_ - begin));
  }
  template <class Number>
  Number number() {
    blanks();
    Number result{};
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), result);
    if (error != std::errc()) fail("expected a number");
    at_ = static_cast<size_t>(end - text_.data());
    return result;
  }
  std::string string() {
    expect("\"");
    std::string result;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      result += text_[at_];
    }
    expect("\"");
    return result;
  }
  ValueId value() {
    expect("%");
    return {number<int32_t>()};
  }
  Shape shape() {
    Shape result;
    expect("[");
    while (!accept("]")) {
      if (!result.empty()) expect(",");
      const bool rows = accept("b");
      const auto n = number<int64_t>();
      result.push_back(rows ? Extent{1, static_cast<int>(n)} : Extent{n, -1});
    }
    return result;
  }

  std::vector<BatchClass> batches() {
    std::vector<BatchClass> result;
    expect("[");
    while (!accept("]")) {
      if (!result.empty()) expect(",");
      result.emplace_back(number<int>());
      if (accept("x")) result.back().times = number<int64_t>();
    }
    return result;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
  int number_;
};

std::string print_value(const Value& value) {
  std::string line = info(value.op).name;
  for (ValueId input : value.inputs) line += fmt::format(" %{}", input.index);
  if (value.op == Op::constant) line += fmt::format(" {}", value.number);
  if (value.index >= 0) line += fmt::format(" index {}", value.index);
  if (!value.ints.empty()) line += fmt::format(" ints {}", to_string(numbers(value.ints)));
  if (info(value.op).group == semantics::OpGroup::random) line += fmt::format(" site {}", value.site);
  line += " : " + to_string(value.shape);
  if (!value.name.empty()) line += " " + quoted(value.name);
  return line;
}

Value parse_value(Line& line) {
  static const std::map<std::string, Op> names = {
#define OPERATION(name, inputs, group) {#name, Op::name},
#include "compiler/semantics/graph/operations.def"
#include "compiler/tensor/operations.def"
#undef OPERATION
  };
  Value value;
  const std::string name = line.word();
  const auto found = names.find(name);
  if (found == names.end()) line.fail(fmt::format("no operation `{}`", name));
  value.op = found->second;
  while (!line.accept(":")) {
    if (line.accept("%")) {
      value.inputs.push_back({line.number<int32_t>()});
    } else if (line.accept("index")) {
      value.index = line.number<int32_t>();
    } else if (line.accept("ints")) {
      for (const Extent& extent : line.shape()) value.ints.push_back(extent.size);
    } else if (line.accept("site")) {
      value.site = line.number<uint32_t>();
    } else {
      value.number = line.number<double>();
    }
  }
  value.shape = line.shape();
  if (!line.done()) value.name = line.string();
  return value;
}

}  // namespace

std::string print(const Program& program) {
  std::string text = fmt::format("program {} batches {}\n", quoted(program.name), to_string(program.batches));
  for (const ParameterPlace& place : program.parameters)
    text += fmt::format("parameter {} {} {}\n", place.player, place.offset, to_string(numbers(place.shape)));
  for (size_t i = 0; i < program.values.size(); ++i)
    text += fmt::format("%{} = {}\n", i, print_value(program.values[i]));
  for (const Output& output : program.outputs)
    text += fmt::format("output {} %{}\n", quoted(output.name), output.value.index);
  for (const Term& term : program.shared)
    text += fmt::format("shared %{} %{}\n", term.value.index, term.seed.index);
  for (const PlayerUpdate& update : program.updates) {
    text += fmt::format("update {}\n", update.player);
    for (const Term& term : update.terms)
      text += fmt::format("term %{} %{}\n", term.value.index, term.seed.index);
    for (const Gradient& gradient : update.gradients)
      text += fmt::format("gradient {} %{}\n", gradient.parameter.index, gradient.value.index);
  }
  return text;
}

Program parse(std::string_view text) {
  Program program;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    Line line(text.substr(0, end), number);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.done()) continue;
    if (line.accept("program")) {
      program.name = line.string();
      line.expect("batches");
      program.batches = line.batches();
    } else if (line.accept("parameter")) {
      ParameterPlace place;
      place.player = line.number<int>();
      place.offset = line.number<int64_t>();
      for (const Extent& extent : line.shape()) place.shape.push_back(extent.size);
      program.parameters.push_back(std::move(place));
    } else if (line.accept("output")) {
      std::string name = line.string();
      program.outputs.push_back({std::move(name), line.value()});
    } else if (line.accept("shared")) {
      const ValueId value = line.value();
      program.shared.push_back({value, line.value()});
    } else if (line.accept("update")) {
      program.updates.push_back({line.number<int>(), {}, {}});
    } else if (line.accept("term") || line.accept("gradient")) {
      if (program.updates.empty()) line.fail("belongs to an update");
      PlayerUpdate& update = program.updates.back();
      if (line.accept("%")) {
        const ValueId value{line.number<int32_t>()};
        update.terms.push_back({value, line.value()});
      } else {
        const semantics::ParameterId parameter{line.number<int32_t>()};
        update.gradients.push_back({parameter, line.value()});
      }
    } else {
      if (line.value().index != static_cast<int32_t>(program.values.size()))
        line.fail("values are not numbered in order");
      line.expect("=");
      program.add(parse_value(line));
    }
    if (!line.done()) line.fail("more than one statement");
  }
  return program;
}

}  // namespace tensor
