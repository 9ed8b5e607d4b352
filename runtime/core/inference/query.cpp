#include "runtime/core/inference/query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "runtime/shared/failure.h"

namespace core {
namespace {

std::string variable_names(const Image& image) {
  std::vector<std::string> names;
  for (const Variable& variable : image.variables) names.push_back(variable.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string trimmed(std::string text) {
  std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0; });
  return text;
}

std::vector<int> variables_in(const Image& image, const std::string& text, const std::string& query) {
  std::vector<int> found;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string name = trimmed(text.substr(begin, end - begin));
    if (name.empty())
      throw Failure(Exit::usage, fmt::format("\"{}\": say \"targets | known\", as in \"z | x\"", query));
    const int variable = image.variable(name);
    if (variable < 0)
      throw Failure(Exit::usage, fmt::format("\"{}\": there is no variable `{}`; known: {}", query, name,
                                             variable_names(image)));
    if (std::ranges::count(found, variable) > 0)
      throw Failure(Exit::usage, fmt::format("\"{}\": {} stands there twice", query, name));
    found.push_back(variable);
    begin = end + 1;
  }
  return found;
}

}  // namespace

int variable_of_flag(const Image& image, const std::string& flag, const std::string& text,
                     const std::string& needed) {
  const size_t equals = text.find('=');
  const int variable = equals == std::string::npos ? -1 : image.variable(text.substr(0, equals));
  if (variable < 0)
    throw Failure(Exit::usage, fmt::format("{} {}: say VARIABLE={}; the variables are {}", flag, text, needed,
                                           variable_names(image)));
  return variable;
}

std::set<int> parse_drawn(const Image& image, const std::vector<std::string>& names) {
  std::set<int> drawn;
  for (const std::string& name : names) {
    const int variable = image.variable(name);
    if (variable < 0)
      throw Failure(Exit::usage, fmt::format("--draw {}: there is no such variable; the variables are {}",
                                             name, variable_names(image)));
    drawn.insert(variable);
  }
  return drawn;
}

std::map<int, int> parse_by(const Image& image, const std::vector<std::string>& texts) {
  std::map<int, int> by;
  for (const std::string& text : texts) {
    const int variable = variable_of_flag(image, "--by", text, "PLAYER");
    const std::string name = text.substr(text.find('=') + 1);
    const int player = image.player(name);
    if (player < 0) {
      std::vector<std::string> names;
      for (const Player& known : image.players) names.push_back(known.name);
      throw Failure(Exit::usage, fmt::format("--by {}: there is no player {}; the players are {}", text, name,
                                             fmt::join(names, ", ")));
    }
    const bool gives = std::ranges::any_of(image.conditionals, [&](const Conditional& conditional) {
      return conditional.player == player && conditional.target == variable;
    });
    if (!gives)
      throw Failure(Exit::usage,
                    fmt::format("--by {}: {} does not give {}", text, name, image.name_of(variable)));
    by[variable] = player;
  }
  return by;
}

Query parse_query(const Image& image, const std::string& text, const std::vector<std::string>& masks,
                  const std::vector<std::string>& by) {
  const size_t bar = text.find('|');
  if (bar == std::string::npos)
    throw Failure(Exit::usage, fmt::format("\"{}\": say \"targets | known\", as in \"z | x\"", text));
  Query query;
  query.targets = variables_in(image, text.substr(0, bar), text);
  const std::string after = text.substr(bar + 1);
  if (!trimmed(after).empty())
    for (const int variable : variables_in(image, after, text)) query.known.insert(variable);
  for (const std::string& mask : masks) {
    const int variable = variable_of_flag(image, "--mask", mask, "FILE");
    if (query.known.erase(variable) == 0 && !query.partial.contains(variable))
      throw Failure(Exit::usage, fmt::format("--mask {}: {} does not stand after the bar of \"{}\"", mask,
                                             image.name_of(variable), text));
    query.partial.insert(variable);
  }
  query.by = parse_by(image, by);
  return query;
}

void check_sides(const Image& image, const Query& query, const std::string& text) {
  for (const int target : query.targets)
    if (query.known.contains(target))
      throw Failure(
          Exit::usage,
          fmt::format("\"{}\": {} is on both sides; --mask {}=FILE says which of its elements are known",
                      text, image.name_of(target), image.name_of(target)));
  for (const auto& [variable, player] : query.by)
    if (query.known.contains(variable))
      throw Failure(Exit::usage, fmt::format("--by: {} is known in \"{}\"", image.name_of(variable), text));
}

}  // namespace core
