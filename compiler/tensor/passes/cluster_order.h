// An order in which clusters of atoms can run. It is kept up to date while clusters are joined (Pearce, Kelly
// 2007). In: which atoms each atom reads. Holds: a cluster stands before the clusters that read from it.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace tensor {

class ClusterOrder {
 public:
  /// `inputs`: by atom, the atoms that it reads, all with lower numbers. At first each atom is a cluster.
  explicit ClusterOrder(std::vector<std::vector<int>> inputs = {});

  const std::vector<int>& inputs_of(int atom) const { return inputs_[static_cast<size_t>(atom)]; }
  const std::vector<int>& users_of(int atom) const { return users_[static_cast<size_t>(atom)]; }
  int cluster_of(int atom) const { return cluster_of_[static_cast<size_t>(atom)]; }
  /// The atoms of a cluster, ascending; empty if the cluster was joined to another.
  const std::vector<int>& atoms_of(int cluster) const { return clusters_[static_cast<size_t>(cluster)]; }
  size_t size() const { return clusters_.size(); }

  /// Joins two clusters under the number of the first. Returns false and changes nothing if a third cluster
  /// would then have to run between them, or if the search takes too many steps.
  bool join(int a, int b);

  /// How many neighbours the searches have looked at so far.
  int64_t steps() const { return steps_; }

 private:
  using Reached = std::vector<int>;  // clusters
  int place(int cluster) const { return places_[static_cast<size_t>(cluster)]; }
  std::optional<Reached> reached(int from, int to, const std::vector<std::vector<int>>& next);

  std::vector<std::vector<int>> inputs_, users_;
  std::vector<int> cluster_of_;
  std::vector<std::vector<int>> clusters_;
  std::vector<int> places_;  // by cluster: its place in the order
  int64_t steps_ = 0;
};

}  // namespace tensor
