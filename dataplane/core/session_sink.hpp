// Where sessions go besides the table: the kernel, the backup's but for on_merge(). Called while a
// frame is applied; must not call back into the engine. dataplane/conntrack's Sink queues these and
// flushes after the frame.
#pragma once

#include "dataplane/core/compact_session.hpp"

namespace hotpair::dataplane {

class SessionSink {
 public:
  virtual ~SessionSink() = default;
  // `session` is new (is_new) or changed; not called for a record that changes nothing. The view
  // ends with the call.
  virtual void on_upsert(const SessionView& session, bool is_new) = 0;
  virtual void on_remove(const SessionKey& key) = 0;
  // Primary: a session that the backup made when it was primary. It goes to the kernel unless one
  // of its tuples is in use there.
  virtual void on_merge(const Session& session) = 0;
};

}  // namespace hotpair::dataplane
