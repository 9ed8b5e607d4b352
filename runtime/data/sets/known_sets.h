// The data sets that vaec knows by name: their files, checksums and public addresses, and how they are
// fetched. $VAEC_DATA_URL replaces the addresses: a file is then at $VAEC_DATA_URL/SET/FILE. If it is `none`,
// nothing is fetched.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace data {

struct KnownFile {
  std::string name;
  bool content;          // checksum of the uncompressed contents: mirrors compress files differently
  std::string checksum;  // hexadecimal SHA-256, or MD5 if it has 32 digits
  std::vector<std::string> parts = {};  // for an archive: the files that can replace it
};

struct KnownSet {
  std::string name;
  std::vector<std::string> folders;    // the set's own folders, in which its files are searched
  std::vector<std::string> addresses;  // in the order in which they are tried
  std::vector<KnownFile> files;
};

/// The set of this name. If there is none, Failure(usage) lists the names.
const KnownSet& known_set(std::string_view name);

/// Makes sure that `folder` has every file of the set, and fetches a file if it is missing or its contents
/// are wrong. A file is fetched to NAME.part and renamed after its checksum was found right; an interrupted
/// fetch continues from there. Two processes that fetch at the same time wait for each other. Progress is
/// printed if stderr is a terminal. Failures: missing_input with every address and its cause, bad_data if a
/// checksum is wrong, cannot_write.
void fetch(const KnownSet& set, const std::filesystem::path& folder);
/// Fetches the set into its folder of the cache and returns that folder. A new folder is closed to other
/// users. A folder that another user owns or can write to is refused (cannot_write).
std::filesystem::path fetch_into_cache(const KnownSet& set, const std::filesystem::path& cache);

}  // namespace data

/// `vaec data get NAME [--to DIR]`: prints the folder that has all files of the set. `to` is DIR, or empty.
/// With DIR the files must be in DIR/NAME and are fetched to it. Without DIR they may be in any folder that
/// is searched; if they are in none, they are fetched into the cache. Returns an exit code; the cause of a
/// failure is on stderr.
extern "C" int vaert_data_get(const char* name, const char* to);
