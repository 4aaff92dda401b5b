// What every message of nftables has: its type, its family, names as text. Pure. Sources:
// linux/netfilter/nf_tables.h, nfnetlink.h.
#pragma once

#include <cstdint>
#include <string>

#include "platform/linux/netlink_socket.hpp"

struct nlattr;

namespace hotpair::sys {

const char* nft_family_name(std::uint8_t family);  // of NFPROTO_*; empty: none of nftables'
std::uint8_t nft_family_number(const std::string& family);
std::string nft_text(const nlattr* attribute);
int nft_message_type(int what);  // of NFT_MSG_*
// With nothing beyond its header, as for a dump.
NetlinkMessage nft_request(int what, std::uint8_t family);

}  // namespace hotpair::sys
