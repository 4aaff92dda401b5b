#include "dataplane/dpdk/session_listing.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "dataplane/dpdk/extras_json.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::dpdk {

namespace {

using dataplane::Session;
using nlohmann::json;

constexpr std::size_t kLookedAtARequest = 20000;  // some 2 ms
constexpr std::size_t kStep = 256;
constexpr std::uint64_t kMaxLimit = 1000;

std::string text(const dataplane::Address& address, bool ipv6) {
  return sys::to_text(sys::IpAddress{ipv6, address.bytes});
}

json to_json(const Session& s) {
  const auto& o = s.key.original;
  const auto& r = s.state.reply;
  const bool v6 = s.key.ipv6;
  json out = {
      {"protocol", protocol_name(s.key.protocol)},
      {"family", v6 ? "ipv6" : "ipv4"},
      {"src", text(o.src, v6)},
      {"dst", text(o.dst, v6)},
      {"sport", o.src_port},
      {"dport", o.dst_port},
      {"reply_src", text(r.src, v6)},
      {"reply_dst", text(r.dst, v6)},
      {"reply_sport", r.src_port},
      {"reply_dport", r.dst_port},
      {"state", state_name(s)},
      {"mark", s.state.mark},
      {"zone", s.key.zone},
      {"timeout_s", s.state.timeout_s},
      {"assured", (s.state.status & dataplane::kStatusAssured) != 0},
      {"nat", (s.state.status & (dataplane::kStatusSrcNat | dataplane::kStatusDstNat)) != 0}};
  add_extras(out, s);
  return out;
}

struct Filter {
  std::string protocol, state;
  std::optional<sys::IpAddress> address;
  std::uint64_t port = 0;

  bool any() const { return !protocol.empty() || !state.empty() || address || port != 0; }
  bool matches(const Session& s) const {
    if (!protocol.empty() && protocol != protocol_name(s.key.protocol) &&
        protocol != std::to_string(s.key.protocol))
      return false;
    if (!state.empty() && state != state_name(s)) return false;
    const auto& o = s.key.original;
    const auto& r = s.state.reply;
    if (port != 0 && port != o.src_port && port != o.dst_port && port != r.src_port &&
        port != r.dst_port)
      return false;
    if (!address) return true;
    if (address->ipv6 != s.key.ipv6) return false;
    const auto& a = address->bytes;
    return a == o.src.bytes || a == o.dst.bytes || a == r.src.bytes || a == r.dst.bytes;
  }
};

std::string lowered(std::string text_in) {
  for (char& c : text_in)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text_in;
}

// An argument of the expected type, or `otherwise`; operators and programs write requests.
std::string text_of(const json& request, const char* name) {
  const auto it = request.find(name);
  return it != request.end() && it->is_string() ? it->get<std::string>() : "";
}
std::uint64_t number_of(const json& request, const char* name, std::uint64_t otherwise) {
  const auto it = request.find(name);
  return it != request.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : otherwise;
}

json refusal(const std::string& sentence) {
  return {{"ok", false}, {"error", sentence}};
}

}  // namespace

json list_sessions(const dataplane::Engine& engine, const json& request) {
  Filter filter;
  filter.protocol = lowered(text_of(request, "protocol"));
  filter.state = lowered(text_of(request, "state"));
  filter.port = number_of(request, "port", 0);
  if (const std::string address = text_of(request, "address"); !address.empty()) {
    filter.address = sys::parse_ip(address);
    if (!filter.address) return refusal("'" + address.substr(0, 64) + "' is no IP address");
  }
  const auto count_only = request.find("count_only");
  const bool counting = count_only != request.end() && count_only->is_boolean() && *count_only;
  const std::uint64_t total = engine.table().size();
  if (counting && !filter.any())
    return {{"ok", true}, {"total", total}, {"sessions", json::array()}, {"next", nullptr}};

  const std::uint64_t limit =
      std::clamp<std::uint64_t>(number_of(request, "limit", 100), 1, kMaxLimit);
  std::optional<std::uint32_t> cursor = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(number_of(request, "cursor", 0), UINT32_MAX));
  json listed = json::array();
  std::uint64_t matching = 0, looked_at = 0;
  while (cursor && looked_at < kLookedAtARequest && (counting || listed.size() < limit)) {
    // Never more than still fit, so the cursor stands behind the last one listed.
    const std::size_t step =
        counting ? kStep
                 : std::min<std::size_t>(kStep, static_cast<std::size_t>(limit) - listed.size());
    cursor = engine.list(*cursor, step, [&](const Session& s) {
      if (!filter.matches(s)) return;
      ++matching;
      if (!counting) listed.push_back(to_json(s));
    });
    looked_at += step;
  }
  json answer = {
      {"ok", true}, {"total", total}, {"sessions", std::move(listed)}, {"next", nullptr}};
  if (cursor) answer["next"] = *cursor;
  if (counting) answer["matching"] = matching;
  return answer;
}

}  // namespace hotpair::dpdk
