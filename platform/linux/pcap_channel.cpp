#include "platform/linux/pcap_channel.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <vector>

#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr std::uint16_t kVlanTag = 0x8100;     // 802.1Q
constexpr std::uint16_t kServiceTag = 0x88a8;  // 802.1ad
constexpr std::size_t kAddresses = 12;
constexpr std::uint8_t kMaxTags = 2;

// Our ethertype behind no tag, one or two. The kernel runs this on frames whose outer tag it has
// already moved into metadata, libpcap runs it on frames whose tag is back in place: looking only
// at the bytes and never at the metadata, the program takes the same frames either way.
std::vector<bpf_insn> ethertype_filter(std::uint16_t ethertype) {
  constexpr std::uint32_t kAccept = 0xffffffff;
  return {
      BPF_STMT(BPF_LD + BPF_H + BPF_ABS, 12),
      BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, ethertype, 9, 0),
      BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, kVlanTag, 1, 0),
      BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, kServiceTag, 0, 6),
      BPF_STMT(BPF_LD + BPF_H + BPF_ABS, 16),
      BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, ethertype, 5, 0),
      BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, kVlanTag, 1, 0),
      BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, kServiceTag, 0, 2),
      BPF_STMT(BPF_LD + BPF_H + BPF_ABS, 20),
      BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, ethertype, 1, 0),
      BPF_STMT(BPF_RET + BPF_K, 0),
      BPF_STMT(BPF_RET + BPF_K, kAccept),
  };
}

std::vector<bpf_insn> destination_filter(std::uint32_t prefix) {
  return {
      BPF_STMT(BPF_LD + BPF_W + BPF_ABS, 0),
      BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, prefix, 1, 0),
      BPF_STMT(BPF_RET + BPF_K, 0),
      BPF_STMT(BPF_RET + BPF_K, 0xffffffff),
  };
}

std::vector<bpf_insn> filter_for(const PcapOptions& options) {
  if (!options.receive) return {BPF_STMT(BPF_RET + BPF_K, 0)};
  if (options.destination_prefix) return destination_filter(*options.destination_prefix);
  return ethertype_filter(options.ethertype);
}

struct ClosePcap {
  void operator()(pcap_t* p) const { pcap_close(p); }
};
using Pcap = std::unique_ptr<pcap_t, ClosePcap>;

Failure<Error> open_failure(const std::string& device, pcap_t* handle, int status) {
  const std::string what = "cannot open " + device + " for raw frames: ";
  const std::string detail = pcap_geterr(handle);
  switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
      return fail_with(what + "there is no such device; see 'ip link'");
    case PCAP_ERROR_IFACE_NOT_UP:
      return fail_with(what + "it is down; bring it up with 'ip link set " + device + " up'");
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
      return fail_with(what +
                       "not permitted; run it as root, or with 'AmbientCapabilities=CAP_NET_RAW'");
    default:
      return fail_with(what + (detail.empty() ? pcap_statustostr(status) : detail) +
                       "; see 'ip link show " + device + "'");
  }
}

Status install_filter(pcap_t* handle, const PcapOptions& options) {
  std::vector<bpf_insn> program = filter_for(options);
  bpf_program wrapped{static_cast<unsigned>(program.size()), program.data()};
  if (pcap_setfilter(handle, &wrapped) != 0)
    return fail_with("cannot filter frames on " + options.device + ": " + pcap_geterr(handle));
  return Ok{};
}

void configure(pcap_t* handle, const PcapOptions& options) {
  pcap_set_snaplen(handle, options.snaplen);
  pcap_set_promisc(handle, options.promiscuous && options.receive ? 1 : 0);
  // Without it libpcap gathers frames for a while before it wakes us.
  pcap_set_immediate_mode(handle, 1);
  pcap_set_timeout(handle, 1);
  pcap_set_buffer_size(handle, options.receive ? options.buffer_bytes : 64 * 1024);
  pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
  // What a channel sends that only sends. The kernel would show it each arriving frame otherwise;
  // but as tagged it shows none, having put the tag away first.
  if (!options.receive) pcap_set_protocol_linux(handle, kVlanTag);
}

// Best effort; all of it is also true, if slower, without.
void tune_socket(int fd, int priority) {
  const int on = 1;
  setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
  setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
}

}  // namespace

struct PcapChannel::State {
  PcapOptions options;
  Pcap handle;
  int fd = -1;
  PcapCounters counters;
  WallClockMapper clock;
  const Callback* callback = nullptr;  // during receive()
  std::size_t delivered = 0;

  void take(const pcap_pkthdr& header, const std::uint8_t* data);
  Status error(const std::string& what) {
    return fail_with(what + " " + options.device + ": " + pcap_geterr(handle.get()) +
                     "; see 'ip link show " + options.device + "'");
  }
};

