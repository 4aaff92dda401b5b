// Session-sync frames of any content at a backup, and at a primary that has sessions to tell of.
// {role u8, then frames: size u16, bytes}.
#include <array>
#include <cstdint>

#include "dataplane/core/engine.hpp"

namespace {

using namespace hotpair;
using namespace hotpair::dataplane;

struct NoKernel final : SessionSink {
  void on_upsert(const SessionView&, bool) final {}
  void on_remove(const SessionKey&) final {}
  void on_merge(const Session&) final {}
};

Session some_session(std::uint8_t number) {
  Session session;
  session.key.protocol = 17;
  session.key.original.src.bytes = {192, 0, 2, number};
  session.key.original.dst.bytes = {198, 51, 100, 1};
  session.key.original.src_port = number;
  session.key.original.dst_port = 53;
  return session;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader in(Bytes(data, size));
  const bool primary = in.u8() % 2 != 0;
  Instant now(1s);
  NoKernel sink;
  EngineConfig config;
  config.max_sessions = 64;
  Engine engine(config, sink, now);
  engine.set_role(primary ? Role::primary : Role::backup, 1, now);
  if (primary)
    for (std::uint8_t i = 0; i < 8; ++i) engine.upsert(some_session(i), now);
  std::array<std::uint8_t, kMaxFrame> buffer{};
  while (in.remaining() >= 2) {
    const Bytes frame = in.take(std::min<std::size_t>(in.u16(), in.remaining()));
    now += 1ms;
    engine.on_frame(frame, now);
    while (const std::size_t written = engine.next_frame(now, buffer))
      if (written > buffer.size()) __builtin_trap();
    engine.work(now);
  }
  if (engine.status(now).sessions > config.max_sessions) __builtin_trap();
  return 0;
}
