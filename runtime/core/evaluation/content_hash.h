// A short name for bytes: figures made with files of one hash are comparable.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace core {

/// FNV-1a, 64 bits, as hexadecimal digits.
template <typename Bytes>
std::string hash_of(const Bytes& bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const auto byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

}  // namespace core
