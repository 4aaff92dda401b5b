// The hex dumps of dataplane/WIRE.md are what the code writes and reads: the document cannot drift.
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "dataplane/core/control.hpp"
#include "dataplane/core/delta_wire.hpp"
#include "dataplane/core/session_key.hpp"
#include "dataplane/dpdk/frame_io.hpp"
#include "dataplane/dpdk/port_choice.hpp"

namespace hotpair::dataplane {
namespace {

using Octets = std::vector<std::uint8_t>;

// Blocks "```hex <name>" of hexadecimal digits; what follows a ';' is comment.
std::map<std::string, Octets> read_dumps() {
  const auto root = std::filesystem::path(__FILE__).parent_path() / "../../..";
  std::ifstream file(root / "dataplane/WIRE.md");
  std::map<std::string, Octets> dumps;
  std::string line, name;
  while (std::getline(file, line)) {
    if (line.rfind("```", 0) == 0) {
      name = line.rfind("```hex ", 0) == 0 ? line.substr(7) : "";
      continue;
    }
    if (name.empty()) continue;
    std::istringstream words(line.substr(0, line.find(';')));
    for (std::string word; words >> word;)
      for (std::size_t i = 0; i + 1 < word.size(); i += 2)
        dumps[name].push_back(
            static_cast<std::uint8_t>(std::stoul(word.substr(i, 2), nullptr, 16)));
  }
  return dumps;
}

std::string hex(Bytes bytes) {
  static const char* digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t b : bytes) {
    text += digits[b >> 4];
    text += digits[b & 15];
  }
  return text;
}

const std::map<std::string, Octets>& all_dumps() {
  static const std::map<std::string, Octets> dumps = read_dumps();
  return dumps;
}
Octets documented(const std::string& name) {
  return all_dumps().at(name);
}

void expect_dump(const std::string& name, Bytes bytes) {
  const std::map<std::string, Octets>& dumps = all_dumps();
  ASSERT_TRUE(dumps.contains(name))
      << "WIRE.md has no dump '" << name << "'; it would be " << hex(bytes);
  EXPECT_EQ(hex(dumps.at(name)), hex(bytes)) << name;
}

Session documented_session() {
  Session s;
  s.key.protocol = kProtocolTcp;
  s.key.original.src.bytes = {192, 0, 2, 10};
  s.key.original.dst.bytes = {198, 51, 100, 20};
  s.key.original.src_port = 40000;
  s.key.original.dst_port = 443;
  s.state.reply = reversed(s.key.original);
  s.state.status = kStatusSeenReply | kStatusAssured;
  s.state.timeout_s = 432000;
  s.state.tcp_state = 3;
  s.state.tcp_flags_original = 0x23;
  s.state.tcp_flags_reply = 0x03;
  s.state.tcp_wscale_original = 7;
  s.state.tcp_wscale_reply = 9;
  return s;
}

Session documented_nat_session() {
  Session s;
  s.key.ipv6 = true;
  s.key.protocol = kProtocolUdp;
  s.key.zone = 10;
  s.key.original.src.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5};
  s.key.original.dst.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6};
  s.key.original.src_port = 5353;
  s.key.original.dst_port = 53;
  s.state.reply = reversed(s.key.original);
  s.state.reply.dst.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  s.state.reply.dst_port = 61000;
  s.state.status = kStatusSeenReply | kStatusSrcNat;
  s.state.mark = 0x1234;
  s.state.timeout_s = 30;
  return s;
}

Session documented_ftp_session() {
  Session s = documented_session();
  s.key.original.dst_port = 21;
  s.state.reply = reversed(s.key.original);
  Extras extras;
  extras.parts = Extras::kLabels | Extras::kHelper | Extras::kExpectations;
  extras.labels[0] = 1 << 3;
  extras.helper.assign("ftp");
  Expectation expectation;
  expectation.protocol = kProtocolTcp;
  expectation.timeout_s = 300;
  expectation.tuple = s.key.original;
  expectation.tuple.src_port = 0;
  expectation.tuple.dst_port = 40001;
  expectation.source_mask.bytes = {0xff, 0xff, 0xff, 0xff};
  extras.expectations.push_back(expectation);
  s.state.extras = SharedExtras::of(extras);
  return s;
}

