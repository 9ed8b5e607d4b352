// Compares several learn blocks of a file, with the same seeds and steps: one table, one picture, one page.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/core/commands/commands.h"
#include "runtime/core/commands/plots/html.h"
#include "runtime/core/commands/reports/compare_curves.h"
#include "runtime/core/commands/reports/compare_picture.h"
#include "runtime/core/commands/reports/figures.h"
#include "runtime/core/learning/trainer.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/core/run/run_directory.h"
#include "runtime/core/run/trained_model.h"
#include "runtime/data/arrays/byte_source.h"
#include "runtime/schema/json_fields.h"
#include "runtime/schema/training_metrics.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/printable.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct OfLearn {
  std::string learn;
  std::vector<std::pair<std::string, std::vector<double>>> values;  // by quantity, one number per seed

  void add(const Quantity& quantity) {
    auto entry = std::find_if(values.begin(), values.end(),
                              [&](const auto& known) { return known.first == quantity.name; });
    if (entry == values.end()) entry = values.insert(entry, {quantity.name, {}});
    entry->second.push_back(quantity.value);
  }
  const std::vector<double>* find(const std::string& name) const {
    for (const auto& [known, numbers] : values)
      if (known == name) return &numbers;
    return nullptr;
  }
};

class Comparison {
 public:
  /// The ranks train each block and measure it together. Rank 0 makes the folder, the pictures and the
  /// tables.
  Comparison(const Image& image, const CompareRequest& request, Ranks& ranks)
      : image_(image), request_(request), ranks_(ranks) {
    require_metrics(request.metrics);
    require_readers(request, request.metrics.empty() ? usual_metrics : request.metrics);
    choose_learns();
    choose_budget();
    ranks.agree();
    folder_ = ranks.from_first((request.out.empty() ? free_folder() : request.out).string());
  }

  void run() {
    for (const Learn* learn : learns_) {
      columns_.push_back({learn->name, {}});
      for (int64_t i = 0; i < request_.seeds; ++i) {
        const fs::path run = run_of(*learn, seed(i));
        train_or_load(*learn, seed(i), run);
        ranks_.agree();  // rank 0 has written all files
        ranks_.patiently([&] { measure(run, seed(i)); });
      }
    }
    ranks_.agree();
    ranks_.settle();
    ranks_.first_alone([&] { report(); });
  }

 private:
  void report() {
    draw_picture();
    write_page();
    write_file("compare.json", schema::json_text(to_json(), 2) + "\n");
    if (request_.json) {
      fmt::print("{}\n", schema::json_text(to_json()));
    } else {
      print_aligned(table());
      say(fmt::format("{}: report.html, compare.json{}", folder_.string(),
                      has_picture_ ? ", samples.png" : ""));
    }
  }

  uint64_t seed(int64_t i) const { return request_.seed + static_cast<uint64_t>(i); }
  /// With --json, stdout contains only data.
  void say(const std::string& line) const {
    if (ranks_.is_first()) fmt::print(request_.json ? stderr : stdout, "{}\n", printable(line));
  }
  fs::path run_of(const Learn& learn, uint64_t seed) const {
    return folder_ / fmt::format("{}-seed-{}", learn.name, seed);
  }

  void choose_learns() {
    if (request_.learns.empty()) {
      for (const Learn& learn : image_.learns)
        if (learn.available()) learns_.push_back(&learn);
      if (learns_.empty()) find_learn(image_, "");  // reports what is wrong
    }
    for (const std::string& name : request_.learns) {
      const Learn& learn = find_learn(image_, name);
      if (std::find(learns_.begin(), learns_.end(), &learn) != learns_.end())
        throw Failure(Exit::usage, fmt::format("--learn names {} twice", name));
      learns_.push_back(&learn);
    }
  }

  /// Without --steps, all blocks take the number of steps of the first block.
  void choose_budget() {
    overrides_ = request_.overrides;
    const bool given = std::any_of(overrides_.begin(), overrides_.end(),
                                   [](const auto& entry) { return entry.first == "steps"; });
    if (!given) overrides_.emplace_back("steps", fmt::to_string(settings_of(*learns_[0], image_).steps));
  }

