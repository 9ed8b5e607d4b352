#include "runtime/onednn/primitive.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

namespace onednn {
namespace {

constexpr std::align_val_t page{4096};

struct Free {
  void operator()(std::byte* bytes) const { ::operator delete[](bytes, page); }
};

struct Scratch {
  std::unique_ptr<std::byte[], Free> bytes;
  size_t size = 0;
};

Scratch& scratch() {
  static Scratch instance;
  return instance;
}

void reserve_scratch(size_t size) {
  if (size <= scratch().size) return;
  scratch().bytes.reset(static_cast<std::byte*>(::operator new[](size, page)));
  scratch().size = size;
}

}  // namespace

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

const dnnl::stream& cpu_stream() {
  static const dnnl::stream stream(cpu());
  return stream;
}

const dnnl::primitive_attr& shared_scratch() {
  static const dnnl::primitive_attr attributes = [] {
    dnnl::primitive_attr result;
    result.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return result;
  }();
  return attributes;
}

dnnl::memory::desc plain(const dnnl::memory::dims& dims, dnnl::memory::format_tag tag) {
  return {dims, dnnl::memory::data_type::f32, tag};
}

dnnl::memory zeros(const dnnl::memory::desc& layout) {
  dnnl::memory memory(layout, cpu());
  std::memset(memory.get_data_handle(), 0, layout.get_size());
  return memory;
}

Call::Call(const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad,
           const std::vector<std::pair<int, dnnl::memory::desc>>& arguments)
    : primitive_(primitive) {
  for (const auto& [name, layout] : arguments) {
    memories_.emplace_back(layout, cpu(), nullptr);
    arguments_.push_back({name, memories_.back().get()});
  }
  // The scratchpad is the last argument. Its address is set in run(), because a later Call can make the
  // shared scratchpad grow and move.
  reserve_scratch(scratchpad.get_size());
  memories_.emplace_back(scratchpad, cpu(), nullptr);
  arguments_.push_back({DNNL_ARG_SCRATCHPAD, memories_.back().get()});
}

void Call::bind(size_t position, const void* data) {
  // oneDNN has one pointer type for all arguments, also for those that it only reads.
  memories_[position].set_data_handle(const_cast<void*>(data));
}

void Call::bind(size_t position, const dnnl::memory& memory) {
  memories_[position] = memory;
  arguments_[position].memory = memory.get();
}

void Call::run() {
  memories_.back().set_data_handle(scratch().bytes.get());
  dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive_.get(), cpu_stream().get(),
                                                 static_cast<int>(arguments_.size()), arguments_.data()),
                          "a prepared primitive did not run");
}

Call make_reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  const dnnl::reorder::primitive_desc description(cpu(), from, cpu(), to, shared_scratch());
  return {
      dnnl::reorder(description), description.scratchpad_desc(), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}};
}

}  // namespace onednn
