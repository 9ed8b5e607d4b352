// The run that `start` names.
#include <algorithm>

#include "runtime/core/learning/settings/settings.h"

namespace core {
namespace {

/// The places where `start` may be, in the order of the search.
std::vector<std::filesystem::path> places_of_start(const Settings& settings, const Image& image) {
  namespace fs = std::filesystem;
  const auto absolute = [](const fs::path& path) { return fs::absolute(path).lexically_normal(); };
  std::vector<fs::path> places = {absolute(settings.start)};
  for (const fs::path& folder : image.search_folders()) places.push_back(absolute(folder / settings.start));
  return places;
}

}  // namespace

std::filesystem::path start_run(const Settings& settings, const Image& image) {
  const auto places = places_of_start(settings, image);
  const auto is_there = [](const std::filesystem::path& place) {
    std::error_code ignored;
    return std::filesystem::exists(place, ignored);
  };
  const auto found = std::find_if(places.begin(), places.end(), is_there);
  return found == places.end() ? places.back() : *found;
}

bool is_start(const std::string& kept, const Settings& settings, const Image& image) {
  if (kept.empty() || settings.start.empty()) return kept == settings.start;
  const auto places = places_of_start(settings, image);
  return kept == settings.start || std::find(places.begin(), places.end(), kept) != places.end();
}

}  // namespace core
