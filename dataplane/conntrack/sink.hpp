// The kernel's conntrack table as a sink: batched creates, updates and deletes. Operations are queued and
// leave in one sendmsg a batch; errors come back by queue position. Only the backup opens one (and the new
// primary, to give entries their true timeouts). One thread; never blocks longer than a batch takes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "dataplane/core/session.hpp"
#include "platform/base/result.hpp"

namespace hotpair::conntrack {

struct SinkCounters {
  std::uint64_t created = 0, updated = 0, deleted = 0, refreshed = 0;
  std::uint64_t failed = 0;         // refused by the kernel for a reason that repeats (table full, ...)
  std::uint64_t table_full = 0;     // of these: ENOMEM / ENFILE / EAGAIN from a full table
  std::uint64_t batches = 0;
};

class Sink {
 public:
  static Result<std::unique_ptr<Sink>> open();
  virtual ~Sink() = default;

  // Makes the kernel's entry what `session` says, whether it exists or not (an entry that clashes is
  // replaced). `timeout_s` is written in place of the session's own: the hold timeout.
  virtual void upsert(const dataplane::Session& session, std::uint32_t timeout_s, bool expect_new) = 0;
  virtual void remove(const dataplane::SessionKey& key) = 0;
  // Sets only the timeout of an existing entry; when it is gone, calls `on_missing` with its key at flush.
  virtual void refresh(const dataplane::Session& session, std::uint32_t timeout_s) = 0;
  virtual void flush() = 0;         // sends what is queued and handles every answer

  virtual void on_missing(std::function<void(const dataplane::SessionKey&)> callback) = 0;
  virtual const SinkCounters& counters() const = 0;
};

}  // namespace hotpair::conntrack
