// A folder that runs on machines where only the C library is installed: FOLDER/NAME, and in FOLDER/lib the
// runtime with all the libraries that it links. Throws Failure with the exit code for the error.
#pragma once
#include <filesystem>
#include <string>

namespace vaec {

/// Makes the folder and its lib, unless they exist.
void make_bundle_folder(const std::filesystem::path& folder);

/// The object that an executable in a bundle links instead of libvaert.so (runtime/start).
std::string bundle_start();

/// Copies the runtime, its optional libraries (without LibTorch's), and the libraries that these link
/// (without the C library).
void copy_runtime(const std::filesystem::path& folder);

}  // namespace vaec
