#include "runtime/core/execution/executor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <new>
#include <set>
#include <thread>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "runtime/core/execution/placement.h"
#include "runtime/core/machine/thread_pool.h"
#include "runtime/out_of_memory.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

// For smaller loops, waking threads costs more than the loop itself: an element takes 0.1 to 1.7 ns.
constexpr int64_t parallel_elements = 16384;

/// The convolution as the library operations take it.
vae_convolution shape_of(const Convolution& c, int64_t batch) {
  using Direction = Convolution::Direction;
  static_assert(static_cast<int>(Direction::forward) == VAE_FORWARD &&
                static_cast<int>(Direction::backward_data) == VAE_BACKWARD_DATA &&
                static_cast<int>(Direction::backward_weights) == VAE_BACKWARD_WEIGHTS);
  return {static_cast<int32_t>(c.direction),
          batch,
          c.in_channels,
          c.in_h,
          c.in_w,
          c.out_channels,
          c.out_h,
          c.out_w,
          c.kernel_h,
          c.kernel_w,
          c.stride_h,
          c.stride_w,
          c.padding_h,
          c.padding_w};
}

struct BoundLoop {
  vae_kernel kernel;
  vae_loop arguments;
  int64_t units;
  bool parallel;
  std::vector<float*> pointers;
  std::vector<int64_t> extents, strides;
  const Loop* loop;
};

/// One loop as a kernel of a GPU, or several in one kernel.
struct BoundLaunch {
  cuda::Function function;
  Launch launch;
  schema::JoinedLoops<> parameters;
  std::vector<Floats> memory;  // by loop: partial sums, and one counter per blocks_x
  std::vector<const Loop*> loops;
};

struct BoundLibraryCall {
  vae_library_op* op;
  const float *a, *b;
  float* c;
};

struct BoundGather {
  int column, source;
  int64_t rows;
  float* to;
};

struct BoundSum {
  int source;
  const float* from;
  float* to;
  int64_t count;
};

struct BoundUpdate {
  int player;
  float* gradient;
};

/// A part of a player's gradient that an instruction is the last to write.
struct GradientPart {
  int player;
  float* gradient;
  int64_t begin, end;
};

/// Calls with equal shapes share one prepared call, because it holds only scratch memory, never results.
class LibraryOps {
 public:
  explicit LibraryOps(const vae_library* library) : library_(library) {}
  LibraryOps(const LibraryOps&) = delete;
  ~LibraryOps() {
    for (auto& [key, op] : ops_) library_->release(op);
  }

  vae_library_op* gemm(const vae_gemm& shape, const std::string& name) {
    return made({shape.m, shape.n, shape.k, shape.transpose_a, shape.transpose_b}, name,
                [&](char* error, size_t size) { return library_->prepare_gemm(&shape, error, size); });
  }
  vae_library_op* convolution(const vae_convolution& s, const std::string& name) {
    return made({s.direction, s.batch, s.in_channels, s.in_h, s.in_w, s.out_channels, s.out_h, s.out_w,
                 s.kernel_h, s.kernel_w, s.stride_h, s.stride_w, s.padding_h, s.padding_w},
                name,
                [&](char* error, size_t size) { return library_->prepare_convolution(&s, error, size); });
  }

 private:
  template <class Prepare>
  vae_library_op* made(const std::vector<int64_t>& key, const std::string& name, Prepare prepare) {
    vae_library_op*& op = ops_[key];
    char error[256] = "";
    if (!op) op = prepare(error, sizeof error);
    if (!op && std::string(error).starts_with(out_of_memory)) throw OutOfMemory(error);
    if (!op) throw Failure(Exit::internal, fmt::format("{} cannot be prepared: {}", name, error));
    return op;
  }

  const vae_library* library_;
  std::map<std::vector<int64_t>, vae_library_op*> ops_;
};

}  // namespace

/// `error`: what a library's run returned.
static void check(const char* error) {
  if (!error) return;
  if (std::string_view(error).starts_with(out_of_memory)) throw OutOfMemory(error);
  throw Failure(Exit::internal, error);
}

