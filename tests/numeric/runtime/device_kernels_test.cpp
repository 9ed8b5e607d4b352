// links: vaert_schema
// The parameters of GPU kernels: a launch with wrong arguments does not compile, and runtime/image.md
// describes the declared parameters.
#include "runtime/schema/device_kernels.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <type_traits>

namespace {

template <class From, class Factor, class To, class Count>
constexpr bool add_takes = requires(From from, Factor factor, To to, Count count) {
  schema::Add<>{.from = from, .factor = factor, .to = to, .count = count};
};
static_assert(add_takes<const float*, float, float*, int64_t>);
static_assert(add_takes<float*, float, float*, int32_t>, "nothing is lost");
static_assert(!add_takes<const float*, float, const float*, int64_t>, "its result cannot be constant");
static_assert(!add_takes<const float*, double, float*, int64_t>);
static_assert(!add_takes<const float*, float, float*, double>);
static_assert(!add_takes<const float*, float, float*, uint64_t>);
static_assert(!add_takes<const double*, float, float*, int64_t>);
static_assert(!add_takes<float*, float*, float*, int64_t>);

template <class Pointer>
constexpr bool sweep_may_miss = requires(Pointer clock) { schema::SetSweep<>{.clock = clock}; };
static_assert(!sweep_may_miss<uint64_t*>, "every argument must be given");
template <class Pointer>
constexpr bool takes_two = requires(Pointer clock) { schema::NextSweep<>{clock, clock}; };
static_assert(!takes_two<uint64_t*>, "no argument is too many");

/// A parameter in the text of image.md.
template <class T>
struct Declared {
  static constexpr const char* mark = sizeof(T) == 8                ? ""
                                      : std::is_floating_point_v<T> ? " (float)"
                                                                    : " (u32)";
};

std::string image_text() {
  std::ostringstream text;
  text << std::ifstream(VAEC_ROOT "/runtime/image.md").rdbuf();
  return text.str();
}

TEST(Image, describes_the_runtimes_kernels) {
  const std::string image = image_text();
  size_t listed = 0;
  for (size_t at = image.find("\n- `vae_"); at != std::string::npos; at = image.find("\n- `vae_", at + 1))
    ++listed;
  std::apply(
      [&](auto... kernels) {
        EXPECT_EQ(listed, sizeof...(kernels));
        const auto expect = [&](auto kernel) {
          std::string text;
          kernel.fields(kernel, [&]<class T>(const char* name, Declared<T>) {
            text += (text.empty() ? "" : ", ") + std::string(name) + Declared<T>::mark;
          });
          text = std::string("\n- `") + kernel.name + "` (" + text + ")";
          EXPECT_NE(image.find(text), std::string::npos) << text;
        };
        (expect(kernels), ...);
      },
      schema::RuntimeKernels<Declared>());
}

TEST(Image, lists_the_parameters_of_loops_in_order) {
  const std::string image = image_text();
  size_t at = image.find("A loop's kernel takes, in this order:");
  schema::LoopKernel<Declared> loop;
  loop.fields(loop, [&](const char* name, const auto&) {
    ASSERT_NE(at, std::string::npos);
    at = image.find("`" + std::string(name) + "`", at);
    EXPECT_NE(at, std::string::npos) << name;
  });
}

TEST(Launch, passes_arguments_in_their_order) {
  float from = 1, to = 2;
  const schema::Add<> add{.from = &from, .factor = 0.5F, .to = &to, .count = 7};
  std::vector<const void*> places;
  schema::each_parameter(add, [&](const auto& parameter) { places.push_back(parameter.place()); });
  ASSERT_EQ(places.size(), 4U);
  EXPECT_EQ(*static_cast<const float* const*>(places[0]), &from);
  EXPECT_EQ(*static_cast<const float*>(places[1]), 0.5F);
  EXPECT_EQ(*static_cast<float* const*>(places[2]), &to);
  EXPECT_EQ(*static_cast<const int64_t*>(places[3]), 7);
}

TEST(Launch, of_a_loop_passes_its_lists_one_after_the_other) {
  float memory[2] = {};
  const uint64_t clock = 5;
  schema::LoopKernel<> loop;
  loop.pointers = {&memory[0], &memory[1]};
  loop.rows = {int64_t{3}};
  loop.sites = {uint32_t{9}};
  loop.clock.emplace(&clock);
  loop.first.emplace(int64_t{128});
  std::vector<const void*> places;
  schema::each_parameter(loop, [&](const auto& parameter) { places.push_back(parameter.place()); });
  ASSERT_EQ(places.size(), 6U);
  EXPECT_EQ(*static_cast<float* const*>(places[1]), &memory[1]);
  EXPECT_EQ(*static_cast<const int64_t*>(places[2]), 3);
  EXPECT_EQ(*static_cast<const uint32_t*>(places[3]), 9U);
  EXPECT_EQ(*static_cast<const uint64_t* const*>(places[4]), &clock);
  EXPECT_EQ(*static_cast<const int64_t*>(places[5]), 128);
}

}  // namespace
