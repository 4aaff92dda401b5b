#include "agent/daemon/neighbour_watch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <poll.h>
#include <sys/eventfd.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/scheduling.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {
namespace {

constexpr Duration kReportPause = 100ms;

}  // namespace

Result<std::unique_ptr<NeighbourWatch>> NeighbourWatch::start(Needs needs) {
  sys::FileDescriptor wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake) return sys::fail_errno("cannot make an eventfd for the neighbours' thread", errno);
  auto watch =
      std::unique_ptr<NeighbourWatch>(new NeighbourWatch(std::move(needs), std::move(wake)));
  watch->thread_ = std::thread([raw = watch.get()] { raw->serve(); });
  return watch;
}

NeighbourWatch::NeighbourWatch(Needs needs, sys::FileDescriptor wake)
    : needs_(std::move(needs)), wake_(std::move(wake)) {}

NeighbourWatch::~NeighbourWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ::eventfd_write(wake_.get(), 1);
  if (thread_.joinable()) thread_.join();
}

void NeighbourWatch::watch(std::vector<OwnedAddress> owned) {
  {
    const std::lock_guard lock(mutex_);
    order_ = std::move(owned);
  }
  ::eventfd_write(wake_.get(), 1);
}

void NeighbourWatch::serve() {
  sys::set_thread_name("neighbours");
  while (true) {
    wait();
    const Instant now = sys::now();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    take_orders(now);
    if (socket_) socket_->receive([&](const sys::NeighbourWord& word) { on_word(word, now); });
    if (begin_at_ && now >= *begin_at_) begin_round(now);
    if (round_) proceed(now);
  }
}

void NeighbourWatch::wait() {
  std::optional<Instant> next = begin_at_;
  if (round_ && (!next || round_->next() < *next)) next = round_->next();
  std::array<pollfd, 3> waited{{{wake_.get(), POLLIN, 0},
                                {socket_ ? socket_->arp_fd() : -1, POLLIN, 0},
                                {socket_ ? socket_->icmp_fd() : -1, POLLIN, 0}}};
  timespec timeout{};
  if (next) {
    const Duration left = std::max(Duration::zero(), *next - sys::now());
    timeout = {static_cast<time_t>(left / 1s), static_cast<long>((left % 1s).count())};
  }
  if (::ppoll(waited.data(), waited.size(), next ? &timeout : nullptr, nullptr) > 0 &&
      waited[0].revents != 0) {
    eventfd_t count = 0;
    ::eventfd_read(wake_.get(), &count);
  }
}

void NeighbourWatch::take_orders(Instant now) {
  std::optional<std::vector<OwnedAddress>> order;
  {
    const std::lock_guard lock(mutex_);
    order.swap(order_);
  }
  if (!order) return;
  if (owned_.empty()) since_ = now;
  owned_ = std::move(*order);
  round_.reset();
  begin_at_.reset();
  if (owned_.empty()) {
    socket_.reset();
    return;
  }
  begin_at_ = now + kProbeDelay;
  if (socket_) return;
  auto opened = sys::NeighbourSocket::open();
  if (opened) {
    socket_.emplace(std::move(opened).value());
  } else {
    needs_.loop.post([this, text = opened.error().message] { needs_.failed(text); });
    owned_.clear();
    begin_at_.reset();
  }
}

void NeighbourWatch::begin_round(Instant now) {
  begin_at_.reset();
  std::vector<int> ifindexes;
  for (const auto& owned : owned_) ifindexes.push_back(owned.announcement.ifindex);
  const auto neighbours = sys::list_neighbours(ifindexes, 4 * kMostProbed);
  if (neighbours) round_.emplace(owned_, *neighbours, now);
}

void NeighbourWatch::proceed(Instant now) {
  for (const auto& sending : round_->take_due(now)) send(sending);
  if (!round_->over(now)) return;
  auto outcome = round_->outcome(owned_);
  round_.reset();
  if (outcome.asked > 0)
    needs_.loop.post([this, outcome = std::move(outcome)] { needs_.verified(outcome); });
}

void NeighbourWatch::send(const ProbeRound::Sending& sending) {
  const ProbeRound::Question& question = round_->question(sending.question);
  const sys::Announcement& own = owned_.at(question.owned).announcement;
  const auto to_it_alone = [&](auto frame) {
    std::copy(question.to.mac.begin(), question.to.mac.end(), frame.begin());
    (void)socket_->send(own.ifindex, frame);
  };
  if (own.address.ipv6) {
    if (sending.announce)
      to_it_alone(sys::unsolicited_advertisement(own.mac, own.address, own.router));
    to_it_alone(sys::solicitation_probe(own.mac, own.address, question.to));
  } else {
    if (sending.announce) to_it_alone(sys::gratuitous_arp(own.mac, own.address));
    to_it_alone(sys::arp_probe(own.mac, own.address, question.to));
  }
}

void NeighbourWatch::on_word(const sys::NeighbourWord& word, Instant now) {
  if (word.answer && round_) round_->heard(word.ifindex, word.address, now);
  for (const auto& owned : owned_) {
    const sys::Announcement& own = owned.announcement;
    if (own.ifindex != word.ifindex || !(own.address == word.address)) continue;
    if (word.mac == own.mac || word.mac == sys::MacAddress{}) continue;
    if (now < since_ + kConflictGrace || (next_report_ && now < *next_report_)) continue;
    next_report_ = now + kReportPause;
    needs_.loop.post([this, conflict = AddressConflict{word.address, owned.device, word.mac}] {
      needs_.conflict(conflict);
    });
  }
}

}  // namespace hotpair::daemon
