// A folder that runs where only the C library is installed: FOLDER/NAME, and the runtime with all that it
// links in FOLDER/lib. Throws Failure with the exit code of what went wrong.
#pragma once
#include <filesystem>
#include <string>

namespace vaec {

/// Makes the folder and its lib, where they are not there.
void make_bundle_folder(const std::filesystem::path& folder);

/// What an executable of a bundle is linked with instead of libvaert.so (runtime/start).
std::string bundle_start();

/// Copies the runtime, its optional libraries except LibTorch's, and what these link except the C library.
void copy_runtime(const std::filesystem::path& folder);

}  // namespace vaec
