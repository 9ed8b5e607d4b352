#include "runtime/data/lookup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "runtime/shared/cache_folder.h"
#include "runtime/shared/closed_folder.h"
#include "runtime/shared/failure.h"

namespace data {
namespace fs = std::filesystem;

Places places_from_environment(std::vector<fs::path> folders) {
  Places places;
  places.folder = folders.back().empty() ? fs::path(".") : folders.back();
  folders.pop_back();
  places.before = std::move(folders);
  if (const char* set = std::getenv("VAEC_DATA")) places.data = set;
  places.cache = cache_folder();
  std::error_code ignored;
  if (!fs::exists(places.cache, ignored)) return places;
  if (const std::string cause = why_not_closed(places.cache); !cause.empty()) {
    places.cache_refused = fmt::format("the cache {} is not used: it {}", places.cache.string(), cause);
    places.cache.clear();
  }
  return places;
}

static std::vector<fs::path> roots(const Places& places) {
  std::vector<fs::path> all = places.before, found;
  all.insert(all.end(), {places.folder, places.data, places.cache});
  for (const fs::path& root : all)
    if (!root.empty() && std::find(found.begin(), found.end(), root) == found.end()) found.push_back(root);
  return found;
}

/// `path`, or `path` with `.gz` after it; empty if neither exists.
static fs::path existing(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) return path;
  fs::path compressed = path;
  compressed += ".gz";
  return fs::exists(compressed, ignored) ? compressed : fs::path();
}

static Failure missing(const Places& places, const std::string& what, const std::vector<fs::path>& tried) {
  std::vector<std::string> names;
  for (const fs::path& path : tried) names.push_back(path.lexically_normal().string());
  return Failure(Exit::missing_input,
                 fmt::format("{}; looked for {}{}{}", what, fmt::join(names, ", "),
                             places.data.empty() ? " ($VAEC_DATA is not set)" : "",
                             places.cache_refused.empty() ? "" : "; " + places.cache_refused));
}

bool is_searched(const Places& places, const fs::path& folder) {
  const fs::path inner = places.cache.empty() ? fs::path() : folder.lexically_relative(places.cache);
  if (inner.empty() || *inner.begin() == "..") return true;
  fs::path at = places.cache;
  for (const fs::path& part : inner)
    if (at /= part; !why_not_closed(at).empty()) return false;
  return true;
}

fs::path find_file(const Places& places, const std::string& name) {
  std::vector<fs::path> tried;
  if (fs::path(name).is_absolute()) {
    tried.push_back(name);
  } else {
    for (const fs::path& root : roots(places)) tried.push_back(root / name);
  }
  for (const fs::path& path : tried)
    if (fs::path found = existing(path); !found.empty() && is_searched(places, path.parent_path()))
      return found;
  throw missing(places, fmt::format("there is no file `{}`", name), tried);
}

fs::path find_known(const Places& places, const std::string& set, const std::vector<std::string>& folders,
                    const std::vector<std::string>& names) {
  std::vector<fs::path> tried;
  for (const fs::path& root : roots(places)) {
    // The set's own folder comes first: several sets use the same file names, so a file outside such a folder
    // could belong to another set.
    for (const std::string& folder : folders) tried.push_back(root / folder / names.front());
    tried.push_back(root / names.front());
  }
  for (const fs::path& path : tried) {
    const fs::path folder = path.parent_path();
    if (!is_searched(places, folder)) continue;
    for (const std::string& name : names)
      if (fs::path found = existing(folder / name); !found.empty()) return found;
  }
  throw missing(places, fmt::format("{} needs {}[.gz]", set, names.front()), tried);
}

}  // namespace data
