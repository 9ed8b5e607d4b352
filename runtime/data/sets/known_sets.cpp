#include "runtime/data/sets/known_sets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/lookup.h"
#include "runtime/data/optional_library.h"
#include "runtime/fetch/fetch_api.h"
#include "runtime/shared/closed_folder.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"
#include "runtime/shared/printable.h"

namespace data {
namespace fs = std::filesystem;
namespace {

const std::vector<KnownSet> sets = {
    {"mnist",
     {"mnist", "MNIST/raw", "MNIST"},
     {"https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"},
     {{"t10k-images-idx3-ubyte.gz", true, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
      {"t10k-labels-idx1-ubyte.gz", true, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
      {"train-images-idx3-ubyte.gz", true,
       "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
      {"train-labels-idx1-ubyte.gz", true,
       "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"}}},
    {"fashion_mnist",
     {"fashion_mnist", "FashionMNIST/raw", "fashion-mnist"},
     {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
      "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"},
     {{"t10k-images-idx3-ubyte.gz", false, "bef4ecab320f06d8554ea6380940ec79"},
      {"t10k-labels-idx1-ubyte.gz", false, "bb300cfdad3c16e7a12a480ee83cd310"},
      {"train-images-idx3-ubyte.gz", false, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"},
      {"train-labels-idx1-ubyte.gz", false, "25c81989df183df01b3e8a0aad5dffbe"}}},
    {"kmnist",
     {"kmnist", "KMNIST/raw", "KMNIST"},
     {"https://codh.rois.ac.jp/kmnist/dataset/kmnist", "http://codh.rois.ac.jp/kmnist/dataset/kmnist"},
     {{"t10k-images-idx3-ubyte.gz", false, "5c965bf0a639b31b8f53240b1b52f4d7"},
      {"t10k-labels-idx1-ubyte.gz", false, "7320c461ea6c1c855c0b718fb2a4b134"},
      {"train-images-idx3-ubyte.gz", false, "bdb82020997e1d708af4cf47b453dcf7"},
      {"train-labels-idx1-ubyte.gz", false, "e144d726b3acfaa3e44228e80efcd344"}}},
    {"cifar10",
     {"cifar10", "cifar10/cifar-10-batches-bin", "cifar-10-batches-bin", "CIFAR10"},
     {"https://www.cs.toronto.edu/~kriz"},
     {{"cifar-10-binary.tar.gz",
       false,
       "c32a1d4ab5d03f1284b67883e8d87530",
       {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin",
        "test_batch.bin"}}}},
};

constexpr char fetch_library[] = "libvaert_fetch.so";

std::string algorithm_of(const KnownFile& file) { return file.checksum.size() == 32 ? "MD5" : "SHA256"; }

/// Why the file at `path` does not have the known contents; nothing if it has.
std::optional<std::string> mismatch(const KnownFile& file, const fs::path& path) {
  const auto begin = function_of<vaert_checksum_begin_function>(fetch_library, "vaert_checksum_begin");
  const auto add = function_of<vaert_checksum_add_function>(fetch_library, "vaert_checksum_add");
  const auto end = function_of<vaert_checksum_end_function>(fetch_library, "vaert_checksum_end");
  void* checksum = begin(algorithm_of(file).c_str());
  std::vector<uint8_t> bytes(size_t{1} << 16);
  std::array<char, 129> digits{};
  std::string broken;
  try {
    if (file.content) {
      ByteSource source(path);
      while (const uint64_t got = source.read_some(bytes.data(), bytes.size()))
        add(checksum, bytes.data(), got);
    } else {
      const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      ssize_t got = 0;
      while (descriptor >= 0 && (got = ::read(descriptor, bytes.data(), bytes.size())) > 0)
        add(checksum, bytes.data(), static_cast<size_t>(got));
      if (descriptor >= 0) ::close(descriptor);
    }
  } catch (const Failure& failure) {
    broken = failure.what();
  }
  end(checksum, digits.data(), digits.size());
  if (!broken.empty()) return broken;
  if (file.checksum == digits.data()) return {};
  return fmt::format("its {} is {}, not {}", algorithm_of(file), digits.data(), file.checksum);
}

std::vector<std::string> addresses_of(const KnownSet& set) {
  const char* own = std::getenv("VAEC_DATA_URL");
  if (!own || !*own) return set.addresses;
  if (std::string(own) == "none") return {};
  std::string base = own;
  while (base.ends_with('/')) base.pop_back();
  return {base + "/" + set.name};
}

std::string in_megabytes(int64_t bytes) { return fmt::format("{:.1f}", static_cast<double>(bytes) / 1e6); }

void show_progress(void* name, int64_t done, int64_t total) {
  print_error("\r{}  {}{} MB\033[K", *static_cast<const std::string*>(name), in_megabytes(done),
              total > 0 ? " of " + in_megabytes(total) : "");
}

Failure cannot_write_to(const fs::path& path, const std::string& cause) {
  return Failure(Exit::cannot_write, fmt::format("cannot write {}: {}", path.string(), cause));
}

void fetch_file(const KnownSet& set, const KnownFile& file, const fs::path& folder) {
  const fs::path target = folder / file.name, part = folder / (file.name + ".part");
  const bool terminal = isatty(STDERR_FILENO) != 0;
  std::vector<std::string> causes;
  std::error_code ignored;
  Exit exit = Exit::missing_input;
  for (const std::string& address : addresses_of(set)) {
    const std::string url = address + "/" + file.name;
    // A partly fetched file may come from another version of the file or from a broken server. Only the
    // checksum shows this, so after a wrong checksum the whole file is fetched once more.
    for (bool again = fs::exists(part, ignored), first = true; first || again; first = false) {
      if (!first) again = false;
      std::string shown = set.name + "/" + file.name;
      std::array<char, 512> error{};
      const int code = function_of<vaert_fetch_function>(fetch_library, "vaert_fetch")(
          url.c_str(), part.c_str(), terminal ? show_progress : nullptr, &shown, error.data(), error.size());
      if (terminal) print_error("\r\033[K");
      if (code == static_cast<int>(Exit::cannot_write)) throw cannot_write_to(part, error.data());
      if (code != 0) {
        if (fs::file_size(part, ignored) == 0) fs::remove(part, ignored);
        causes.push_back(fmt::format("{}: {}", url, error.data()));
        break;
      }
      const auto wrong = mismatch(file, part);
      if (!wrong) {
        fs::rename(part, target, ignored);
        if (ignored) throw cannot_write_to(target, ignored.message());
        return;
      }
      fs::remove(part, ignored);
      if (first && again) continue;
      causes.push_back(fmt::format("{}: {}", url, *wrong));
      exit = Exit::bad_data;
    }
  }
  throw Failure(exit, fmt::format("{} cannot be fetched: {}", file.name,
                                  causes.empty() ? "VAEC_DATA_URL is `none`"
                                                 : fmt::format("{}", fmt::join(causes, "; "))));
}

/// A lock on a folder that is held as long as this object lives. Other processes wait for it.
class Lock {
 public:
  explicit Lock(const fs::path& folder) : path_(folder / ".lock") {
    file_ = open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file_ < 0) throw cannot_write_to(path_, std::strerror(errno));
    flock(file_, LOCK_EX);
  }
  ~Lock() { close(file_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  fs::path path_;
  int file_ = -1;
};

fs::path unpacked_name(const fs::path& path) { return path.parent_path() / path.stem(); }

bool holds_all(const KnownSet& set, const fs::path& folder) {
  std::error_code ignored;
  const auto holds = [&](const std::string& name) { return fs::exists(folder / name, ignored); };
  return std::ranges::all_of(set.files, [&](const KnownFile& file) {
    return holds(file.name) || fs::exists(unpacked_name(folder / file.name), ignored) ||
           (!file.parts.empty() && std::ranges::all_of(file.parts, holds));
  });
}

std::optional<fs::path> folder_with_all(const KnownSet& set, const Places& places) {
  for (const fs::path& root : {places.data, places.cache})
    if (!root.empty())
      for (const std::string& folder : set.folders)
        if (holds_all(set, root / folder) && is_searched(places, root / folder)) return root / folder;
  if (!places.data.empty() && holds_all(set, places.data)) return places.data;
  return {};
}

}  // namespace

const KnownSet& known_set(std::string_view name) {
  std::vector<std::string> names;
  for (const KnownSet& set : sets) {
    if (set.name == name) return set;
    names.push_back(set.name);
  }
  throw Failure(Exit::usage,
                fmt::format("there is no data set `{}`; known: {}", name, fmt::join(names, ", ")));
}

fs::path fetch_into_cache(const KnownSet& set, const fs::path& cache) {
  const fs::path folder = cache / set.name;
  if (const std::string cause = make_closed_folder(folder); !cause.empty())
    throw cannot_write_to(folder, cause);
  if (const std::string cause = why_not_closed(folder); !cause.empty())
    throw cannot_write_to(folder, "it " + cause);
  fetch(set, folder);
  return folder;
}

void fetch(const KnownSet& set, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw cannot_write_to(folder, error.message());
  const Lock lock(folder);
  for (const KnownFile& file : set.files) {
    const fs::path target = folder / file.name;
    if (fs::exists(unpacked_name(target), error)) continue;  // a file that the user put there
    if (fs::exists(target, error) && !mismatch(file, target)) continue;
    fetch_file(set, file, folder);
  }
}

}  // namespace data

/// On a terminal the path is printed safely. Another program gets the exact name.
static void print_path(const std::filesystem::path& path) {
  fmt::print("{}\n", isatty(STDOUT_FILENO) != 0 ? printable(path.string()) : path.string());
}

extern "C" int vaert_data_get(const char* name, const char* to) {
  try {
    const data::KnownSet& set = data::known_set(name);
    const data::Places places = data::places_from_environment({"."});
    const std::filesystem::path wanted = to;
    if (wanted.empty()) {
      if (const auto found = data::folder_with_all(set, places)) {
        print_path(*found);
        return 0;
      }
      if (!places.cache_refused.empty())
        throw Failure(Exit::bad_configuration,
                      places.cache_refused + "; close it, or say where with --to DIR");
      if (places.cache.empty())
        throw Failure(Exit::bad_configuration,
                      "neither VAEC_CACHE, XDG_CACHE_HOME nor HOME names a folder: say where with --to DIR");
      print_path(data::fetch_into_cache(set, places.cache));
      return 0;
    }
    data::fetch(set, wanted / set.name);
    print_path(wanted / set.name);
    return 0;
  } catch (const Failure& failure) {
    print_error("vaec data get: {}\n", printable(failure.what()));
    return static_cast<int>(failure.exit_code);
  }
}