void expect_record(const std::string& name, const Record& record) {
  std::array<std::uint8_t, kMaxRecord> bytes;
  const std::size_t size = encode_record(record, bytes);
  expect_dump(name, Bytes(bytes).first(size));
  ByteReader in(Bytes(bytes).first(size));
  Record back;
  ASSERT_TRUE(decode_record(in, back));
  EXPECT_TRUE(back == record) << name;
}

TEST(WireDocument, RecordsAreAsDocumented) {
  Record r{.kind = RecordKind::create,
           .bucket = 0,
           .id = 0x01020304,
           .from = 0,
           .session = documented_session()};
  expect_record("record-create-ipv4-tcp", r);
  r.session = documented_nat_session();
  expect_record("record-create-ipv6-udp-nat", r);
  r.session = documented_ftp_session();
  expect_record("record-create-ftp", r);
  r.kind = RecordKind::update;
  r.session = Session{};
  r.session.key.protocol = kProtocolTcp;
  r.session.state.status = kStatusSeenReply | kStatusAssured;
  r.session.state.tcp_state = 7;
  r.session.state.tcp_flags_original = 0x27;
  r.session.state.tcp_flags_reply = 0x07;
  r.session.state.timeout_s = 120;
  expect_record("record-update-tcp", r);
  expect_record(
      "record-delete",
      {.kind = RecordKind::remove, .bucket = 0, .id = 0x01020304, .from = 0, .session = {}});
  expect_record(
      "record-sweep",
      {.kind = RecordKind::sweep, .bucket = 0x0abc, .id = 0, .from = 4660, .session = {}});
}

template <typename Value>
void expect_frame(const std::string& name, const FrameHeader& header, const Value& value) {
  std::array<std::uint8_t, kMinFrame> bytes;
  ByteWriter out(bytes);
  encode_header(header, out);
  encode(value, out);
  expect_dump(name, out.written());
}

TEST(WireDocument, FramesAreAsDocumented) {
  FrameHeader header{.kind = FrameKind::marker,
                     .flags = kFlagInSync,
                     .span = 2,
                     .stream = 1,
                     .epoch = 3,
                     .sender = 0xaaaaaaaa,
                     .receiver = 0xbbbbbbbb,
                     .sequence = 100};
  expect_frame("frame-marker", header,
               Marker{.round = 5, .want = Marker::Want::summary, .sessions = 2});
  std::swap(header.sender, header.receiver);
  header.flags = 0;
  header.span = 0;
  header.kind = FrameKind::ack;
  header.sequence = 40;
  const Received received{.newest = 100, .words = 1, .bits = {0b101}};
  expect_frame("frame-ack", header,
               Ack{.credit = 1024, .delay_us = 180, .sessions = 2, .received = received});
  header.kind = FrameKind::report;
  header.sequence = 41;
  Report report{.round = 5,
                .first_bucket = 64,
                .count = 2,
                .marker = 100,
                .sessions = 2,
                .root = 0x1122334455667788,
                .received = received,
                .digests = {}};
  report.digests[0] = 0x1111111111111111;
  report.digests[1] = 0x2222222222222222;
  expect_frame("frame-report", header, report);
}

TEST(WireDocument, DataFramesAreAsDocumented) {
  std::array<std::uint8_t, 256> bytes;
  ByteWriter out(bytes);
  encode_header({.kind = FrameKind::data,
                 .flags = 0,
                 .span = 0,
                 .stream = 1,
                 .epoch = 3,
                 .sender = 0xaaaaaaaa,
                 .receiver = 0xbbbbbbbb,
                 .sequence = 99},
                out);
  std::size_t at = kHeaderSize + 2;
  at +=
      encode_session(RecordKind::create, 7, documented_session(), MutableBytes(bytes).subspan(at));
  at += encode_session(RecordKind::remove, 8, {}, MutableBytes(bytes).subspan(at));
  encode_record_count(2, bytes.data());
  expect_dump("frame-data", Bytes(bytes).first(at));
}

