// In: a oneDNN primitive and the layouts of its arguments. Out: a call that takes plain pointers. Running it
// allocates nothing. All calls share one scratchpad, because only one of them runs at a time.
#pragma once
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

namespace onednn {

const dnnl::engine& cpu();
const dnnl::stream& cpu_stream();

/// The attributes of every primitive: it uses the shared scratchpad.
const dnnl::primitive_attr& shared_scratch();

dnnl::memory::desc plain(const dnnl::memory::dims& dims, dnnl::memory::format_tag tag);

class Call {
 public:
  Call() = default;
  /// `arguments`: in the order of the positions in bind(). `scratchpad`: the primitive descriptor's
  /// scratchpad_desc().
  Call(const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad,
       const std::vector<std::pair<int, dnnl::memory::desc>>& arguments);

  void bind(size_t position, const void* data);
  void bind(size_t position, const dnnl::memory& memory);
  void run();

 private:
  dnnl::primitive primitive_;
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

/// Memory filled with zeros, including the padding of the layout, which convolutions read.
dnnl::memory zeros(const dnnl::memory::desc& layout);

/// A copy between two layouts of one tensor. Argument 0 is the source, 1 the destination.
Call make_reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to);

}  // namespace onednn