struct Executor::Parts {
  Parts(const Image& in_image, const Machine& in_machine, const std::vector<int64_t>& in_rows)
      : image(in_image), rows(in_rows), machine(in_machine), library_ops(in_machine.library) {}

  float* at(int buffer) const { return placed[static_cast<size_t>(buffer)]; }

  /// The memory of an input or output. If `carried` is not null, other programs share it.
  float* visible_place(const std::string& name, int64_t size, Carried* carried) {
    if (!carried) return visible.emplace_back(allocate(machine, size)).data();
    auto found = carried->find(name);
    if (found == carried->end()) found = carried->emplace(name, allocate(machine, size)).first;
    const Floats& shared = found->second;
    if (shared.size() != size) throw Failure(Exit::internal, fmt::format("{} has two sizes", name));
    return shared.data();
  }

  void place(const Program& program, const std::shared_ptr<Floats>& memory, Carried* carried,
             Executor& owner) {
    const auto [starts, total] = places_of(program, rows, machine.device != nullptr);
    scratch_memory = memory ? memory : std::make_shared<Floats>(allocate(machine, total));
    if (scratch_memory->size() < total) throw Failure(Exit::internal, "the shared memory is too small");
    for (size_t b = 0; b < program.buffers.size(); ++b) {
      const Buffer& buffer = program.buffers[b];
      const int64_t size = elements(buffer.extents, rows);
      float* place = nullptr;
      switch (buffer.kind) {
        case Buffer::Kind::scratch:
          place = scratch_memory->data() + starts[b];
          break;
        case Buffer::Kind::part:  // placed below, when all other buffers have their places
          break;
        case Buffer::Kind::parameters:
          place = machine.parameters.at(static_cast<size_t>(buffer.index)) + buffer.offset;
          break;
        case Buffer::Kind::coefficients:
          place = const_cast<float*>(machine.coefficients);
          break;
        case Buffer::Kind::input:
        case Buffer::Kind::output: {
          // Two buffers of one name are one tensor.
          auto& tensors = buffer.kind == Buffer::Kind::input ? owner.inputs_ : owner.outputs_;
          const auto [entry, fresh] = tensors.try_emplace(buffer.name);
          if (fresh) entry->second = {visible_place(buffer.name, size, carried), size};
          place = entry->second.data;
          break;
        }
      }
      placed.push_back(place);
    }
    for (size_t i = 0; i < placed.size(); ++i) {
      int64_t offset = 0;
      const Buffer* buffer = &program.buffers[i];
      size_t whole = i;
      while (buffer->kind == Buffer::Kind::part) {
        offset += buffer->offset;
        whole = static_cast<size_t>(buffer->parent);
        buffer = &program.buffers[whole];
      }
      if (whole != i) placed[i] = placed[whole] + offset;
    }
  }

  /// Adds a loop to a launch. `kernel`: the loop's own, with the threads that the launch has.
  void add_loop(const Loop& loop, const DeviceKernel& kernel, BoundLaunch& bound) {
    int64_t kept = 1, reduced = 1;
    schema::LoopKernel<> parameters;
    for (size_t axis = 0; axis < loop.space.size(); ++axis) {
      const int64_t extent = loop.space[axis].length(rows);
      if (loop.space[axis].batch >= 0) parameters.rows.emplace_back(extent);
      (static_cast<int>(axis) < loop.kept ? kept : reduced) *= extent;
    }
    if (kept * reduced >= int64_t{1} << 31)
      throw Failure(
          Exit::bad_configuration,
          fmt::format("{} has 2^31 elements or more, too many for a GPU's kernel: use a smaller batch",
                      loop.name));
    for (const Access& access : loop.accesses)
      parameters.pointers.emplace_back(at(access.buffer) + access.offset);
    parameters.scalars.assign(loop.scalars.begin(), loop.scalars.end());
    parameters.sites.assign(loop.sites.begin(), loop.sites.end());
    if (!loop.sites.empty()) {
      parameters.clock.emplace(machine.device->clock());
      parameters.first.emplace(int64_t{0});
    }
    bound.launch = plan_launch(kernel, kept, reduced, machine.device->processors());
    Floats& memory = bound.memory.emplace_back();
    if (kernel.reduces()) {
      const int64_t parts = 2 * partial_sums(kernel, bound.launch, kept);  // in floats: two per double
      if (parts > 0) memory = machine.device->allocate(parts + bound.launch.blocks_x);
      parameters.log_width.emplace(bound.launch.log_width);
      parameters.partials.emplace(reinterpret_cast<double*>(memory.data()));
      parameters.counters.emplace(reinterpret_cast<uint32_t*>(memory.data() + parts));
    }
    bound.loops.push_back(&loop);
    bound.parameters.members.push_back({bound.launch.blocks_x, bound.launch.blocks_y, std::move(parameters)});
  }

