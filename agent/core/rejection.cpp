// The names by which refused frames are counted and shown.
#include "agent/core/association.hpp"

namespace hotpair::agent {

std::string_view to_string(Rejection rejection) {
  switch (rejection) {
    case Rejection::too_short:
      return "too_short";
    case Rejection::too_long:
      return "too_long";
    case Rejection::wrong_magic:
      return "wrong_magic";
    case Rejection::wrong_version:
      return "wrong_version";
    case Rejection::wrong_group:
      return "wrong_group";
    case Rejection::reserved_bits:
      return "reserved_bits";
    case Rejection::own_frame:
      return "own_frame";
    case Rejection::same_chassis_id:
      return "same_chassis_id";
    case Rejection::bad_chassis_id:
      return "bad_chassis_id";
    case Rejection::wrong_path:
      return "wrong_path";
    case Rejection::wrong_password:
      return "wrong_password";
    case Rejection::stale_salt:
      return "stale_salt";
    case Rejection::not_echoed:
      return "not_echoed";
    case Rejection::replayed:
      return "replayed";
    case Rejection::malformed_body:
      return "malformed_body";
    case Rejection::wrong_vlan:
      return "wrong_vlan";
    case Rejection::untagged:
      return "untagged";
    case Rejection::wrong_ethertype:
      return "wrong_ethertype";
    case Rejection::throttled:
      return "throttled";
    case Rejection::unknown_kind:
      return "unknown_kind";
    case Rejection::count_:
      break;
  }
  return "unknown";
}

}  // namespace hotpair::agent
