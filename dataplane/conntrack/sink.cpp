#include "dataplane/conntrack/sink.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <linux/netlink.h>

#include "dataplane/conntrack/ctnetlink_socket.hpp"
#include "dataplane/conntrack/expectation_writer.hpp"
#include "dataplane/conntrack/requests.hpp"

namespace hotpair::conntrack {

namespace {

using dataplane::Extras;
using dataplane::HelperName;
using dataplane::Session;
using dataplane::SessionKey;

// By measurement: of 16 a create takes a tenth longer; of 256 a tenth less, but a backup as a whole
// as long as before.
constexpr std::size_t kBatch = 64;
constexpr std::size_t kRequestsPerSession = 3;  // of a repeated create
static_assert(kBatch * kRequestsPerSession >=
              kRequestsPerSession + ExpectationWriter::kMostRequests);
constexpr std::size_t kMostMissingHelpers = 64;
// Each answer occupies up to about 1 KiB of the socket's buffer; a batch and its repetition fit
// many times.
constexpr int kReceiveBufferBytes = 1 << 20;

using What = Sink::What;

struct Operation {
  What what = What::create;
  bool repeated = false;  // an answer already led to another attempt; the next failure is final
  std::uint32_t timeout_s = 0;
  Session session;      // remove, refresh: the key alone
  HelperName left_out;  // the session's helper, which this kernel seems not to have
};

void leave_out(Session& session, Extras::Part part) {
  Extras extras = session.state.extras.copy();
  extras.drop(part);
  if (part == Extras::kHelper) extras.drop(Extras::kExpectations);  // there are none without one
  session.state.extras = dataplane::SharedExtras::of(std::move(extras));
}

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

  void order(What what, const Session& session, std::uint32_t timeout_s) override {
    // An answer may lead to another attempt after the batch: so no key stands in one batch twice,
    // or an earlier state could overtake a later one.
    const std::uint32_t print = fingerprint(session.key);
    const auto* begin = fingerprints_.data();
    const auto* end = begin + batch_.size();
    if (std::find(begin, end, print) != end) flush();
    Operation operation{what, false, timeout_s, session, {}};
    if (session.state.extras.has(Extras::kHelper)) leave_out_missing(operation);
    if (!has_room(operation)) flush();
    append(operation);
    if (batch_.size() == kBatch) flush();
  }

  void flush() override {
    if (batch_.empty()) return;
    send_batch();
    // What failed for a reason that another request mends goes once more, each such request once.
    while (!again_.empty()) {
      std::swap(again_, again_now_);
      again_.clear();
      for (const Operation& operation : again_now_) {
        if (!has_room(operation)) send_batch();
        append(operation);
      }
      send_batch();
    }
  }

 private:
  void leave_out_missing(Operation& operation) {
    const auto& helper = operation.session.state.extras->helper;
    if (std::find(missing_helpers_.begin(), missing_helpers_.end(), helper) ==
        missing_helpers_.end())
      return;
    ++counters_.helpers_missing;
    leave_out(operation.session, Extras::kHelper);
  }

  void append(const Operation& operation) {
    fingerprints_[batch_.size()] = fingerprint(operation.session.key);
    const auto sequence = first_sequence_ + static_cast<std::uint32_t>(batch_.size());
    batch_.push_back(operation);
    write(operation, sequence);
    if (expectations_.concerns(operation.session)) write_expectations(operation);
  }

  bool has_room(const Operation& operation) const {
    const bool expects = expectations_.concerns(operation.session);
    return writer_.has_room(kRequestsPerSession + (expects ? ExpectationWriter::kMostRequests : 0));
  }

  void write(const Operation& operation, std::uint32_t sequence) {
    const Session& session = operation.session;
    switch (operation.what) {
      case What::create:
        if (operation.repeated) make_way(session);
        return writer_.create(session, operation.timeout_s, sequence);
      case What::insert:
        return writer_.create(session, operation.timeout_s, sequence);
      case What::update:
        return writer_.update(session, operation.timeout_s, sequence);
      case What::remove:
        return writer_.remove(session.key, sequence);
      case What::refresh:
      case What::hand_back:
        return writer_.set_timeout(session.key, operation.timeout_s, sequence);
    }
  }