TEST(WireDocument, OfferFramesAreAsDocumented) {
  std::array<std::uint8_t, 256> bytes;
  ByteWriter out(bytes);
  encode_header({.kind = FrameKind::offer,
                 .flags = 0,
                 .span = 0,
                 .stream = 1,
                 .epoch = 3,
                 .sender = 0xbbbbbbbb,
                 .receiver = 0xaaaaaaaa,
                 .sequence = 42},
                out);
  std::size_t at = kHeaderSize + 2;
  at +=
      encode_session(RecordKind::create, 0, documented_session(), MutableBytes(bytes).subspan(at));
  encode_record_count(1, bytes.data());
  expect_dump("frame-offer", Bytes(bytes).first(at));
}

TEST(WireDocument, ControlMessagesAreAsDocumented) {
  using namespace control;
  const auto to_dataplane = [](const char* name, ToDataplane m) { expect_dump(name, encode(m)); };
  const auto to_agent = [](const char* name, ToAgent m) { expect_dump(name, encode(m)); };
  to_dataplane("control-welcome", Welcome{1, 2, 7});
  to_dataplane("control-set-role", SetRole{9, Role::primary, 5});
  to_dataplane("control-drain", Drain{10});
  SetKeys keys;
  keys.tx_key.fill(0x11);
  keys.rx_key.fill(0x22);
  keys.tx_key_id = 1;
  keys.rx_key_id = 2;
  to_dataplane("control-set-keys", keys);
  to_dataplane("control-send-relay", SendRelay{{0xca, 0xfe}});
  Hello hello;
  hello.nonce.fill(0x33);
  to_agent("control-hello", hello);
  to_agent("control-done", Done{9, false, "no"});
  to_agent("control-relay-received", RelayReceived{1000, {0xca, 0xfe}});
  State state;
  state.role = Role::primary;
  state.epoch = 5;
  state.in_sync = state.port_up = true;
  state.sessions = 3;
  state.lag_sessions = 1;
  state.lag_us = 42;
  to_agent("control-state", state);
}

// The digest is part of the protocol: both nodes must compute the same.
TEST(WireDocument, DigestsAreAsDocumented) {
  std::array<std::uint8_t, 16> bytes;
  store_be(bytes.data(), digest_key(documented_session().key));
  store_be(bytes.data() + 8, digest_session(documented_session()));
  expect_dump("digest-of-record-create-ipv4-tcp", bytes);
}

// Version, kind, lengths, nonce and additional data of the frames on the wire.
class SealedFrames : public testing::Test {
 protected:
  void SetUp() override {
    control::SetKeys keys;
    keys.tx_key.fill(0x11);
    keys.rx_key.fill(0x22);
    keys.tx_key_id = 1;
    keys.rx_key_id = 2;
    io_.set_keys(keys);
  }
  Octets sealed(dpdk::FrameIo::Kind kind, const Octets& body) {
    Octets frame(body.size() + dpdk::kFrameOverhead);
    std::copy(body.begin(), body.end(), frame.begin() + dpdk::kBodyOffset);
    frame.resize(io_.seal(kind, frame, body.size(), {{0x02, 0, 0, 0, 0, 0x01}, std::nullopt}));
    return frame;
  }
  dpdk::Counters counters_;
  dpdk::FrameIo io_{{.group = 7, .chassis = 1, .ethertype = 0x9890}, counters_};
};

TEST_F(SealedFrames, SessionsAreAsDocumented) {
  expect_dump("sealed-frame-data",
              sealed(dpdk::FrameIo::Kind::replication, documented("frame-data")));
}

TEST_F(SealedFrames, AHelloIsAsDocumented) {
  Octets body(dpdk::Hello::kSize);
  dpdk::Hello{.port = 1, .heard = true, .several = true, .takes = 9014, .longest = 4014}.write(
      body);
  expect_dump("hello", body);
  expect_dump("sealed-frame-hello", sealed(dpdk::FrameIo::Kind::hello, body));
}

}  // namespace
}  // namespace hotpair::dataplane
