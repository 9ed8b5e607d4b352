// Help for names that the file does not declare: the name that this language uses for what another tool calls
// so, otherwise the nearest name.
#include "compiler/semantics/suggest.h"

#include <map>

#include "compiler/semantics/analysis.h"
#include "runtime/shared/nearest_name.h"

namespace semantics {
namespace {

/// Names in PyTorch, Pyro and Stan (in lower case, without `_`), and how the same thing is written here.
const std::map<std::string, std::string>& other_names() {
  static const std::string dense = "a linear layer is `dense(h, n)`";
  static const std::string rate = "the learning rate stands in the optimizer: `optimizer = adam(1e-3)`";
  static const std::string steps = "training is counted in updates: `steps = 20_000`";
  static const std::string batch = "the rows of an update are `batch = 128`";
  static const std::string conv = "a convolution is `conv(h, channels, kernel)`";
  static const std::string deconv = "a transposed convolution is `deconv(h, channels, kernel)`";
  static const std::string dropout =
      "there is no dropout; noise on data is `flip(x, 0.1)` or `jitter(x, 0.1)`";
  static const std::string batch_norm =
      "no function reaches over the batch; `layer_norm(h)` and `group_norm(h, groups)` normalise a row";
  static const std::string mixture =
      "a mixture has its component as a variable: `c ~ Categorical(...)`, then a conditional given c";
  static const std::string normal = "it is called `Normal(mean, log_std)`, or `Normal(mean, std = s)`";
  static const std::string categorical =
      "it is called `Categorical(logits)`, over a variable of `category(K)`";
  static const std::string real = "any number is `real`; above 0 it is `positive`, from 0 to 1 `unit`";
  static const std::string whole = "whole numbers from 0 are `count`; one of K classes is `category(K)`";
  static const std::string matmul = "a product of matrices is `a @ b`";
  static const std::string stop = "`stop(h)` lets no gradient through";
  static const std::string samples = "draws for each row are `samples = 1`";
  static const std::map<std::string, std::string> names = {
      {"linear",
       dense + "; the schedule `linear(from, to, steps)` is for weights, `beta`, `alpha` and `free_bits`"},
      {"fullyconnected", dense},
      {"fc", dense},
      {"lr", rate},
      {"learningrate", rate},
      {"epochs", steps},
      {"nepochs", steps},
      {"numepochs", steps},
      {"maxepochs", steps},
      {"iterations", steps},
      {"iters", steps},
      {"numsteps", steps},
      {"batchsize", batch},
      {"conv1d", conv},
      {"conv2d", conv},
      {"convtranspose", deconv},
      {"convtranspose2d", deconv},
      {"dropout", dropout},
      {"batchnorm", batch_norm},
      {"batchnorm1d", batch_norm},
      {"batchnorm2d", batch_norm},
      {"layernorm", "it is called `layer_norm(h)`"},
      {"groupnorm", "it is called `group_norm(h, groups)`"},
      {"mixture", mixture},
      {"mixturesamefamily", mixture},
      {"gaussian", normal},
      {"multivariatenormal", "`Normal` applies to each element of a shaped variable"},
      {"normaldiag", normal},
      {"onehotcategorical", categorical},
      {"multinomial", categorical},
      {"float", real},
      {"float32", real},
      {"continuous", real},
      {"int", whole},
      {"integer", whole},
      {"long", whole},
      {"bool", "true or false is `binary`"},
      {"bit", "0 or 1 is `binary`"},
      {"discrete", "one of K classes is `category(K)`, and any whole number from 0 is `count`"},
      {"matmul", matmul},
      {"mm", matmul},
      {"bmm", matmul},
      {"detach", stop},
      {"stopgradient", stop},
      {"nograd", stop},
      {"onehot", "a variable of `category(K)` is one-hot wherever a number is needed: write its name alone"},
      {"cat", "tensors are joined by `concat(a, b)`"},
      {"stack", "tensors are joined by `concat(a, b)`, after `reshape`"},
      {"view", "another shape of the same elements is `reshape(h, [..])`"},
      {"permute", "another order of the axes is `transpose(h, [..])`"},
      {"maxpool2d", "it is called `max_pool(h, k)`"},
      {"avgpool2d", "it is called `avg_pool(h, k)`"},
      {"maxpool", "it is called `max_pool(h, k)`"},
      {"avgpool", "it is called `avg_pool(h, k)`"},
      {"klweight", "the weight of the divergence is `beta = 1`"},
      {"numsamples", samples},
      {"numparticles", samples},
      {"weightdecay", "weights decay under `optimizer = adamw(...)`"},
      {"gradclip", "gradients are bounded by `clip = 1.0`"},
      {"clipgradnorm", "gradients are bounded by `clip = 1.0`"},
  };
  return names;
}

}  // namespace

void suggest(base::Diagnostic& diagnostic, const std::string& name,
             const std::vector<std::string>& candidates) {
  std::string plain;
  for (const char c : name)
    if (c != '_') plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  // A name of one letter matches too much.
  if (const auto other = other_names().find(plain); other != other_names().end() && plain.size() > 1) {
    diagnostic.help(other->second);
  } else if (const auto near = nearest_name(name, candidates)) {
    diagnostic.help("did you mean `" + *near + "`?");
  }
}

void suggest_among(base::Diagnostic& diagnostic, const std::string& name,
                   const std::vector<std::string>& words, const std::string& heading) {
  suggest(diagnostic, name, words);
  if (diagnostic.text_help.empty() && !words.empty()) diagnostic.help(heading + " " + listed(words));
}

}  // namespace semantics