  void write_expectations(const Operation& operation) {
    switch (operation.what) {
      case What::create:
      case What::update:
        return expectations_.write(operation.session, operation.timeout_s, writer_);
      case What::insert:
        return expectations_.write(operation.session, 1, writer_);
      case What::remove:
        return expectations_.removed(operation.session.key);
      case What::hand_back:
        return ExpectationWriter::hand_back(operation.session, writer_);
      case What::refresh:
        return;
    }
  }

  // Removes what may hold either tuple of a session that is about to be created. Sequence 0 belongs
  // to no operation, so ENOENT from these is not looked at.
  void make_way(const Session& session) {
    writer_.remove(session.key, 0);
    writer_.remove_reply(session, 0);
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
    if (answer.msg.nlmsg_seq == ExpectationWriter::kSequence)
      ++counters_.expectations_refused;
    else if (answer.msg.nlmsg_seq != 0 && index < batch_.size())
      answers_[index] = -answer.error;
  }

  void settle(const Operation& operation, int error) {
    switch (operation.what) {
      case What::create:
        return settle_create(operation, error);
      case What::insert:
        if (error == EEXIST)
          ++counters_.in_use;
        else
          ++(error == 0 ? counters_.created : counters_.failed);
        return;
      case What::update:
        return settle_update(operation, error);
      case What::remove:
        ++(error == 0 || error == ENOENT ? counters_.deleted : counters_.failed);
        return;
      case What::refresh:
      case What::hand_back:
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
      if (!operation.left_out.empty()) miss(operation.left_out);
    } else if (error == EEXIST && !operation.repeated) {
      again(What::create, true, operation);
    } else if (error == EOPNOTSUPP && operation.session.state.extras.has(Extras::kHelper)) {
      Operation without = operation;
      without.left_out = operation.session.state.extras->helper;
      leave_out(without.session, Extras::kHelper);
      again_.push_back(std::move(without));
    } else if (error == ENOENT && operation.session.state.extras.has(Extras::kMaster)) {
      // The master has ended, or comes later; nothing depends on it once the session is there.
      Operation without = operation;
      leave_out(without.session, Extras::kMaster);
      again_.push_back(std::move(without));
    } else {
      refuse(operation, error);
    }
  }

  void settle_update(const Operation& operation, int error) {
    if (error == 0) {
      ++counters_.updated;
    } else if (error == ENOENT) {
      again(What::create, false, operation);
    } else if (error == EBUSY || error == ETIME || error == EOPNOTSUPP) {
      // EBUSY: the entry has a status bit that ours lacks and that cannot be taken away; it is
      // another connection's. ETIME: it is dying. EOPNOTSUPP: its helper is another.
      again(What::create, true, operation);
    } else if (error == ENOSPC && operation.session.state.extras.has(Extras::kLabels)) {
      // No rule of this node uses labels, so its entries have none. All else is written by then.
      ++counters_.updated;
      ++counters_.labels_missing;
    } else {
      refuse(operation, error);
    }
  }

  void again(What what, bool repeated, const Operation& operation) {
    again_.push_back({what, repeated, operation.timeout_s, operation.session, operation.left_out});
  }

  // From now on sessions go without that helper at once.
  void miss(const HelperName& helper) {
    ++counters_.helpers_missing;
    if (missing_helpers_.size() < kMostMissingHelpers) missing_helpers_.push_back(helper);
    if (helper_missing_) helper_missing_(helper.text());
  }

  void refuse(const Operation& operation, int error) {
    ++counters_.failed;
    if (says_table_full(error)) ++counters_.table_full;
    if (refused_) refused_(operation.session.key, error);
  }

  CtnetlinkSocket socket_;
  RequestWriter writer_{kBatch * kRequestsPerSession};
  ExpectationWriter expectations_;
  std::vector<HelperName> missing_helpers_;
  std::vector<Operation> batch_, again_, again_now_;
  std::array<std::uint32_t, kBatch> fingerprints_{};
  std::array<int, kBatch> answers_{};
  std::array<std::uint8_t, 8192> receive_buffer_{};
  std::uint32_t first_sequence_ = 1;
};

}  // namespace

Result<std::unique_ptr<Sink>> Sink::open() {
  auto socket = CtnetlinkSocket::open(kReceiveBufferBytes);
  if (!socket.ok()) return fail(socket.error());
  return std::unique_ptr<Sink>(std::make_unique<CtnetlinkSink>(std::move(socket).value()));
}

}  // namespace hotpair::conntrack
