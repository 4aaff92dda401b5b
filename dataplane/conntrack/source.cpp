#include "dataplane/conntrack/source.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "dataplane/conntrack/ctnetlink_socket.hpp"
#include "dataplane/conntrack/event_filter.hpp"
#include "dataplane/conntrack/key_hash.hpp"
#include "dataplane/conntrack/requests.hpp"
#include "dataplane/core/untold.hpp"

namespace hotpair::conntrack {

namespace {

using dataplane::Expectation;
using dataplane::Session;
using dataplane::SessionKey;
using dataplane::SharedExtras;

constexpr unsigned kEventGroups[] = {NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE,
                                     NFNLGRP_CONNTRACK_DESTROY};
constexpr unsigned kExpectationGroups[] = {NFNLGRP_CONNTRACK_EXP_NEW,
                                           NFNLGRP_CONNTRACK_EXP_DESTROY};
// One system call fetches up to so many events; an event is 150 to 500 bytes.
constexpr std::size_t kEventsPerCall = 128;
constexpr std::size_t kEventBytes = 2048;
// The kernel fills at most 32 KiB a read of a dump.
constexpr std::size_t kDumpBytes = 32 << 10;
constexpr int kDumpBufferBytes = 256 << 10;
// Sessions with events between two reads of a dump; beyond it the dump is declared incomplete.
constexpr std::size_t kMaxTouched = 1 << 16;
// Masters whose expectations a dump remembers; the kernel allows 4096 expectations by default.
constexpr std::size_t kMaxMasters = 1 << 16;

// The receive side of recvmmsg: fixed buffers, set up once.
class EventBatch {
 public:
  EventBatch() : bytes_(kEventsPerCall * kEventBytes) {
    for (std::size_t i = 0; i < kEventsPerCall; ++i) {
      parts_[i] = {bytes_.data() + i * kEventBytes, kEventBytes};
      headers_[i].msg_hdr.msg_iov = &parts_[i];
      headers_[i].msg_hdr.msg_iovlen = 1;
      headers_[i].msg_hdr.msg_name = &from_[i];
    }
  }
  // How many datagrams; -1 with errno set.
  int receive(int fd, std::size_t max) {
    const std::size_t count = std::min(max, kEventsPerCall);
    for (std::size_t i = 0; i < count; ++i) headers_[i].msg_hdr.msg_namelen = sizeof(sockaddr_nl);
    return recvmmsg(fd, headers_.data(), static_cast<unsigned>(count), MSG_DONTWAIT, nullptr);
  }
  Bytes datagram(std::size_t i) const {
    return {bytes_.data() + i * kEventBytes, headers_[i].msg_len};
  }
  bool truncated(std::size_t i) const { return (headers_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0; }
  bool from_kernel(std::size_t i) const { return from_[i].nl_pid == 0; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::array<iovec, kEventsPerCall> parts_{};
  std::array<mmsghdr, kEventsPerCall> headers_{};
  std::array<sockaddr_nl, kEventsPerCall> from_{};
};

class CtnetlinkSource final : public Source {
 public:
  CtnetlinkSource(CtnetlinkSocket events, CtnetlinkSocket dump)
      : events_(std::move(events)), dump_(std::move(dump)), dump_buffer_(kDumpBytes) {}

  int event_fd() const override { return events_.fd(); }
  int receive_buffer_bytes() const override { return events_.receive_buffer_bytes(); }
  bool dumping() const override { return dumping_; }
  const SourceCounters& counters() const override { return counters_; }

  Status set_pickup(const dataplane::PickupOptions& options) override {
    expectations_wanted_ = options.enabled && options.expectations;
    if (subscribed_) follow_expectations();
    return events_.filter(event_filter(options));
  }

  Status subscribe() override {
    for (const unsigned group : kEventGroups)
      if (Status joined = events_.join(group); !joined.ok()) return joined;
    subscribed_ = true;
    follow_expectations();
    return Ok{};
  }

  void unsubscribe() override {
    for (const unsigned group : kEventGroups) events_.leave(group);
    for (const unsigned group : kExpectationGroups) events_.leave(group);
    subscribed_ = false;
    events_.discard_waiting();
  }

  // A kernel that tells of no expectations has none.
  void follow_expectations() {
    for (const unsigned group : kExpectationGroups) {
      if (expectations_wanted_)
        (void)events_.join(group);
      else
        events_.leave(group);
    }
  }

  Status start_dump() override {
    stop_dump();
    collect_expectations();
    RequestWriter request(1);
    request.dump(++dump_sequence_);
    if (Status sent = dump_.send(request.written()); !sent.ok()) return sent;
    dumping_ = true;
    touched_.clear();
    return Ok{};
  }

  // All that is expected, at once: the kernel writes a dump while it is read, so nothing is waited
  // for. The entries dumped afterwards are told with it; what changes meanwhile, events say.
  void collect_expectations() {
    expected_.clear();
    dump_sound_ = true;
    if (!expectations_wanted_) return;
    RequestWriter request(1);
    request.dump_expectations(++dump_sequence_);
    if (!dump_.send(request.written()).ok()) return;
    std::size_t size = 0;
    while (dump_.receive(dump_buffer_, size) == CtnetlinkSocket::Received::datagram)
      if (collect({dump_buffer_.data(), size})) return;
  }

  void stop_dump() override {
    // The kernel ends a dump by itself once its records are read; a new socket is quicker.
    if (!dumping_) return;
    dumping_ = false;
    if (auto fresh = CtnetlinkSocket::open(kDumpBufferBytes); fresh.ok())
      dump_ = std::move(fresh).value();
  }

  bool caught_up() const override { return caught_up_; }

  bool poll_events(SourceVisitor& visitor, int max_messages) override {
    caught_up_ = !read_events(visitor, max_messages);
    return !caught_up_;
  }

  bool read_events(SourceVisitor& visitor, int max_messages) {
    for (int left = max_messages; left > 0;) {
      const int got = batch_.receive(events_.fd(), static_cast<std::size_t>(left));
      if (got < 0) {
        if (errno == EINTR) continue;
        if (errno != ENOBUFS) return false;
        ++counters_.overruns;
        visitor.on_overrun();
        continue;
      }
      for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) read_event(i, visitor);
      left -= got;
      if (static_cast<std::size_t>(got) <
          std::min<std::size_t>(kEventsPerCall, static_cast<std::size_t>(left + got)))
        return false;
    }
    return true;
  }

  bool poll_dump(SourceVisitor& visitor, int max_messages) override {
    const std::uint64_t until = counters_.dumped + static_cast<std::uint64_t>(max_messages);
    while (dumping_ && counters_.dumped < until) {
      std::size_t size = 0;
      switch (dump_.receive(dump_buffer_, size)) {
        case CtnetlinkSocket::Received::datagram:
          read_dump({dump_buffer_.data(), size}, visitor);
          touched_.clear();
          break;
        case CtnetlinkSocket::Received::nothing:
          return false;
        case CtnetlinkSocket::Received::overrun:
        case CtnetlinkSocket::Received::error:
          dump_sound_ = false;
          finish_dump(visitor);
          break;
      }
    }
    return dumping_;
  }

 private:
  void read_event(std::size_t i, SourceVisitor& visitor) {
    if (!batch_.from_kernel(i)) return;
    ++counters_.events;
    if (batch_.truncated(i)) {
      ++counters_.malformed;
      return;
    }
    Session session;
    const Bytes message = batch_.datagram(i);
    switch (parse(message, session)) {
      case ParsedKind::upsert:
        remember(session.key);
        begins(message) ? visitor.on_begin(session) : visitor.on_upsert(session);
        break;
      case ParsedKind::destroy:
        remember(session.key);
        visitor.on_destroy(session.key);
        break;
      case ParsedKind::ignored:
        read_expectation(message, visitor);
        break;
      default:
        break;
    }
  }

  // ctnetlink_conntrack_event() in nf_conntrack_netlink.c.
  static bool begins(Bytes parsed) {
    nlmsghdr header;
    std::memcpy(&header, parsed.data(), sizeof header);
    return (header.nlmsg_flags & NLM_F_CREATE) != 0;
  }

  void read_expectation(Bytes message, SourceVisitor& visitor) {
    SessionKey master;
    Expectation expectation;
    const ParsedKind kind = parse(message, master, expectation);
    if (kind != ParsedKind::upsert && kind != ParsedKind::destroy) return;
    const bool gone = kind == ParsedKind::destroy;
    if (dumping_) note(master, expectation, gone);
    visitor.on_expectation(master, expectation, gone);
    if (expectation.translated && master.protocol == IPPROTO_TCP) look_up(master);
  }

  // A helper that translated what it read has moved the stream's sequence numbers, of which the
  // kernel raises no event. Its answer is read among the events.
  void look_up(const SessionKey& key) {
    RequestWriter request(1);
    request.get(key, 1);
    (void)events_.send(request.written());
  }

  void note(const SessionKey& master, const Expectation& expectation, bool gone) {
    if (expected_.size() >= kMaxMasters) {
      dump_sound_ = false;
      return;
    }
    SharedExtras& extras = expected_[master];
    (void)dataplane::with_expectation(extras, expectation, gone, extras);
  }

  // True at the dump's end.
  bool collect(Bytes datagram) {
    while (datagram.size() >= NLMSG_HDRLEN) {
      nlmsghdr header;
      std::memcpy(&header, datagram.data(), sizeof header);
      const bool ends = header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR;
      if (ends || header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > datagram.size())
        return true;
      if (header.nlmsg_flags & NLM_F_DUMP_INTR) dump_sound_ = false;
      SessionKey master;
      Expectation expectation;
      if (parse(datagram.first(header.nlmsg_len), master, expectation) == ParsedKind::upsert)
        note(master, expectation, false);
      datagram =
          datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
    }
    return false;
  }

  void read_dump(Bytes datagram, SourceVisitor& visitor) {
    while (dumping_ && datagram.size() >= NLMSG_HDRLEN) {
      nlmsghdr header;
      std::memcpy(&header, datagram.data(), sizeof header);
      if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > datagram.size()) {
        ++counters_.malformed;
        dump_sound_ = false;
        return;
      }
      if (header.nlmsg_flags & NLM_F_DUMP_INTR) dump_sound_ = false;
      if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
        if (header.nlmsg_type == NLMSG_ERROR) dump_sound_ = false;
        return finish_dump(visitor);
      }
      read_record(datagram.first(header.nlmsg_len), visitor);
      datagram =
          datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
    }
  }

