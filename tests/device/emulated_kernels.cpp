// Compiles the GPU kernels of a program to code of this processor, for the fake CUDA driver. usage:
// emulated_kernels FILE.vae OUT.o
#include <fstream>
#include <iostream>
#include <sstream>

#include "compiler/pipeline.h"

int main(int count, char** arguments) {
  if (count != 3) return 64;
  std::ostringstream text;
  text << std::ifstream(arguments[1]).rdbuf();
  base::SourceSet sources;
  base::Report report(sources);
  const auto image = vaec::compile({arguments[1], text.str(), {}, lower::Target::any}, sources, report);
  if (!image) {
    std::cerr << base::render_text(report, false);
    return 1;
  }
  std::ofstream(arguments[2], std::ios::binary) << image->emulated_object();
  return 0;
}
