// A trained model in a C++ program: four threads share it, and draw what one thread would have drawn.
#include "embedded.h"

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using Model = std::unique_ptr<vae_model, decltype(&embedded_close)>;

Model open(const char* run) {
  std::string error(256, '\0');
  Model model(embedded_open(run, 1, error.data(), error.size()), &embedded_close);
  if (!model) throw std::runtime_error(error.c_str());
  return model;
}

std::vector<float> draw(vae_model* model, uint64_t seed, int64_t rows) {
  std::vector<float> x(static_cast<size_t>(rows * embedded_variable(model, 0)->elements));
  const vae_result result = {embedded_variable(model, 0)->name, x.data(), static_cast<int64_t>(x.size())};
  std::string error(256, '\0');
  if (embedded_sample(model, seed, rows, nullptr, 0, &result, 1, error.data(), error.size()) != 0)
    throw std::runtime_error(error.c_str());
  return x;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: embedded_cpp RUN\n");
    return 64;
  }
  try {
    const Model model = open(argv[1]);
    std::vector<std::vector<float>> drawn(4);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < drawn.size(); ++i)
      threads.emplace_back([&, i] { drawn[i] = draw(model.get(), i, 300); });
    for (std::thread& thread : threads) thread.join();
    bool same = true;
    for (size_t i = 0; i < drawn.size(); ++i) same = same && drawn[i] == draw(model.get(), i, 300);
    std::printf("%zu threads, %s\n", drawn.size(), same ? "the same draws" : "other draws");
    return same ? 0 : 1;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
}
