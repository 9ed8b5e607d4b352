// The data sets that vaec knows by name: their files and checksums, the public addresses that have them, and
// how they are fetched. $VAEC_DATA_URL replaces the addresses: files are then at $VAEC_DATA_URL/SET/FILE, and
// `none` fetches nothing.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace data {

struct KnownFile {
  std::string name;
  bool content;          // the checksum is of what the file unpacks to: mirrors compress it differently
  std::string checksum;  // SHA-256, or MD5 (of 32 digits), hexadecimal
  std::vector<std::string> parts = {};  // of an archive: the files that may stand in its place
};

struct KnownSet {
  std::string name;
  std::vector<std::string> folders;    // of its own, where files are looked for
  std::vector<std::string> addresses;  // tried in this order
  std::vector<KnownFile> files;
};

/// Failure(usage) that lists those there are where none has this name.
const KnownSet& known_set(std::string_view name);

/// Every file of the set in `folder`, fetched if it is not there with the right contents: to a file
/// NAME.part, from which an interrupted fetch goes on, renamed once its checksum is right. Two that fetch at
/// once wait for one another. Progress goes to stderr where that is a terminal. Failures: missing_input with
/// every address and why, bad_data on a wrong checksum, cannot_write.
void fetch(const KnownSet& set, const std::filesystem::path& folder);
/// The same into the set's folder of the cache, which is made closed to others, and refused (cannot_write)
/// where another user owns or may write it; gives the folder.
std::filesystem::path fetch_into_cache(const KnownSet& set, const std::filesystem::path& cache);

}  // namespace data

/// `vaec data get NAME [--to DIR]`: prints the folder in which all files of the set are, fetching them to
/// DIR/NAME, or the user's cache, where they are nowhere. `to` is empty, or the folder in which they must be.
/// An exit code; its cause is on stderr.
extern "C" int vaert_data_get(const char* name, const char* to);
