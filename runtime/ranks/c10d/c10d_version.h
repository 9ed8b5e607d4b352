// What differs between the versions of LibTorch that c10d is built with (1.13 to 2.6): the class that Gloo's
// process group is derived from, and the traps of its headers.
#pragma once
// ProcessGroupGloo.hpp is empty without this definition; it includes <gloo/...> of libgloo-dev.
#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#include <torch/version.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace c10d_version {

/// A constructed backend, which is used directly, without the layer above it.
using Gloo = c10d::ProcessGroupGloo;
using Work = c10d::Work;

#if TORCH_VERSION_MAJOR >= 2
inline c10d::TCPStoreOptions store_options() {
  c10d::TCPStoreOptions options;
  options.useLibUV = false;  // Debian builds LibTorch without it
  return options;
}
#else
inline c10d::TCPStoreOptions store_options() { return {}; }
#endif

}  // namespace c10d_version
