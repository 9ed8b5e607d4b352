// Launchers are known by their environments alone.
// links: vaert_core
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "runtime/core/ranks/launchers.h"
#include "runtime/core/ranks/own_address.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

using Variables = std::map<std::string, std::string>;

/// Sets variables, and unsets them at the end.
class Environment {
 public:
  explicit Environment(const Variables& variables) : variables_(variables) {
    for (const auto& [name, value] : variables_) setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    for (const auto& [name, value] : variables_) unsetenv(name.c_str());
  }
  Environment(const Environment&) = delete;

 private:
  Variables variables_;
};

Launched launched(const Variables& variables) {
  const Environment environment(variables);
  return find_launcher().value();
}

std::string refusal(const Variables& variables) {
  const Environment environment(variables);
  try {
    find_launcher();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.exit_code, Exit::bad_configuration);
    return failure.what();
  }
  return "";
}

const Variables torchrun = {
    {"TORCHELASTIC_RUN_ID", "job"}, {"RANK", "1"},           {"WORLD_SIZE", "4"},
    {"MASTER_ADDR", "a"},           {"MASTER_PORT", "1234"}, {"TORCHELASTIC_RESTART_COUNT", "2"}};
const Variables slurm = {{"SLURM_STEP_ID", "3"},
                         {"SLURM_NTASKS", "8"},
                         {"SLURM_PROCID", "7"},
                         {"SLURM_JOB_ID", "5000"},
                         {"SLURM_STEP_NODELIST", "n[007-009,12],m1"}};
const Variables openmpi = {
    {"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "3"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "3"}};
const Variables mpich = {{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "1"}};

TEST(Launchers, NobodyLaunchedThisProcess) { EXPECT_FALSE(find_launcher().has_value()); }

TEST(Launchers, TorchrunNamesItsJobAndItsRestarts) {
  const Launched found = launched(torchrun);
  EXPECT_EQ(found.launcher, "torchrun");
  EXPECT_EQ(found.rank, 1);
  EXPECT_EQ(found.size, 4);
  EXPECT_EQ(found.host, "a");
  EXPECT_EQ(found.port, 1234);
  EXPECT_EQ(found.restarts, 2);
  EXPECT_EQ(found.job, "torchrun job");
  EXPECT_TRUE(found.job_has_own_name);
  auto unnamed = torchrun;
  unnamed["TORCHELASTIC_RUN_ID"] = "none";
  EXPECT_FALSE(launched(unnamed).job_has_own_name);
}

TEST(Launchers, SlurmMeetsAtTheFirstHostOfTheStep) {
  const Launched found = launched(slurm);
  EXPECT_EQ(found.launcher, "srun");
  EXPECT_EQ(found.rank, 7);
  EXPECT_EQ(found.size, 8);
  EXPECT_EQ(found.host, "n007");
  EXPECT_EQ(found.port, 61440 + 5000 % 4096);
  EXPECT_EQ(found.job, "slurm 5000");
}

TEST(Launchers, OfASlurmStepOfOneTaskNothingIsSaid) {
  auto alone = slurm;
  alone["SLURM_NTASKS"] = "1";
  const Environment environment(alone);
  EXPECT_FALSE(find_launcher().has_value());
}

TEST(Launchers, OpenMpiConnectsItself) {
  Launched found = launched(openmpi);
  EXPECT_EQ(found.launcher, "mpirun");
  EXPECT_TRUE(found.has_mpi);
  EXPECT_EQ(found.host, "127.0.0.1") << "all ranks are on this machine";
  auto on_two_machines = openmpi;
  on_two_machines["OMPI_COMM_WORLD_LOCAL_SIZE"] = "2";
  EXPECT_EQ(launched(on_two_machines).host, "");
}

TEST(Launchers, MpichNeedsTheHostWhereTheRanksMeet) {
  EXPECT_NE(refusal(mpich).find("PMI: MASTER_ADDR is not set"), std::string::npos) << refusal(mpich);
  auto with_host = mpich;
  with_host["MASTER_ADDR"] = "b";
  const Launched found = launched(with_host);
  EXPECT_EQ(found.rank, 1);
  EXPECT_EQ(found.size, 2);
  EXPECT_EQ(found.host, "b");
  EXPECT_FALSE(found.has_mpi);
  with_host["MASTER_ADDR"] = "localhost";  // the loopback, also on a machine that knows no such name
  EXPECT_EQ(launched(with_host).host, "127.0.0.1");
}

TEST(Launchers, TheFirstOfTheTableCounts) {
  auto several = mpich;
  several.insert(openmpi.begin(), openmpi.end());
  EXPECT_EQ(launched(several).launcher, "mpirun");
  several.insert(slurm.begin(), slurm.end());
  EXPECT_EQ(launched(several).launcher, "srun");
  several.insert(torchrun.begin(), torchrun.end());
  EXPECT_EQ(launched(several).launcher, "torchrun");
}

TEST(Launchers, MasterAddressCountsUnderAll) {
  for (const auto& variables : {slurm, openmpi}) {
    auto elsewhere = variables;
    elsewhere["MASTER_ADDR"] = "other";
    elsewhere["MASTER_PORT"] = "99";
    EXPECT_EQ(launched(elsewhere).host, "other");
    EXPECT_EQ(launched(elsewhere).port, 99);
  }
}

TEST(Launchers, AVariableThatIsMissingIsNamed) {
  auto half = openmpi;
  half.erase("OMPI_COMM_WORLD_SIZE");
  EXPECT_NE(refusal(half).find("OMPI_COMM_WORLD_SIZE is not set"), std::string::npos) << refusal(half);
}

TEST(Launchers, TheFirstHostOfAList) {
  EXPECT_EQ(first_host("n1"), "n1");
  EXPECT_EQ(first_host("n1,n2"), "n1");
  EXPECT_EQ(first_host("n[001,007-9],m3"), "n001");
  EXPECT_EQ(first_host("rack[1-2]n[03-4]"), "rack1n03");
  EXPECT_EQ(first_host("n[5-6].site"), "n5.site");
}

TEST(OwnAddress, OfAnInterface) {
  EXPECT_TRUE(is_loopback("127.0.1.1"));
  EXPECT_TRUE(is_loopback("::1"));
  EXPECT_FALSE(is_loopback("10.0.0.2"));
  {
    const Environment environment(Variables{{"VAEC_IFNAME", "lo"}, {"GLOO_SOCKET_IFNAME", "none0"}});
    EXPECT_EQ(own_address("10.1.2.3", 1), "127.0.0.1") << "VAEC_IFNAME comes first";
  }
  {
    const Environment environment(Variables{{"GLOO_SOCKET_IFNAME", "lo"}});
    EXPECT_EQ(own_address("10.1.2.3", 1), "127.0.0.1");
  }
  EXPECT_EQ(own_address("127.0.0.1", 1), "127.0.0.1") << "the way to the host where the ranks meet";
  for (const char* variable : {"VAEC_IFNAME", "GLOO_SOCKET_IFNAME"}) {
    const Environment environment(Variables{{variable, "none0"}});
    try {
      own_address("127.0.0.1", 1);
      ADD_FAILURE() << variable;
    } catch (const Failure& failure) {
      EXPECT_EQ(
          std::string(failure.what()).find(std::string(variable) + "=none0: there is no such interface"), 0U)
          << failure.what();
    }
  }
}

}  // namespace
}  // namespace core
