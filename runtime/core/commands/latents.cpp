// Shows the codes of rows of data in a plane: their first two principal components, coloured by class.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "runtime/core/commands/code_space.h"
#include "runtime/core/commands/commands.h"
#include "runtime/core/commands/plots/plot_picture.h"
#include "runtime/core/commands/values/value_files.h"
#include "runtime/core/execution/rows_at_once.h"
#include "runtime/core/run/trained_model.h"
#include "runtime/data/arrays/byte_source.h"
#include "runtime/metrics/principal_components.h"
#include "runtime/schema/json_fields.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/printable.h"

namespace core {
namespace {
using nlohmann::json;

/// The classes that colour the points; empty if there are none.
struct Classes {
  int variable = -1;
  std::vector<size_t> of_rows;
  std::vector<std::string> names;
};

class LatentPlane {
 public:
  LatentPlane(const Image& compiled, const LatentsRequest& request)
      : request_(request),
        model_(compiled, request.run, request, request.checkpoint, request.weights),
        image_(model_.image()),
        sampler_(model_.session(), request.seed),
        space_(image_, sampler_, request.code),
        source_(space_.find_source(request.source)) {
    choose_classes();
    const int64_t all = sampler_.source_rows(source_);
    rows_ = request.rows > 0 ? std::min(request.rows, all) : all;
    read_codes();
    find_components();
  }

  void write() const {
    if (request_.out.extension() == ".csv") {
      const std::string text = csv();
      data::write_file(request_.out, {text.begin(), text.end()});
    } else {
      data::write_png(request_.out, plot_picture(plot()));
    }
    const std::string& source = image_.sources[static_cast<size_t>(source_)].name;
    if (request_.json) {
      fmt::print("{}\n", schema::json_text({{"file", request_.out.string()},
                                            {"code", code().name},
                                            {"source", source},
                                            {"rows", rows_},
                                            {"classes", has_classes() ? json(class_variable().name) : json()},
                                            {"variance_shares", shares_},
                                            {"step", model_.checkpoint().step}}));
      return;
    }
    std::vector<std::string> percents;
    for (const double share : shares_) percents.push_back(fmt::format("{:.1f} %", 100 * share));
    fmt::print("{}\n", printable(fmt::format("{} of {} of {} in {}: components with {} of the variance",
                                             code().name, counted(rows_, "row"), source,
                                             request_.out.string(), fmt::join(percents, " and "))));
  }

 private:
  const Variable& code() const { return space_.variable(); }
  const Variable& class_variable() const { return image_.variables[static_cast<size_t>(classes_.variable)]; }
  bool has_classes() const { return classes_.variable >= 0; }

  static bool is_class(const Variable& variable) {
    return variable.shape.empty() && (variable.domain == "category" || variable.domain == "binary");
  }

  void choose_classes() {
    const std::vector<int>& known = image_.sources[static_cast<size_t>(source_)].known;
    const std::string& name = image_.sources[static_cast<size_t>(source_)].name;
    if (request_.classes.empty()) {
      const auto found = std::ranges::find_if(
          known, [&](int v) { return is_class(image_.variables[static_cast<size_t>(v)]); });
      if (found != known.end()) classes_.variable = *found;
    } else if (request_.classes != "none") {
      const int variable = image_.variable(request_.classes);
      if (variable < 0 || std::ranges::count(known, variable) == 0)
        throw Failure(Exit::usage,
                      fmt::format("--classes {}: {} has no such variable", request_.classes, name));
      if (!is_class(image_.variables[static_cast<size_t>(variable)]))
        throw Failure(Exit::usage,
                      fmt::format("--classes {}: it is no category and no bit", request_.classes));
      classes_.variable = variable;
    }
    if (!has_classes()) return;
    const int64_t count = class_variable().domain == "binary" ? 2 : class_variable().classes;
    for (int64_t k = 0; k < count; ++k)
      classes_.names.push_back(class_variable().words.empty()
                                   ? fmt::to_string(k)
                                   : class_variable().words[static_cast<size_t>(k)]);
  }

  void read_codes() {
    codes_.width = code().elements();
    const int64_t at_once = std::min(queried_rows_at_once, rows_);
    for (int64_t first = 0; first < rows_; first += at_once) {
      const Values values = space_.encode(source_, first, at_once, true);
      const int64_t rows = std::min(at_once, rows_ - first);
      const std::vector<float>& codes = values.at(space_.code());
      codes_.values.insert(codes_.values.end(), codes.begin(), codes.begin() + rows * codes_.width);
      if (!has_classes()) continue;
      for (int64_t row = 0; row < rows; ++row) {
        const float* of_row = values.at(classes_.variable).data() + row * class_variable().elements();
        classes_.of_rows.push_back(class_variable().domain == "binary"
                                       ? static_cast<size_t>(*of_row > 0.5F)
                                       : static_cast<size_t>(most_probable(of_row, class_variable())[0]));
      }
    }
  }

