// Folders that appear whole or not at all: they are written under another name and then renamed.
// Failure(cannot_write) with the path and the system's cause.
#pragma once
#include <filesystem>
#include <functional>
#include <string>

namespace core {

[[noreturn]] void cannot_write(const std::filesystem::path& path, const std::string& cause);
/// Makes the folder, and the folders above it.
void make_folder(const std::filesystem::path& path);
/// Makes the folder `aside` anew; `write` fills it. If `write` throws, nothing is left.
void write_aside(const std::filesystem::path& aside,
                 const std::function<void(const std::filesystem::path&)>& write);
void rename_to(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace core
