// links: tensor
// Whole learning steps. The fused and planned kernel program computes what the program says as it was built,
// and the gradient equals finite differences of the forward program.
#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/tensor/build/build_step.h"
#include "compiler/tensor/build/translate.h"
#include "compiler/tensor/passes.h"
#include "tests/numeric/support/before_fuse.h"
#include "tests/numeric/support/tensor_models.h"

namespace {
using namespace tensor_models;

void expect_close(const tensor::Numbers& a, const tensor::Numbers& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 1e-9 * (1 + std::abs(a[i]))) << what << " at " << i;
}

/// The sum of seed times log-density over the terms of `player`: the function that the player's gradient
/// belongs to.
double objective(const tensor::Program& built, int player, const tensor::Inputs& inputs) {
  std::vector<tensor::Numbers> values;
  tensor::interpret(built, inputs, &values);
  double sum = 0;
  for (const tensor::PlayerUpdate& update : built.updates) {
    if (update.player != player) continue;
    for (const tensor::Term& term : update.terms) {
      const auto& density = values[static_cast<size_t>(term.value.index)];
      const auto& seed = values[static_cast<size_t>(term.seed.index)];
      for (size_t i = 0; i < density.size(); ++i) sum += density[i] * seed[i];
    }
  }
  return sum;
}

void expect_schedule_agrees(const ModelMaker& maker, bool simultaneous) {
  const auto phases = tensor_models::phase_programs(maker.model, maker.game, maker.learn(), simultaneous);
  const tensor::Inputs inputs = random_inputs(maker.model, phases, 3);
  for (const tensor::Program& phase : phases) {
    const tensor::Program program = programs::before_fuse(phase);
    const tensor::KernelProgram kernel_program = tensor::make_kernel_program(phase);
    const tensor::Results slow = tensor::interpret(program, inputs),
                          fast = tensor::interpret(kernel_program, inputs);
    const tensor::Results forward = tensor::interpret(phase, inputs);
    ASSERT_EQ(forward.outputs.size(), fast.outputs.size());
    for (const auto& [name, numbers] : forward.outputs) {
      expect_close(numbers, slow.outputs.at(name), phase.name + " passes " + name);
      expect_close(numbers, fast.outputs.at(name),
                   phase.name + " " + name + "\n" + tensor::print(kernel_program));
    }
    ASSERT_EQ(slow.gradients.size(), phase.updates.size());
    for (const auto& [player, numbers] : slow.gradients)
      expect_close(numbers, fast.gradients.at(player),
                   phase.name + " gradient\n" + tensor::print(kernel_program));
  }
}

/// Finite differences are right only if the draws do not change. So only the parameters of the terms' player
/// are changed, and only in phases that draw nothing from this player.
void expect_gradient_of(const ModelMaker& maker, int player) {
  for (const tensor::Program& phase :
       tensor_models::phase_programs(maker.model, maker.game, maker.learn(), false)) {
    if (phase.updates.at(0).player != player) continue;
    tensor::Inputs inputs = random_inputs(maker.model, {phase}, 3);
    const tensor::Results results = tensor::interpret(programs::before_fuse(phase), inputs);
    const tensor::Numbers& gradient = results.gradients.at(player);
    int checked = 0;
    for (const tensor::ParameterPlace& place : phase.parameters) {
      if (place.player != player) continue;
      int64_t length = 1;
      for (int64_t n : place.shape) length *= n;
      for (int64_t i = 0; i < length; i += std::max<int64_t>(1, length / 5)) {
        const auto at = static_cast<size_t>(place.offset + i);
        double& parameter = inputs.parameters[static_cast<size_t>(player)][at];
        const double kept = parameter, step = 1e-5;
        parameter = kept + step;
        const double above = objective(phase, player, inputs);
        parameter = kept - step;
        const double below = objective(phase, player, inputs);
        parameter = kept;
        ASSERT_NEAR(gradient[at], (above - below) / (2 * step), 1e-6 * (1 + std::abs(gradient[at]))) << at;
        ++checked;
      }
    }
    EXPECT_GT(checked, 0);
  }
}