  void bind_launch(const Loop& loop) {
    const DeviceKernel& kernel = image.device_kernels.at(loop.device_kernel);
    BoundLaunch& bound = launches.emplace_back();
    bound.function = machine.device->function(kernel.name);
    add_loop(loop, kernel, bound);
    order.push_back(&bound);
  }

  /// Notes which loops run in joined kernels.
  void find_joined(const Program& program) {
    if (!machine.device || !program.plan) return;
    for (const std::vector<int>& launch : program.plan->launches)
      if (launch.size() > 1) in_joined.insert(launch.begin(), launch.end());
  }

  /// Binds the launches of the plan that run several loops.
  void bind_joined(const Program& program) {
    if (!machine.device || !program.plan) return;
    const schema::LaunchPlan& plan = *program.plan;
    for (size_t launch = 0; launch < plan.launches.size(); ++launch) {
      if (plan.launches[launch].size() == 1) continue;
      const JoinedKernel& joined = image.joined_kernels.at(static_cast<size_t>(plan.joined[launch]));
      BoundLaunch& bound = launches.emplace_back();
      bound.function = machine.device->function(joined.name);
      uint64_t blocks = 0;
      for (const int instruction : plan.launches[launch]) {
        const Loop& loop = std::get<Loop>(program.instructions[static_cast<size_t>(instruction)]);
        DeviceKernel kernel = image.device_kernels.at(loop.device_kernel);
        kernel.threads = joined.threads;
        add_loop(loop, kernel, bound);
        blocks += uint64_t{bound.launch.blocks_x} * bound.launch.blocks_y;
        order[static_cast<size_t>(instruction)] = &bound;
      }
      bound.launch = {static_cast<uint32_t>(blocks), 1, joined.threads, 0};
    }
  }

  void bind(const Loop& loop) {
    if (machine.device) {
      // bind_joined binds the loops of joined kernels.
      const bool joined = in_joined.contains(static_cast<int>(order.size()));
      return joined ? order.push_back(static_cast<BoundLaunch*>(nullptr)) : bind_launch(loop);
    }
    BoundLoop& bound = loops.emplace_back();
    bound.kernel = image.kernels[loop.kernel];
    for (const Extent& extent : loop.space) bound.extents.push_back(extent.length(rows));
    int64_t kept = 1, all = 1;
    for (size_t axis = 0; axis < bound.extents.size(); ++axis) {
      all *= bound.extents[axis];
      if (static_cast<int>(axis) < loop.kept) kept *= bound.extents[axis];
    }
    for (const Access& access : loop.accesses) {
      bound.pointers.push_back(at(access.buffer) + access.offset);
      bound.strides.insert(bound.strides.end(), access.strides.begin(), access.strides.end());
    }
    const int64_t unit = std::max<int64_t>(1, elements(loop.unit, rows));
    bound.units = (kept + unit - 1) / unit;
    bound.parallel = machine.threads > 1 && bound.units > 1 && all >= parallel_elements;
    bound.arguments = {bound.pointers.data(),
                       bound.extents.data(),
                       bound.strides.data(),
                       loop.scalars.data(),
                       0,
                       0,
                       loop.sites.data(),
                       0};
    bound.loop = &loop;
    order.push_back(&bound);
  }

