// A short name for bytes: tells contents and broken copies apart, no defence against malice.
#pragma once
#include <cstdint>

/// FNV-1a, 64 bits.
template <typename Bytes>
constexpr uint64_t content_hash(const Bytes& bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const auto byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  return hash;
}
