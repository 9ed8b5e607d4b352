#include "compiler/commands/learn_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "compiler/base/report.h"
#include "compiler/syntax/parse.h"
#include "runtime/schema/learn_keys.h"
#include "runtime/shared/failure.h"

namespace vaec {
namespace fs = std::filesystem;

namespace {

/// The compiled-in key whose flag `word` is: `--free_bits`, `--free-bits` or `--free_bits=2`.
const LearnKey* key_of(const std::string& word) {
  if (!word.starts_with("--")) return nullptr;
  std::string name = word.substr(2, word.find('=') == std::string::npos ? word.npos : word.find('=') - 2);
  std::ranges::replace(name, '-', '_');
  const LearnKey* key = find_learn_key(name);
  return key && key->compiled_in() ? key : nullptr;
}

struct Block {
  std::string name;
  std::string method;
};

std::vector<Block> blocks_of(const syntax::Tree& tree) {
  std::vector<Block> blocks;
  for (const syntax::Declaration& declaration : tree.declarations)
    if (const auto* decl = std::get_if<syntax::LearnDecl>(&declaration.kind))
      blocks.push_back({decl->as ? decl->as->text : decl->method.text, decl->method.text});
  return blocks;
}

/// A resumed run keeps the keys with which it was started.
void add_keys_of_run(const fs::path& run, LearnFlags& flags) {
  const nlohmann::json config = nlohmann::json::parse(std::ifstream(run / "config.json"), nullptr, false);
  if (!config.is_object() || !config.contains("learn") || !config["learn"].is_string()) return;
  if (flags.learns.empty()) flags.learns = {config["learn"]};
  if (flags.learns[0] != config["learn"].get<std::string>()) return;
  for (const LearnKey& key : learn_keys()) {
    const std::string name(key.name);
    if (!key.compiled_in() || !config.contains(name) || flags.keys.contains(name)) continue;
    const nlohmann::json& value = config[name];
    if (value.is_string()) flags.keys[name] = value;
    if (value.is_boolean() || value.is_number()) flags.keys[name] = value.dump();
    if (value.is_object()) flags.keys[name] = "1";  // the run has its own schedule
  }
}

}  // namespace

void LearnFlags::add_to(CLI::App* command) {
  command
      ->add_option("--learn", learns,
                   "the learn blocks that keys are compiled into (default: all that have them)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("NAME");
  for (const LearnKey& key : learn_keys())
    if (key.compiled_in())
      command
          ->add_option_function<std::string>(
              both_spellings(key.name),
              [this, name = std::string(key.name)](const std::string& text) { keys[name] = text; }, key.help)
          ->option_text(std::string(key.value))
          ->group("Keys of learn blocks");
}

LearnFlags take_learn_flags(std::vector<std::string>& words) {
  LearnFlags flags;
  flags.first_block = true;
  if (words.empty() || (words[0] != "train" && words[0] != "bench")) return flags;
  if (words[0] == "train")
    for (const LearnKey& key : learn_keys())
      if (const char* text = std::getenv(environment_name(key.name).c_str());
          text && *text && key.compiled_in())
        flags.keys[std::string(key.name)] = text;
  fs::path resumed;
  if (const char* learn = std::getenv("VAEC_LEARN")) flags.learns = {learn};
  std::vector<std::string> kept;
  for (size_t i = 0; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    const bool joined = equals != std::string::npos;
    if (words[i] == "--learn" && i + 1 < words.size()) flags.learns = {words[i + 1]};
    if (words[i].starts_with("--learn=")) flags.learns = {words[i].substr(equals + 1)};
    if (words[i] == "--resume" && i + 1 < words.size()) resumed = words[i + 1];
    if (words[i].starts_with("--resume=")) resumed = words[i].substr(equals + 1);
    const LearnKey* key = key_of(words[i]);
    if (key && !joined && i + 1 == words.size())
      throw Failure(Exit::usage, fmt::format("{}: a value is missing: {}", words[i], key->value));
    if (key)
      flags.keys[std::string(key->name)] = joined ? words[i].substr(equals + 1) : words[++i];
    else
      kept.push_back(words[i]);
  }
  words = kept;
  // The executable compares its flags with the keys it was built with. They are the same here.
  for (const auto& [name, text] : flags.keys) {
    const LearnKey& key = *find_learn_key(name);
    unsetenv(environment_name(key.name).c_str());
    words.push_back("--" + name + "=" + (key.kind == LearnKey::Kind::built ? as_built : text));
  }
  if (!resumed.empty()) add_keys_of_run(resumed, flags);
  return flags;
}

std::vector<std::string> learn_names(const std::string& path, const std::string& text) {
  base::SourceSet sources;
  base::Report report(sources);
  const syntax::Tree tree = syntax::parse(sources.add(path, text), report);
  std::vector<std::string> names;
  if (!report.has_errors())
    for (const Block& block : blocks_of(tree)) names.push_back(block.name);
  return names;
}

std::vector<semantics::Options::Key> keys_for(const LearnFlags& flags, const syntax::Tree& tree) {
  std::vector<semantics::Options::Key> found;
  if (flags.keys.empty()) return found;
  std::vector<Block> blocks = blocks_of(tree);
  std::vector<std::string> names;
  for (const Block& block : blocks) names.push_back(block.name);
  const bool named = !flags.learns.empty() || flags.first_block;
  if (names.empty()) throw Failure(Exit::usage, "the file has no learn block");
  for (const std::string& learn : flags.learns)
    if (std::ranges::count(names, learn) == 0)
      throw Failure(Exit::usage,
                    fmt::format("there is no learn block {}; known: {}", learn, fmt::join(names, ", ")));
  if (!flags.learns.empty())
    std::erase_if(blocks,
                  [&](const Block& block) { return std::ranges::count(flags.learns, block.name) == 0; });
  if (flags.learns.empty() && flags.first_block) blocks.resize(1);
  for (const auto& [name, text] : flags.keys) {
    const LearnKey& key = *find_learn_key(name);
    const size_t before = found.size();
    for (const Block& block : blocks)
      if (method_bit(block.method) == 0 || (key.methods & method_bit(block.method)) != 0)
        found.push_back({block.name, name, text});
    if (found.size() > before) continue;
    throw Failure(Exit::usage, fmt::format("--{} {}: {}; it is a key of {}", name, text,
                                           named ? "learn " + blocks[0].name + " has no such key"
                                                 : std::string("no learn block has this key"),
                                           fmt::join(methods_of(key), ", ")));
  }
  return found;
}

}  // namespace vaec