  /// The rows before the loop's own rows, in elements of its space.
  static int64_t elements_before(const Loop& loop, const std::vector<int64_t>& first_rows,
                                 const std::vector<int64_t>& rows) {
    if (loop.sites.empty()) return 0;
    int64_t inner = 1;
    for (size_t axis = loop.space.size(); axis-- > 0;) {
      const Extent& extent = loop.space[axis];
      if (extent.batch < 0) {
        inner *= extent.size;
        continue;
      }
      // Draws are numbered along the rows, so only axes of length 1 may come before them.
      for (size_t outer = 0; outer < axis; ++outer)
        if (loop.space[outer].length(rows) != 1)
          throw Failure(Exit::internal, loop.name + " draws along another axis than the rows");
      return first_rows.at(static_cast<size_t>(extent.batch)) * inner;
    }
    return 0;
  }

  void begin_at(const std::vector<int64_t>& first_rows) {
    for (BoundLoop& bound : loops) bound.arguments.first = elements_before(*bound.loop, first_rows, rows);
    for (BoundLaunch& bound : launches)
      for (size_t i = 0; i < bound.loops.size(); ++i)
        if (auto& first = bound.parameters.members[i].loop.first)
          first.emplace(elements_before(*bound.loops[i], first_rows, rows));
  }

  void bind(const Gemm& gemm) {
    const vae_gemm shape = {gemm.m.length(rows), gemm.n.length(rows), gemm.k.length(rows), gemm.transpose_a,
                            gemm.transpose_b};
    order.push_back(&library_calls.emplace_back(
        BoundLibraryCall{library_ops.gemm(shape, gemm.name), at(gemm.a), at(gemm.b), at(gemm.c)}));
  }

  void bind(const Convolution& convolution) {
    const vae_convolution shape = shape_of(convolution, convolution.batch.length(rows));
    order.push_back(&library_calls.emplace_back(
        BoundLibraryCall{library_ops.convolution(shape, convolution.name), at(convolution.a),
                         at(convolution.b), at(convolution.c)}));
  }

  void bind(const Gather& gather, const Program& program) {
    const Buffer& buffer = program.buffers[static_cast<size_t>(gather.buffer)];
    const int64_t count = buffer.extents.empty() ? 1 : buffer.extents.front().length(rows);
    order.push_back(
        &gathers.emplace_back(BoundGather{gather.column, gather.source, count, at(gather.buffer)}));
  }

  void bind(const SumRanks& sum, const Program& program) {
    order.push_back(
        &sums.emplace_back(BoundSum{sum.source, at(sum.from), at(sum.to),
                                    elements(program.buffers[static_cast<size_t>(sum.to)].extents, rows)}));
  }

  /// Finds the instruction after which each part of the gradients does not change any more.
  void find_gradient_parts(const Program& program) {
    std::map<int, int> players;  // by the buffer of the gradient
    for (const Instruction& instruction : program.instructions)
      if (const auto* update = std::get_if<Update>(&instruction)) players[update->gradient] = update->player;
    parts.assign(program.instructions.size(), {});
    std::map<int, size_t> last;  // by buffer: its last writer
    for (size_t i = 0; i < program.instructions.size(); ++i) {
      const auto wrote = [&](int buffer) {
        if (program.buffers[static_cast<size_t>(buffer)].kind == Buffer::Kind::part) last[buffer] = i;
      };
      if (const auto* loop = std::get_if<Loop>(&program.instructions[i]))
        for (const Access& access : loop->accesses) wrote(access.buffer);
      else if (const auto* gemm = std::get_if<Gemm>(&program.instructions[i]))
        wrote(gemm->c);
      else if (const auto* convolution = std::get_if<Convolution>(&program.instructions[i]))
        wrote(convolution->c);
    }
    for (const auto& [buffer, instruction] : last) {
      const Buffer& part = program.buffers[static_cast<size_t>(buffer)];
      const auto player = players.find(part.parent);
      if (player == players.end()) continue;
      parts[instruction].push_back(
          {player->second, at(part.parent), part.offset, part.offset + elements(part.extents, rows)});
    }
  }

