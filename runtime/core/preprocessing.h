// What the sources do to a variable's values before it is learned from: kept with a checkpoint
// (`preprocessing.json`: the statistics of `normalize` and the sources), done to values that commands are
// given, undone in values that they give back.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/data/kept_statistics.h"
#include "runtime/data/transformation.h"

namespace core {

/// An image whose data expressions have the statistics of `normalize` in them.
class PreparedImage {
 public:
  PreparedImage(const Image& image, const data::KeptStatistics& statistics);
  const Image& get() const { return copy_ ? *copy_ : image_; }

 private:
  const Image& image_;
  std::optional<Image> copy_;  // where an expression changes
};

/// Adds the statistics that the sources' data need and `kept` does not have, found in their tables.
data::KeptStatistics find_statistics(const Image& image, const std::vector<std::string>& sources,
                                     data::KeptStatistics kept = {});

/// `sources`: those that are learned from. The statistics are those that stand in the image.
void save_preprocessing(const std::filesystem::path& folder, const Image& image,
                        const std::vector<std::string>& sources);
/// The statistics of a checkpoint; none where it was made without. Failure(bad_data) where the file is
/// broken.
data::KeptStatistics read_statistics(const std::filesystem::path& checkpoint);

class Preprocessing {
 public:
  /// `image`: prepared; `learned`: the names of the sources that are learned from.
  Preprocessing(const Image& image, const std::vector<std::string>& learned);
  /// `checkpoint`: the folder of one that keeps these names; else every source with a weight is learned from.
  Preprocessing(const Image& image, const std::filesystem::path& checkpoint);

  struct Rule {
    int source = -1;             // that gives the variable so
    std::vector<int> different;  // sources that are learned from and give it otherwise
    data::Transformation transformation;
  };
  /// By the first source that is learned from and observes the variable, else the first that observes it;
  /// null where none does.
  const Rule* rule(int variable);
  /// In place, whole rows of the variable's tensor: back to the units of its data. Of categories and where
  /// no `normalize` can be undone nothing changes.
  void undo(int variable, std::vector<float>& values);
  /// The same to the scale of pictures.
  void undo_for_picture(int variable, std::vector<float>& values);

 private:
  /// The variable's transformation; null where nothing can be undone.
  const data::Transformation* undoable(int variable);

  const Image& image_;
  std::set<int> learned_;
  std::map<int, std::unique_ptr<const Rule>> rules_;
};

}  // namespace core