  void read_record(Bytes record, SourceVisitor& visitor) {
    ++counters_.dumped;
    Session session;
    if (parse(record, session) != ParsedKind::upsert) return;
    if (!touched_.empty() && touched_.contains(session.key)) return;
    if (!expected_.empty()) attach_expectations(session);
    visitor.on_dump_entry(session);
  }

  void attach_expectations(Session& session) const {
    const auto found = expected_.find(session.key);
    if (found == expected_.end() || !found->second) return;
    dataplane::Extras extras = session.state.extras.copy();
    extras.add(dataplane::Extras::kExpectations);
    extras.expectations = found->second->expectations;
    session.state.extras = SharedExtras::of(std::move(extras));
  }

  void finish_dump(SourceVisitor& visitor) {
    dumping_ = false;
    ++counters_.dumps;
    touched_.clear();
    expected_.clear();
    visitor.on_dump_done(dump_sound_);
  }

  ParsedKind parse(Bytes message, Session& session) {
    const ParsedKind kind = parse_message(message.data(), message.size(), session);
    if (kind == ParsedKind::malformed) ++counters_.malformed;
    if (kind == ParsedKind::unsupported) ++counters_.unsupported;
    return kind;
  }
  ParsedKind parse(Bytes message, SessionKey& master, Expectation& expectation) {
    const ParsedKind kind = parse_expectation(message.data(), message.size(), master, expectation);
    if (kind == ParsedKind::malformed) ++counters_.malformed;
    return kind;
  }

