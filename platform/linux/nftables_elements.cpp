#include "platform/linux/nftables_elements.hpp"

#include <algorithm>
#include <set>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

namespace hotpair::sys {
namespace {

// Ours, never given to the kernel: the key of an interval's other end.
constexpr int kEndKey = 0x1fff;
constexpr std::size_t kAlignment = 4;  // of attributes

// Calls `visit(attribute)` for each; false: they do not fill `attributes`.
template <typename Visit>
bool each_attribute(std::string_view attributes, Visit visit) {
  int left = static_cast<int>(attributes.size());
  auto* at = reinterpret_cast<nlattr*>(const_cast<char*>(attributes.data()));
  for (; nla_ok(at, left); at = nla_next(at, &left)) visit(*at);
  return left == 0;
}

void append(std::string& out, int type, std::string_view content) {
  const auto size = static_cast<std::uint16_t>(sizeof(nlattr) + content.size());
  const nlattr header{size, static_cast<std::uint16_t>(type)};
  out.append(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(content);
  out.resize((out.size() + kAlignment - 1) / kAlignment * kAlignment);
}

std::string_view content_of(const nlattr& attribute) {
  return {static_cast<const char*>(nla_data(&attribute)),
          static_cast<std::size_t>(nla_len(&attribute))};
}

void append(std::string& out, const nlattr* attribute) {
  if (attribute != nullptr) append(out, nla_type(attribute), content_of(*attribute));
}

void append_u64(std::string& out, int type, std::uint64_t value) {
  std::uint8_t bytes[sizeof value];
  store_be(bytes, value);
  append(out, type, {reinterpret_cast<const char*>(bytes), sizeof bytes});
}

void append_flags(std::string& out, std::uint32_t flags) {
  std::uint8_t bytes[sizeof flags];
  store_be(bytes, flags);
  append(out, NFTA_SET_ELEM_FLAGS, {reinterpret_cast<const char*>(bytes), sizeof bytes});
}

template <typename T>
std::optional<T> number_of(const nlattr* attribute) {
  if (attribute == nullptr || nla_len(attribute) < static_cast<int>(sizeof(T))) return std::nullopt;
  return load_be<T>(static_cast<const std::uint8_t*>(nla_data(attribute)));
}

bool parse_element(nlattr& nested, std::vector<NftRawElement>& out) {
  nlattr* found[NFTA_SET_ELEM_MAX + 1] = {};
  if (nla_parse_nested(found, NFTA_SET_ELEM_MAX, &nested, nullptr) < 0) return false;
  NftRawElement raw;
  NftElement& element = raw.element;
  const std::uint32_t flags = number_of<std::uint32_t>(found[NFTA_SET_ELEM_FLAGS]).value_or(0);
  raw.ends = (flags & NFT_SET_ELEM_INTERVAL_END) != 0;
  append(element.key, found[NFTA_SET_ELEM_KEY]);
  append(element.key, found[NFTA_SET_ELEM_KEY_END]);
  if (element.key.empty()) append_flags(element.key, flags);
  for (const int type : {NFTA_SET_ELEM_DATA, NFTA_SET_ELEM_OBJREF, NFTA_SET_ELEM_USERDATA})
    append(element.value, found[type]);
  for (const int type : {NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_EXPRESSIONS})
    append(element.state, found[type]);
  element.timeout_ms =
      number_of<std::uint64_t>(found[NFTA_SET_ELEM_TIMEOUT]).value_or(kSetsOwnTimeout);
  if (const auto left = number_of<std::uint64_t>(found[NFTA_SET_ELEM_EXPIRATION]))
    element.left_ms = std::max<std::uint64_t>(*left, 1);
  out.push_back(std::move(raw));
  return true;
}

bool consists_of(std::string_view attributes, std::initializer_list<int> types) {
  bool good = true;
  const bool whole = each_attribute(attributes, [&](const nlattr& attribute) {
    good = good && std::ranges::find(types, nla_type(&attribute)) != types.end();
  });
  return good && whole;
}

}  // namespace

bool parse_elements(nlmsghdr& message, std::vector<NftRawElement>& out) {
  nlattr* list[NFTA_SET_ELEM_LIST_MAX + 1] = {};
  if (nlmsg_parse(&message, sizeof(nfgenmsg), list, NFTA_SET_ELEM_LIST_MAX, nullptr) < 0)
    return false;
  if (list[NFTA_SET_ELEM_LIST_ELEMENTS] == nullptr) return true;
  bool good = true;
  const bool whole =
      each_attribute(content_of(*list[NFTA_SET_ELEM_LIST_ELEMENTS]), [&](nlattr& nested) {
        good = good && nla_type(&nested) == NFTA_LIST_ELEM && parse_element(nested, out);
      });
  return good && whole;
}

// Keys of such sets are in network order, so the kernel sorts them by their bytes; where one
// interval ends as the next begins, the end comes first. An end that nothing began (at the first
// key) and a start that nothing ends (at the last) stand by themselves.
std::vector<NftElement> pair_intervals(std::vector<NftRawElement> raw) {
  std::ranges::sort(raw, [](const NftRawElement& a, const NftRawElement& b) {
    return a.element.key != b.element.key ? a.element.key < b.element.key : a.ends > b.ends;
  });
  std::vector<NftElement> elements;
  bool open = false;
  for (NftRawElement& each : raw) {
    if (!each.ends) {
      elements.push_back(std::move(each.element));
    } else if (open) {
      append(elements.back().key, kEndKey, each.element.key);
    } else {
      NftElement lone;
      append(lone.key, kEndKey, each.element.key);
      elements.push_back(std::move(lone));
    }
    open = !each.ends;
  }
  return elements;
}

std::optional<std::vector<NftElementEvent>> pair_intervals(std::vector<NftElementEvent> events) {
  std::vector<NftElementEvent> paired;
  for (std::size_t begin = 0, end = 0; begin < events.size(); begin = end) {
    const auto transaction = events[begin].transaction;
    std::vector<NftRawElement> gone, there;
    std::set<std::pair<std::string, bool>> seen;
    for (; end < events.size() && events[end].transaction == transaction; ++end) {
      NftElementEvent& event = events[end];
      std::pair<std::string, bool> which(event.raw.element.key, event.raw.ends);
      if (event.gone && seen.contains(which)) return std::nullopt;  // there and gone at once
      if (!event.gone) seen.insert(std::move(which));
      (event.gone ? gone : there).push_back(std::move(event.raw));
    }
    for (auto* raw : {&gone, &there})
      for (NftElement& element : pair_intervals(std::move(*raw)))
        paired.push_back({{std::move(element), false}, raw == &gone, transaction});
  }
  return paired;
}

bool is_well_formed_key(std::string_view key) {
  bool ends_good = true;
  return !key.empty() &&
         consists_of(key,
                     {NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_KEY_END, NFTA_SET_ELEM_FLAGS, kEndKey}) &&
         each_attribute(key,
                        [&](const nlattr& attribute) {
                          if (nla_type(&attribute) == kEndKey)
                            ends_good =
                                ends_good && consists_of(content_of(attribute),
                                                         {NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_FLAGS});
                        }) &&
         ends_good;
}

bool is_well_formed(const NftElement& element) {
  return is_well_formed_key(element.key) &&
         consists_of(element.value,
                     {NFTA_SET_ELEM_DATA, NFTA_SET_ELEM_OBJREF, NFTA_SET_ELEM_USERDATA}) &&
         consists_of(element.state, {NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_EXPRESSIONS});
}

std::string element_attributes(const NftElement& element, bool whole) {
  std::string start, end, list;
  (void)each_attribute(element.key, [&](const nlattr& attribute) {
    if (nla_type(&attribute) == kEndKey)
      end = content_of(attribute);
    else
      append(start, &attribute);
  });
  if (!start.empty()) {
    if (whole) {
      start += element.value;
      start += element.state;
      if (element.timeout_ms != kSetsOwnTimeout)
        append_u64(start, NFTA_SET_ELEM_TIMEOUT, element.timeout_ms);
      if (element.left_ms > 0) append_u64(start, NFTA_SET_ELEM_EXPIRATION, element.left_ms);
    }
    append(list, NFTA_LIST_ELEM | NLA_F_NESTED, start);
  }
  if (!end.empty()) {
    append_flags(end, NFT_SET_ELEM_INTERVAL_END);
    append(list, NFTA_LIST_ELEM | NLA_F_NESTED, end);
  }
  return list;
}

}  // namespace hotpair::sys
