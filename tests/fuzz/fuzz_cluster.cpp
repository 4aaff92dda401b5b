// Frames of any content on the cluster network, what is in them, and the paths and globs that a
// peer or a file may name.
#include <algorithm>
#include <array>
#include <string_view>

#include "agent/core/cluster_channel.hpp"
#include "agent/core/config_sync.hpp"
#include "tests/fuzz/guessable_cipher.hpp"

using namespace hotpair;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::GuessableCipher cipher;
  agent::ClusterChannel channel(agent::ChassisId::one, 7, cipher);
  channel.use(agent::ChannelKeys{});  // both salts are zeros
  const auto own = agent::cluster_address(7, agent::ChassisId::one);
  const auto peers = agent::cluster_address(7, agent::ChassisId::two);
  std::array<std::uint8_t, agent::kMaxInnerFrame> inner{};
  // Several frames in turn: {path u8, size u16, bytes}.
  ByteReader reader(Bytes(data, size));
  while (reader.remaining() >= 3) {
    const agent::PathId path = reader.u8();
    const Bytes frame = reader.take(std::min<std::size_t>(reader.u16(), reader.remaining()));
    if (const auto opened = channel.open(path % agent::kMaxPaths, frame, inner)) {
      if (*opened > inner.size()) __builtin_trap();
      (void)agent::judge_inner(Bytes(inner).first(*opened), peers, own);
    }
    const std::string_view text(reinterpret_cast<const char*>(frame.data()), frame.size());
    agent::ConfigScope scope;
    scope.paths = {"/etc/frr", std::string(text.substr(0, text.size() / 2))};
    scope.ignore = scope.paths;
    const auto found = agent::scope_of(scope, text.substr(text.size() / 2));
    if (found && found->empty()) __builtin_trap();
    (void)agent::render_template(text, {{"chassis_id", "1"}});
  }
  return 0;
}
