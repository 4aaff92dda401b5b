#include "dataplane/core/side_store.hpp"

#include "platform/base/bytes.hpp"

namespace hotpair::dataplane {

void SideStore::put(const SessionView& session, std::uint32_t owner, CompactSession& compact) {
  compact.side = 0;
  if (session.whole == nullptr) return;
  const Tuple &original = session.whole->key.original, &reply = session.whole->state.reply;
  switch (compact.side_kind()) {
    case Side::none:
      break;
    case Side::nat:
      compact.side = nat_.take(
          owner, {load_be<std::uint32_t>(reply.src.bytes.data()),
                  load_be<std::uint32_t>(reply.dst.bytes.data()), reply.src_port, reply.dst_port});
      break;
    case Side::ipv6:
      compact.side = ipv6_.take(owner, {original.src, original.dst});
      break;
    case Side::wide:
      compact.side = wide_.take(owner, {{original.src, original.dst}, session.whole->state});
      break;
  }
}

void SideStore::remove(const CompactSession& compact, std::uint32_t owner) {
  switch (compact.side_kind()) {
    case Side::none:
      return;
    case Side::nat:
      return nat_.give_back(compact.side, owner);
    case Side::ipv6:
      return ipv6_.give_back(compact.side, owner);
    case Side::wide:
      return wide_.give_back(compact.side, owner);
  }
}

void SideStore::change_owner(const CompactSession& compact, std::uint32_t from, std::uint32_t to) {
  switch (compact.side_kind()) {
    case Side::none:
      return;
    case Side::nat:
      return nat_.change_owner(compact.side, from, to);
    case Side::ipv6:
      return ipv6_.change_owner(compact.side, from, to);
    case Side::wide:
      return wide_.change_owner(compact.side, from, to);
  }
}

Session SideStore::expanded(const CompactSession& compact, std::uint32_t owner) const {
  Session out;
  if (compact.side_kind() == Side::nat) {
    if (const Nat* nat = nat_.find(compact.side, owner)) {
      store_be<std::uint32_t>(out.state.reply.src.bytes.data(), nat->src);
      store_be<std::uint32_t>(out.state.reply.dst.bytes.data(), nat->dst);
      out.state.reply.src_port = nat->src_port;
      out.state.reply.dst_port = nat->dst_port;
    }
  } else if (compact.side_kind() == Side::ipv6) {
    if (const Ends* ends = ipv6_.find(compact.side, owner)) {
      out.key.original.src = out.state.reply.dst = ends->src;
      out.key.original.dst = out.state.reply.src = ends->dst;
    }
    out.state.reply.src_port = compact.dst_port;
    out.state.reply.dst_port = compact.src_port;
  } else if (compact.side_kind() == Side::wide) {
    if (const Wide* wide = wide_.find(compact.side, owner)) {
      out.key.original.src = wide->ends.src;
      out.key.original.dst = wide->ends.dst;
      out.state = wide->state;
    }
  }
  expand_into(compact, out);
  return out;
}

const SideStore::Ends* SideStore::addresses(const CompactSession& compact,
                                            std::uint32_t owner) const {
  if (compact.side_kind() == Side::ipv6) return ipv6_.find(compact.side, owner);
  if (compact.side_kind() != Side::wide) return nullptr;
  const Wide* wide = wide_.find(compact.side, owner);
  return wide != nullptr ? &wide->ends : nullptr;
}

}  // namespace hotpair::dataplane
