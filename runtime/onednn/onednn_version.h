// What differs between the oneDNNs that this folder is built against (2.6 to 3.7), and nowhere else. In: a
// primitive's attributes and the arguments of its operation. Out: its primitive descriptor for the CPU.
#pragma once
#include <oneapi/dnnl/dnnl.hpp>

namespace onednn {

/// oneDNN 2 makes an operation descriptor of the arguments first; oneDNN 3 has none.
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

}  // namespace onednn
