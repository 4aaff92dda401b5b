#include "platform/linux/netlink_link.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/netlink_link_parse.hpp"
#include "platform/linux/netlink_socket.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr int kEventBuffer = 4 * 1024 * 1024;
constexpr int kMaxDatagramsATurn = 64;
constexpr Duration kDumpTime = 5s;
// Link modes follow the fixed part; the kernel says in the first call how many words it has.
constexpr std::size_t kMaxLinkModeWords = 127;

std::optional<std::uint32_t> read_speed(int fd, const std::string& name) {
  constexpr std::size_t kSize =
      sizeof(ethtool_link_settings) + 3 * kMaxLinkModeWords * sizeof(std::uint32_t);
  alignas(ethtool_link_settings) std::array<char, kSize> buffer{};
  auto* settings = reinterpret_cast<ethtool_link_settings*>(buffer.data());
  ifreq request{};
  std::copy_n(name.c_str(), std::min<std::size_t>(name.size(), IFNAMSIZ - 1), request.ifr_name);
  request.ifr_data = buffer.data();
  settings->cmd = ETHTOOL_GLINKSETTINGS;
  if (ioctl(fd, SIOCETHTOOL, &request) != 0 || settings->link_mode_masks_nwords >= 0)
    return std::nullopt;
  const int words = -settings->link_mode_masks_nwords;
  buffer.fill(0);
  settings->cmd = ETHTOOL_GLINKSETTINGS;
  settings->link_mode_masks_nwords = static_cast<std::int8_t>(words);
  if (ioctl(fd, SIOCETHTOOL, &request) != 0) return std::nullopt;
  const std::uint32_t speed = settings->speed;
  if (speed == 0 || speed == static_cast<std::uint32_t>(SPEED_UNKNOWN)) return std::nullopt;
  return speed;
}

}  // namespace

struct LinkMonitor::State {
  // Two sockets: the answers of a dump do not mix with events, and events that wait are not lost to
  // it.
  NetlinkSocket events, dumps;
  FileDescriptor ethtool;
  std::map<int, LinkInfo> links;
  std::map<int, std::uint64_t> event_counts;  // of those that exist
  Callback callback;
  LinkCounters counters;

  State(NetlinkSocket events_socket, NetlinkSocket dump_socket, FileDescriptor ethtool_socket)
      : events(std::move(events_socket)),
        dumps(std::move(dump_socket)),
        ethtool(std::move(ethtool_socket)) {}

  void take_event(nlmsghdr& message);
  void upsert(LinkInfo link);
  void remove(int ifindex);
  Status redump(bool report);
  void report(LinkChange::What what, const LinkInfo& link, std::string old_name = {}) {
    if (callback) callback({what, link, std::move(old_name)});
  }
};

void LinkMonitor::State::upsert(LinkInfo link) {
  if (link.carrier) link.speed_mbps = read_speed(ethtool.get(), link.name);
  auto [found, appeared] = links.try_emplace(link.ifindex, link);
  if (appeared) return report(LinkChange::What::appeared, link);
  if (found->second == link) return;
  std::string old_name = found->second.name;
  found->second = link;
  if (old_name != link.name) return report(LinkChange::What::renamed, link, std::move(old_name));
  report(LinkChange::What::changed, link);
}

void LinkMonitor::State::remove(int ifindex) {
  event_counts.erase(ifindex);
  auto found = links.find(ifindex);
  if (found == links.end()) return;
  LinkInfo last = std::move(found->second);
  links.erase(found);
  last.carrier = last.admin_up = false;
  report(LinkChange::What::removed, last);
}

void LinkMonitor::State::take_event(nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWLINK && message.nlmsg_type != RTM_DELLINK) return;
  ++counters.events;
  if (nlmsg_datalen(&message) < static_cast<int>(sizeof(ifinfomsg))) {
    ++counters.malformed;
    return;
  }
  const auto* fixed = static_cast<const ifinfomsg*>(nlmsg_data(&message));
  if (fixed->ifi_family != AF_UNSPEC) return;  // a device that left its bridge
  ++event_counts[fixed->ifi_index];
  if (message.nlmsg_type == RTM_DELLINK) return remove(fixed->ifi_index);
  if (auto link = parse_link(message))
    upsert(std::move(*link));
  else
    ++counters.malformed;
}

