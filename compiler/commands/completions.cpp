#include "compiler/commands/completions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace vaec {
namespace {
using nlohmann::json;

/// A place on the command line: the commands so far, such as "data get". After `run FILE` follows the command
/// line of an executable.
struct Place {
  std::string path;
  std::vector<std::pair<std::string, std::string>> commands;  // name, help
  json flags;
};

void add_places(const json& table, const std::string& path, std::vector<Place>& places) {
  const size_t at = places.size();
  places.push_back({path, {}, table.at("flags")});
  for (const json& command : table.at("commands")) {
    const std::string name = command.at("name");
    places[at].commands.emplace_back(name, command.at("help"));
    add_places(command, path.empty() ? name : path + " " + name, places);
  }
}

std::vector<Place> places_of(const json& vaec, const json& program) {
  std::vector<Place> places;
  add_places(vaec, "", places);
  places.push_back({"help", places[0].commands, json::array()});
  places[0].commands.emplace_back("help", "print the help of a command");
  add_places(program, "run FILE", places);
  return places;
}

/// The text in single quotes, for all three shells: fish reads `'\''` as bash does.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'')
      result += "'\\''";
    else
      result += c;
  }
  return result + "'";
}

/// What may follow a flag: words, "@file", or "@value" for values that no shell can know. None if the flag
/// takes no value.
std::vector<std::string> values_of(const json& flag) {
  std::string value = flag.at("value");
  if (value.empty()) return {};
  const std::string more = "[,...]", required = " (required)";
  for (const std::string& end : {required, more})
    if (value.ends_with(end)) value.resize(value.size() - end.size());
  if (value == "PATH" || value == "DIR" || value == "FILE") return {"@file"};
  std::vector<std::string> words(1);
  for (const char c : value) {
    if (c == '|')
      words.emplace_back();
    else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
      words.back() += c;
    else
      return {"@value"};
  }
  return words.size() > 1 ? words : std::vector<std::string>{"@value"};
}

std::string quoted_lines(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string text;
  for (const auto& [name, help] : entries) text += " " + quoted(name + ":" + help);
  return text;
}

constexpr const char* reader =
    R"sh(# Reads the words before the cursor: `place` is the commands so far, `flag` one whose value comes next.
_vaec_read() {
  local word
  place= flag=
  for word in "$@"; do
    if [ -n "$flag" ]; then
      [ "$word" = "=" ] || flag=
      continue
    fi
    case "$word" in
      -*=*) ;;
      -*) if [ -n "$(_vaec_values "$place" "$word")" ]; then flag="$word"; fi ;;
      *)
        if [ "$place" = run ]; then
          place='run FILE'
        elif _vaec_is_command "$place" "$word"; then
          place="${place:+$place }$word"
        fi
        ;;
    esac
  done
}
)sh";

std::string function_of(const std::string& name, const std::string& cases_of, const std::string& cases,
                        const std::string& otherwise = "") {
  return fmt::format("{}() {{\n  case \"{}\" in\n{}  esac\n{}}}\n", name, cases_of, cases,
                     otherwise.empty() ? "" : "  " + otherwise + "\n");
}

/// Functions in a syntax that both bash and zsh read.
std::string functions_of(const std::vector<Place>& places) {
  std::string commands, flags, values, steps;
  for (const Place& place : places) {
    if (!place.commands.empty())
      commands +=
          fmt::format("  {}) printf '%s\\n'{} ;;\n", quoted(place.path), quoted_lines(place.commands));
    for (const auto& [name, help] : place.commands)
      if (place.path != "help") steps += fmt::format("  {}) return 0 ;;\n", quoted(place.path + "/" + name));
    std::vector<std::pair<std::string, std::string>> names;
    for (const json& flag : place.flags)
      for (const std::string name : flag.at("names")) {
        names.emplace_back(name, flag.at("help"));
        const std::vector<std::string> found = values_of(flag);
        if (!found.empty())
          values += fmt::format("  {}) printf '%s\\n' {} ;;\n", quoted(place.path + "/" + name),
                                fmt::join(found, " "));
      }
    if (!names.empty())
      flags += fmt::format("  {}) printf '%s\\n'{} ;;\n", quoted(place.path), quoted_lines(names));
  }
  return function_of("_vaec_commands", "$1", commands) + function_of("_vaec_flags", "$1", flags) +
         function_of("_vaec_values", "$1/$2", values) +
         function_of("_vaec_is_command", "$1/$2", steps, "return 1") + reader;
}

