// What a warden does (warden.hpp), in the process that it is.
#pragma once

namespace hotpair::daemon {

// Whether this program was started to be a warden: hotpaird starts itself under another name.
bool is_warden(int argc, const char* const* argv);

// Until it is dismissed, or hotpaird is dead and what it held has been withdrawn; the exit status.
int be_warden();

}  // namespace hotpair::daemon
