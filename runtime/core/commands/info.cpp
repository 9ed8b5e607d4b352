#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/core/commands/commands.h"
#include "runtime/core/learning/settings/settings.h"
#include "runtime/data/cells/words.h"
#include "runtime/shared/printable.h"

namespace core {
using nlohmann::json;

namespace {

std::string domain_text(const Variable& variable) {
  std::string text = variable.domain;
  if (!variable.words.empty())
    text += fmt::format("({})", data::listed_words(variable.words));
  else if (variable.classes > 0)
    text += fmt::format("({})", variable.classes);
  if (!variable.shape.empty()) text += fmt::format("[{}]", fmt::join(variable.shape, ", "));
  return text;
}

std::vector<std::string> names_of(const Image& image, const std::vector<int>& variables) {
  std::vector<std::string> names;
  for (int variable : variables) names.push_back(image.name_of(variable));
  return names;
}

std::string conditional_text(const Image& image, const Conditional& conditional) {
  std::string text = names_of(image, {conditional.target}).front();
  if (!conditional.parents.empty())
    text += fmt::format(" | {}", fmt::join(names_of(image, conditional.parents), ", "));
  return fmt::format("{} ~ {}", text, conditional.family);
}

json as_json(const Image& image) {
  json variables = json::array(), players = json::array(), sources = json::array(), learns = json::array();
  for (const Variable& variable : image.variables)
    variables.push_back({{"name", variable.name}, {"domain", domain_text(variable)}});
  for (size_t i = 0; i < image.players.size(); ++i) {
    json conditionals = json::array();
    for (const Conditional& conditional : image.conditionals)
      if (conditional.player == static_cast<int>(i))
        conditionals.push_back(conditional_text(image, conditional));
    json tensors = json::object();
    for (const Parameter& parameter : image.players[i].parameters) tensors[parameter.name] = parameter.shape;
    players.push_back({{"name", image.players[i].name},
                       {"role", schema::word_of(image.players[i].role)},
                       {"parameters", image.players[i].parameter_count()},
                       {"tensors", tensors},
                       {"conditionals", conditionals}});
  }
  for (const Source& source : image.sources)
    sources.push_back(
        {{"name", source.name}, {"weight", source.weight}, {"known", names_of(image, source.known)}});
  for (const Learn& learn : image.learns) {
    json entry = {{"name", learn.name}, {"method", learn.method}, {"available", learn.available()}};
    if (learn.available())
      entry["settings"] = to_json(settings_of(learn, image));
    else
      entry["unavailable"] = learn.unavailable;
    learns.push_back(entry);
  }
  const std::vector<std::string> targets =
      image.ptx ? std::vector<std::string>{"cpu", "cuda"} : std::vector<std::string>{"cpu"};
  return {{"program", image.file},
          {"vaec", image.vaec},
          {"targets", targets},
          {"cpu", image.cpu.name},
          {"cpu_features", image.cpu.features},
          {"params", image.params},
          {"variables", variables},
          {"players", players},
          {"sources", sources},
          {"learns", learns}};
}

}  // namespace

void info(const Image& image, bool as_data) {
  const json all = as_json(image);
  if (as_data) {
    fmt::print("{}\n", all.dump(2));
    return;
  }
  fmt::print("{} (vaec {}, built for {}{})\n", printable(image.file), image.vaec,
             image.cpu.name.empty() ? "any processor" : image.cpu.name, image.ptx ? " and NVIDIA GPUs" : "");
  for (const auto& [name, value] : image.params) fmt::print("  param {} = {}\n", name, printable(value));
  for (const json& variable : all["variables"])
    fmt::print("  var {} : {}\n", variable["name"].get<std::string>(),
               printable(variable["domain"].get<std::string>()));
  for (const json& player : all["players"]) {
    fmt::print("  {} {}: {} parameters\n", player["role"].get<std::string>(),
               player["name"].get<std::string>(), player["parameters"].get<int64_t>());
    for (const json& conditional : player["conditionals"])
      fmt::print("    {}\n", conditional.get<std::string>());
  }
  for (const json& source : all["sources"])
    fmt::print("  source {} (weight {}): {}\n", source["name"].get<std::string>(),
               source["weight"].get<double>(),
               source["known"].empty()
                   ? "nothing known"
                   : fmt::format("{}", fmt::join(source["known"].get<std::vector<std::string>>(), ", ")));
  for (const json& learn : all["learns"]) {
    if (!learn["available"].get<bool>())
      fmt::print("  learn {} {}\n", learn["name"].get<std::string>(),
                 learn["unavailable"].get<std::string>());
    else
      fmt::print("  learn {}: {} steps\n", learn["name"].get<std::string>(),
                 learn["settings"]["steps"].get<int64_t>());
  }
}

}  // namespace core
