#include "compiler/lsp/descriptions.h"

#include "compiler/semantics/data/data_functions.h"
#include "compiler/semantics/expressions/evaluation.h"
#include "compiler/semantics/graph/elementwise.h"

namespace lsp {
namespace {

using Sentences = std::map<std::string_view, std::string_view>;

Sentences with_elementwise_functions(Sentences table) {
  for (const semantics::Elementwise& operation : semantics::elementwise_operations())
    if (!operation.sentence.empty()) table[operation.notation.name] = operation.sentence;
  for (const semantics::Composed& function : semantics::composed_functions())
    table[function.name] = function.sentence;
  return table;
}

const Sentences& of_functions() {
  static const Sentences table = with_elementwise_functions({
      {"dense", "Linear layer with `n` outputs; flattens its input. Each call has its own parameters."},
      {"conv", "Convolution of `[channels, height, width]`. Each call has its own parameters."},
      {"deconv", "Transposed convolution of `[channels, height, width]`. Each call has its own parameters."},
      {"embedding", "A vector of `n` learned numbers for each class of a one-hot tensor."},
      {"layer_norm",
       "Normalizes the elements of a row to mean 0 and variance 1, then scales and shifts them."},
      {"group_norm", "Normalizes groups of channels, then scales and shifts them."},
      {"parameter", "Free parameters of this shape; `[]` is a scalar."},
      {"softmax", "Exponentials with sum 1 along an axis (default 0)."},
      {"logsumexp", "Logarithm of the sum of exponentials along an axis (default 0)."},
      {"concat", "The tensors behind one another along an axis (default 0)."},
      {"sum", "Sum over an axis, or over all; never over the batch."},
      {"mean", "Mean over an axis, or over all; never over the batch."},
      {"reshape", "The same elements in another shape."},
      {"flatten", "The same elements as a vector."},
      {"transpose", "The axes in another order."},
      {"avg_pool", "Means of squares of `k` by `k`."},
      {"max_pool", "Largest values of squares of `k` by `k`."},
      {"upsample", "Each pixel repeated `k` by `k` times."},
      {"stop", "The value, through which no gradient flows."},
      {"scan",
       "All states of a net `cell(state, x)` over the first axis of `xs`, stacked; one set of parameters."},
      {"len", "Length of a list, or of a tensor's first axis."},
      {"list", "The value if it is a list, else the list of it."},
      {"div", "Quotient of two integers, rounded down."},
      {"range", "The integers from the first to before the second."},
      {"deviance", "`x log(x / mean) + mean - x`, accurate where `x` is near the mean."},
      {"stirling", "`lgamma(x + 1) - x log(x) + x`, accurate for large `x`."},
      {"onehot", "The one-hot vector of a class."},
      {"argmax", "The class of the largest value."},
      {"uniform", "Draws from the uniform distribution on (0, 1)."},
      {"normal", "Draws from the standard normal distribution."},
      {"gumbel", "Draws from the standard Gumbel distribution."},
      {"gamma", "Draws from a gamma distribution of rate 1."},
      {"beta", "Draws from a beta distribution."},
      {"poisson", "Draws from a Poisson distribution."},
      {"binomial", "Draws from a binomial distribution."},
      {"von_mises", "Draws from a von Mises distribution."},
      {"mnist", "MNIST: columns `image` (28 by 28, values in [0, 1]) and `label`."},
      {"fashion_mnist", "Fashion-MNIST: columns `image` and `label`."},
      {"kmnist", "Kuzushiji-MNIST: columns `image` and `label`."},
      {"cifar10", "CIFAR-10: columns `image` (3 by 32 by 32) and `label`."},
      {"idx", "An IDX file."},
      {"npy", "An array of a .npy file; its first axis counts rows."},
      {"npz", "One array of a .npz file."},
      {"csv", "A CSV file with named columns; an empty cell is a missing value."},
      {"sqlite", "The rows of a query on an SQLite database."},
      {"images", "The PNG and JPEG images of a folder; `label` from its subfolders."},
      {"safetensors", "One tensor of a .safetensors file."},
      {"hdf5", "One data set of an HDF5 file."},
      {"glyphs", "28 by 28 digits drawn from strokes: columns `image`, `label` and `mask`."},
      {"moebius", "Synthetic: sources `s` mixed by a Möbius map into `x`."},
      {"mlp_mixing", "Synthetic: sources `s` mixed by a random network into `x`."},
      {"figure8", "Synthetic: points `x` near a figure of eight, with the factor `z`."},
      {"circle", "Synthetic: points `x` near a circle, with the factor `z`."},
      {"absolute", "Synthetic: points `x` near the graph of an absolute value, with the factor `z`."},
      {"clusters", "Synthetic: points `x` in clusters, with the factor `z`."},
      {"spiral_dots", "Synthetic: points `x` on a spiral, with the factor `z`."},
      {"semi_circles", "Synthetic: points `x` on two half circles, with the factors `z` and `y`."},
      {"run", "Rows drawn from another trained model: its file, and a run of it."},
      {"peer", "Rows that the program of another site publishes; `--peer NAME=FOLDER` says where they are."},
      {"shuffle", "The rows of a table in random order, the same for the same seed."},
      {"per_class", "`n` rows of each class of a table."},
      {"without", "The rows of a table that another one does not have."},
      {"normalize", "Columns with mean 0 and variance 1, by the table's own statistics or those of `by`."},
      {"windows", "All stretches of `length` rows as rows."},
      {"missing", "1 where a value is missing, else 0."},
      {"flip", "Fresh noise: each bit flipped with probability `p`."},
      {"binarize", "Fresh noise: each element 1 with probability `p`, else 0."},
      {"jitter", "Fresh noise: Gaussian noise of standard deviation `std` added."},
  });
  return table;
}

const Sentences& of_keys() {
  static const Sentences table = {
      {"steps", "Number of updates; required."},
      {"batch", "Rows drawn from every source for an update (default 128); a map gives it per source."},
      {"optimizer", "An optimizer, such as `adam(1e-3)`, or `none`; a map gives it per player."},
      {"schedule", "Learning-rate schedule: `constant`, `cosine(warmup)` or `step(every, factor)`."},
      {"clip", "Largest norm of a player's gradient."},
      {"seed", "Random seed (default 0)."},
      {"order", "`alternating` (default): players update one after the other; or `simultaneous`."},
      {"precision", "Arithmetic of training: `fp32` (default), `tf32` or `bf16`."},
      {"sources", "The sources to learn from, in place of all with a weight above 0."},
      {"start", "A run whose parameters training begins with."},
      {"every", "How often to log, sample, checkpoint and evaluate, in steps."},
      {"average", "Decay of an exponential moving average of all parameters, such as 0.999."},
      {"weight", "Weights of sources that replace their own; each may follow a schedule."},
      {"evaluate", "The metrics that are measured on held-out rows while training."},
      {"stop", "`early(METRIC, patience)`: ends training when the metric no longer improves."},
      {"keep", "Number of checkpoints that are kept."},
      {"enumerate", "Discrete variables that are summed over in place of drawing them."},
      {"enumerate_limit", "Largest number of terms of such a sum (default 4096)."},
      {"estimator",
       "Gradient estimator: `reparam`, `zgr`, `st`, `gumbel(temperature)`, `score` or `enumerate`."},
      {"beta", "Weight of the divergence in the bound (default 1); may follow a schedule."},
      {"alpha", "Weight of the log-probability that encoders give to known targets (default 0)."},
      {"free_bits", "Divergence per variable, in nats, below which nothing is gained (default 0)."},
      {"samples", "Draws of the latent variables for each row."},
      {"analytic_kl", "Whether divergences are computed in closed form where there is one."},
      {"epsilon", "LiBI: nats by which the log-likelihood may fall below its best value."},
      {"dual_rate", "LiBI: step size of the multiplier."},
      {"fit_steps", "LiBI: steps of the first phase; shares of `steps` if that is given."},
      {"constrain_steps", "LiBI: steps of the second phase; shares of `steps` if that is given."},
      {"refit_steps", "LiBI: steps of the third phase; shares of `steps` if that is given."},
  };
  return table;
}

const Sentences& of_methods() {
  static const Sentences table = {
      {"symmetric", "Symmetric equilibrium learning: each player maximizes its own utility."},
      {"elbo", "The evidence lower bound of decoder and encoder, jointly."},
      {"iwae", "The importance-weighted bound."},
      {"rws", "Reweighted wake-sleep."},
      {"libi",
       "Likelihood before inference: the likelihood is maximized under a bound on the inference gap."},
      {"supervised", "The log-likelihood of rows that give all variables."},
  };
  return table;
}

const Sentences& of_domains() {
  static const Sentences table = {
      {"binary", "0 or 1."},
      {"category", "One of K classes; in expressions one-hot, class axis first."},
      {"count", "0, 1, 2, and so on."},
      {"real", "Real numbers."},
      {"positive", "Numbers above 0."},
      {"unit", "Numbers between 0 and 1."},
      {"angle", "Angles in (-π, π]."},
      {"simplex", "K positive numbers with sum 1, class axis first."},
  };
  return table;
}

const Sentences& of_properties() {
  static const Sentences table = {
      {"statistic", "The sufficient statistic, a value or a tuple."},
      {"natural", "The natural parameters, one for each part of the statistic."},
      {"log_partition", "The log-partition function: the logarithm of the normalizing constant."},
      {"log_base", "The logarithm of the base measure (default 0); may depend on the variable."},
      {"expected", "The expectation of the variable, where it is no part of the statistic."},
      {"log_density", "The log-density in another form, for terms that cancel in 32-bit arithmetic."},
      {"sample", "A draw of the variable, made of `uniform()`, `normal()` and the like."},
  };
  return table;
}

const Sentences* table_of(SymbolKind kind) {
  switch (kind) {
    case SymbolKind::function:
      return &of_functions();
    case SymbolKind::key:
      return &of_keys();
    case SymbolKind::method:
      return &of_methods();
    case SymbolKind::domain:
      return &of_domains();
    case SymbolKind::property:
      return &of_properties();
    default:
      return nullptr;
  }
}

}  // namespace

std::string_view description(SymbolKind kind, std::string_view name) {
  const Sentences* table = table_of(kind);
  if (!table) return {};
  const auto found = table->find(name);
  return found == table->end() ? std::string_view() : found->second;
}

std::string signature_text(const std::string& function) {
  std::string list;
  const auto add = [&](const std::string& name, const char* after) {
    list += (list.empty() ? "" : ", ") + name + after;
  };
  if (const semantics::Builtin* builtin = semantics::find_builtin(function)) {
    for (const auto& parameter : semantics::signature_of(*builtin).parameters)
      add(parameter.name, parameter.optional ? " = ..." : parameter.variadic ? ", ..." : "");
  } else if (const semantics::DataFunction* reader = semantics::find_data_function(function)) {
    for (const auto& argument : reader->arguments) add(argument.name, argument.required ? "" : " = ...");
  } else if (const auto operation = semantics::data_elementwise(function)) {
    add("x", "");
  }
  return function + "(" + list + ")";
}

}  // namespace lsp