  fs::path free_folder() const {
    for (int n = 1;; ++n) {
      const fs::path path = fs::path("runs") / fmt::format("{}-compare-{}", image_.file, n);
      if (!fs::exists(path)) return path;
    }
  }

  Settings settings_for(const Learn& learn, uint64_t seed) const {
    Settings settings = settings_of(learn, image_);
    override_keys(settings, overrides_);
    settings.seed = seed;
    check(settings, image_);
    return settings;
  }

  enum class RunState { absent, begun, done };

  /// How far a run is. It must have these settings.
  RunState state_of(const fs::path& run, const Settings& settings) const {
    std::error_code ignored;
    if (!fs::exists(run / "config.json", ignored)) return RunState::absent;
    const json config = read_json(run / "config.json");
    Settings before = settings_from(config, (run / "config.json").string());
    add_own_weights(before, image_);
    const json kept = core::to_json(before), asked = core::to_json(settings);
    for (const auto& [key, value] : asked.items())
      if (key == "start" ? !is_start(before.start, settings, image_) : kept.at(key) != value)
        throw Failure(
            Exit::bad_configuration,
            fmt::format("{} is a run of other settings ({}: {}, not {}): choose another --out", run.string(),
                        key, schema::json_text(kept.at(key)), schema::json_text(value)));
    const std::optional<Checkpoint> last = latest_checkpoint(run);
    if (!last || last->step < settings.steps) return RunState::begun;
    say(fmt::format("{}: loaded, step {}", run.string(), last->step));
    return RunState::done;
  }

  void train_or_load(const Learn& learn, uint64_t seed, const fs::path& run) {
    const Settings settings = settings_for(learn, seed);
    TrainRequest request;
    request.learn = learn.name;
    static_cast<MachineRequest&>(request) = request_;
    request.voice = request_.json ? Voice::quiet : Voice::normal;
    ranks_.unsettle();
    const RunState here = ranks_.is_first() ? state_of(run, settings) : RunState::absent;
    ranks_.agree();
    const bool is_done = ranks_.from_first(here == RunState::done);
    const bool is_begun = ranks_.from_first(here == RunState::begun);
    if (is_done) return;
    if (!is_begun) {
      request.overrides = overrides_;
      request.overrides.emplace_back("seed", fmt::to_string(seed));
      request.out = run;
    } else {
      request.resume = run;
    }
    train_on_open(image_, request, ranks_);
    ranks_.unsettle();
  }

  /// Measures the metrics that were asked for, or else those of the usual metrics that the model allows.
  void measure(const fs::path& run, uint64_t seed) {
    EvaluateRequest request = request_;
    if (ranks_.is_several()) request.together = &ranks_;
    request.run = run;
    request.seed = seed;
    const bool asked = !request_.metrics.empty();
    // Metrics that are asked for share their draws, so they are measured together.
    std::vector<std::vector<std::string>> groups;
    if (asked) {
      groups = {request_.metrics};
    } else {
      for (const std::string& metric : usual_metrics) groups.push_back({metric});
    }
    for (const auto& group : groups) {
      request.metrics = group;
      try {
        const json found = evaluate_run(image_, request, {}, &said_);
        for (const json& result : found.at("results")) {
          results_[columns_.back().learn].push_back({{"seed", seed}, {"result", result}});
          for (const Quantity& quantity : quantities_of(result)) columns_.back().add(quantity);
        }
      } catch (const Failure& failure) {
        if (asked || failure.exit_code != Exit::bad_configuration) throw;
      }
    }
    if (const std::vector<json> record = read_metrics(run); !record.empty())
      columns_.back().add({"training, seconds", record.back().value("seconds", 0.0)});
  }

  void draw_picture() {
    ComparePicture picture(image_, request_.limiting);
    if (!picture.possible()) return;
    for (const Learn* learn : learns_) {
      TrainedModel model(image_, run_of(*learn, seed(0)), request_, request_.checkpoint, request_.weights);
      picture.add(model.session(), model.checkpoint().path, request_.seed);
    }
    if (!picture.shows()) return;
    data::write_png(folder_ / "samples.png", picture.draw());
    has_picture_ = true;
    has_limiting_ = picture.limiting();
  }