  void remember(const SessionKey& key) {
    if (!dumping_) return;
    if (touched_.size() < kMaxTouched)
      touched_.insert(key);
    else
      dump_sound_ = false;
  }

  CtnetlinkSocket events_, dump_;
  EventBatch batch_;
  std::vector<std::uint8_t> dump_buffer_;
  // Keys with events since the last read of the dump, whose next records the kernel wrote at that
  // time.
  std::unordered_set<SessionKey, KeyHash> touched_;
  // What helpers expect, by master, during a dump.
  std::unordered_map<SessionKey, SharedExtras, KeyHash> expected_;
  std::uint32_t dump_sequence_ = 0;
  bool subscribed_ = false, expectations_wanted_ = true, caught_up_ = true;
  bool dumping_ = false, dump_sound_ = true;
  SourceCounters counters_;
};

}  // namespace

Result<std::unique_ptr<Source>> Source::open(const SourceOptions& options) {
  auto events = CtnetlinkSocket::open(options.receive_buffer_bytes);
  if (!events.ok()) return fail(events.error());
  auto dump = CtnetlinkSocket::open(kDumpBufferBytes);
  if (!dump.ok()) return fail(dump.error());
  return std::unique_ptr<Source>(
      std::make_unique<CtnetlinkSource>(std::move(events).value(), std::move(dump).value()));
}

}  // namespace hotpair::conntrack