ModelMaker convolutional() {
  auto decoder = [](ModelMaker& m, int p, NodeId z) {
    NodeId h = m.node(Op::reshape, {z}, {6, 1, 1});
    h = m.pointwise(Op::tanh, m.deconv(p, h, 5, 3));     // [5, 3, 3]: computed as a flat product
    h = m.pointwise(Op::tanh, m.deconv(p, h, 4, 3, 2));  // [4, 7, 7]
    h = m.pointwise(Op::relu, m.deconv(p, h, 3, 2));     // [3, 8, 8]
    return m.conv(p, h, 1, 3, 1, 1);                     // [1, 8, 8]
  };
  auto encoder = [](ModelMaker& m, int q, NodeId x) {
    NodeId h = m.node(Op::reshape, {x}, {1, 8, 8});
    h = m.pointwise(Op::tanh, m.conv(q, h, 3, 3, 1, 1));  // [3, 8, 8]
    h = m.pointwise(Op::tanh, m.conv(q, h, 4, 2, 2));     // [4, 4, 4]
    h = m.pointwise(Op::tanh, m.conv(q, h, 5, 4));        // [5, 1, 1]: computed as a flat product
    return m.dense(q, h, 6);
  };
  return two_players({8, 8}, {6}, decoder, encoder);
}

/// A convolution whose result is flattened for a dense layer: channels last meets channel, height, width.
ModelMaker flattened_trunk() {
  auto decoder = [](ModelMaker& m, int p, NodeId z) { return m.dense(p, z, 2 * 36); };
  auto encoder = [](ModelMaker& m, int q, NodeId x) {
    NodeId h = m.pointwise(Op::tanh, m.conv(q, x, 3, 3));  // [3, 4, 4]
    return m.dense(q, h, 5);
  };
  return two_players({2, 6, 6}, {5}, decoder, encoder);
}

/// The ladder: q(z1 | z0, x) adds the encoder's score to the decoder's logits f01(z0).
struct Ladder {
  ModelMaker maker;
  int p, q;
};
Ladder ladder(bool reverse) {
  Ladder l;
  ModelMaker& m = l.maker;
  const VariableId x = m.variable("x", {6, 6}), z0 = m.variable("z0", {4}), z1 = m.variable("z1", {7});
  l.p = m.player("p"), l.q = m.player("q");
  const NodeId top = m.value_of(z0);
  const NodeId f01 = m.pointwise(Op::add, m.dense(l.p, m.pointwise(Op::tanh, m.dense(l.p, top, 9)), 7),
                                 m.dense(l.p, top, 7, false));
  const auto pz0 = m.bernoulli(-1, z0, {}, m.constant(0, {4}));
  const auto pz1 = m.bernoulli(l.p, z1, {z0}, f01);
  const auto px =
      m.bernoulli(l.p, x, {z1}, m.dense(l.p, m.pointwise(Op::tanh, m.dense(l.p, m.value_of(z1), 8)), 36));
  const NodeId trunk = m.pointwise(Op::tanh, m.dense(l.q, m.value_of(x), 10));
  const NodeId s1 = m.dense(l.q, trunk, 7);
  const NodeId s0 = m.pointwise(Op::add, m.dense(l.q, trunk, 4), m.dense(l.q, s1, 4, false));
  semantics::ConditionalId qz0, qz1;
  if (reverse) {
    qz1 = m.bernoulli(l.q, z1, {x}, s1);
    qz0 = m.bernoulli(l.q, z0, {z1}, m.dense(l.q, m.value_of(z1), 4));
  } else {
    qz0 = m.bernoulli(l.q, z0, {x}, s0);
    qz1 = m.bernoulli(l.q, z1, {z0, x}, m.pointwise(Op::add, f01, s1));
  }
  const int images = m.source("images", {x}, {}), generated = m.source("generated", {}, {});
  m.completes(images, reverse ? qz1 : qz0);
  m.completes(images, reverse ? qz0 : qz1);
  m.term(images, pz1);
  m.term(images, px);
  m.completes(generated, pz0);
  m.completes(generated, pz1);
  m.completes(generated, px);
  m.term(generated, qz0);
  m.term(generated, qz1);
  return l;
}

