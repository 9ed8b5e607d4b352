#include "runtime/data/arrays/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/shared/failure.h"

namespace data {

ByteSource::ByteSource(const std::filesystem::path& path) : name_(path.string()), path_(path) {
  struct stat status;
  if (stat(name_.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
    throw Failure(Exit::missing_input, fmt::format("{} is a folder, not a file", name_));
  errno = 0;
  gzFile file = gzopen(name_.c_str(), "rb");
  if (!file)
    throw Failure(Exit::missing_input,
                  fmt::format("cannot open {}: {}", name_, errno ? std::strerror(errno) : "out of memory"));
  gzbuffer(file, 1 << 17);
  file_ = file;
}

ByteSource::ByteSource(std::vector<uint8_t> bytes, std::string name, std::filesystem::path file)
    : name_(std::move(name)), path_(std::move(file)), bytes_(std::move(bytes)) {}

ByteSource::~ByteSource() {
  if (file_) gzclose_r(static_cast<gzFile>(file_));
}

void ByteSource::fail(const std::string& cause) const { fail_in(name_, cause); }

uint64_t ByteSource::read_some(uint8_t* bytes, uint64_t count) {
  if (!file_) {
    const uint64_t got = std::min(count, bytes_.size() - position_);
    std::copy_n(bytes_.begin() + static_cast<int64_t>(position_), got, bytes);
    position_ += got;
    return got;
  }
  auto file = static_cast<gzFile>(file_);
  errno = 0;
  int got = gzread(file, bytes, static_cast<unsigned>(std::min<uint64_t>(count, 1 << 30)));
  int status = Z_OK;
  const char* message = gzerror(file, &status);
  if (status == Z_BUF_ERROR) fail("the gzip stream is truncated");
  if (status == Z_ERRNO) fail(fmt::format("cannot be read: {}", std::strerror(errno)));
  if (got < 0 || (status != Z_OK && status != Z_STREAM_END)) {
    std::string cause = message ? message : "unknown";
    if (cause.starts_with(name_ + ": ")) cause.erase(0, name_.size() + 2);
    fail(fmt::format("the gzip stream is corrupt ({})", cause));
  }
  position_ += got;
  return got;
}

void ByteSource::read(std::vector<uint8_t>& bytes, uint64_t count, const std::string& what) {
  uint64_t missing = count;
  while (missing > 0) {
    size_t end = bytes.size();
    uint64_t piece = std::min(missing, std::clamp<uint64_t>(end, 1 << 16, 1 << 30));
    bytes.resize(end + piece);
    uint64_t got = read_some(bytes.data() + end, piece);
    if (got == 0) fail_as_too_short(what, count);
    bytes.resize(end + got);
    missing -= got;
  }
}

std::vector<uint8_t> ByteSource::read_rest() {
  std::vector<uint8_t> bytes;
  for (;;) {
    size_t end = bytes.size();
    bytes.resize(end + std::max<size_t>(end, 1 << 16));
    uint64_t got = read_some(bytes.data() + end, std::min<uint64_t>(bytes.size() - end, 1 << 30));
    bytes.resize(end + got);
    if (got == 0) return bytes;
  }
}

void ByteSource::expect_end() {
  uint8_t byte;
  if (read_some(&byte, 1) != 0) fail_as_too_long(position_ - 1);
}

bool ByteSource::is_plain() const { return file_ && gzdirect(static_cast<gzFile>(file_)) != 0; }

void ByteSource::fail_as_too_short(const std::string& what, uint64_t count) const {
  fail(fmt::format("ends after {} bytes, within {} ({} bytes)", position_, what, count));
}

void ByteSource::fail_as_too_long(uint64_t promised) const {
  fail(fmt::format("holds more than the {} bytes that its header promises", promised));
}

void fail_in(const std::filesystem::path& file, const std::string& cause) {
  throw Failure(Exit::bad_data, fmt::format("{}: {}", file.string(), cause));
}

std::vector<uint8_t> read_file(const std::filesystem::path& path) { return ByteSource(path).read_rest(); }

static Failure cannot_write(const std::filesystem::path& path) {
  return Failure(Exit::cannot_write, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
}

void write_file(const std::filesystem::path& path, const std::vector<uint8_t>& bytes) {
  std::filesystem::path aside = path;
  aside += fmt::format(".{}.part", getpid());
  int descriptor = open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor < 0) throw cannot_write(path);
  auto give_up = [&] {
    Failure failure = cannot_write(path);
    close(descriptor);
    unlink(aside.c_str());
    return failure;
  };
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t wrote = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) throw give_up();
    done += wrote;
  }
  // Without fsync the rename can reach the disk before the contents do. A power cut would then leave an empty
  // checkpoint.
  if (fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS) throw give_up();
  if (close(descriptor) != 0 || rename(aside.c_str(), path.c_str()) != 0) {
    Failure failure = cannot_write(path);
    unlink(aside.c_str());
    throw failure;
  }
}

}  // namespace data
