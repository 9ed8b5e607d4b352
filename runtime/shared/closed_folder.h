// Checks whether the files in a folder can be trusted, because only this user can have put them there. A
// symbolic link to the folder itself is followed; links within the folder are not.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

/// A file descriptor that closes itself. Its number is negative if nothing could be opened.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

/// Whether only the user can write the file or folder that `status` describes (root always can).
inline bool is_ours_alone(const struct stat& status) {
  return status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

inline int open_folder(const std::filesystem::path& folder) {
  return open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/// Empty if the opened folder belongs to this user and no other user can write to it; else what is wrong.
inline std::string why_not_closed(int folder) {
  struct stat status{};
  if (folder < 0 || fstat(folder, &status) != 0) return std::strerror(errno);
  if (status.st_uid != geteuid()) return "belongs to another user";
  return is_ours_alone(status) ? "" : "can be written by other users";
}

inline std::string why_not_closed(const std::filesystem::path& folder) {
  return why_not_closed(Descriptor(open_folder(folder)).number());
}

/// Makes the folder and its missing parent folders. Only this user can open them, whatever the umask is.
/// Returns an empty text, or the cause of the failure.
inline std::string make_closed_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  const std::filesystem::path above = folder.parent_path();
  if (!above.empty() && above != folder && !std::filesystem::exists(above, ignored))
    if (const std::string cause = make_closed_folder(above); !cause.empty()) return cause;
  return mkdir(folder.c_str(), S_IRWXU) == 0 || errno == EEXIST ? "" : std::strerror(errno);
}
