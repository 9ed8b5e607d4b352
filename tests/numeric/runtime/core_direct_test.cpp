// Which conditionals give a query directly, without a chain, in the MNIST hierarchies and in small games.
// links: vaert_core
#include "runtime/core/inference/direct.h"

#include <gtest/gtest.h>

#include "runtime/core/run/sample_grid.h"

namespace core {
namespace {

/// Variables and players are given by name. A conditional is "player: target | parents"; the player "-" means
/// a source.
struct Model {
  Image image;

  Model(std::vector<std::string> variables, std::vector<std::pair<std::string, std::string>> players) {
    for (std::string& name : variables) image.variables.push_back({name, "binary", 0, {4, 4}, {4, 4}});
    for (auto& [name, role] : players) image.players.push_back({name, *schema::find_word<Role>(role), 0, {}});
  }
  Model& with(const std::string& player, const std::string& target, std::vector<std::string> parents = {}) {
    Conditional conditional;
    conditional.player = player == "-" ? -1 : image.player(player);
    conditional.source = player == "-" ? 0 : -1;
    conditional.target = image.variable(target);
    for (const std::string& parent : parents) conditional.parents.push_back(image.variable(parent));
    conditional.draw = 0;
    image.conditionals.push_back(conditional);
    return *this;
  }
  /// The order of the draws, such as "q.z0 q.z1", or "none".
  std::string order(std::vector<std::string> known, std::vector<std::string> targets) const {
    std::set<int> known_ids;
    std::vector<int> target_ids;
    for (const std::string& name : known) known_ids.insert(image.variable(name));
    for (const std::string& name : targets) target_ids.push_back(image.variable(name));
    const auto found = find_direct_order(image, known_ids, target_ids);
    if (!found) return "none";
    std::string text;
    for (int index : found->conditionals) {
      const Conditional& c = image.conditionals[static_cast<size_t>(index)];
      text += (text.empty() ? "" : " ") +
              (c.player < 0 ? "-" : image.players[static_cast<size_t>(c.player)].name) + "." +
              image.variables[static_cast<size_t>(c.target)].name;
    }
    return text;
  }
};

Model ladder() {
  return Model({"x", "z0", "z1"}, {{"p", "decoder"}, {"q", "encoder"}})
      .with("p", "z0")
      .with("p", "z1", {"z0"})
      .with("p", "x", {"z1"})
      .with("q", "z1", {"z0", "x"})
      .with("q", "z0", {"x"});
}

Model reverse() {
  return Model({"x", "z0", "z1"}, {{"p", "decoder"}, {"q", "encoder"}})
      .with("p", "z0")
      .with("p", "z1", {"z0"})
      .with("p", "x", {"z1"})
      .with("q", "z1", {"x"})
      .with("q", "z0", {"z1"});
}

TEST(DirectOrder, GoesUpALadderFromTheTop) {
  EXPECT_EQ(ladder().order({"x"}, {"z1"}), "q.z0 q.z1");
  EXPECT_EQ(ladder().order({"x"}, {"z0"}), "q.z0");
  EXPECT_EQ(ladder().order({}, {"z1"}), "p.z0 p.z1");
}

TEST(DirectOrder, GoesUpAReverseHierarchyFromTheBottom) {
  EXPECT_EQ(reverse().order({"x"}, {"z1", "z0"}), "q.z1 q.z0");
  EXPECT_EQ(reverse().order({"z0"}, {"x"}), "p.z1 p.x");
}

TEST(DirectOrder, PrefersWhatLooksAtTheDataToAPrior) {
  const Model model = Model({"x", "z"}, {{"p", "decoder"}, {"q", "encoder"}})
                          .with("p", "z")
                          .with("p", "x", {"z"})
                          .with("-", "z")
                          .with("q", "z", {"x"});
  EXPECT_EQ(model.order({"x"}, {"z"}), "q.z");
  EXPECT_EQ(model.order({}, {"x"}), "p.z p.x");
}

TEST(DirectOrder, TakesASourcesFamilyWhereNoPlayerGivesTheVariable) {
  const Model model = Model({"x", "z"}, {{"p", "decoder"}, {"q", "encoder"}})
                          .with("p", "x", {"z"})
                          .with("q", "z", {"x"})
                          .with("-", "z");
  EXPECT_EQ(model.order({}, {"x"}), "-.z p.x");
  EXPECT_EQ(model.order({}, {"x", "z"}), "-.z p.x");
}

TEST(DirectOrder, UsesAsMuchOfWhatIsKnownAsItCan) {
  const Model model = Model({"c", "x", "z"}, {{"p", "decoder"}, {"q", "encoder"}})
                          .with("p", "x", {"c", "z"})
                          .with("q", "c", {"x"})
                          .with("q", "z", {"c", "x"});
  EXPECT_EQ(model.order({"x"}, {"z"}), "q.c q.z");
  EXPECT_EQ(model.order({"x", "c"}, {"z"}), "q.z");
}

TEST(DirectOrder, IsNoneWhereVariablesWaitForOneAnother) {
  const Model model = Model({"a", "b", "c"}, {{"p", "player"}, {"q", "player"}, {"r", "player"}})
                          .with("p", "a", {"b", "c"})
                          .with("q", "b", {"a", "c"})
                          .with("r", "c", {"a", "b"});
  EXPECT_EQ(model.order({"a"}, {"b"}), "none");
  EXPECT_EQ(model.order({"a", "b"}, {"c"}), "r.c");
}

TEST(Chain, GoesFromTheDataToTheDecodersParentsAndBack) {
  const Model model = ladder();
  const std::optional<Chain> chain = find_chain(model.image, 0);
  ASSERT_TRUE(chain);
  EXPECT_EQ(chain->generating, 2);
  EXPECT_EQ(chain->back.conditionals, (std::vector<int>{4, 3}));
  // Without an encoder the prior alone is not a chain.
  const Model alone = Model({"x", "z"}, {{"p", "decoder"}}).with("p", "z").with("p", "x", {"z"});
  EXPECT_FALSE(find_chain(alone.image, 0));
}

TEST(Image, IsAPlaneOfNumbersThatAPictureCanShow) {
  EXPECT_TRUE(is_image({"x", "binary", 0, {28, 28}, {28, 28}}));
  EXPECT_TRUE(is_image({"x", "unit", 0, {3, 32, 32}, {3, 32, 32}}));
  EXPECT_FALSE(is_image({"x", "real", 0, {2, 32, 32}, {2, 32, 32}}));
  EXPECT_FALSE(is_image({"z", "binary", 0, {64}, {64}}));
  EXPECT_FALSE(is_image({"s", "category", 3, {64, 64}, {3, 64, 64}}));
}

}  // namespace
}  // namespace core
