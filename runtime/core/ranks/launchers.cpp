#include "runtime/core/ranks/launchers.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <functional>

#include "runtime/shared/failure.h"

namespace core {
namespace {

constexpr int usual_port = 29500;  // torchrun's
constexpr int64_t most_ranks = 1 << 16, most_port = 65535;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

int number(const char* name, int64_t least, int64_t most) {
  const std::string text = variable(name);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty())
    throw Failure(
        Exit::bad_configuration,
        fmt::format("{} is not set, but other variables of a launcher are; --ranks off runs alone", name));
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most)
    throw Failure(Exit::bad_configuration,
                  fmt::format("{}={}: it must be a whole number from {} to {}", name, text, least, most));
  return static_cast<int>(value);
}

int number_or(const char* name, int64_t least, int64_t most, int otherwise) {
  return variable(name).empty() ? otherwise : number(name, least, most);
}

/// Rank and size from two variables.
Launched ranked(const std::string& launcher, const char* rank, const char* size) {
  Launched found;
  found.launcher = launcher;
  found.size = number(size, 1, most_ranks);
  found.rank = number(rank, 0, found.size - 1);
  return found;
}

/// MASTER_ADDR and MASTER_PORT, which count under every launcher. `localhost` is always the loopback (RFC
/// 6761), also on a machine without /etc/hosts.
void take_master(Launched& found, int port) {
  found.port = number_or("MASTER_PORT", 1, most_port, port);
  if (const std::string host = variable("MASTER_ADDR"); !host.empty()) found.host = host;
  if (found.host == "localhost") found.host = "127.0.0.1";
}

void require_master(const Launched& found) {
  if (!found.host.empty()) return;
  throw Failure(
      Exit::bad_configuration,
      fmt::format("{}: MASTER_ADDR is not set; set it to the name or address of the host of rank 0 on "
                  "all ranks (and MASTER_PORT, if {} is not free there)",
                  found.launcher, usual_port));
}

Launched torchrun() {
  Launched found = ranked("torchrun", "RANK", "WORLD_SIZE");
  take_master(found, usual_port);
  require_master(found);
  found.restarts = number_or("TORCHELASTIC_RESTART_COUNT", 0, 1 << 30, 0);
  found.launcher_serves = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  found.prefix = fmt::format("/worker/attempt_{}/vaec/", found.restarts);
  const std::string name = variable("TORCHELASTIC_RUN_ID");
  found.job = "torchrun " + name;
  found.job_has_own_name = name != "none";  // torchrun's default
  return found;
}

Launched slurm() {
  Launched found = ranked("srun", "SLURM_PROCID", "SLURM_NTASKS");
  const std::string nodes = variable("SLURM_STEP_NODELIST");
  found.host = first_host(nodes.empty() ? variable("SLURM_NODELIST") : nodes);
  const int job = number_or("SLURM_JOB_ID", 0, 1LL << 30, 0);
  constexpr int first_port = 61440, ports = 4096;
  take_master(found, first_port + job % ports);
  require_master(found);
  found.restarts = number_or("SLURM_RESTART_COUNT", 0, 1 << 30, 0);
  found.prefix = fmt::format("vaec/{}.{}/", job, variable("SLURM_STEP_ID"));
  found.job = fmt::format("slurm {}", job);
  found.job_has_own_name = true;
  return found;
}

Launched openmpi() {
  Launched found = ranked("mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE");
  found.has_mpi = true;
  const std::string job = variable("OMPI_MCA_ess_base_jobid");
  const bool one_machine = number_or("OMPI_COMM_WORLD_LOCAL_SIZE", 1, most_ranks, 1) == found.size;
  if (one_machine) found.host = "127.0.0.1";
  constexpr int first_port = 57344, ports = 4096;
  take_master(found, first_port + static_cast<int>(std::hash<std::string>()(job) % ports));
  found.prefix = fmt::format("vaec/{}/", job);
  return found;
}

Launched pmi() {
  Launched found = ranked("PMI", "PMI_RANK", "PMI_SIZE");
  take_master(found, usual_port);
  require_master(found);
  return found;
}

Launched by_hand() {
  Launched found = ranked("RANK and WORLD_SIZE", "RANK", "WORLD_SIZE");
  take_master(found, usual_port);
  require_master(found);
  return found;
}

}  // namespace

std::string first_host(const std::string& list) {
  const size_t open = list.find('['), comma = list.find(',');
  if (open == std::string::npos || comma < open) return list.substr(0, comma);
  const size_t close = list.find(']', open);
  const std::string numbers = list.substr(open + 1, close - open - 1);
  const std::string first = numbers.substr(0, numbers.find_first_of(",-"));
  const size_t after = close == std::string::npos ? list.size() : close + 1;
  const std::string rest = list.substr(after, list.find(',', after) - after);
  // A list may have several brackets: rack[1-2]n[03-4].
  return list.substr(0, open) + first + (rest.find('[') == std::string::npos ? rest : first_host(rest));
}

std::optional<Launched> find_launcher() {
  std::optional<Launched> found;
  if (!variable("TORCHELASTIC_RUN_ID").empty())
    found = torchrun();
  else if (!variable("SLURM_STEP_ID").empty() && number_or("SLURM_NTASKS", 1, most_ranks, 1) > 1)
    found = slurm();
  else if (!variable("OMPI_COMM_WORLD_RANK").empty())
    found = openmpi();
  else if (!variable("PMI_RANK").empty() && number_or("PMI_SIZE", 1, most_ranks, 1) > 1)
    found = pmi();
  else if (!variable("RANK").empty() && number_or("WORLD_SIZE", 1, most_ranks, 1) > 1)
    found = by_hand();
  return found;
}

}  // namespace core