  void bind(const Update& update) {
    order.push_back(&updates.emplace_back(BoundUpdate{update.player, at(update.gradient)}));
  }

  void run(BoundLoop& loop, uint64_t seed, uint64_t step) const {
    loop.arguments.seed = seed;
    loop.arguments.step = step;
    if (!loop.parallel) return loop.kernel(&loop.arguments, 0, loop.units);
#pragma omp parallel num_threads(machine.threads)
    {
      const int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
      const int64_t begin = loop.units * thread / threads, end = loop.units * (thread + 1) / threads;
      if (begin < end) loop.kernel(&loop.arguments, begin, end);
    }
  }

  /// Tells the counting device which work follows. Loops of one name are named once.
  void name_operation(const std::vector<int>& instructions) const {
    std::vector<std::string> names;
    double bytes = 0;
    for (const int instruction : instructions) {
      const Work& work = works[static_cast<size_t>(instruction)];
      if (std::ranges::count(names, work.name) == 0) names.push_back(work.name);
      bytes += work.bytes;
    }
    machine.device->begin_operation(fmt::format("{}", fmt::join(names, ", ")), bytes);
  }

  using Step =
      std::variant<BoundLoop*, BoundLaunch*, BoundLibraryCall*, BoundGather*, BoundSum*, BoundUpdate*>;

  const Image& image;
  const std::vector<int64_t> rows;
  const Machine& machine;
  LibraryOps library_ops;
  std::shared_ptr<Floats> scratch_memory;
  std::deque<Floats> visible;  // inputs and outputs
  std::vector<float*> placed;
  std::deque<BoundLoop> loops;  // deques keep elements in place: the arguments of a loop point into it
  std::deque<BoundLaunch> launches;
  std::deque<BoundLibraryCall> library_calls;
  std::deque<BoundGather> gathers;
  std::deque<BoundSum> sums;
  std::deque<BoundUpdate> updates;
  std::vector<std::vector<GradientPart>> parts;  // by instruction
  std::set<int> in_joined;                       // the instructions that are loops of joined kernels
  std::vector<Step> order;                       // by instruction
  std::vector<std::vector<int>> sequence;        // of instructions, as order_of
  std::vector<Work> works;                       // of each instruction, if the device counts
  Device::Recording recording;
};

Executor::Executor(const Image& image, const Program& program, const Machine& machine,
                   const std::vector<int64_t>& rows, const std::shared_ptr<Floats>& memory, Carried* carried)
    : program_(program), parts_(std::make_unique<Parts>(image, machine, rows)) {
  parts_->place(program, memory, carried, *this);
  parts_->find_joined(program);
  for (const Instruction& instruction : program.instructions)
    std::visit(
        [&](const auto& item) {
          using Item = std::decay_t<decltype(item)>;
          if constexpr (std::is_same_v<Item, Gather> || std::is_same_v<Item, SumRanks>)
            parts_->bind(item, program);
          else
            parts_->bind(item);
        },
        instruction);
  parts_->bind_joined(program);
  parts_->sequence = order_of(program, machine.device != nullptr);
  parts_->find_gradient_parts(program);
  if (machine.device && machine.device->counts()) parts_->works = works_of(image, program, rows);
}

Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;

void Executor::begin_at(const std::vector<int64_t>& first_rows) { parts_->begin_at(first_rows); }

int64_t Executor::scratch(const Program& program, const std::vector<int64_t>& rows, bool on_device) {
  return places_of(program, rows, on_device).total;
}

void Executor::run(uint64_t seed, uint64_t step, const Hooks& hooks) const {
  const auto all = [&] {
    for (const std::vector<int>& instructions : parts_->sequence) {
      if (!hooks.watch) {
        run(instructions, seed, step, hooks);
        continue;
      }
      const Watch::Time begin = std::chrono::steady_clock::now();
      run(instructions, seed, step, hooks);
      const Watch::Time end = std::chrono::steady_clock::now();
      for (const int instruction : instructions)
        hooks.watch->saw(*this, static_cast<size_t>(instruction), begin, end);
    }
  };
  if (Device* device = parts_->machine.device) return device->run(parts_->recording, all);
  all();
}

