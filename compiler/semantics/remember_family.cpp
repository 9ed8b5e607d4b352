#include "compiler/semantics/remember_family.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace semantics {
namespace {
namespace fs = std::filesystem;

/// The file of one verdict; empty without a home. A relative XDG_CACHE_HOME is to be ignored, by its
/// specification.
fs::path file_of(const std::string& content) {
  fs::path root;
  if (const char* home = std::getenv("HOME"); home && *home) root = fs::path(home) / ".cache";
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && fs::path(cache).is_absolute()) root = cache;
  if (root.empty()) return {};
  uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return root / "vaec" / "families" / fmt::format("{:016x}", hash);
}

std::vector<int32_t> indices(const std::vector<NodeId>& nodes) {
  std::vector<int32_t> found;
  for (const NodeId node : nodes) found.push_back(node.index);
  return found;
}

}  // namespace

std::string content_of(const FamilyTemplate& t, const Domain& domain) {
  std::string text =
      fmt::format("check {}\nover {} {}\n", VAEC_FAMILY_CHECK, static_cast<int>(domain.kind), domain.classes);
  for (const auto& parameter : t.parameters)
    text += fmt::format("parameter {} {}\n", static_cast<int>(parameter.domain), parameter.shape);
  for (const Node& node : t.graph.nodes)
    text += fmt::format("{} {} {} {} {:a} {}\n", info(node.op).name, indices(node.inputs), node.shape,
                        node.ints, node.number, node.index);
  for (const auto& term : t.terms)
    text += fmt::format("term {} {}\n", term.statistic.index, term.natural.index);
  return text + fmt::format("roots {} {} {} {} {}\n", t.x.index, t.log_partition.index, t.density.index,
                            t.sample.index, t.mean.index);
}

bool is_remembered(const std::string& content) {
  const fs::path path = file_of(content);
  std::ifstream file(path, std::ios::binary);
  if (path.empty() || !file) return false;
  std::stringstream there;
  there << file.rdbuf();
  return there.str() == content;
}

void remember(const std::string& content) {
  const fs::path path = file_of(content);
  if (path.empty()) return;
  std::error_code ignored;
  fs::create_directories(path.parent_path(), ignored);
  // Written aside, then renamed: compilations may run side by side.
  fs::path aside = path;
  aside += fmt::format(".{}", getpid());
  std::ofstream file(aside, std::ios::binary);
  file << content;
  file.close();
  if (file) fs::rename(aside, path, ignored);
  if (!file || ignored) fs::remove(aside, ignored);
}

}  // namespace semantics
