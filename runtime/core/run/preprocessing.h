// What the sources do to a variable's values before training. It is kept with a checkpoint
// (`preprocessing.json`: the statistics of `normalize`, and the sources). It is applied to values that
// commands are given, and undone in values that commands give back.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/core/execution/rows.h"
#include "runtime/core/image.h"
#include "runtime/data/expressions/kept_statistics.h"
#include "runtime/data/expressions/transformation.h"

namespace core {

/// An image whose data expressions contain the statistics of `normalize`.
class PreparedImage {
 public:
  PreparedImage(const Image& image, const data::KeptStatistics& statistics);
  const Image& get() const { return copy_ ? *copy_ : image_; }

 private:
  const Image& image_;
  std::optional<Image> copy_;  // only if an expression changes
};

/// Adds the statistics that the sources' data need and `kept` does not have. They are computed from the
/// sources' tables.
data::KeptStatistics find_statistics(const Image& image, const std::vector<std::string>& sources,
                                     data::KeptStatistics kept = {});

/// Saves the statistics that the image contains, and the words of the classes of variables. `sources`: the
/// sources that are learned from; `words`: those in their data.
void save_preprocessing(const std::filesystem::path& folder, const Image& image,
                        const std::vector<std::string>& sources, const Rows::Words& words);
/// The words of a checkpoint. Failure(bad_data) if the file is broken, or if the image names other words for
/// a variable than the checkpoint has.
Rows::Words read_words(const std::filesystem::path& checkpoint, const Image& image);
/// The statistics of a checkpoint; empty if it was made without any. Failure(bad_data) if the file is broken.
data::KeptStatistics read_statistics(const std::filesystem::path& checkpoint);

class Preprocessing {
 public:
  /// `image`: a prepared image; `learned`: the names of the sources that are learned from.
  Preprocessing(const Image& image, const std::vector<std::string>& learned);
  /// `checkpoint`: the folder of a checkpoint that keeps these names. If there is none, every source with a
  /// weight counts as learned from.
  Preprocessing(const Image& image, const std::filesystem::path& checkpoint);

  struct Rule {
    int source = -1;             // the source whose transformation this is
    std::vector<int> different;  // sources that are learned from and transform the variable in another way
    data::Transformation transformation;
  };
  /// The rule of the first source that is learned from and observes the variable, else of the first source
  /// that observes it; null if no source does.
  const Rule* rule(int variable);
  /// The words in the data from which the variable was learned; empty if there were none.
  std::vector<std::string> words(int variable) const;
  /// Changes values back to the units of their data, in place; `values` are whole rows of the variable's
  /// tensor. Categories do not change, and neither do values whose `normalize` cannot be undone.
  void undo(int variable, std::vector<float>& values);
  /// The same, but to the scale of pictures.
  void undo_for_picture(int variable, std::vector<float>& values);

 private:
  /// The variable's transformation; null if nothing can be undone.
  const data::Transformation* undoable(int variable);

  const Image& image_;
  std::set<int> learned_;
  Rows::Words words_;
  std::map<int, std::unique_ptr<const Rule>> rules_;
};

}  // namespace core
