// Lists the pictures of a folder that become rows, and their classes. A note counts and names what is left
// out. Failures: missing_input if the folder cannot be read, bad_data if it has no picture.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace data {

struct PictureList {
  std::vector<std::filesystem::path> files;
  std::vector<int64_t> labels;       // the class of each picture; empty if there are no classes
  std::vector<std::string> classes;  // the names of the direct subfolders, in order
};

/// All PNG and JPEG files in the folder and its subfolders, at any depth, sorted by path. Names that begin
/// with a dot are left out. Each direct subfolder is a class, numbered in the order of the names, even if it
/// has no pictures. Pictures directly in the folder have no class. If there are such pictures beside
/// subfolders, then with `labelled` they are left out, otherwise no picture gets a label.
PictureList list_pictures(const std::filesystem::path& folder, bool labelled);

/// Whether the name ends like that of a PNG or JPEG file.
bool is_picture_name(const std::filesystem::path& path);

}  // namespace data
