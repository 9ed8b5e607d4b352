// Finds the files that a data expression names: first relative to the .vae file, then in $VAEC_DATA, then in
// the cache (runtime/shared/cache_folder.h). An executable that was moved searches its own folder and the
// current folder before all these. A known set may also be in the subfolder of its name, or in torchvision's
// subfolders. A name is also found with `.gz` after it. Failure(missing_input) lists every place that was
// tried.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace data {

struct Places {
  std::filesystem::path folder;  // folder of the .vae file
  std::filesystem::path data;    // $VAEC_DATA; empty if it is not set
  std::filesystem::path cache;   // empty if there is none, or if other users can write to it
  std::string cache_refused;     // why the cache is not used, for messages; else empty
  std::vector<std::filesystem::path> before = {};  // searched before `folder`
};

/// The places as the environment gives them. `folders` are searched first, in their order; the last one is
/// the folder of the .vae file.
Places places_from_environment(std::vector<std::filesystem::path> folders);

/// Whether files are searched in `folder`. A folder of the cache is searched only if no other user can write
/// to it; all other folders are the user's choice.
bool is_searched(const Places& places, const std::filesystem::path& folder);

/// Finds a file or folder that the user names.
std::filesystem::path find_file(const Places& places, const std::string& name);
/// Finds a file of the known set `set` under any of its `names`. `folders` are the set's own subfolders, such
/// as `mnist` and `MNIST/raw`.
std::filesystem::path find_known(const Places& places, const std::string& set,
                                 const std::vector<std::string>& folders,
                                 const std::vector<std::string>& names);

}  // namespace data
