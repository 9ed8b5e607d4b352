#include "compiler/tensor/build/estimators.h"

#include "compiler/tensor/build/source_rows.h"

namespace tensor {
namespace {
using semantics::Conditional;
using semantics::DomainKind;

constexpr double least_probability = 1e-7;

struct Drawer {
  Program& program;
  Translator& rows;
  Emit e = Emit(program);

  ValueId stop(ValueId a) { return e.pointwise(Op::stop, a); }
  /// Its value is 0; its gradient is that of `a`.
  ValueId gradient_of(ValueId a) { return e.subtract(a, stop(a)); }
  ValueId where(ValueId condition, ValueId a, ValueId b) { return e.pointwise(Op::where, {condition, a, b}); }
  ValueId is_one(ValueId x) { return e.pointwise(Op::greater, x, 0.5); }
  /// Reduces over the classes (axis 1) and stretches the result back to the shape of `a`.
  ValueId over_classes(Op op, ValueId a) {
    const Shape shape = e.shape(a);
    std::vector<int64_t> map;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      if (axis != 1) map.push_back(static_cast<int64_t>(axis));
    return e.broadcast(e.reduce(op, a, {1}), shape, map);
  }

  // J = 1 / (2 P(x)) by the probability. By the logit this is (x (1 - p) + (1 - x) p) / 2 (DARN with baseline
  // 1/2).
  ValueId zgr_binary(ValueId x, ValueId p) {
    const ValueId of_x = stop(where(is_one(x), p, e.pointwise(Op::subtract, 1.0, p)));
    return e.add(x, e.multiply(e.pointwise(Op::divide, 0.5, of_x), gradient_of(p)));
  }

  // J = (diag p - p p' + (x - p)(x - p)') / 2 by the logits, where (x - p)' d logits = d log P(x).
  ValueId zgr_category(ValueId x, ValueId p) {
    const ValueId dp = gradient_of(p), fixed = stop(p);
    // A class that was not drawn may have probability 0, so the code never divides by the probability of such
    // a class.
    const ValueId of_x = stop(where(is_one(x), p, e.constant(1, e.shape(x))));
    const ValueId score = over_classes(Op::sum, e.multiply(x, e.divide(dp, of_x)));
    const ValueId twice = e.add(dp, e.multiply(e.subtract(x, fixed), score));
    return e.add(x, e.pointwise(Op::multiply, twice, 0.5));
  }

  ValueId clamped(ValueId p) {
    return e.pointwise(Op::maximum, e.pointwise(Op::minimum, p, 1 - least_probability), least_probability);
  }

  // sigmoid((logit + logistic noise) / temperature).
  ValueId gumbel_binary(ValueId p, double temperature) {
    auto logit = [&](ValueId q) {
      return e.subtract(e.pointwise(Op::log, q), e.pointwise(Op::log1p, e.negate(q)));
    };
    const ValueId noise = logit(rows.draw(Op::uniform, e.shape(p)));
    const ValueId cold = e.pointwise(Op::multiply, e.add(logit(clamped(p)), noise), 1 / temperature);
    return e.pointwise(Op::sigmoid, cold);
  }

  // softmax((log p + gumbel noise) / temperature) over the classes.
  ValueId gumbel_category(ValueId p, double temperature) {
    const ValueId noise = rows.draw(Op::gumbel, e.shape(p));
    const ValueId noisy = e.add(e.pointwise(Op::log, clamped(p)), noise);
    const ValueId cold = e.pointwise(Op::multiply, noisy, 1 / temperature);
    const ValueId exps = e.pointwise(Op::exp, e.subtract(cold, stop(over_classes(Op::max, cold))));
    return e.divide(exps, over_classes(Op::sum, exps));
  }
};

}  // namespace

ValueId draw_latent(const semantics::Model& model, const Conditional& latent, const Estimator& estimator,
                    Program& program, Translator& rows) {
  if (estimator.kind == "reparam") {
    const ValueId drawn = rows.evaluate_rows(latent.sample);
    name_draw(model, latent, program, drawn);
    return drawn;
  }
  if (estimator.kind == "score") return drawn_constant(model, latent, program, rows);
  Drawer drawer{program, rows};
  const bool binary = model[latent.target].domain.kind == DomainKind::binary;
  const ValueId p = rows.evaluate_rows(latent.mean);
  if (estimator.kind == "gumbel")
    return binary ? drawer.gumbel_binary(p, estimator.temperature)
                  : drawer.gumbel_category(p, estimator.temperature);
  const ValueId x = drawn_constant(model, latent, program, rows);
  if (estimator.kind == "st") return drawer.e.add(x, drawer.gradient_of(p));
  return binary ? drawer.zgr_binary(x, p) : drawer.zgr_category(x, p);
}

}  // namespace tensor