void Executor::run(const std::vector<int>& instructions, uint64_t seed, uint64_t step,
                   const Hooks& hooks) const {
  const Parts::Step& item = parts_->order[static_cast<size_t>(instructions.front())];
  if (!parts_->works.empty()) parts_->name_operation(instructions);
  if (auto* loop = std::get_if<BoundLoop*>(&item)) {
    parts_->run(**loop, seed, step);
  } else if (auto* launch = std::get_if<BoundLaunch*>(&item)) {
    const BoundLaunch& bound = **launch;
    Device& device = *parts_->machine.device;
    if (bound.loops.size() > 1)
      device.launch(bound.function, bound.launch, bound.parameters);
    else
      device.launch(bound.function, bound.launch, bound.parameters.members.front().loop);
  } else if (auto* call = std::get_if<BoundLibraryCall*>(&item)) {
    check(parts_->machine.library->run((*call)->op, (*call)->a, (*call)->b, (*call)->c));
  } else if (auto* gather = std::get_if<BoundGather*>(&item)) {
    hooks.gather((*gather)->column, (*gather)->source, (*gather)->rows, (*gather)->to);
  } else if (auto* sum = std::get_if<BoundSum*>(&item)) {
    if (Device* device = parts_->machine.device)
      device->copy((*sum)->to, (*sum)->from, static_cast<size_t>((*sum)->count) * sizeof(float));
    else
      std::copy_n((*sum)->from, (*sum)->count, (*sum)->to);
    if (hooks.sum_ranks) hooks.sum_ranks((*sum)->source, (*sum)->to, (*sum)->count);
  } else {
    const BoundUpdate& update = *std::get<BoundUpdate*>(item);
    if (hooks.reduce) hooks.reduce(update.player, update.gradient);
    hooks.update(update.player, update.gradient);
  }
  if (!hooks.gradient_part) return;
  for (const int instruction : instructions)
    for (const GradientPart& part : parts_->parts[static_cast<size_t>(instruction)])
      hooks.gradient_part(part.player, part.gradient, part.begin, part.end);
}

Executor::Tensor Executor::buffer(int index) const {
  return {parts_->at(index), elements(program_.buffers[static_cast<size_t>(index)].extents, parts_->rows)};
}

std::vector<Work> Executor::works() const { return works_of(parts_->image, program_, parts_->rows); }

std::string Executor::implementation(size_t instruction) const {
  auto* const* call = std::get_if<BoundLibraryCall*>(&parts_->order.at(instruction));
  return call ? parts_->machine.library->describe((*call)->op) : "";
}

Executor::Tensor Executor::named(const std::map<std::string, Tensor>& tensors,
                                 const std::string& name) const {
  const auto found = tensors.find(name);
  if (found == tensors.end())
    throw Failure(Exit::internal, fmt::format("the program {} has no tensor {}", program_.name, name));
  return found->second;
}

std::vector<int64_t> class_rows(const Program& program, const std::vector<int64_t>& source_rows,
                                int64_t others) {
  std::vector<int64_t> rows;
  for (const BatchClass& batch : program.batches)
    rows.push_back(bounded_product(
        batch.times, batch.source < 0 ? others : source_rows.at(static_cast<size_t>(batch.source))));
  return rows;
}

int start_threads(int asked, const vae_library* library) {
  const int threads = std::clamp(asked > 0 ? asked : omp_get_max_threads(), 1, most_threads());
  omp_set_dynamic(0);
  omp_set_num_threads(threads);
  if (library) library->set_threads(threads);
#if defined(__SSE__)
#pragma omp parallel num_threads(threads)
  _mm_setcsr(_mm_getcsr() | 0x8040);  // flush results to zero, read denormals as zero
#endif
  return threads;
}

}  // namespace core