constexpr const char* bash_end = R"sh(_vaec_files() {
  compopt -o filenames 2>/dev/null
  local IFS=$'\n'
  COMPREPLY=($(compgen -f -- "$1"))
}
_vaec() {
  local place flag found name names=
  local current="${COMP_WORDS[COMP_CWORD]}"
  _vaec_read "${COMP_WORDS[@]:1:COMP_CWORD-1}"
  [ "$current" = "=" ] && current=
  COMPREPLY=()
  if [ -n "$flag" ]; then
    found="$(_vaec_values "$place" "$flag")"
    [ "$found" = @value ] && return
  elif [ "${current#-}" != "$current" ]; then
    found="$(_vaec_flags "$place")"
  else
    found="$(_vaec_commands "$place")"
    if [ "$place" = run ] || [ -z "$found" ]; then found=@file; fi
  fi
  if [ "$found" = @file ]; then
    _vaec_files "$current"
    return
  fi
  while IFS= read -r name; do names+="${name%%:*}"$'\n'; done <<< "$found"
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$names" -- "$current"))
}
complete -F _vaec vaec
)sh";

constexpr const char* zsh_end = R"sh(_vaec() {
  local place flag
  local -a found
  _vaec_read "${(@)words[2,CURRENT-1]}"
  if [[ -z "$flag" && "$PREFIX" == -*=* ]]; then
    flag="${PREFIX%%=*}"
    compset -P '*='
  fi
  if [[ -n "$flag" ]]; then
    found=("${(@f)$(_vaec_values "$place" "$flag")}")
    case "$found[1]" in
      @file) _files ;;
      @value|'') _message value ;;
      *) compadd -- $found ;;
    esac
  elif [[ "$PREFIX" == -* ]]; then
    found=("${(@f)$(_vaec_flags "$place")}")
    _describe -o flag found
  else
    found=("${(@f)$(_vaec_commands "$place")}")
    if [[ "$place" == run || -z "$found[1]" ]]; then _files; else _describe command found; fi
  fi
}
if [[ "$funcstack[1]" == _vaec ]]; then _vaec "$@"; else compdef _vaec vaec; fi
)sh";

constexpr const char* fish_start = R"sh(# The commands that were said.
function __vaec_place
  set -l words (commandline -opc)
  set -e words[1]
  set -l place ''
  set -l flag ''
  for word in $words
    if test -n "$flag"
      set flag ''
    else if string match -q -- '-*=*' $word
      true
    else if string match -q -- '-*' $word
      __vaec_takes_value "$place/$word"; and set flag $word
    else if test "$place" = run
      set place 'run FILE'
    else if __vaec_is_command "$place/$word"
      set place (string trim "$place $word")
    end
  end
  echo $place
end
function __vaec_at
  test (__vaec_place) = "$argv[1]"
end
complete -c vaec -f
)sh";

std::string fish_function(const std::string& name, const std::vector<std::string>& cases) {
  return fmt::format("function {}\n  switch $argv[1]\n    case {}\n      return 0\n  end\n  return 1\nend\n",
                     name, fmt::join(cases, " "));
}

std::string fish_line(const Place& place, const std::string& rest) {
  // Quoted twice, because the condition is a command in which the place is one word.
  return fmt::format("complete -c vaec -n \"__vaec_at '{}'\" {}\n", place.path, rest);
}

std::string fish(const std::vector<Place>& places) {
  std::vector<std::string> steps, takers;
  std::string lines;
  for (const Place& place : places) {
    for (const auto& [name, help] : place.commands) {
      if (place.path != "help") steps.push_back(quoted(place.path + "/" + name));
      if (place.path != "run") lines += fish_line(place, fmt::format("-a {} -d {}", name, quoted(help)));
    }
    if (place.commands.empty()) lines += fish_line(place, "-F");
    for (const json& flag : place.flags)
      for (const std::string name : flag.at("names")) {
        const std::vector<std::string> found = values_of(flag);
        if (!found.empty()) takers.push_back(quoted(place.path + "/" + name));
        std::string takes;
        if (!found.empty()) takes = found[0] == "@file" ? " -r -F" : " -x";
        if (!found.empty() && found[0][0] != '@') takes += fmt::format(" -a '{}'", fmt::join(found, " "));
        const std::string written = name.starts_with("--") ? "-l " + name.substr(2) : "-s " + name.substr(1);
        lines += fish_line(place, fmt::format("{}{} -d {}", written, takes, quoted(flag.at("help"))));
      }
  }
  return fish_function("__vaec_is_command", steps) + fish_function("__vaec_takes_value", takers) +
         fish_start + lines;
}

}  // namespace

std::string completions(const std::string& shell, const json& vaec, const json& program) {
  const std::vector<Place> places = places_of(vaec, program);
  if (shell == "fish") return "# For fish: vaec completions fish | source\n" + fish(places);
  if (shell == "zsh")
    return "#compdef vaec\n# For zsh: source <(vaec completions zsh)\n" + functions_of(places) + zsh_end;
  return "# For bash: source <(vaec completions bash)\n" + functions_of(places) + bash_end;
}

}  // namespace vaec