  /// The names of the quantities, in the order in which they were first measured.
  std::vector<std::string> quantity_names() const {
    std::vector<std::string> names;
    for (const OfLearn& column : columns_)
      for (const auto& [name, numbers] : column.values)
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    return names;
  }

  std::vector<std::vector<std::string>> table() const {
    std::vector<std::vector<std::string>> rows(1, {""});
    for (const OfLearn& column : columns_) rows[0].push_back(column.learn);
    for (const std::string& name : quantity_names()) {
      rows.push_back({name});
      for (const OfLearn& column : columns_) rows.back().push_back(cell_text(column.find(name)));
    }
    return rows;
  }

  std::string curves() const {
    std::vector<ComparedRuns> compared;
    for (const Learn* learn : learns_) {
      compared.push_back({learn->name, {}});
      for (int64_t i = 0; i < request_.seeds; ++i)
        compared.back().seeds.push_back(charts_of(read_metrics(run_of(*learn, seed(i)))));
    }
    std::string plots;
    for (const Plot& plot : compare_plots(compared)) plots += html_plot(plot);
    return fmt::format(
        "<p>{}</p>\n<div class=\"plots\">\n{}</div>\n",
        request_.seeds > 1 ? "Means over the seeds; bands reach one standard deviation up and down." : "",
        plots);
  }

  std::string budget() const {
    return fmt::format("{} from {}, {} each{}", counted(request_.seeds, "seed"), request_.seed,
                       counted(settings_for(*learns_[0], request_.seed).steps, "step"),
                       request_.seeds == 1 ? "" : "; mean +- standard deviation over the seeds");
  }

  void write_page() {
    std::string page = html_beginning(fmt::format("{}: learn blocks compared", image_.file));
    page += fmt::format("<p>{}.</p>\n", html_escaped(budget())) + html_table(table());
    if (has_picture_) {
      std::vector<std::string> names;
      for (const OfLearn& column : columns_) names.push_back(column.learn);
      page +=
          fmt::format("<h2>Samples</h2>\n<p>A row each, from the top: {}. {}.</p>\n",
                      html_escaped(fmt::format("{}", fmt::join(names, ", "))),
                      has_limiting_ ? fmt::format("Left from random codes, right after {} steps of the chain",
                                                  request_.limiting)
                                    : "From random codes") +
          html_picture("samples", data::read_file(folder_ / "samples.png"));
    }
    page += "<h2>Training</h2>\n" + curves();
    page += fmt::format("<h2>Program</h2>\n<pre>{}</pre>\n</html>\n", html_escaped(image_.text));
    write_file("report.html", page);
  }

  void write_file(const char* name, const std::string& text) const {
    data::write_file(folder_ / name, {text.begin(), text.end()});
  }

  json to_json() const {
    json methods = json::array();
    for (const OfLearn& column : columns_) {
      json summary = json::object();
      for (const auto& [name, numbers] : column.values) {
        const Spread spread = spread_of(numbers);
        summary[name] = {{"mean", spread.mean}, {"values", numbers}};
        if (numbers.size() > 1) summary[name]["standard_deviation"] = spread.deviation;
      }
      const auto results = results_.find(column.learn);
      methods.push_back({{"learn", column.learn},
                         {"summary", summary},
                         {"results", results == results_.end() ? json::array() : json(results->second)}});
    }
    return {{"program", image_.file},
            {"seeds", request_.seeds},
            {"seed", request_.seed},
            {"steps", settings_for(*learns_[0], request_.seed).steps},
            {"methods", methods}};
  }

  const Image& image_;
  const CompareRequest& request_;
  Ranks& ranks_;
  std::vector<const Learn*> learns_;
  std::vector<std::pair<std::string, std::string>> overrides_;
  fs::path folder_;
  std::vector<OfLearn> columns_;
  std::map<std::string, std::vector<json>> results_;
  std::set<std::string> said_;  // notes of evaluations that have been printed
  bool has_picture_ = false, has_limiting_ = false;
};

}  // namespace

void compare(const Image& image, const CompareRequest& request) {
  Ranks ranks(request.ranks, image.file + " compare");
  CompareRequest shared = request;
  ranks.share_cores(shared);
  ranks.run([&] {
    Comparison(image, shared, ranks).run();
    return 0;
  });
}

}  // namespace core