/// Features that the other models do not use: several channels observed and convolved, a concatenation,
/// slices, a reduction inside a net, a parameter shared by all elements, a sample that changes with its
/// parameters.
ModelMaker continuous() {
  ModelMaker m;
  const VariableId x = m.variable("x", {3, 6, 6}, semantics::DomainKind::real), c = m.variable("c", {4}),
                   z = m.variable("z", {5}, semantics::DomainKind::real);
  const int p = m.player("p"), q = m.player("q");
  const NodeId code = m.node(Op::concat, {m.value_of(z), m.value_of(c)}, {9}, {0});
  const NodeId image =
      m.node(Op::reshape, {m.dense(p, m.pointwise(Op::tanh, m.dense(p, code, 7)), 108)}, {3, 6, 6});
  const auto px = m.normal(p, x, {z, c}, image, m.parameter(p, {}));
  const NodeId h = m.pointwise(Op::relu, m.conv(q, m.value_of(x), 2, 3));  // [2, 4, 4]
  std::vector<NodeId> corners;
  for (int64_t i : {0, 2}) corners.push_back(m.node(Op::slice, {h}, {2, 2, 2}, {0, 2, i, i + 2, 1, 3}));
  const NodeId pooled = m.pointwise(Op::maximum, corners[0], corners[1]);
  const NodeId centred = m.pointwise(
      Op::subtract, pooled,
      m.node(Op::broadcast, {m.node(Op::reshape, {m.node(Op::max, {pooled}, {2}, {1, 2})}, {2, 1, 1})},
             {2, 2, 2}));
  const NodeId features = m.node(Op::concat, {m.node(Op::reshape, {centred}, {8}), m.value_of(c)}, {12}, {0});
  const auto qz = m.normal(q, z, {x, c}, m.dense(q, features, 5), m.parameter(q, {}));
  const auto pz = m.normal(-1, z, {}, m.constant(0, {5}), m.constant(0));
  const int pairs = m.source("pairs", {x, c}, {}), codes = m.source("codes", {c}, {});
  m.completes(pairs, qz);
  m.term(pairs, px);
  m.completes(codes, pz);
  m.completes(codes, px);
  m.term(codes, qz);
  return m;
}

TEST(TensorStep, ScheduleOfContinuousModelsAgreesWithTheProgram) {
  expect_schedule_agrees(continuous(), false);
  expect_schedule_agrees(continuous(), true);
}
TEST(TensorStep, ScheduleOfDenseModelsAgreesWithTheProgram) {
  expect_schedule_agrees(digits(5, 9, 7), false);
  expect_schedule_agrees(digits(5, 9, 7), true);
}
TEST(TensorStep, ScheduleOfConvolutionalModelsAgreesWithTheProgram) {
  expect_schedule_agrees(convolutional(), false);
  expect_schedule_agrees(convolutional(), true);
}
TEST(TensorStep, ScheduleOfFlattenedTrunkAgreesWithTheProgram) {
  expect_schedule_agrees(flattened_trunk(), false);
}
TEST(TensorStep, ScheduleOfLaddersAgreesWithTheProgram) {
  for (bool reverse : {false, true}) {
    expect_schedule_agrees(ladder(reverse).maker, false);
    expect_schedule_agrees(ladder(reverse).maker, true);
  }
}

TEST(TensorStep, GradientIsThatOfTheForwardProgram) {
  for (int player : {0, 1}) {
    expect_gradient_of(digits(4, 6, 5), player);
    expect_gradient_of(convolutional(), player);
    expect_gradient_of(flattened_trunk(), player);
    expect_gradient_of(continuous(), player);
    expect_gradient_of(ladder(false).maker, player);
    expect_gradient_of(ladder(true).maker, player);
  }
}

