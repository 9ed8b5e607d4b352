// A trained model for other programs (runtime/model_api.h). Every call holds the model's lock, so several
// threads may share a model. No exception leaves these functions.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <optional>

#include "runtime/core/embedding/borrowed_thread.h"
#include "runtime/core/execution/rows_at_once.h"
#include "runtime/core/inference/conditioner.h"
#include "runtime/core/inference/query.h"
#include "runtime/core/machine/thread_pool.h"
#include "runtime/core/run/generation.h"
#include "runtime/core/run/trained_model.h"
#include "runtime/data/population.h"
#include "runtime/model_api.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

MachineRequest on_the_processor(int32_t threads) {
  if (threads < 0 || threads > most_threads())
    throw Failure(Exit::usage, fmt::format("{} threads: from 1 to {} are allowed here, or 0 for all cores",
                                           threads, most_threads()));
  MachineRequest request;
  request.device = "cpu";
  request.threads = threads;
  return request;
}

vae_variable description_of(const Variable& variable) {
  return {variable.name.c_str(),
          variable.domain.c_str(),
          variable.classes,
          variable.elements(),
          static_cast<int32_t>(variable.tensor_shape.size()),
          0,
          variable.tensor_shape.data(),
          nullptr};
}

}  // namespace
}  // namespace core

struct vae_model {
  vae_model(const vae_image& binary, const char* run, int32_t threads)
      : compiled(core::read_image(binary)),
        trained(compiled, run, core::on_the_processor(threads)),
        sampler(trained.session(), 0),
        step(trained.checkpoint().step) {
    for (const core::Variable& variable : image.variables)
      given_shapes.push_back(core::given_shape(variable));
    for (size_t i = 0; i < image.variables.size(); ++i) {
      variables.push_back(core::description_of(image.variables[i]));
      variables.back().given_rank = static_cast<int32_t>(given_shapes[i].size());
      variables.back().given_shape = given_shapes[i].data();
    }
  }

  core::Image compiled;
  core::TrainedModel trained;
  const core::Image& image = trained.image();
  core::Sampler sampler;
  int64_t step;
  std::vector<core::Shape> given_shapes;
  std::vector<vae_variable> variables;
  std::mutex busy;
};

namespace core {
namespace {

/// Returns a pointer of the caller, which must not be null.
template <class Value>
Value* require(Value* given, const char* what) {
  if (given == nullptr) throw Failure(Exit::usage, fmt::format("{} is NULL", what));
  return given;
}

int variable_named(const Image& image, const char* name) {
  require(name, "the name of a variable");
  const int variable = image.variable(name);
  if (variable < 0) throw Failure(Exit::usage, fmt::format("there is no variable `{}`", name));
  return variable;
}

/// Checks that an array of the caller holds `width` floats for each row.
void require_size(const std::string& what, const float* values, int64_t size, int64_t rows, int64_t width) {
  require(values, what.c_str());
  if (size / width < rows)
    throw Failure(Exit::usage, fmt::format("{}: {} rows of {} floats do not fit in an array of {}", what,
                                           rows, width, size));
}

void require_rows(int64_t rows) {
  if (rows < 1) throw Failure(Exit::usage, fmt::format("{} rows: at least one is needed", rows));
}

/// The given values as the variables' tensors, after a check against the domains.
Values values_given_to(const vae_model& model, const vae_given* given, int32_t count, int64_t rows) {
  require_rows(rows);
  if (count > 0) require(given, "given");
  Values values;
  for (int32_t i = 0; i < count; ++i) {
    const int index = variable_named(model.image, given[i].variable);
    const Variable& variable = model.image.variables[static_cast<size_t>(index)];
    const Shape& shape = model.given_shapes[static_cast<size_t>(index)];
    int64_t width = 1;
    for (const int64_t length : shape) width *= length;
    require_size(fmt::format("given `{}`", variable.name), given[i].values, given[i].size, rows, width);
    if (values.contains(index)) throw Failure(Exit::usage, fmt::format("`{}` is given twice", variable.name));
    const data::Column column =
        data::real_column(variable.name, shape, rows, {given[i].values, given[i].values + rows * width});
    const data::Population population(column,
                                      {variable.name, variable.domain, variable.classes, variable.shape});
    if (!population.missing().empty())
      throw Failure(Exit::bad_data, fmt::format("{}: a value that is given is NaN", variable.name));
    std::vector<int64_t> all(static_cast<size_t>(rows));
    for (int64_t row = 0; row < rows; ++row) all[static_cast<size_t>(row)] = row;
    std::vector<float>& tensor = values[index];
    tensor.resize(static_cast<size_t>(rows * population.row_size()));
    population.gather(all.data(), rows, tensor.data());
  }
  return values;
}

/// Calls work(first, counted rows, rows of the batch) until all rows are done. The sizes of batches are
/// powers of two, so that programs are prepared for few sizes.
template <class Work>
void in_batches(int64_t rows, const Work& work) {
  for (int64_t first = 0; first < rows; first += queried_rows_at_once) {
    const int64_t counted = std::min(queried_rows_at_once, rows - first);
    work(first, counted, static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(counted))));
  }
}

