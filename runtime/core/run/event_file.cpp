#include "runtime/core/run/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

void put_fixed(std::string& bytes, uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
}

void put_varint(std::string& bytes, uint64_t value) {
  for (; value >= 128; value >>= 7) bytes += static_cast<char>(value | 128);
  bytes += static_cast<char>(value);
}

// A protocol-buffer field begins with number * 8 + wire type (0 varint, 1 eight bytes, 2 length and bytes, 5
// four bytes).
void put_number(std::string& bytes, int field, uint64_t value) {
  put_varint(bytes, static_cast<uint64_t>(field) << 3);
  put_varint(bytes, value);
}

void put_double(std::string& bytes, int field, double value) {
  put_varint(bytes, static_cast<uint64_t>(field) << 3 | 1);
  put_fixed(bytes, std::bit_cast<uint64_t>(value), 8);
}

void put_bytes(std::string& bytes, int field, const std::string& value) {
  put_varint(bytes, static_cast<uint64_t>(field) << 3 | 2);
  put_varint(bytes, value.size());
  bytes += value;
}

void put_float(std::string& bytes, int field, float value) {
  put_varint(bytes, static_cast<uint64_t>(field) << 3 | 5);
  put_fixed(bytes, std::bit_cast<uint32_t>(value), 4);
}

std::string event(double wall_time, int64_t step) {
  std::string bytes;
  put_double(bytes, 1, wall_time);
  put_number(bytes, 2, static_cast<uint64_t>(step));
  return bytes;
}

uint32_t masked_crc(const std::string& bytes) {
  const uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

}  // namespace

uint32_t crc32c(const std::string& bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> entries{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
      entries[i] = crc;
    }
    return entries;
  }();
  uint32_t crc = ~0u;
  for (char c : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<uint8_t>(c)) & 255];
  return ~crc;
}

std::string version_event(double wall_time) {
  std::string bytes = event(wall_time, 0);
  put_bytes(bytes, 3, "brain.Event:2");
  return bytes;
}

std::string scalar_event(double wall_time, int64_t step,
                         const std::vector<std::pair<std::string, double>>& scalars) {
  std::string summary;
  for (const auto& [tag, number] : scalars) {
    std::string value;
    put_bytes(value, 1, tag);
    put_float(value, 2, static_cast<float>(number));
    put_bytes(summary, 1, value);
  }
  std::string bytes = event(wall_time, step);
  put_bytes(bytes, 5, summary);
  return bytes;
}

std::string image_event(double wall_time, int64_t step, const std::string& tag, int64_t height, int64_t width,
                        int64_t channels, const std::string& png) {
  std::string image;
  put_number(image, 1, static_cast<uint64_t>(height));
  put_number(image, 2, static_cast<uint64_t>(width));
  put_number(image, 3, static_cast<uint64_t>(channels));
  put_bytes(image, 4, png);
  std::string value, summary;
  put_bytes(value, 1, tag);
  put_bytes(value, 4, image);
  put_bytes(summary, 1, value);
  std::string bytes = event(wall_time, step);
  put_bytes(bytes, 5, summary);
  return bytes;
}

std::string record(const std::string& event) {
  std::string length, bytes;
  put_fixed(length, event.size(), 8);
  bytes = length;
  put_fixed(bytes, masked_crc(length), 4);
  bytes += event;
  put_fixed(bytes, masked_crc(event), 4);
  return bytes;
}

namespace {

uint64_t get_fixed(const std::string& bytes, size_t at, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i)
    value |= uint64_t{static_cast<uint8_t>(bytes[at + static_cast<size_t>(i)])} << (8 * i);
  return value;
}

uint64_t get_varint(const std::string& bytes, size_t& at) {
  uint64_t value = 0;
  for (int shift = 0; at < bytes.size() && shift < 64; shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes[at++]);
    value |= uint64_t{byte & 127u} << shift;
    if (byte < 128) break;
  }
  return value;
}

/// The step of an event, which is its field 2; 0 if the event has none.
int64_t step_of_event(const std::string& event) {
  for (size_t at = 0; at < event.size();) {
    const uint64_t key = get_varint(event, at);
    if (key == 2 << 3) return static_cast<int64_t>(get_varint(event, at));
    switch (key & 7) {
      case 0:
        get_varint(event, at);
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const uint64_t size = get_varint(event, at);
        if (size > event.size() - at) return 0;
        at += size;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        return 0;
    }
  }
  return 0;
}

/// The record at `at`; empty if it is cut short or damaged.
std::string record_at(const std::string& records, size_t at) {
  constexpr size_t around = 16;  // length, its CRC, the event's CRC
  if (records.size() - at < around) return "";
  const uint64_t size = get_fixed(records, at, 8);
  if (size > records.size() - at - around) return "";
  std::string whole = records.substr(at, size + around);
  return record(whole.substr(12, size)) == whole ? whole : "";
}

}  // namespace

std::string records_until(const std::string& records, int64_t step) {
  std::string kept;
  for (size_t at = 0; at < records.size();) {
    const std::string whole = record_at(records, at);
    if (whole.empty()) break;
    if (step_of_event(whole.substr(12, whole.size() - 16)) <= step) kept += whole;
    at += whole.size();
  }
  return kept;
}

void cut_events(const std::filesystem::path& folder, int64_t step) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) files.push_back(entry.path());
  for (const fs::path& file : files) {
    const std::vector<uint8_t> bytes = data::read_file(file);
    const std::string records(bytes.begin(), bytes.end()), kept = records_until(records, step);
    // Every file begins with the record of its version.
    if (kept.empty() || record_at(kept, 0).size() == kept.size())
      fs::remove(file, error);
    else if (kept != records)
      data::write_file(file, {kept.begin(), kept.end()});
  }
}

void EventFile::add(const std::string& event) {
  std::string bytes;
  if (path_.empty()) {
    char host[65] = "localhost";
    gethostname(host, sizeof host - 1);
    path_ = folder_ /
            fmt::format("events.out.tfevents.{}.{}.{}", static_cast<int64_t>(wall_clock()), host, getpid());
    bytes = record(version_event(wall_clock()));
  }
  bytes += record(event);
  errno = 0;
  std::ofstream file(path_, std::ios::binary | std::ios::app);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file)
    throw Failure(Exit::cannot_write,
                  fmt::format("cannot write {}: {}", path_.string(), std::strerror(errno)));
}

double wall_clock() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace core
