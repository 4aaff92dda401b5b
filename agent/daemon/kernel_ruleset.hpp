// The ruleset in this box's kernel: read, and made another in one transaction, by nft. Blocks on
// nft; one thread at a time.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "agent/core/nft_ruleset.hpp"
#include "platform/base/result.hpp"

namespace hotpair::daemon {

class KernelRuleset {
 public:
  // `directory`: ours alone, e.g. /var/lib/hotpair/ruleset.
  explicit KernelRuleset(std::string directory) : directory_(std::move(directory)) {}

  // A command that runs is ended. Any thread; for good.
  void stop() { stopping_ = true; }
  bool stopping() const { return stopping_; }

  // `by_element`: sets whose elements are not of it.
  Result<agent::NftRuleset> read(const std::vector<agent::NftSetName>& by_element);

  // All of it or nothing: fails with nft's words and leaves what is in force. Elements that come
  // and go by themselves are put back where their table had to be made anew.
  Status make(const agent::NftRuleset& present, const agent::NftRuleset& wanted);

  // Writes it to a file beside the others that lost, of which the last twenty stay; its path.
  Result<std::string> keep(const agent::NftRuleset& ruleset);

 private:
  Result<agent::NftRuleset> read_once(const std::vector<agent::NftSetName>& by_element);

  std::string directory_;
  std::atomic<bool> stopping_{false};
};

}  // namespace hotpair::daemon
