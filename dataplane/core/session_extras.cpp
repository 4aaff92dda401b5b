#include "dataplane/core/session_extras.hpp"

namespace hotpair::dataplane {

void Extras::take(Part part, const Extras& from) {
  parts = static_cast<std::uint16_t>((parts & ~part) | (from.parts & part));
  switch (part) {
    case kLabels:
      labels = from.labels;
      return;
    case kHelper:
      helper = from.helper;
      return;
    case kSequence:
      sequence = from.sequence;
      return;
    case kSynproxy:
      synproxy = from.synproxy;
      return;
    case kSctp:
      sctp_tags = from.sctp_tags;
      return;
    case kDccp:
      dccp_role = from.dccp_role;
      dccp_handshake = from.dccp_handshake;
      return;
    case kMaster:
      master_protocol = from.master_protocol;
      master = from.master;
      return;
    case kReplyZone:
      reply_zone = from.reply_zone;
      return;
    case kExpectations:
      expectations = from.expectations;
      return;
    case kAllParts:
      *this = from;
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
