#include "runtime/data/pictures/picture_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "runtime/data/notes.h"
#include "runtime/shared/failure.h"

namespace data {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    entries.push_back(at->path());
  if (error)
    throw Failure(Exit::missing_input,
                  fmt::format("cannot read the folder {}: {}", folder.string(), error.message()));
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

/// Files or folders that are left out for the same reason: how many there are, and the names of the first
/// few.
struct LeftOut {
  int64_t count = 0;
  std::vector<std::string> names;

  void add(const fs::path& path, const fs::path& folder) {
    constexpr size_t most_names = 3;
    ++count;
    if (names.size() < most_names) names.push_back(path.lexically_relative(folder).string());
  }
  std::string text(const char* single, const char* several) const {
    return fmt::format("{} {} ({}{})", count, count == 1 ? single : several, fmt::join(names, ", "),
                       count > static_cast<int64_t>(names.size()) ? ", ..." : "");
  }
};

class Lister {
 public:
  Lister(const fs::path& folder, bool labelled) : folder_(folder), labelled_(labelled) {}

  PictureList list() {
    std::vector<fs::path> unlabelled;
    for (const fs::path& entry : sorted_entries(folder_)) {
      if (is_hidden(entry)) {
        hidden_.add(entry, folder_);
      } else if (!is_folder(entry)) {
        add(entry, unlabelled);
      } else {
        std::vector<fs::path> files;
        visit(entry, files);
        if (files.empty()) empty_.add(entry, folder_);
        list_.files.insert(list_.files.end(), files.begin(), files.end());
        list_.labels.insert(list_.labels.end(), files.size(), static_cast<int64_t>(list_.classes.size()));
        list_.classes.push_back(entry.filename().string());
      }
    }
    place(unlabelled);
    say();
    return std::move(list_);
  }

 private:
  void add(const fs::path& file, std::vector<fs::path>& files) {
    if (is_picture_name(file))
      files.push_back(file);
    else
      other_.add(file, folder_);
  }

  /// Collects the pictures in a folder and its subfolders. A link back to a folder that is being visited is
  /// not followed.
  void visit(const fs::path& folder, std::vector<fs::path>& files) {
    std::error_code ignored;
    const auto same = [&](const fs::path& outer) { return fs::equivalent(outer, folder, ignored); };
    if (std::any_of(visited_.begin(), visited_.end(), same)) return;
    visited_.push_back(folder);
    for (const fs::path& entry : sorted_entries(folder)) {
      if (is_hidden(entry))
        hidden_.add(entry, folder_);
      else if (is_folder(entry))
        visit(entry, files);
      else
        add(entry, files);
    }
    visited_.pop_back();
  }

  /// Decides about pictures outside of all class folders.
  void place(const std::vector<fs::path>& unlabelled) {
    if (unlabelled.empty()) return;
    if (labelled_ && !list_.files.empty()) {
      for (const fs::path& file : unlabelled) unlabelled_.add(file, folder_);
      return;
    }
    list_.labels.clear();
    list_.files.insert(list_.files.end(), unlabelled.begin(), unlabelled.end());
    std::sort(list_.files.begin(), list_.files.end());
  }

  void say() const {
    std::vector<std::string> parts;
    if (hidden_.count)
      parts.push_back(hidden_.text("name that begins with a dot", "names that begin with a dot"));
    if (unlabelled_.count)
      parts.push_back(unlabelled_.text("picture in no class folder", "pictures in no class folder"));
    if (other_.count) parts.push_back(other_.text("file of another kind", "files of other kinds"));
    std::string text;
    if (!parts.empty()) text = fmt::format("left out {}", fmt::join(parts, ", "));
    if (empty_.count && !list_.labels.empty())
      text += fmt::format("{}{}: a class without rows", text.empty() ? "" : "; ",
                          empty_.text("folder without pictures", "folders without pictures"));
    if (!text.empty()) note_once(fmt::format("{}: {}", folder_.string(), text));
  }

  fs::path folder_;
  bool labelled_;
  PictureList list_;
  LeftOut hidden_, unlabelled_, other_, empty_;
  std::vector<fs::path> visited_;
};

}  // namespace

bool is_picture_name(const fs::path& path) {
  std::string end = path.extension().string();
  std::transform(end.begin(), end.end(), end.begin(), [](unsigned char c) { return std::tolower(c); });
  return end == ".png" || end == ".jpg" || end == ".jpeg";
}

PictureList list_pictures(const fs::path& folder, bool labelled) {
  if (!is_folder(folder))
    throw Failure(Exit::missing_input, fmt::format("{} is no folder of pictures", folder.string()));
  PictureList list = Lister(folder, labelled).list();
  if (list.files.empty())
    throw Failure(Exit::bad_data, fmt::format("{} holds no PNG or JPEG picture", folder.string()));
  return list;
}

}  // namespace data
