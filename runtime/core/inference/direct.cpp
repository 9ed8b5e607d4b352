#include "runtime/core/inference/direct.h"

#include <algorithm>

namespace core {
namespace {

class Search {
 public:
  Search(const Image& image, const std::set<int>& known, std::set<int> players)
      : image_(image), known_(known), players_(std::move(players)) {}

  std::optional<DirectOrder> all(const std::vector<int>& targets) {
    DirectOrder order;
    for (int target : targets) {
      std::optional<DirectOrder> extended = with(target, std::move(order));
      if (!extended) return std::nullopt;
      order = std::move(*extended);
    }
    return order;
  }

 private:
  bool given_by(const DirectOrder& order, int variable) const {
    return std::any_of(order.conditionals.begin(), order.conditionals.end(), [&](int conditional) {
      return image_.conditionals[static_cast<size_t>(conditional)].target == variable;
    });
  }

  /// The order, extended so that it gives the variable; nothing if that is impossible.
  std::optional<DirectOrder> with(int variable, DirectOrder order) {
    if (known_.count(variable)) {
      order.used.insert(variable);
      return order;
    }
    if (given_by(order, variable)) return order;
    if (!waiting_.insert(variable).second) return std::nullopt;  // a cycle
    std::optional<DirectOrder> best;
    for (size_t i = 0; i < image_.conditionals.size(); ++i) {
      const Conditional& conditional = image_.conditionals[i];
      const bool chain_start = conditional.player < 0 && conditional.source < 0;
      if (conditional.target != variable || conditional.draw < 0 || chain_start ||
          !players_.count(conditional.player))
        continue;
      std::optional<DirectOrder> candidate = order;
      for (int parent : conditional.parents) {
        candidate = with(parent, std::move(*candidate));
        if (!candidate) break;
      }
      if (!candidate || (best && best->used.size() >= candidate->used.size())) continue;
      candidate->conditionals.push_back(static_cast<int>(i));
      best = std::move(candidate);
    }
    waiting_.erase(variable);
    return best;
  }

  const Image& image_;
  const std::set<int>& known_;
  const std::set<int> players_;
  std::set<int> waiting_;
};

}  // namespace

std::optional<DirectOrder> find_direct_order(const Image& image, const std::set<int>& known,
                                             const std::vector<int>& targets) {
  std::vector<std::set<int>> groups;
  std::set<int> everyone;
  for (const Role role : {Role::encoder, Role::player, Role::decoder})
    for (size_t player = 0; player < image.players.size(); ++player)
      if (image.players[player].role == role) {
        groups.push_back({static_cast<int>(player)});
        everyone.insert(static_cast<int>(player));
      }
  groups.push_back(everyone);
  everyone.insert(-1);
  groups.push_back(everyone);
  std::optional<DirectOrder> best;
  for (const std::set<int>& group : groups) {
    std::optional<DirectOrder> found = Search(image, known, group).all(targets);
    if (found && (!best || found->used.size() > best->used.size())) best = std::move(found);
  }
  return best;
}

int generating_conditional(const Image& image, int target) {
  int found = -1;
  for (size_t i = 0; i < image.conditionals.size(); ++i) {
    const Conditional& conditional = image.conditionals[i];
    if (conditional.target != target || conditional.player < 0 || conditional.parents.empty()) continue;
    if (image.players[static_cast<size_t>(conditional.player)].role == Role::decoder)
      return static_cast<int>(i);
    if (found < 0) found = static_cast<int>(i);
  }
  return found;
}

}  // namespace core