// The ladder: q's utility reads p's logits, but no gradient of it reaches p's parameters. The same holds for
// p's utility.
TEST(TensorStep, LadderTrainsOnlyTheOwnersParameters) {
  const Ladder l = ladder(false);
  const auto phases = tensor_models::phase_programs(l.maker.model, l.maker.game, l.maker.learn(), true);
  ASSERT_EQ(phases.size(), 1u);
  ASSERT_EQ(phases[0].updates.size(), 2u);
  const tensor::Program program = programs::before_fuse(phases[0]);
  for (const tensor::PlayerUpdate& update : program.updates) {
    EXPECT_EQ(update.gradients.size(),
              l.maker.model.players[static_cast<size_t>(update.player)].parameters.size());
    for (const tensor::Gradient& gradient : update.gradients)
      EXPECT_EQ(program.parameters[static_cast<size_t>(gradient.parameter.index)].player, update.player);
  }
  // No gradient passes through p's logits either: q's phase multiplies no adjoint with a weight of p.
  for (const tensor::Program& phase :
       tensor_models::phase_programs(l.maker.model, l.maker.game, l.maker.learn(), false)) {
    if (phase.updates[0].player != l.q) continue;
    const tensor::Program one = programs::before_fuse(phase);
    for (const tensor::Value& value : one.values) {
      if (value.op != tensor::Op::dense_data) continue;
      const tensor::Value& weights = one[value.inputs[1]];
      ASSERT_EQ(weights.op, tensor::Op::parameter);
      EXPECT_EQ(one.parameters[static_cast<size_t>(weights.index)].player, l.q);
    }
  }
}

TEST(TensorStep, TextReadsBackIn) {
  for (const ModelMaker& maker : {digits(5, 9, 7), convolutional(), ladder(false).maker}) {
    for (const tensor::Program& phase :
         tensor_models::phase_programs(maker.model, maker.game, maker.learn(), true)) {
      for (const tensor::Program& program : {phase, programs::before_fuse(phase)}) {
        const std::string text = tensor::print(program);
        const tensor::Program again = tensor::parse(text);
        EXPECT_EQ(tensor::print(again), text);
        EXPECT_EQ(tensor::verify(again), std::nullopt);
      }
    }
  }
}

TEST(TensorStep, RandomDrawsHaveSitesOfTheirOwn) {
  const ModelMaker maker = digits(5, 9, 7);
  std::vector<uint32_t> sites;
  for (const tensor::Program& phase :
       tensor_models::phase_programs(maker.model, maker.game, maker.learn(), false)) {
    for (const tensor::Value& value : phase.values) {
      if (tensor::info(value.op).group == semantics::OpGroup::random) sites.push_back(value.site);
    }
  }
  EXPECT_EQ(sites.size(), 3u);  // p: z ~ q; q: z ~ codes, x ~ p
  std::ranges::sort(sites);
  EXPECT_EQ(std::ranges::adjacent_find(sites), sites.end());
}

struct Counts {
  int loops = 0, products = 0, convolutions = 0, gathers = 0, updates = 0;
};
Counts counts_of(const tensor::KernelProgram& kernel_program) {
  Counts counts;
  for (const tensor::Instruction& instruction : kernel_program.instructions) {
    const auto* loop = std::get_if<tensor::Loop>(&instruction);
    counts.loops += loop != nullptr && loop->name != "clear gap" ? 1 : 0;
    counts.products += std::holds_alternative<tensor::Gemm>(instruction) ? 1 : 0;
    counts.convolutions += std::holds_alternative<tensor::Convolution>(instruction) ? 1 : 0;
    counts.gathers += std::holds_alternative<tensor::Gather>(instruction) ? 1 : 0;
    counts.updates += std::holds_alternative<tensor::Update>(instruction) ? 1 : 0;
  }
  return counts;
}

// Activations stay channels last from one convolution to the next. One loop computes a bias and its
// activation, another one their adjoint with the sums of the bias. No loop only moves elements.
TEST(TensorStep, ConvolutionsTakeOneLoopEachWay) {
  const ModelMaker maker = convolutional();
  const auto phases = tensor_models::phase_programs(maker.model, maker.game, maker.learn(), false);
  const Counts counts = counts_of(tensor::make_kernel_program(phases.at(0)));
  EXPECT_EQ(counts.convolutions, 2 + 3 + 3 + 3);  // sampling; forward; data adjoints; weight adjoints
  EXPECT_EQ(counts.products, 2 + 1 + 1);          // q's last two layers; p's first, forward and weights
  // The image; q's activations (4, the last one draws); p's activations (3); the log-density; its sum over
  // rows; and for each of p's four layers the adjoint with its row sums (for the last layer in the
  // log-density) and the sum of these.
  EXPECT_LE(counts.loops, 1 + 4 + 3 + 2 + 3 + 4 + 1);
}

