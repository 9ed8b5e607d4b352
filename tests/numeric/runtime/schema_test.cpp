// links: vaert_core
// The description between compiler and runtime: what is written reads back as it was, and a text that does
// not fit its types is refused with the place where it does not.
#include <gtest/gtest.h>

#include "runtime/core/check_description.h"
#include "runtime/schema/json_text.h"
#include "tests/numeric/support/core_toy_image.h"
#include "tests/numeric/support/data_expressions.h"

namespace {
using namespace data_tests;

schema::ImageDescription image() { return toy::whole("/folder"); }

/// The toy image's text after a change (a JSON merge patch) is refused with this message.
void expect_refusal(const json& change, const std::string& message) {
  json text = schema::write(image());
  text.merge_patch(change);
  try {
    core::check_description(schema::read<schema::ImageDescription>(text), std::size(toy::kernels));
    FAIL() << "accepted: " << change;
  } catch (const schema::Malformed& malformed) {
    EXPECT_EQ(std::string(malformed.what()), message);
  }
}

TEST(Schema, AnImageReadsBackAsItWasWritten) {
  schema::ImageDescription whole = image();
  whole.programs[0].instructions.push_back(
      schema::Gemm{"product", 0, 1, 2, {1, 0}, {3, -1}, {4, -1}, true, false});
  schema::Convolution convolution;
  convolution.direction = schema::Convolution::Direction::backward_weights;
  convolution.batch = {1, 0};
  whole.programs[0].instructions.emplace_back(convolution);
  whole.programs[0].batches.emplace_back(1, 8);
  whole.players[0].parameters[0].initial.value = std::numeric_limits<double>::infinity();
  whole.sources[0].words = {{0, 1}};
  whole.splits = {{"images without x", 0, {0}}};
  whole.learns[0].missing.refused = {{0, "no term"}};
  whole.learns[0].alternating[0].stages = {{1, {{0, 10, 7, {2}, {{"p.x@images", 3, 0, {0}}}}}}};
  whole.simulators = {{"other.vae", toy::whole("/other")}};
  whole.target = schema::Target::any;
  const std::string text = schema::to_text(schema::write(whole));
  const json parsed = schema::parse_text(text.data(), text.size());
  EXPECT_EQ(schema::to_text(schema::write(schema::read<schema::ImageDescription>(parsed))), text);
}

TEST(Schema, WhatDoesNotFitIsRefusedWithItsPlace) {
  expect_refusal({{"players", nullptr}}, "\"players\" is missing");
  expect_refusal({{"file", 3}}, "file: it is no text");
  expect_refusal({{"target", "gpu"}}, "target: \"gpu\" is not known");
  expect_refusal({{"splits", {{{"name", "s"}, {"source", 0.5}, {"missing", json::array()}}}}},
                 "splits[0].source: it is no whole number");
  expect_refusal({{"published", {int64_t{1} << 40}}}, "published[0]: 1099511627776 is out of range");
  expect_refusal({{"cpu", {{"features", {1}}}}}, "cpu.features[0]: it is no text");
}

TEST(Schema, IndicesOutsideTheirArraysAreRefused) {
  expect_refusal({{"published", {2}}}, "variable 2 of 2");
  expect_refusal({{"published", {-1}}}, "variable -1 of 2");
  schema::ImageDescription whole = image();
  std::get<schema::Loop>(whole.programs[3].instructions[0]).kernel = 8;
  EXPECT_THROW(core::check_description(whole, 8), schema::Malformed);
  whole = image();
  whole.programs[0].slots[1].last = 1;  // z is used later
  EXPECT_THROW(core::check_description(whole, 8), schema::Malformed);
}

TEST(Schema, DataExpressionsReadBackAsTheyWereWritten) {
  const json table =
      reader("csv", {"t.csv", {"a", 1}}, {{"header", false}, {"comment", nullptr}, {"x", 0.5}});
  const json a = column(table, "a");
  for (const json& text :
       {number(0.25), table, a, rows(a, 1, nullptr), where(table, call("greater", {a, number(1)})),
        without(table, rows(table, nullptr, -3)), normalize(a, table), on_table("shuffle", table, {3}),
        on_table("per_class", table, {3}, {{"seed", 1}}), on_table("windows", a, {5, 2}),
        call("where", {call("missing", {a}), number(0), a})})
    EXPECT_EQ(schema::write(expression(text)), text);
}

TEST(Schema, MalformedDataExpressionsAreRefused) {
  for (const json& text :
       {json(3), json::object(), json{{"op", "add"}}, json{{"op", "column"}, {"name", "a"}},
        json{{"op", "number"}, {"value", "1"}}, call("add", json::array({1, 2}))})
    EXPECT_THROW(expression(text), schema::Malformed) << text;
}

}  // namespace
