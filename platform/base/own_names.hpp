// Names of what hotpair makes in the kernel, for who makes it and who must tell it from the user's.
#pragma once

namespace hotpair {

constexpr const char* kOwnNftTable = "hotpair";  // of family inet

}  // namespace hotpair
