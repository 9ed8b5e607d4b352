#include "runtime/core/execution/session.h"

#include "runtime/core/machine/counted_device.h"
#include "runtime/core/machine/cuda_device.h"
#include "runtime/core/machine/thread_pool.h"
#include "runtime/core/ranks/ranks.h"

namespace core {

Session::Session(const Image& in_image, const MachineRequest& request)
    : image(in_image),
      parameters(in_image),
      coefficients(static_cast<size_t>(in_image.coefficients) + 1),
      rows(in_image),
      cudnn_benchmark(request.cudnn_benchmark),
      ranks(&Ranks::alone()) {
  if (request.counted)
    device = std::make_shared<CountedDevice>(image, *request.counted, request.precision);
  else if (const int gpu = gpu_of(request.device); gpu >= 0)
    device = request.opened ? request.opened
                            : std::make_shared<CudaDevice>(
                                  image, vae_torch_options{gpu, request.precision,
                                                           static_cast<int32_t>(request.cudnn_benchmark)});
  machine.library = open_backend(request);
  require_cpu(image);
  machine.threads = start_threads(request.threads, machine.library);
  if (request.pin) pin_threads(machine.threads, request.first_processor);
  machine.parameters = parameters.pointers();
  machine.coefficients = coefficients.data();
  training = machine;
  if (!device) training.library = open_training_backend(request);
}

void Session::set_coefficients(const std::vector<double>& values) {
  for (size_t source = 0; source < values.size(); ++source)
    coefficients[source] = static_cast<float>(values[source]);
}

void Session::load_parameters(const std::filesystem::path& model_file) {
  const data::Tensors tensors = data::read_safetensors(model_file);
  for (size_t player = 0; player < image.players.size(); ++player)
    take_tensors(image.players[player], tensors, "", model_file, parameters.of(static_cast<int>(player)));
}

}  // namespace core
