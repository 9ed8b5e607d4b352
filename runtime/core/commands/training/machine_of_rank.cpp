#include "runtime/core/commands/training/machine_of_rank.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "runtime/core/machine/cuda_device.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

using nlohmann::json;

/// What a rank tells the others: its host, the place of its GPU there, and why it has none; or nothing.
struct Offer {
  std::string host, gpu, why_none;
};

/// Opens the GPU of this rank.
Offer open_gpu(const Image& image, const MachineRequest& asked, const Ranks& ranks, MachineRequest& machine) {
  Offer offer;
  offer.host = ranks.host_name();
  try {
    if (asked.ranks.exact > 0)
      throw Failure(
          Exit::bad_configuration,
          "--exact-ranks: the sums of NCCL have no order that holds for every number of ranks, so it "
          "needs --device cpu");
    const bool numbered = asked.device.find(':') != std::string::npos;
    if (!image.ptx)
      throw Failure(
          Exit::bad_configuration,
          "--device cuda: this executable has no code for GPUs; build it with --target cuda or auto");
    const int number =
        numbered ? gpu_of(asked.device) : ranks.rank_on_host() % std::max(1, cuda::Driver::get().gpus());
    const auto gpu = std::make_shared<CudaDevice>(
        image, vae_torch_options{number, machine.precision, asked.cudnn_benchmark ? 1 : 0});
    nccl::Library::get();
    machine.opened = gpu;
    machine.device = fmt::format("cuda:{}", number);
    offer.gpu = gpu->bus_id();
  } catch (const Failure& failure) {
    offer.why_none = failure.what();
    // The user did not give the flag that the cause names.
    if (const std::string flag = "--device cuda: ";
        asked.device == "auto" && offer.why_none.starts_with(flag))
      offer.why_none.erase(0, flag.size());
  }
  return offer;
}

/// The offers of all ranks.
std::vector<Offer> offers_of_all(const Offer& own, Ranks& ranks) {
  std::vector<Offer> offers;
  const json text = {own.host, own.gpu, own.why_none};
  for (const std::string& said : ranks.gather(text.dump(-1, ' ', false, json::error_handler_t::replace))) {
    const json offer = json::parse(said);
    offers.push_back({offer.at(0), offer.at(1), offer.at(2)});
  }
  return offers;
}

/// Why the ranks cannot all have a GPU of their own; empty if they can. The same text on all ranks.
std::string why_no_gpus(const std::vector<Offer>& offers, const Ranks& ranks) {
  for (size_t r = 0; r < offers.size(); ++r)
    if (!offers[r].why_none.empty())
      return fmt::format("{}: {}", ranks.name_of(static_cast<int>(r)), offers[r].why_none);
  for (size_t r = 0; r < offers.size(); ++r)
    for (size_t other = 0; other < r; ++other)
      if (offers[r].host == offers[other].host && offers[r].gpu == offers[other].gpu)
        return fmt::format(
            "{} and {} would share one GPU ({}), but NCCL needs one for each rank; start as "
            "many ranks on a host as it has GPUs",
            ranks.name_of(static_cast<int>(other)), ranks.name_of(static_cast<int>(r)), offers[r].gpu);
  return "";
}

}  // namespace

LearningMachine machine_of_rank(const Image& image, const MachineRequest& asked, const Settings& settings,
                                Ranks& ranks) {
  if (!ranks.is_several()) return learning_machine(image, asked, settings);
  LearningMachine chosen = {asked, ""};
  MachineRequest& machine = chosen.request;
  machine.precision = precision_of(settings);
  ranks.share_cores(machine);
  const bool may_choose = asked.device == "auto";
  const std::string kind = asked.device.substr(0, asked.device.find(':'));
  ranks.require_equal({{"--device", kind}});
  machine.device = "cpu";
  if (kind == "cpu" || (may_choose && !image.ptx)) return chosen;
  const std::string why = why_no_gpus(offers_of_all(open_gpu(image, asked, ranks, machine), ranks), ranks);
  if (why.empty()) return chosen;
  if (!may_choose || image.target == Target::cuda)
    throw SharedFailure(Exit::bad_configuration, why, ranks.is_first());
  machine.device = "cpu";
  machine.opened.reset();
  if (ranks.is_first()) chosen.why_no_gpu = why;
  return chosen;
}

std::string device_name(const MachineRequest& machine, const Ranks& ranks) {
  const int gpu = gpu_of(machine.device);
  if (gpu < 0) return "cpu";
  return ranks.is_several() ? "cuda" : fmt::format("cuda:{}", gpu);
}

}  // namespace core
