// A short name for some bytes. It tells different contents and damaged copies apart, but gives no protection
// against an attacker.
#pragma once
#include <cstdint>

/// The hash function FNV-1a with 64 bits.
template <typename Bytes>
constexpr uint64_t content_hash(const Bytes& bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const auto byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  return hash;
}