struct Memory {
  int64_t taken, least, apart;  // as laid out; largest total live size at one time; without sharing
};

/// With 100 rows.
Memory memory_of(const tensor::KernelProgram& kernel_program) {
  std::vector<int64_t> sizes(kernel_program.slots.size());
  int64_t apart = 0;
  for (const tensor::Buffer& buffer : kernel_program.buffers) {
    if (buffer.kind != tensor::Buffer::Kind::scratch) continue;
    int64_t elements = 1;
    for (const tensor::Extent& extent : buffer.extents) elements *= extent.batch < 0 ? extent.size : 100;
    sizes[static_cast<size_t>(buffer.slot)] = elements;
    apart += elements;
  }
  int64_t least = 0;  // largest total size of the buffers that are live at one time
  for (int at = 0; at < static_cast<int>(kernel_program.instructions.size()); ++at) {
    int64_t living = 0;
    for (size_t slot = 0; slot < sizes.size(); ++slot)
      living +=
          kernel_program.slots[slot].first <= at && at <= kernel_program.slots[slot].last ? sizes[slot] : 0;
    least = std::max(least, living);
  }
  return {lay_out(kernel_program.slots, sizes).total, least, apart};
}

// The step of examples/digits: no phase needs more kernels than necessary.
TEST(TensorStep, DigitsTakesFewKernels) {
  const ModelMaker maker = digits();
  for (const tensor::Program& phase :
       tensor_models::phase_programs(maker.model, maker.game, maker.learn(), false)) {
    const tensor::KernelProgram kernel_program = tensor::make_kernel_program(phase);
    const auto [loops, products, convolutions, gathers, updates] = counts_of(kernel_program);
    EXPECT_EQ(convolutions, 0);
    // Two layers to sample, two forward, two weight adjoints, one data adjoint.
    EXPECT_EQ(products, 7) << tensor::print(kernel_program);
    EXPECT_EQ(updates, 1);
    const bool decoder = phase.updates[0].player == 0;
    EXPECT_EQ(gathers, decoder ? 1 : 0);
    // The draw of the source, three activations, a draw, the log-density with its gradient, its sum over
    // rows, and two bias sums, of which one is joined with the adjoint of the hidden layer.
    EXPECT_LE(loops, 8) << tensor::print(kernel_program);
    const Memory memory = memory_of(kernel_program);
    EXPECT_GE(memory.taken, memory.least);
    EXPECT_LE(static_cast<double>(memory.taken), 1.05 * static_cast<double>(memory.least))
        << tensor::print(kernel_program);
    for (const tensor::Instruction& instruction : kernel_program.instructions) {
      if (const auto* loop = std::get_if<tensor::Loop>(&instruction)) {
        EXPECT_LE(loop->loads.size() + loop->stores.size(), 12u);
      }
    }
  }
}

// The gradient of Bernoulli's log-density with respect to its logits is (statistic - mean) times the row's
// weight.
TEST(TensorStep, AdjointOfALogDensityIsStatisticMinusMean) {
  const ModelMaker maker = digits(5, 9, 7);
  const tensor::Program program = programs::before_fuse(
      tensor_models::phase_programs(maker.model, maker.game, maker.learn(), false).at(0));
  int found = 0;
  for (const tensor::Value& value : program.values) {
    EXPECT_NE(value.op, tensor::Op::negate);
    if (value.op != tensor::Op::subtract || program[value.inputs[1]].op != tensor::Op::sigmoid) continue;
    EXPECT_EQ(program[value.inputs[0]].op, tensor::Op::greater);  // the image
    ++found;
  }
  EXPECT_EQ(found, 1);
}

