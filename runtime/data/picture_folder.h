// Which pictures of a folder are rows, and of which class. What is left out is counted and named in a note.
// Failures: missing_input where the folder cannot be read or holds no picture.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace data {

struct PictureList {
  std::vector<std::filesystem::path> files;
  std::vector<int64_t> labels;       // the class of each; empty where there are none
  std::vector<std::string> classes;  // the names of the subfolders, in order
};

/// All PNG and JPEG files of the folder and of its subfolders, at any depth, in the order of their paths.
/// Names that begin with a dot are left out. A direct subfolder is a class, numbered by name, also where it
/// holds no picture. Pictures beside such subfolders have no class: with `labelled` they are left out,
/// otherwise there are no labels.
PictureList list_pictures(const std::filesystem::path& folder, bool labelled);

/// A PNG or JPEG by the ending of its name.
bool is_picture_name(const std::filesystem::path& path);

}  // namespace data
