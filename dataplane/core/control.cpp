#include "dataplane/core/control.hpp"

#include <algorithm>
#include <type_traits>

namespace hotpair::dataplane::control {
namespace {

// The type byte of each message (WIRE.md, "Control socket").
enum class Type : std::uint8_t {
  welcome = 1,
  set_role = 2,
  drain = 3,
  set_keys = 4,
  send_relay = 5,
  hello = 65,
  done = 66,
  relay_received = 67,
  state = 68,
};
constexpr std::size_t kMaxErrorText = 512;
constexpr std::size_t kRoomForFields =
    64;  // type, fixed fields: what a message is beside its bytes
constexpr std::size_t kMaxRelay = kMaxMessage - kRoomForFields;

class Writer {
 public:
  explicit Writer(Type type) : out_(bytes_) { out_.u8(static_cast<std::uint8_t>(type)); }
  ByteWriter& operator*() { return out_; }
  ByteWriter* operator->() { return &out_; }
  std::vector<std::uint8_t> finish() const {
    HOTPAIR_ASSERT(!out_.failed());
    const MutableBytes written = out_.written();
    return {written.begin(), written.end()};
  }

 private:
  std::array<std::uint8_t, kMaxMessage> bytes_{};
  ByteWriter out_;
};

// Longer frames than a heartbeat ever is are not carried: an empty relay is refused by the decoder.
void put_frame(ByteWriter& out, const std::vector<std::uint8_t>& frame) {
  const std::size_t size = frame.size() <= kMaxRelay ? frame.size() : 0;
  out.put(Bytes(frame).first(size));
}

std::vector<std::uint8_t> encode_one(const Welcome& m) {
  Writer out(Type::welcome);
  out->u16(m.version);
  out->u8(m.chassis_id);
  out->u16(m.group_id);
  return out.finish();
}
std::vector<std::uint8_t> encode_one(const SetRole& m) {
  Writer out(Type::set_role);
  out->u32(m.id);
  out->u8(static_cast<std::uint8_t>(m.role));
  out->u64(m.epoch);
  return out.finish();
}
std::vector<std::uint8_t> encode_one(const Drain& m) {
  Writer out(Type::drain);
  out->u32(m.id);
  return out.finish();
}
std::vector<std::uint8_t> encode_one(const SetKeys& m) {
  Writer out(Type::set_keys);
  out->u32(m.tx_key_id);
  out->u32(m.rx_key_id);
  out->put(m.tx_key);
  out->put(m.rx_key);
  return out.finish();
}
std::vector<std::uint8_t> encode_one(const SendRelay& m) {
  Writer out(Type::send_relay);
  put_frame(*out, m.frame);
  return out.finish();
}
std::vector<std::uint8_t> encode_one(const Hello& m) {
  Writer out(Type::hello);
  out->u16(m.version);
  out->put(m.nonce);
  return out.finish();
}
std::vector<std::uint8_t> encode_one(const Done& m) {
  Writer out(Type::done);
  out->u32(m.id);
  out->u8(m.ok ? 1 : 0);
  out->put(std::string_view(m.error).substr(0, kMaxErrorText));
  return out.finish();
}
std::vector<std::uint8_t> encode_one(const RelayReceived& m) {
  Writer out(Type::relay_received);
  out->u64(m.heard_at_ns);
  put_frame(*out, m.frame);
  return out.finish();
}
std::vector<std::uint8_t> encode_one(const State& m) {
  Writer out(Type::state);
  out->u8(static_cast<std::uint8_t>(m.role));
  out->u8(static_cast<std::uint8_t>((m.in_sync ? 1u : 0u) | (m.port_up ? 2u : 0u) |
                                    (m.peer_heard ? 4u : 0u)));
  out->u64(m.epoch);
  out->u64(m.sessions);
  out->u64(m.lag_sessions);
  out->u32(m.lag_us);
  return out.finish();
}

Role read_role(ByteReader& in, bool& good) {
  const std::uint8_t role = in.u8();
  if (role > static_cast<std::uint8_t>(Role::primary)) {
    good = false;
    return Role::idle;
  }
  return static_cast<Role>(role);
}
bool read_flag(std::uint8_t value, bool& good) {
  if (value > 1) good = false;
  return value == 1;
}
std::vector<std::uint8_t> read_frame(ByteReader& in, bool& good) {
  const Bytes frame = in.take(in.remaining());
  if (frame.empty() || frame.size() > kMaxRelay) good = false;
  return {frame.begin(), frame.end()};
}

Welcome read_welcome(ByteReader& in) {
  Welcome m;
  m.version = in.u16();
  m.chassis_id = in.u8();
  m.group_id = in.u16();
  return m;
}
Hello read_hello(ByteReader& in) {
  Hello m;
  m.version = in.u16();
  in.copy_to(m.nonce);
  return m;
}
RelayReceived read_relay_received(ByteReader& in, bool& good) {
  RelayReceived m;
  m.heard_at_ns = in.u64();
  m.frame = read_frame(in, good);
  return m;
}
SetRole read_set_role(ByteReader& in, bool& good) {
  SetRole m;
  m.id = in.u32();
  m.role = read_role(in, good);
  m.epoch = in.u64();
  return m;
}
SetKeys read_set_keys(ByteReader& in) {
  SetKeys m;
  m.tx_key_id = in.u32();
  m.rx_key_id = in.u32();
  in.copy_to(m.tx_key);
  in.copy_to(m.rx_key);
  return m;
}
Done read_done(ByteReader& in, bool& good) {
  Done m;
  m.id = in.u32();
  m.ok = read_flag(in.u8(), good);
  const Bytes text = in.take(in.remaining());
  if (text.size() > kMaxErrorText) good = false;
  m.error.assign(text.begin(), text.end());
  return m;
}
State read_state(ByteReader& in, bool& good) {
  State m;
  m.role = read_role(in, good);
  const std::uint8_t flags = in.u8();
  if (flags > 7) good = false;
  m.in_sync = (flags & 1) != 0;
  m.port_up = (flags & 2) != 0;
  m.peer_heard = (flags & 4) != 0;
  m.epoch = in.u64();
  m.sessions = in.u64();
  m.lag_sessions = in.u64();
  m.lag_us = in.u32();
  return m;
}

// The one sentence for a peer of another build as well as for rubbish: both end the connection.
Failure<Error> malformed(Bytes bytes) {
  const unsigned type = bytes.empty() ? 0 : bytes[0];
  return fail_with(
      "dataplane.sock: message of type " + std::to_string(type) + " and " +
      std::to_string(bytes.size()) +
      " bytes is not one of this build; run the same version of hotpaird and "
      "hotpair-dataplane (compare 'hotpaird --version' and 'hotpair-dataplane --version')");
}

// `message` when it was read whole and nothing is left over.
template <typename Any, typename Message>
Result<Any, Error> finish(Message message, const ByteReader& in, bool good, Bytes bytes) {
  if (!good || in.failed() || in.remaining() != 0) return malformed(bytes);
  return Any(std::move(message));
}

}  // namespace

std::vector<std::uint8_t> encode(const ToDataplane& message) {
  return std::visit([](const auto& m) { return encode_one(m); }, message);
}
std::vector<std::uint8_t> encode(const ToAgent& message) {
  return std::visit([](const auto& m) { return encode_one(m); }, message);
}

Result<ToDataplane, Error> decode_to_dataplane(Bytes bytes) {
  ByteReader in(bytes);
  bool good = bytes.size() <= kMaxMessage;
  const auto done = [&](auto message) {
    return finish<ToDataplane>(std::move(message), in, good, bytes);
  };
  switch (static_cast<Type>(in.u8())) {
    case Type::welcome:
      return done(read_welcome(in));
    case Type::set_role:
      return done(read_set_role(in, good));
    case Type::drain:
      return done(Drain{in.u32()});
    case Type::set_keys:
      return done(read_set_keys(in));
    case Type::send_relay:
      return done(SendRelay{read_frame(in, good)});
    default:
      return malformed(bytes);
  }
}

Result<ToAgent, Error> decode_to_agent(Bytes bytes) {
  ByteReader in(bytes);
  bool good = bytes.size() <= kMaxMessage;
  const auto done = [&](auto message) {
    return finish<ToAgent>(std::move(message), in, good, bytes);
  };
  switch (static_cast<Type>(in.u8())) {
    case Type::hello:
      return done(read_hello(in));
    case Type::done:
      return done(read_done(in, good));
    case Type::relay_received:
      return done(read_relay_received(in, good));
    case Type::state:
      return done(read_state(in, good));
    default:
      return malformed(bytes);
  }
}

}  // namespace hotpair::dataplane::control