std::vector<int> targets_of(const Image& image, const vae_result* results, int32_t count, int64_t rows) {
  std::vector<int> targets;
  if (count > 0) require(results, "results");
  for (int32_t i = 0; i < count; ++i) {
    targets.push_back(variable_named(image, results[i].variable));
    const Variable& variable = image.variables[static_cast<size_t>(targets.back())];
    require_size(fmt::format("result `{}`", variable.name), results[i].values, results[i].size, rows,
                 variable.elements());
    if (std::count(targets.begin(), targets.end(), targets.back()) > 1)
      throw Failure(Exit::usage, fmt::format("the result `{}` is asked for twice", results[i].variable));
  }
  if (targets.empty()) throw Failure(Exit::usage, "no result is asked for");
  return targets;
}

void write(const Image& image, const Values& values, const std::vector<int>& targets,
           const vae_result* results, int64_t first, int64_t rows) {
  for (size_t i = 0; i < targets.size(); ++i) {
    const int64_t width = image.variables[static_cast<size_t>(targets[i])].elements();
    std::copy_n(values.at(targets[i]).begin(), rows * width, results[i].values + first * width);
  }
}

bool holds_all(const Values& values, const std::vector<int>& targets) {
  return std::all_of(targets.begin(), targets.end(), [&](int target) { return values.contains(target); });
}

void sample_into(vae_model& model, uint64_t seed, int64_t rows, const Values& given,
                 const vae_result* results, int32_t count) {
  const Image& image = model.image;
  const std::vector<int> targets = targets_of(image, results, count, rows);
  std::vector<int> generated;
  for (const int variable : generated_variables(image))
    if (std::count(targets.begin(), targets.end(), variable) > 0) generated.push_back(variable);
  std::optional<Conditioner> conditioner;
  in_batches(rows, [&](int64_t first, int64_t counted, int64_t batch) {
    // If possible, draws as the model generates. The codes behind the results are then available too.
    if (given.empty() && !generated.empty() && !conditioner) {
      const auto drawn = generate(image, model.sampler, generated, {}, batch, 0);
      if (drawn && holds_all(drawn->values, targets)) {
        write(image, drawn->values, targets, results, first, counted);
        return;
      }
    }
    if (!conditioner)
      conditioner.emplace(model.sampler, image, make_plan(image, {targets, variables_of(given), {}, {}}),
                          Effort{}, seed);
    const Evidence evidence = {some_rows(image, given, rows, first, batch), {}};
    write(image, conditioner->draw(evidence, batch), targets, results, first, counted);
  });
}

void infer_into(vae_model& model, const char* text, uint64_t seed, int64_t rows, const Values& given,
                const vae_result* results, int32_t count) {
  const Image& image = model.image;
  const Query query = parse_query(image, require(text, "query"), {}, {});
  for (const int known : query.known)
    if (std::count(query.targets.begin(), query.targets.end(), known) > 0)
      throw Failure(Exit::usage,
                    fmt::format("\"{}\": {} is on both sides of the bar", text, image.name_of(known)));
  const std::vector<int> asked = targets_of(image, results, count, rows);
  for (const int target : asked)
    if (std::count(query.targets.begin(), query.targets.end(), target) == 0)
      throw Failure(Exit::usage, fmt::format("the result `{}` does not stand before the bar of \"{}\"",
                                             image.name_of(target), text));
  if (variables_of(given) != query.known)
    throw Failure(Exit::usage, fmt::format("\"{}\": give exactly the variables behind the bar", text));
  Conditioner conditioner(model.sampler, image, make_plan(image, query), Effort{}, seed);
  in_batches(rows, [&](int64_t first, int64_t counted, int64_t batch) {
    const Evidence evidence = {some_rows(image, given, rows, first, batch), {}};
    write(image, conditioner.answer(evidence, query.targets, batch, counted).means, asked, results, first,
          counted);
  });
}

/// The index of the conditional that "p.x" names.
int conditional_named(const Image& image, const std::string& name) {
  std::vector<std::string> names;
  for (size_t i = 0; i < image.conditionals.size(); ++i) {
    const Conditional& conditional = image.conditionals[i];
    if (conditional.player < 0 || conditional.log_density < 0) continue;
    names.push_back(image.players[static_cast<size_t>(conditional.player)].name + "." +
                    image.name_of(conditional.target));
    if (names.back() == name) return static_cast<int>(i);
  }
  throw Failure(Exit::usage,
                fmt::format("there is no conditional `{}`; there are {}", name, fmt::join(names, ", ")));
}

