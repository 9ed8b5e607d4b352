// Where the files that a data expression names are found: relative to the .vae file (of an executable that
// has moved, beside it and in the current folder first), then in $VAEC_DATA, then in the cache
// (runtime/cache_folder.h); a known set also in the folder of its name there, or as torchvision lays it out.
// A name is also found with `.gz` after it. Failure(missing_input) names every place tried.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace data {

struct Places {
  std::filesystem::path folder;  // of the .vae file
  std::filesystem::path data;    // $VAEC_DATA, empty where it is not set
  std::filesystem::path cache;   // empty where there is none, or none that only this user can write
  std::string cache_refused;     // why the folder of the cache is not used, for messages; else empty
  std::vector<std::filesystem::path> before = {};  // searched before `folder`
};

/// The places as the environment gives them. `folders` are looked in first, in their order; the last is that
/// of the .vae file.
Places places_from_environment(std::vector<std::filesystem::path> folders);

/// Whether `folder` is looked into: of the cache only what no other user can write. Other folders are the
/// user's choice.
bool is_searched(const Places& places, const std::filesystem::path& folder);

/// A file or folder that the user names.
std::filesystem::path find_file(const Places& places, const std::string& name);
/// A file of the known set `set`, under any of its `names`; `folders` are its own folders, as `mnist`,
/// `MNIST/raw`.
std::filesystem::path find_known(const Places& places, const std::string& set,
                                 const std::vector<std::string>& folders,
                                 const std::vector<std::string>& names);

}  // namespace data
