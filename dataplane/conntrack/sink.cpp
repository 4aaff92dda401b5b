#include "dataplane/conntrack/sink.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <linux/netlink.h>

#include "dataplane/conntrack/ctnetlink_socket.hpp"
#include "dataplane/conntrack/requests.hpp"

namespace hotpair::conntrack {

namespace {

using dataplane::Session;
using dataplane::SessionKey;

constexpr std::size_t kBatch = 64;
// Each answer occupies up to about 1 KiB of the socket's buffer; a batch and its repetition fit
// many times.
constexpr int kReceiveBufferBytes = 1 << 20;

enum class Kind : std::uint8_t { create, insert, update, remove, refresh };

struct Operation {
  Kind kind = Kind::create;
  bool repeated = false;  // an answer already led to another attempt; the next failure is final
  std::uint32_t timeout_s = 0;
  Session session;  // remove, refresh: the key alone
};

bool says_table_full(int error) {
  return error == ENOMEM || error == ENFILE || error == EAGAIN || error == ENOSPC;
}

// Cheap and only for telling keys of one batch apart; equality is checked where it matters.
std::uint32_t fingerprint(const SessionKey& key) {
  std::uint32_t h = 2166136261u;
  const auto mix = [&h](std::uint32_t v) { h = (h ^ v) * 16777619u; };
  for (std::size_t i = 0; i < 16; i += 4) {
    mix(load_be<std::uint32_t>(key.original.src.bytes.data() + i));
    mix(load_be<std::uint32_t>(key.original.dst.bytes.data() + i));
  }
  mix(static_cast<std::uint32_t>(key.original.src_port << 16 | key.original.dst_port));
  mix(static_cast<std::uint32_t>(key.zone << 16 | key.protocol << 1 | (key.ipv6 ? 1 : 0)));
  return h;
}

class CtnetlinkSink final : public Sink {
 public:
  explicit CtnetlinkSink(CtnetlinkSocket socket) : socket_(std::move(socket)) {
    batch_.reserve(kBatch);
    again_.reserve(kBatch);
  }

  void upsert(const Session& session, std::uint32_t timeout_s, bool expect_new) override {
    queue({expect_new ? Kind::create : Kind::update, false, timeout_s, session});
  }
  void insert(const Session& session, std::uint32_t timeout_s) override {
    queue({Kind::insert, false, timeout_s, session});
  }
  void remove(const SessionKey& key) override { queue({Kind::remove, false, 0, {key, {}}}); }
  void refresh(const SessionKey& key, std::uint32_t timeout_s) override {
    queue({Kind::refresh, false, timeout_s, {key, {}}});
  }

  void flush() override {
    if (batch_.empty()) return;
    send_batch();
    // What failed for a reason that another request mends goes once more, each such request once.
    while (!again_.empty()) {
      std::swap(again_, again_now_);
      again_.clear();
      for (const Operation& operation : again_now_) append(operation);
      send_batch();
    }
  }

  void on_missing(std::function<void(const SessionKey&)> callback) override {
    missing_ = std::move(callback);
  }
  void on_refused(std::function<void(const SessionKey&, int)> callback) override {
    refused_ = std::move(callback);
  }
  const SinkCounters& counters() const override { return counters_; }

 private:
  void queue(const Operation& operation) {
    // An answer may lead to another attempt after the batch: so no key stands in one batch twice,
    // or an earlier state could overtake a later one.
    const std::uint32_t print = fingerprint(operation.session.key);
    const auto* begin = fingerprints_.data();
    const auto* end = begin + batch_.size();
    if (std::find(begin, end, print) != end) flush();
    append(operation);
    if (batch_.size() == kBatch) flush();
  }

  void append(const Operation& operation) {
    fingerprints_[batch_.size()] = fingerprint(operation.session.key);
    const auto sequence = first_sequence_ + static_cast<std::uint32_t>(batch_.size());
    batch_.push_back(operation);
    const Session& session = operation.session;
    switch (operation.kind) {
      case Kind::create:
        if (operation.repeated) make_way(session);
        writer_.create(session, operation.timeout_s, sequence);
        return;
      case Kind::insert:
        writer_.create(session, operation.timeout_s, sequence);
        return;
      case Kind::update:
        writer_.update(session, operation.timeout_s, sequence);
        return;
      case Kind::remove:
        writer_.remove(session.key, session.key.original, sequence);
        return;
      case Kind::refresh:
        writer_.set_timeout(session.key, operation.timeout_s, sequence);
        return;
    }
  }

