#include "dataplane/core/session_extras.hpp"

namespace hotpair::dataplane {

void Extras::drop(Part part) {
  const Extras none;
  parts = static_cast<std::uint16_t>(parts & ~part);
  switch (part) {
    case kLabels:
      labels = none.labels;
      return;
    case kHelper:
      helper = none.helper;
      return;
    case kSequence:
      sequence = none.sequence;
      return;
    case kSynproxy:
      synproxy = none.synproxy;
      return;
    case kSctp:
      sctp_tags = none.sctp_tags;
      return;
    case kDccp:
      dccp_role = none.dccp_role;
      dccp_handshake = none.dccp_handshake;
      return;
    case kMaster:
      master_protocol = none.master_protocol;
      master = none.master;
      return;
    case kReplyZone:
      reply_zone = none.reply_zone;
      return;
    case kExpectations:
      expectations.clear();
      return;
    case kAllParts:
      *this = none;
      return;
  }
}

SharedExtras SharedExtras::of(Extras extras) {
  SharedExtras out;
  if (extras.parts != 0) out.held_ = new Held{std::move(extras)};
  return out;
}

void SharedExtras::release() {
  if (held_->users.fetch_sub(1, std::memory_order_acq_rel) == 1) delete held_;
  held_ = nullptr;
}

}  // namespace hotpair::dataplane
