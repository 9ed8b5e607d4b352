// In which order threads take the processors of a machine, and that they stay there.
// links: vaert_core
#include <gtest/gtest.h>
#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <set>
#include <vector>

#include "runtime/core/machine/thread_pool.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

TEST(Pinning, TakesOneProcessorOfEachCoreFirst) {
  // Two packages of two cores of two hardware threads, numbered as Linux usually does it.
  EXPECT_EQ(in_order_of_use(
                {{0, 0, 0}, {1, 1, 0}, {2, 0, 1}, {3, 1, 1}, {4, 0, 0}, {5, 1, 0}, {6, 0, 1}, {7, 1, 1}}),
            (std::vector<int>{0, 2, 1, 3, 4, 6, 5, 7}));
}

TEST(Pinning, TakesNeighbouringHardwareThreadsLast) {
  EXPECT_EQ(in_order_of_use({{5, 0, 2}, {4, 0, 2}, {3, 0, 1}, {2, 0, 1}}), (std::vector<int>{2, 4, 3, 5}));
}

TEST(Pinning, BindsEachThreadToItsOwnProcessor) {
  const auto available = static_cast<int>(usable_processors().size());
  ASSERT_GT(available, 0);
  const int threads = std::min(available, 4);
  EXPECT_THROW(pin_threads(available + 1, 0), Failure);
  EXPECT_THROW(pin_threads(1, available), Failure);
  pin_threads(threads, 0);
  std::set<int> where;
#pragma omp parallel num_threads(threads)
  {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
#pragma omp critical
    {
      EXPECT_EQ(CPU_COUNT(&set), 1);
      EXPECT_TRUE(CPU_ISSET(sched_getcpu(), &set));
      where.insert(sched_getcpu());
    }
  }
  EXPECT_EQ(static_cast<int>(where.size()), threads);
}

}  // namespace
}  // namespace core