// Parameters start at multiples of 16 floats. Gradients are parts of one array with the same layout.
TEST(TensorStep, GradientsLieAsTheirParameters) {
  const ModelMaker maker = continuous();
  const auto layout = tensor::parameter_layout(maker.model, {0});
  EXPECT_EQ(layout.offsets, (std::vector<int64_t>{0, 64, 80, 848, 960}));  // 7x9, 7, 108x7, 108, a scalar
  EXPECT_EQ(layout.elements, 976);
  const tensor::KernelProgram kernel_program = tensor::make_kernel_program(
      tensor_models::phase_programs(maker.model, maker.game, maker.learn(), false).at(0));
  const auto& update = std::get<tensor::Update>(kernel_program.instructions.back());
  std::vector<int64_t> offsets;
  for (const tensor::Buffer& buffer : kernel_program.buffers) {
    if (buffer.kind == tensor::Buffer::Kind::part && buffer.parent == update.gradient)
      offsets.push_back(buffer.offset);
  }
  EXPECT_EQ(offsets, layout.offsets);
}

TEST(TensorStep, ScratchMemoryIsShared) {
  const ModelMaker maker = convolutional();
  for (const tensor::Program& phase :
       tensor_models::phase_programs(maker.model, maker.game, maker.learn(), false)) {
    const tensor::KernelProgram kernel_program = tensor::make_kernel_program(phase);
    const Memory memory = memory_of(kernel_program);
    EXPECT_GE(memory.taken, memory.least);
    EXPECT_LE(static_cast<double>(memory.taken), 1.05 * static_cast<double>(memory.least))
        << tensor::print(kernel_program);
    EXPECT_LT(memory.taken, memory.apart / 2);
  }
}

// A `let` is evaluated again when its variable is drawn again. A value that does not depend on the variable
// is computed once.
TEST(TensorStep, BindingAVariableAnewForgetsOnlyWhatReadsIt) {
  ModelMaker m;
  const VariableId x = m.variable("x", {3}), z = m.variable("z", {3});
  const NodeId of_x = m.pointwise(Op::tanh, m.value_of(x)), of_z = m.pointwise(Op::tanh, m.value_of(z));
  const NodeId noise = m.node(Op::uniform, {}, {3});
  tensor::Program program;
  program.batches = {0};
  const tensor::ModelBasis basis(m.model);
  uint32_t site = 0;
  tensor::Translator rows(basis, program, 0, 0, site);
  tensor::Emit emit(program);
  const tensor::Shape shape = {rows.rows(), {3, -1}};
  rows.bind(x, emit.constant(1, shape));
  rows.bind(z, emit.constant(2, shape));
  const auto first_x = rows.evaluate(of_x), first_z = rows.evaluate(of_z), first_noise = rows.evaluate(noise);
  rows.bind(z, emit.constant(3, shape));
  EXPECT_EQ(rows.evaluate(of_x), first_x);
  EXPECT_NE(rows.evaluate(of_z), first_z);
  EXPECT_NE(rows.evaluate(noise), first_noise);
}

TEST(TensorStep, DrawsAndDensitiesOfConditionalsAgree) {
  const ModelMaker maker = convolutional();
  for (int32_t c = 0; c < 2; ++c) {
    for (const tensor::Program& program :
         {tensor::build_draw(maker.model, {c}), *tensor::build_mean(maker.model, {c}),
          tensor::build_log_density(maker.model, {c}), tensor::build_initial(maker.model, {c})}) {
      const tensor::Inputs inputs = random_inputs(maker.model, {program}, 4);
      const tensor::Results slow = tensor::interpret(program, inputs),
                            fast = tensor::interpret(tensor::make_kernel_program(program), inputs);
      ASSERT_EQ(slow.outputs.size(), 1u);
      for (const auto& [name, numbers] : slow.outputs) expect_close(numbers, fast.outputs.at(name), name);
    }
  }
  const tensor::Program rows = tensor::build_source_rows(maker.model, {0});
  const tensor::Inputs inputs = random_inputs(maker.model, {rows}, 4);
  expect_close(tensor::interpret(rows, inputs).outputs.at("x"),
               tensor::interpret(tensor::make_kernel_program(rows), inputs).outputs.at("x"), "x");
}

}  // namespace
