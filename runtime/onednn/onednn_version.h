// The differences between the versions of oneDNN that this folder can be built against (2.6 to 3.7). No other
// file may depend on the version. In: a primitive's attributes and the arguments of its operation. Out: its
// primitive descriptor for the CPU.
#pragma once
#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

namespace onednn {

/// oneDNN 2 first makes an operation descriptor from the arguments; oneDNN 3 has no such descriptors.
template <class Primitive, class... Arguments>
typename Primitive::primitive_desc descriptor_of(const dnnl::engine& engine,
                                                 const dnnl::primitive_attr& attributes,
                                                 const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, arguments..., attributes};
#else
  return {typename Primitive::desc(arguments...), attributes, engine};
#endif
}

/// The same for a primitive of the backward pass; `forward` is the descriptor of its forward pass.
template <class Primitive, class Forward, class... Arguments>
typename Primitive::primitive_desc backward_descriptor_of(const dnnl::engine& engine,
                                                          const dnnl::primitive_attr& attributes,
                                                          const Forward& forward,
                                                          const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, arguments..., forward, attributes};
#else
  return {typename Primitive::desc(arguments...), attributes, engine, forward};
#endif
}

/// Where the elements of a tensor lie: the strides of its blocks, and the inner blocks, outermost first, each
/// with the axis that it divides.
struct Blocking {
  std::vector<int64_t> strides, blocks, axes;
};

inline Blocking blocking_of(const dnnl::memory::desc& layout) {
#if DNNL_VERSION_MAJOR >= 3
  return {layout.get_strides(), layout.get_inner_blks(), layout.get_inner_idxs()};
#else
  const dnnl_blocking_desc_t& blocking = layout.data.format_desc.blocking;
  return {{blocking.strides, blocking.strides + layout.data.ndims},
          {blocking.inner_blks, blocking.inner_blks + blocking.inner_nblks},
          {blocking.inner_idxs, blocking.inner_idxs + blocking.inner_nblks}};
#endif
}

/// Whether oneDNN's reorders between plain and blocked weights are correct. Those of oneDNN 3.7 miss elements
/// if an axis is padded, for example in [6, 5, 2, 3] to AcdB16a2b.
constexpr bool reorders_blocks = DNNL_VERSION_MAJOR < 3;

}  // namespace onednn
