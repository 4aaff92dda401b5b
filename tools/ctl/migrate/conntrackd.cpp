// conntrackd.conf(5): what is synchronised, and over what.
#include <functional>
#include <set>

#include "tools/ctl/migrate/notes.hpp"

namespace hotpair::ctl::migrate {
namespace {

class Conntrackd {
 public:
  Conntrackd(const std::string& name, Draft& draft) : draft_(draft), notes_(name, draft.notes) {}

  void read(const Block& file) {
    for (const Block& block : file.children) {
      if (block.name() == "Sync")
        sync(block);
      else if (block.name() == "General")
        general(block);
      else if (block.name() == "Helper")
        notes_.add(block, "not carried: load helpers with nft 'ct helper'");
      else if (block.name() == "Stats")
        notes_.add(block, "not carried: see hotpair's metrics");
      else
        notes_.unknown(block);
    }
  }

 private:
  void sync(const Block& block) {
    for (const Block& child : block.children) {
      const std::string& name = child.name();
      if (name == "Mode")
        mode(child);
      else if (name == "Multicast" || name == "UDP" || name == "TCP")
        link(child);
      else if (name == "Options")
        options(child);
      else
        notes_.unknown(child);
    }
  }

  // Windows, resends and caches are the data plane's own matter.
  void mode(const Block& block) {
    for (const Block& child : block.children)
      if (child.name() == "StartupResync" && child.word(1) == "no")
        notes_.add(child, "not carried: a backup that starts is always brought in sync");
  }

  void link(const Block& block) {
    for (const Block& child : block.children)
      if (child.name() == "Interface")
        notes_.add(child, "belongs to one box: session_sync: { devices: [\"net_af_packet0,iface=" +
                              child.word(1) + "\"] } in its node.yaml, and heartbeat_interfaces");
      else if (child.name() == "IPv4_Destination_Address" ||
               child.name() == "IPv6_Destination_Address")
        notes_.add(child, "not needed: sessions travel in frames of their own, without addresses");
  }

  void options(const Block& block) {
    for (const Block& child : block.children) {
      const std::string& name = child.name();
      if (name == "ExpectationSync")
        draft_.expectations = child.braces || child.word(1) != "off";
      else if (name == "TCPWindowTracking")
        tracking(child);
      else
        notes_.unknown(child);
      if (name == "ExpectationSync" && child.braces)
        notes_.add(child, "carried for all helpers, not for those named");
    }
  }
  void tracking(const Block& block) {
    if (block.word(1) != "On" && block.word(1) != "on")
      notes_.add(block, "not carried: window scales are always replicated");
  }

  void general(const Block& block) {
    static const std::set<std::string> own = {"Nice",
                                              "Scheduler",
                                              "HashSize",
                                              "HashLimit",
                                              "LogFile",
                                              "Syslog",
                                              "LockFile",
                                              "UNIX",
                                              "NetlinkBufferSize",
                                              "NetlinkBufferSizeMaxGrowth",
                                              "Systemd",
                                              "PollSecs",
                                              "EventIterationLimit",
                                              "NetlinkEventsReliable",
                                              "NetlinkOverrunResync"};
    for (const Block& child : block.children) {
      if (child.name() == "Filter")
        filter(child);
      else if (!own.contains(child.name()))
        notes_.unknown(child);
    }
  }

  void filter(const Block& block) {
    for (const Block& child : block.children) {
      const std::string& name = child.name();
      if (name == "Protocol")
        protocols(child);
      else if (name == "Address")
        addresses(child);
      else if (name == "State")
        states(child);
      else
        notes_.unknown(child);
    }
  }

  // TCP is always carried.
  void protocols(const Block& block) {
    const bool accept = block.word(1) == "Accept";
    std::set<std::string> named;
    for (const Block& child : block.children)
      for (const std::string& word : child.words) named.insert(word);
    const auto carried = [&](const char* name) { return named.contains(name) == accept; };
    draft_.protocols = {{"udp", carried("UDP")},
                        {"icmp", carried("ICMP") || carried("IPv6-ICMP")},
                        {"sctp", carried("SCTP")}};
    if (!carried("TCP")) notes_.add(block, "not carried: TCP is always replicated");
    if (carried("DCCP") && accept) notes_.add(block, "carried without DCCP");
  }

  void addresses(const Block& block) {
    if (block.word(1) != "Ignore")
      return notes_.add(block, "not carried: hotpair excludes networks, session_pickup.exclude");
    for (const Block& child : block.children) {
      const std::string network = with_prefix(child.word(1));
      const bool known = child.name() == "IPv4_address" || child.name() == "IPv6_address";
      if (network.empty() || !known)
        notes_.unknown(child);
      else if (!network.starts_with("127.") && network != "::1/128")
        draft_.excluded.push_back(network);
    }
  }

  void states(const Block& block) {
    for (const Block& child : block.children) {
      const bool early = child.words.size() > 1 && child.words[1] != "ESTABLISHED" &&
                         child.words[1].starts_with("SYN");
      if (early || child.word(0) == "SYN_SENT") return;
    }
    draft_.only_assured = block.word(1) == "Accept";
    notes_.add(block, "carried as session_pickup.from: assured");
  }

  Draft& draft_;
  Notes notes_;
};

}  // namespace

void read_conntrackd(const Block& file, const std::string& name, Draft& draft) {
  Conntrackd(name, draft).read(file);
}

}  // namespace hotpair::ctl::migrate
