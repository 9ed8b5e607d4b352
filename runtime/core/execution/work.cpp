#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <tuple>

#include "runtime/core/execution/watch.h"

namespace core {
namespace {

constexpr double bytes_of_float = 4;

class Counting {
 public:
  Counting(const Image& image, const Program& program, const std::vector<int64_t>& rows)
      : image_(image), program_(program), rows_(rows) {}

  Work operator()(const Loop& loop) const {
    // An axis of stride 0 reads the same place again and again, so it counts once. Operands that are the same
    // also count once.
    std::set<std::tuple<int, int64_t, std::vector<int64_t>>> operands;
    double floats = 0;
    for (const Access& access : loop.accesses) {
      if (!operands.insert({access.buffer, access.offset, access.strides}).second) continue;
      double places = 1;
      for (size_t axis = 0; axis < loop.space.size(); ++axis)
        if (access.strides[axis] != 0) places *= static_cast<double>(loop.space[axis].length(rows_));
      floats += places;
    }
    std::vector<int64_t> shape;
    for (const Extent& extent : loop.space) shape.push_back(extent.length(rows_));
    return {Work::Kind::loop, loop.name, product_text(shape), 0, bytes_of_float * floats};
  }

  Work operator()(const Gemm& gemm) const {
    const int64_t m = gemm.m.length(rows_), n = gemm.n.length(rows_), k = gemm.k.length(rows_);
    const double flops = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    return {Work::Kind::gemm, gemm.name, product_text({m, n, k}), flops};
  }

  Work operator()(const Convolution& convolution) const {
    const Convolution& s = convolution;
    const int64_t batch = convolution.batch.length(rows_);
    const double flops = 2.0 * static_cast<double>(batch * s.out_h * s.out_w) *
                         static_cast<double>(s.out_channels * s.in_channels) *
                         static_cast<double>(s.kernel_h * s.kernel_w);
    return {Work::Kind::convolution, convolution.name,
            fmt::format("{} rows, {}x{}x{} -> {}x{}x{}, {}x{} / {}", batch, s.in_channels, s.in_h, s.in_w,
                        s.out_channels, s.out_h, s.out_w, s.kernel_h, s.kernel_w, s.stride_h),
            flops};
  }

  Work operator()(const Gather& gather) const {
    const DataColumn& column = image_.columns[static_cast<size_t>(gather.column)];
    const Buffer& buffer = program_.buffers[static_cast<size_t>(gather.buffer)];
    std::vector<int64_t> shape;
    double floats = 1;
    for (const Extent& extent : buffer.extents) {
      shape.push_back(extent.length(rows_));
      floats *= static_cast<double>(shape.back());
    }
    return {Work::Kind::gather, fmt::format("rows of {}", image_.name_of(column.variable)),
            product_text(shape), 0, 2 * bytes_of_float * floats};
  }

  Work operator()(const SumRanks& sum) const {
    const Buffer& buffer = program_.buffers[static_cast<size_t>(sum.to)];
    return {Work::Kind::loop, "sum over ranks", buffer.extents.empty() ? "1" : "several", 0,
            2 * bytes_of_float};
  }

  Work operator()(const Update& update) const {
    const Player& player = image_.players[static_cast<size_t>(update.player)];
    return {Work::Kind::update, fmt::format("update {}", player.name), "", 0, 0, update.player};
  }

 private:
  static std::string product_text(const std::vector<int64_t>& factors) {
    return fmt::format("{}", fmt::join(factors, " x "));
  }

  const Image& image_;
  const Program& program_;
  const std::vector<int64_t>& rows_;
};

}  // namespace

std::vector<Work> works_of(const Image& image, const Program& program, const std::vector<int64_t>& rows) {
  const Counting count(image, program, rows);
  std::vector<Work> works;
  for (const Instruction& instruction : program.instructions) works.push_back(std::visit(count, instruction));
  return works;
}

const char* name_of(Work::Kind kind) {
  switch (kind) {
    case Work::Kind::loop:
      return "loop";
    case Work::Kind::gemm:
      return "gemm";
    case Work::Kind::convolution:
      return "convolution";
    case Work::Kind::gather:
      return "gather";
    case Work::Kind::update:
      return "update";
  }
  return "";
}

}  // namespace core