  void find_components() {
    const metrics::PrincipalComponents components(codes_, 2);
    components.append_scores(codes_.values.data(), rows_, scores_);
    for (float& score : scores_.values) score *= static_cast<float>(components.scale());
    double all = 0;
    std::vector<double> mean(static_cast<size_t>(codes_.width));
    for (int64_t row = 0; row < rows_; ++row)
      for (size_t i = 0; i < mean.size(); ++i) mean[i] += codes_.row(row)[i] / static_cast<double>(rows_);
    shares_.assign(static_cast<size_t>(scores_.width), 0);
    for (int64_t row = 0; row < rows_; ++row) {
      for (size_t i = 0; i < mean.size(); ++i) all += std::pow(codes_.row(row)[i] - mean[i], 2);
      for (size_t k = 0; k < shares_.size(); ++k) shares_[k] += std::pow(scores_.row(row)[k], 2);
    }
    for (double& share : shares_) share = all > 0 ? share / all : 0;
  }

  std::string csv() const {
    std::vector<std::string> header;
    for (size_t k = 0; k < shares_.size(); ++k) header.push_back(fmt::format("pc{}", k + 1));
    if (has_classes()) header.push_back(csv_cell(class_variable().name));
    for (int64_t i = 0; i < codes_.width; ++i)
      header.push_back(codes_.width == 1 ? code().name : fmt::format("{}[{}]", code().name, i));
    std::string text = fmt::format("{}\n", fmt::join(header, ","));
    for (int64_t row = 0; row < rows_; ++row) {
      std::vector<std::string> cells;
      for (int64_t k = 0; k < scores_.width; ++k) cells.push_back(fmt::format("{}", scores_.row(row)[k]));
      if (has_classes())
        cells.push_back(csv_cell(classes_.names[classes_.of_rows[static_cast<size_t>(row)]]));
      for (int64_t i = 0; i < codes_.width; ++i) cells.push_back(fmt::format("{}", codes_.row(row)[i]));
      text += fmt::format("{}\n", fmt::join(cells, ","));
    }
    return text;
  }

  /// If a code is one number, it is shown as a histogram for each class.
  Plot plot() const {
    const bool plane = scores_.width > 1;
    const auto axis = [&](size_t k) {
      return fmt::format("component {} ({:.1f} % of the variance)", k + 1, 100 * shares_[k]);
    };
    Plot plot{fmt::format("{} of {}{}", code().name, image_.sources[static_cast<size_t>(source_)].name,
                          has_classes() ? ", by " + class_variable().name : ""),
              plane ? axis(0) : code().name,
              plane ? axis(1) : "share of rows",
              {}};
    const size_t groups = has_classes() ? classes_.names.size() : 1;
    std::vector<std::vector<PlotPoint>> points(groups);
    std::vector<std::vector<double>> numbers(groups);
    for (int64_t row = 0; row < rows_; ++row) {
      const size_t group = has_classes() ? classes_.of_rows[static_cast<size_t>(row)] : 0;
      if (plane)
        points[group].push_back({scores_.row(row)[0], scores_.row(row)[1]});
      else
        numbers[group].push_back(codes_.row(row)[0]);
    }
    const auto [low, high] = std::minmax_element(codes_.values.begin(), codes_.values.end());
    for (size_t group = 0; group < groups; ++group) {
      const std::string name = has_classes() ? classes_.names[group] : "";
      if (plane)
        plot.layers.push_back({PlotLayer::Mark::dots, name, points[group], group});
      else
        plot.layers.push_back({PlotLayer::Mark::line, name,
                               histogram(numbers[group], *low, std::max(*high, *low + 1e-6F), 40), group});
    }
    return plot;
  }

  const LatentsRequest& request_;
  TrainedModel model_;
  const Image& image_;
  Sampler sampler_;
  CodeSpace space_;
  int source_;
  int64_t rows_ = 0;
  Classes classes_;
  metrics::Points codes_, scores_;
  std::vector<double> shares_;  // share of the variance, for each component
};

}  // namespace

void latents(const Image& image, const LatentsRequest& request) {
  const std::string ending = request.out.extension().string();
  if (ending != ".png" && ending != ".csv")
    throw Failure(Exit::usage,
                  fmt::format("--out {}: the file must end in .png or .csv", request.out.string()));
  LatentPlane(image, request).write();
}

}  // namespace core