void log_density_into(vae_model& model, const char* name, int64_t rows, const Values& given, float* values,
                      int64_t size) {
  const Image& image = model.image;
  const int index = conditional_named(image, require(name, "conditional"));
  require_size("values", values, size, rows, 1);
  const Conditional& conditional = image.conditionals[static_cast<size_t>(index)];
  std::vector<int> needed = conditional.parents;
  needed.push_back(conditional.target);
  for (const int variable : needed)
    if (!given.contains(variable))
      throw Failure(Exit::usage, fmt::format("`{}` needs the values of {}", name, image.name_of(variable)));
  in_batches(rows, [&](int64_t first, int64_t counted, int64_t batch) {
    const std::vector<float> found =
        model.sampler.log_density(index, some_rows(image, given, rows, first, batch), batch);
    std::copy_n(found.begin(), counted, values + first);
  });
}

void write_error(const std::string& text, char* error, size_t size) {
  if (error == nullptr || size == 0) return;
  const size_t length = std::min(text.size(), size - 1);
  std::memcpy(error, text.data(), length);
  error[length] = '\0';
}

/// Calls `work`. Returns the exit code with which an executable would have ended, and puts the message into
/// `error`.
template <class Work>
int32_t guarded(char* error, size_t size, const Work& work) {
  try {
    work();
    return 0;
  } catch (const Failure& failure) {
    write_error(failure.what(), error, size);
    return static_cast<int32_t>(failure.exit_code);
  } catch (const std::bad_alloc&) {
    write_error("out of memory", error, size);
    return static_cast<int32_t>(Exit::bad_configuration);
  } catch (const std::exception& failure) {
    write_error(std::string("internal error: ") + failure.what(), error, size);
    return static_cast<int32_t>(Exit::internal);
  }
}

/// Executes one call on a model: with its lock, and with the random numbers of the seed.
template <class Work>
int32_t call(vae_model* model, uint64_t seed, char* error, size_t size, const Work& work) {
  return guarded(error, size, [&] {
    const std::lock_guard lock(require(model, "model")->busy);
    const Machine& machine = model->trained.session().machine;
    const BorrowedThread thread(machine.threads, machine.library);
    model->sampler.set_seed(seed);
    model->sampler.set_step(0);
    work();
  });
}

}  // namespace
}  // namespace core

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED vae_model* vaert_model_open(const vae_image* image, const char* run, int32_t threads, char* error,
                                     size_t error_size) {
  vae_model* model = nullptr;
  core::guarded(error, error_size, [&] {
    const core::BorrowedThread thread;
    model = new vae_model(*image, core::require(run, "run"), threads);
  });
  return model;
}

EXPORTED void vaert_model_close(vae_model* model) { delete model; }
EXPORTED int64_t vaert_model_step(const vae_model* model) { return model == nullptr ? -1 : model->step; }

EXPORTED const vae_variable* vaert_model_variable(const vae_model* model, int32_t index) {
  const bool exists = model != nullptr && index >= 0 && static_cast<size_t>(index) < model->variables.size();
  return exists ? &model->variables[static_cast<size_t>(index)] : nullptr;
}

EXPORTED int32_t vaert_model_sample(vae_model* model, uint64_t seed, int64_t rows, const vae_given* given,
                                    int32_t given_count, const vae_result* results, int32_t result_count,
                                    char* error, size_t error_size) {
  return core::call(model, seed, error, error_size, [&] {
    core::sample_into(*model, seed, rows, core::values_given_to(*model, given, given_count, rows), results,
                      result_count);
  });
}

EXPORTED int32_t vaert_model_infer(vae_model* model, const char* query, uint64_t seed, int64_t rows,
                                   const vae_given* given, int32_t given_count, const vae_result* results,
                                   int32_t result_count, char* error, size_t error_size) {
  return core::call(model, seed, error, error_size, [&] {
    core::infer_into(*model, query, seed, rows, core::values_given_to(*model, given, given_count, rows),
                     results, result_count);
  });
}

EXPORTED int32_t vaert_model_log_density(vae_model* model, const char* conditional, int64_t rows,
                                         const vae_given* given, int32_t given_count, float* values,
                                         int64_t size, char* error, size_t error_size) {
  return core::call(model, 0, error, error_size, [&] {
    core::log_density_into(*model, conditional, rows, core::values_given_to(*model, given, given_count, rows),
                           values, size);
  });
}
