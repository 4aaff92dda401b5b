// The enumerators of what a recording says, as words. Each switch names all of them, so a new one
// does not compile until it has its word; a number that is none of them has none and is refused.
#pragma once

#include "agent/core/election.hpp"
#include "agent/core/recorded_fields.hpp"

namespace hotpair::agent {

// What types.hpp, role.hpp and election.hpp name already.
template <typename E>
requires requires(E e) {
  to_string(e);
}
struct WordsOf<E> {
  static constexpr std::string_view kUnknown = "unknown";
  static std::string_view word(E value) {
    const std::string_view name = to_string(value);
    return name == kUnknown ? std::string_view() : name;
  }
};

template <>
struct WordsOf<Cause> {
  static std::string_view word(Cause value) {
    return value < Cause::count_ ? to_string(value) : value == Cause::count_ ? "none" : "";
  }
};

template <>
struct WordsOf<ChassisId> {
  static constexpr std::string_view word(ChassisId value) {
    switch (value) {
      case ChassisId::one:
        return "1";
      case ChassisId::two:
        return "2";
    }
    return {};
  }
};

template <>
struct WordsOf<SplitBrain> {
  static constexpr std::string_view word(SplitBrain value) {
    switch (value) {
      case SplitBrain::takeover:
        return "takeover";
      case SplitBrain::stay:
        return "stay";
      case SplitBrain::witness:
        return "witness";
    }
    return {};
  }
};

template <>
struct WordsOf<PathConfig::Kind> {
  static constexpr std::string_view word(PathConfig::Kind value) {
    switch (value) {
      case PathConfig::Kind::heartbeat:
        return "heartbeat";
      case PathConfig::Kind::session_sync:
        return "session sync";
      case PathConfig::Kind::management:
        return "management";
    }
    return {};
  }
};

template <>
struct WordsOf<Heartbeat::AskCause> {
  static constexpr std::string_view word(Heartbeat::AskCause value) {
    switch (value) {
      case Heartbeat::AskCause::none:
        return "none";
      case Heartbeat::AskCause::election:
        return "election";
      case Heartbeat::AskCause::operator_planned:
        return "operator, planned";
      case Heartbeat::AskCause::operator_forced:
        return "operator, forced";
    }
    return {};
  }
};

template <>
struct WordsOf<MismatchSeen::Kind> {
  static constexpr std::string_view word(MismatchSeen::Kind value) {
    using Kind = MismatchSeen::Kind;
    switch (value) {
      case Kind::wrong_group:
        return "wrong group";
      case Kind::wrong_password:
        return "wrong password";
      case Kind::wrong_vlan:
        return "wrong vlan";
      case Kind::wrong_version:
        return "wrong version";
      case Kind::same_chassis_id:
        return "same chassis id";
      case Kind::wrong_ethertype:
        return "wrong ethertype";
      case Kind::wrong_path:
        return "wrong path";
      case Kind::not_associated:
        return "not associated";
    }
    return {};
  }
};

template <>
struct WordsOf<OperatorCommand::What> {
  static constexpr std::string_view word(OperatorCommand::What value) {
    using What = OperatorCommand::What;
    switch (value) {
      case What::failover:
        return "failover";
      case What::failover_force:
        return "failover --force";
      case What::force_primary:
        return "force primary";
      case What::force_backup:
        return "force backup";
      case What::force_none:
        return "force none";
      case What::maintenance_on:
        return "maintenance on";
      case What::maintenance_off:
        return "maintenance off";
      case What::shutdown:
        return "shutdown";
    }
    return {};
  }
};

template <>
struct WordsOf<DataplaneRole> {
  static constexpr std::string_view word(DataplaneRole value) {
    switch (value) {
      case DataplaneRole::idle:
        return "idle";
      case DataplaneRole::backup:
        return "backup";
      case DataplaneRole::primary:
        return "primary";
    }
    return {};
  }
};

template <>
struct WordsOf<Hook> {
  static constexpr std::string_view word(Hook value) {
    switch (value) {
      case Hook::primary:
        return "primary";
      case Hook::backup:
        return "backup";
      case Hook::fault:
        return "fault";
    }
    return {};
  }
};

template <>
struct WordsOf<ReportEvent::Level> {
  static constexpr std::string_view word(ReportEvent::Level value) {
    using Level = ReportEvent::Level;
    switch (value) {
      case Level::info:
        return "info";
      case Level::notice:
        return "notice";
      case Level::warning:
        return "warning";
      case Level::error:
        return "error";
    }
    return {};
  }
};

}  // namespace hotpair::agent