Status LinkMonitor::State::redump(bool report_changes) {
  ++counters.dumps;
  ifinfomsg fixed{};
  const NetlinkMessage request = make_netlink_message(
      RTM_GETLINK, 0, {reinterpret_cast<const std::uint8_t*>(&fixed), sizeof(fixed)});
  nla_put_u32(request.get(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  std::vector<LinkInfo> found;
  auto each = [&](nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWLINK) return;
    if (auto link = parse_link(message)) found.push_back(std::move(*link));
  };
  Status done = dumps.dump(
      request.get(), each, [&] { found.clear(); }, now() + kDumpTime);
  if (!done) return done;
  Callback kept;
  if (!report_changes) kept.swap(callback);
  std::vector<int> gone;
  for (const auto& [ifindex, link] : links) {
    auto same = [index = ifindex](const LinkInfo& l) { return l.ifindex == index; };
    if (std::none_of(found.begin(), found.end(), same)) gone.push_back(ifindex);
  }
  for (int ifindex : gone) remove(ifindex);
  for (LinkInfo& link : found) upsert(std::move(link));
  if (!report_changes) callback.swap(kept);
  return Ok{};
}

LinkMonitor::LinkMonitor(std::unique_ptr<State> state) : state_(std::move(state)) {}
LinkMonitor::~LinkMonitor() = default;

Result<std::unique_ptr<LinkMonitor>> LinkMonitor::open() {
  // The subscription first: what changes during the dump comes after it as events.
  auto events = NetlinkSocket::open({RTNLGRP_LINK}, kEventBuffer);
  if (!events) return fail(events.error());
  auto dumps = NetlinkSocket::open({}, kEventBuffer);
  if (!dumps) return fail(dumps.error());
  FileDescriptor ethtool(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!ethtool) return fail_errno("cannot open a socket to ask for link speeds", errno);
  std::unique_ptr<LinkMonitor> monitor(new LinkMonitor(
      std::make_unique<State>(std::move(*events), std::move(*dumps), std::move(ethtool))));
  if (Status dumped = monitor->state_->redump(false); !dumped) return fail(dumped.error());
  return monitor;
}

int LinkMonitor::fd() const {
  return state_->events.fd();
}

void LinkMonitor::on_change(Callback callback) {
  state_->callback = std::move(callback);
}

Status LinkMonitor::handle_readable() {
  bool overrun = false;
  auto each = [this](nlmsghdr& message) { state_->take_event(message); };
  for (int i = 0; i < kMaxDatagramsATurn; ++i) {
    const NetlinkSocket::Read outcome = state_->events.read(each);
    if (outcome == NetlinkSocket::Read::empty) break;
    if (outcome == NetlinkSocket::Read::failed)
      return fail_errno("cannot read link events from the kernel", errno);
    if (outcome == NetlinkSocket::Read::overrun) overrun = true;
  }
  if (!overrun) return Ok{};
  ++state_->counters.overruns;
  return state_->redump(true);
}

const LinkInfo* LinkMonitor::find(const std::string& name) const {
  for (const auto& [ifindex, link] : state_->links)
    if (link.name == name) return &link;
  return nullptr;
}

const LinkInfo* LinkMonitor::find(int ifindex) const {
  auto found = state_->links.find(ifindex);
  return found == state_->links.end() ? nullptr : &found->second;
}

std::vector<LinkInfo> LinkMonitor::members_of(int master) const {
  std::vector<LinkInfo> members;
  for (const auto& [ifindex, link] : state_->links)
    if (link.master == master && master != 0) members.push_back(link);
  return members;
}

std::vector<LinkInfo> LinkMonitor::all() const {
  std::vector<LinkInfo> links;
  for (const auto& [ifindex, link] : state_->links) links.push_back(link);
  return links;
}

std::uint64_t LinkMonitor::events_of(int ifindex) const {
  const auto found = state_->event_counts.find(ifindex);
  return found == state_->event_counts.end() ? 0 : found->second;
}

bool LinkMonitor::learn(const LinkInfo& link, std::uint64_t events) {
  const auto found = state_->links.find(link.ifindex);
  if (found == state_->links.end() || events_of(link.ifindex) != events) return false;
  LinkInfo now = found->second;
  if (now.carrier == link.carrier && now.admin_up == link.admin_up) return false;
  now.carrier = link.carrier;
  now.admin_up = link.admin_up;
  state_->upsert(std::move(now));
  return true;
}

const LinkCounters& LinkMonitor::counters() const {
  return state_->counters;
}

}  // namespace hotpair::sys
