#include "agent/core/types.hpp"

namespace hotpair::agent {

std::string_view to_string(Role role) {
  switch (role) {
    case Role::init:
      return "init";
    case Role::backup:
      return "backup";
    case Role::primary:
      return "primary";
    case Role::fault:
      return "fault";
  }
  return "unknown";
}

std::string_view to_string(Forced forced) {
  switch (forced) {
    case Forced::maintenance:
      return "maintenance";
    case Forced::backup:
      return "backup";
    case Forced::none:
      return "none";
    case Forced::primary:
      return "primary";
  }
  return "unknown";
}

}  // namespace hotpair::agent