void PcapChannel::State::take(const pcap_pkthdr& header, const std::uint8_t* data) {
  if (header.caplen < header.len) {
    ++counters.truncated;
    return;
  }
  std::optional<FrameView> view = dissect_frame({data, header.caplen});
  if (!view || (!options.destination_prefix && view->ethertype != options.ethertype)) {
    ++counters.malformed;
    return;
  }
  // With nanosecond precision tv_usec holds nanoseconds (pcap_set_tstamp_precision(3)).
  view->heard_at = clock.to_instant(std::chrono::seconds(header.ts.tv_sec) +
                                    std::chrono::nanoseconds(header.ts.tv_usec));
  ++counters.received;
  ++delivered;
  (*callback)(*view);
}

std::optional<FrameView> dissect_frame(Bytes frame) {
  if (frame.size() < kAddresses + 2) return std::nullopt;
  FrameView view;
  view.frame = frame;
  ByteReader reader(frame);
  reader.copy_to(view.destination);
  reader.copy_to(view.source);
  view.ethertype = reader.u16();
  while ((view.ethertype == kVlanTag || view.ethertype == kServiceTag) && view.tags < kMaxTags) {
    const std::uint16_t control = reader.u16();
    if (view.tags == 0) {
      view.vlan = static_cast<std::uint16_t>(control & 0x0fff);
      view.pcp = static_cast<std::uint8_t>(control >> 13);
    }
    ++view.tags;
    view.ethertype = reader.u16();
  }
  view.payload = reader.take(reader.remaining());
  if (reader.failed()) return std::nullopt;
  return view;
}

PcapChannel::PcapChannel(std::unique_ptr<State> state) : state_(std::move(state)) {}
PcapChannel::~PcapChannel() = default;

Result<std::unique_ptr<PcapChannel>> PcapChannel::open(const PcapOptions& options) {
  char error[PCAP_ERRBUF_SIZE] = "";
  // libpcap would take an absent or odd name for something else ("any", USB, D-Bus).
  if (if_nametoindex(options.device.c_str()) == 0)
    return fail_with("cannot open " + options.device +
                     " for raw frames: there is no such device; see 'ip link'");
  Pcap handle(pcap_create(options.device.c_str(), error));
  if (!handle) return fail_with("cannot open " + options.device + " for raw frames: " + error);
  configure(handle.get(), options);
  // A warning (> 0) is not a failure.
  const int status = pcap_activate(handle.get());
  if (status < 0) return open_failure(options.device, handle.get(), status);
  if (pcap_datalink(handle.get()) != DLT_EN10MB)
    return fail_with(options.device + " is not an Ethernet device; see 'ip -d link show " +
                     options.device + "'");
  if (Status filtered = install_filter(handle.get(), options); !filtered)
    return fail(filtered.error());
  if (pcap_setdirection(handle.get(), PCAP_D_IN) != 0 ||
      pcap_setnonblock(handle.get(), 1, error) != 0)
    return fail_with("cannot set up " + options.device +
                     " for raw frames: " + pcap_geterr(handle.get()));
  auto state = std::make_unique<State>();
  state->options = options;
  state->fd = pcap_get_selectable_fd(handle.get());
  state->handle = std::move(handle);
  tune_socket(state->fd, options.priority);
  return std::unique_ptr<PcapChannel>(new PcapChannel(std::move(state)));
}

int PcapChannel::fd() const {
  return state_->fd;
}

Result<std::size_t> PcapChannel::receive(const Callback& callback, std::size_t max) {
  State& s = *state_;
  s.callback = &callback;
  s.delivered = 0;
  auto handler = [](u_char* self, const pcap_pkthdr* header, const u_char* data) {
    reinterpret_cast<State*>(self)->take(*header, data);
  };
  const int outcome =
      pcap_dispatch(s.handle.get(), static_cast<int>(max), handler, reinterpret_cast<u_char*>(&s));
  if (outcome < 0 && if_nametoindex(s.options.device.c_str()) == 0)
    return fail_with(s.options.device + " is gone; see 'ip link'");
  if (outcome < 0) return fail(s.error("cannot receive on").error());
  return s.delivered;
}

Status PcapChannel::send(Bytes frame) {
  State& s = *state_;
  const int sent = pcap_inject(s.handle.get(), frame.data(), frame.size());
  if (sent == static_cast<int>(frame.size())) {
    ++s.counters.sent;
    return Ok{};
  }
  ++s.counters.send_errors;
  return s.error("cannot send on");
}

const PcapCounters& PcapChannel::counters() {
  pcap_stat stats{};
  if (pcap_stats(state_->handle.get(), &stats) == 0) state_->counters.dropped = stats.ps_drop;
  return state_->counters;
}

}  // namespace hotpair::sys
