#include "compiler/commands/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace vaec {
namespace {
using nlohmann::json;

/// The text, escaped for roff.
std::string plain(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool begins = result.empty() || result.back() == '\n';
    if (begins && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\')
      result += "\\e";
    else if (c == '-')
      result += "\\-";
    else
      result += c;
  }
  return result;
}

std::string flags_of(const json& command) {
  std::string text;
  for (const json& flag : command.at("flags")) {
    std::string names;
    for (const std::string name : flag.at("names")) names += (names.empty() ? "" : ", ") + name;
    const std::string value = flag.at("value"), environment = flag.at("environment");
    text += fmt::format(".TP\n\\fB{}\\fR{}\n{}{}\n", plain(names),
                        value.empty() ? "" : " \\fI" + plain(value) + "\\fR", plain(flag.at("help")),
                        environment.empty() ? "" : fmt::format(" (environment: {})", environment));
  }
  return text;
}

std::string arguments_of(const json& command) {
  std::string text;
  for (const json& argument : command.at("arguments"))
    text += fmt::format(".TP\n\\fI{}\\fR\n{}\n", plain(argument.at("name")), plain(argument.at("help")));
  return text;
}

/// The footer, with its line breaks.
std::string footer_of(const json& command) {
  const std::string footer = command.at("footer");
  return footer.find_first_not_of('\n') == footer.npos ? "" : ".PP\n.nf\n" + plain(footer) + "\n.fi\n";
}

std::string sections_of(const json& table, const std::string& before) {
  std::string text;
  for (const json& command : table.at("commands")) {
    const std::string name = before + " " + command.at("name").get<std::string>();
    std::string usage = name + " [flags]";
    for (const json& argument : command.at("arguments"))
      usage += " " + argument.at("name").get<std::string>();
    text += fmt::format(".SS {}\n{}\n", plain(command.at("commands").empty() ? usage : name + " COMMAND"),
                        plain(command.at("help")));
    text += arguments_of(command) + flags_of(command) + footer_of(command) + sections_of(command, name);
  }
  return text;
}

constexpr const char* exit_codes = R"(.SH EXIT STATUS
.TP
.B 0
all is done
.TP
.B 1
the file has errors, which are printed
.TP
.B 64
the command line is wrong
.TP
.B 65
data are not what the program needs
.TP
.B 66
a file is missing
.TP
.B 70
an internal error: please report it
.TP
.B 73
something cannot be written
.TP
.B 78
a configuration that cannot work
.TP
.B 130
interrupted, after a checkpoint
)";

constexpr const char* environment_section = R"(.SH ENVIRONMENT
.TP
.B VAEC_CACHE
the folder of what is kept for later; off: neither read nor written
.TP
.B VAEC_DATA
a folder of data sets
.TP
.B VAEC_HOME
the folder of vaec's installation, if vaec is not in it
.PP
A variable named after a flag stands for it, where the flag says so.
)";

}  // namespace

std::string manual_page(const json& table, bool of_executables) {
  const std::string name = of_executables ? "vaec-model" : "vaec";
  const std::string help = of_executables ? "an executable model that vaec build made"
                                          : "compiler for probabilistic models in .vae files";
  const std::string word = table.at("name");
  std::string title = name;
  std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) { return std::toupper(c); });
  return fmt::format(".TH {} 1 \"\" \"vaec {}\" \"User Commands\"\n", plain(title), VAEC_VERSION) +
         fmt::format(".SH NAME\n{} \\- {}\n", plain(name), plain(help)) +
         fmt::format(".SH SYNOPSIS\n.B {}\n.I COMMAND\n[flags] ...\n", plain(word)) +
         fmt::format(".SH DESCRIPTION\n{}\n{}", plain(table.at("help")), footer_of(table)) + ".SH OPTIONS\n" +
         flags_of(table) + ".SH COMMANDS\n" + sections_of(table, word) + environment_section + exit_codes +
         fmt::format(".SH SEE ALSO\n.BR {} (1)\n", of_executables ? "vaec" : "vaec\\-model");
}

}  // namespace vaec
