// Where the backup's sessions go besides its own table: the kernel. Called while a frame is
// applied; must not call back into the engine. dataplane/conntrack's Sink queues these and flushes
// after the frame.
#pragma once

#include "dataplane/core/session.hpp"

namespace hotpair::dataplane {

class SessionSink {
 public:
  virtual ~SessionSink() = default;
  // `session` is new (is_new) or changed, or was the primary's own until now; not called for a
  // record that changes nothing.
  virtual void on_upsert(const Session& session, bool is_new) = 0;
  virtual void on_remove(const SessionKey& key) = 0;
};

}  // namespace hotpair::dataplane
