// The counters of the shell, generated from counters.def. Plain numbers; one thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace hotpair::dpdk {

struct Counters {
#define HOTPAIR_COUNTER(name, meaning) std::uint64_t name = 0;
#include "dataplane/dpdk/counters.def"
#undef HOTPAIR_COUNTER
};

// Calls visit(name, value, meaning) for each, in the order of counters.def.
template <typename Visit>
void for_each_counter(const Counters& counters, Visit&& visit) {
#define HOTPAIR_COUNTER(name, meaning) \
  visit(std::string_view(#name), counters.name, std::string_view(meaning));
#include "dataplane/dpdk/counters.def"
#undef HOTPAIR_COUNTER
}

}  // namespace hotpair::dpdk
