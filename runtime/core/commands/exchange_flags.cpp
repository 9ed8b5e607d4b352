#include "runtime/core/commands/exchange_flags.h"

#include "runtime/schema/setting_bounds.h"

namespace core {
namespace {

CLI::Option* add_count(CLI::App* command, const std::string& flag, std::optional<int64_t>& value,
                       WholeRange range, const std::string& help) {
  return command->add_option(flag, value, help)->check(CLI::Range(range.least, range.most))->option_text("N");
}

}  // namespace

void add_exchange_flags(CLI::App* command, ExchangeRequest& request) {
  command->add_option("--peer", request.peers, "where the rows of peer NAME are: its program publishes there")
      ->allow_extra_args(false)
      ->option_text("NAME=FOLDER");
  command->add_option("--publish", request.publish, "the folder for published rows (default: RUN/published)")
      ->option_text("DIR");
  const WholeRange any = {0, bounds::counts.most};
  add_count(command, "--publish-every", request.publish_every, bounds::counts,
            "steps from one published file to the next (default 100; in lockstep 1)");
  add_count(command, "--publish-rows", request.publish_rows, bounds::counts,
            "rows of a published file (default: fresh ones for each step, up to 4096)");
  add_count(command, "--max-age", request.max_age, any,
            "steps by which rows of a peer may be older than this run (default 10000)");
  add_count(command, "--peer-wait", request.peer_wait, any,
            "seconds to wait for a peer of which no rows are there (default 600)");
  command->add_flag("--lockstep", request.lockstep,
                    "wait for each peer's rows of the same step: the result depends on no clock");
}

}  // namespace core