  // Removes what may hold either tuple of a session that is about to be created. Sequence 0 belongs
  // to no operation, so ENOENT from these is not looked at.
  void make_way(const Session& session) {
    writer_.remove(session.key, session.key.original, 0);
    writer_.remove(session.key, session.state.reply, 0);
  }

  void send_batch() {
    answers_.fill(0);
    const Status sent = socket_.send(writer_.written());
    if (!sent.ok())
      std::fill_n(answers_.begin(), batch_.size(), EIO);
    else
      read_answers();
    ++counters_.batches;
    for (std::size_t i = 0; i < batch_.size(); ++i) settle(batch_[i], answers_[i]);
    first_sequence_ += static_cast<std::uint32_t>(batch_.size());
    if (first_sequence_ > 0x7fffffffu) first_sequence_ = 1;
    batch_.clear();
    writer_.clear();
  }

  void read_answers() {
    std::size_t size = 0;
    for (;;) {
      switch (socket_.receive(receive_buffer_, size)) {
        case CtnetlinkSocket::Received::datagram:
          read_answer({receive_buffer_.data(), size});
          break;
        case CtnetlinkSocket::Received::nothing:
          return;
        case CtnetlinkSocket::Received::overrun:
        case CtnetlinkSocket::Received::error:
          // Answers were lost: whatever has none so far is of unknown fate and counts as refused.
          for (std::size_t i = 0; i < batch_.size(); ++i)
            if (answers_[i] == 0) answers_[i] = EIO;
          break;
      }
    }
  }

  void read_answer(Bytes datagram) {
    nlmsghdr header;
    nlmsgerr answer;
    if (datagram.size() < NLMSG_HDRLEN + sizeof answer) return;
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_type != NLMSG_ERROR) return;
    std::memcpy(&answer, datagram.data() + NLMSG_HDRLEN, sizeof answer);
    const std::uint32_t index = answer.msg.nlmsg_seq - first_sequence_;
    if (answer.msg.nlmsg_seq != 0 && index < batch_.size()) answers_[index] = -answer.error;
  }

  void settle(const Operation& operation, int error) {
    switch (operation.kind) {
      case Kind::create:
        return settle_create(operation, error);
      case Kind::insert:
        if (error == EEXIST)
          ++counters_.in_use;
        else
          ++(error == 0 ? counters_.created : counters_.failed);
        return;
      case Kind::update:
        return settle_update(operation, error);
      case Kind::remove:
        ++(error == 0 || error == ENOENT ? counters_.deleted : counters_.failed);
        return;
      case Kind::refresh:
        if (error == 0) {
          ++counters_.refreshed;
        } else if (missing_) {
          missing_(operation.session.key);
        }
        return;
    }
  }

  void settle_create(const Operation& operation, int error) {
    if (error == 0) {
      ++counters_.created;
      if (operation.repeated) ++counters_.replaced;
    } else if (error == EEXIST && !operation.repeated) {
      again_.push_back({Kind::create, true, operation.timeout_s, operation.session});
    } else {
      refuse(operation, error);
    }
  }

  void settle_update(const Operation& operation, int error) {
    if (error == 0) {
      ++counters_.updated;
    } else if (error == ENOENT) {
      again_.push_back({Kind::create, false, operation.timeout_s, operation.session});
    } else if (error == EBUSY || error == ETIME || error == EOPNOTSUPP) {
      // EBUSY: the entry has a status bit that ours lacks and that cannot be taken away; it is
      // another connection's. ETIME: it is dying.
      again_.push_back({Kind::create, true, operation.timeout_s, operation.session});
    } else {
      refuse(operation, error);
    }
  }

  void refuse(const Operation& operation, int error) {
    ++counters_.failed;
    if (says_table_full(error)) ++counters_.table_full;
    if (refused_) refused_(operation.session.key, error);
  }

  CtnetlinkSocket socket_;
  // A repeated create is three requests.
  RequestWriter writer_{kBatch * 3};
  std::vector<Operation> batch_, again_, again_now_;
  std::array<std::uint32_t, kBatch> fingerprints_{};
  std::array<int, kBatch> answers_{};
  std::array<std::uint8_t, 8192> receive_buffer_{};
  std::uint32_t first_sequence_ = 1;
  SinkCounters counters_;
  std::function<void(const SessionKey&)> missing_;
  std::function<void(const SessionKey&, int)> refused_;
};

}  // namespace

Result<std::unique_ptr<Sink>> Sink::open() {
  auto socket = CtnetlinkSocket::open(kReceiveBufferBytes);
  if (!socket.ok()) return fail(socket.error());
  return std::unique_ptr<Sink>(std::make_unique<CtnetlinkSink>(std::move(socket).value()));
}

}  // namespace hotpair::conntrack
