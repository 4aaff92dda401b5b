// The kernel's conntrack table as a sink: batched creates, updates and deletes. Operations are
// queued and leave in one sendmsg a batch; the kernel handles a batch within that call and answers
// only what failed, by sequence number. Only the backup opens one (and the new primary, to give
// entries their true timeouts). One thread; never blocks longer than a batch takes (64 operations,
// about 100 us).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "dataplane/core/session.hpp"
#include "platform/base/result.hpp"

namespace hotpair::conntrack {

struct SinkCounters {
  std::uint64_t created = 0, updated = 0, deleted = 0, refreshed = 0;  // accepted by the kernel
  std::uint64_t replaced = 0;  // creates that first had to remove what held one of their tuples
  std::uint64_t in_use = 0;    // inserts that found one of their tuples in use
  std::uint64_t failed = 0;    // refused by the kernel for a reason that repeats (table full, ...)
  std::uint64_t table_full = 0;  // of these: no room in the kernel's table
  std::uint64_t batches = 0;
  // Written, but for a part that this kernel cannot have:
  std::uint64_t helpers_missing = 0;       // the helper (its module is not loaded)
  std::uint64_t labels_missing = 0;        // labels (no rule here uses them)
  std::uint64_t expectations_refused = 0;  // something that a helper expects
};

class Sink {
 public:
  enum class What : std::uint8_t { create, update, insert, remove, refresh, hand_back };

  static Result<std::unique_ptr<Sink>> open();
  virtual ~Sink() = default;

  // Makes the kernel's entry what `session` says, whether it exists or not; an entry that holds one
  // of its tuples is replaced. `timeout_s` is written in place of the session's own: the hold
  // timeout. `expect_new` spares a request when there is probably no entry yet.
  void upsert(const dataplane::Session& session, std::uint32_t timeout_s, bool expect_new) {
    order(expect_new ? What::create : What::update, session, timeout_s);
  }
  // Makes an entry unless one of its tuples is in use; that is no refusal, only counted.
  void insert(const dataplane::Session& session, std::uint32_t timeout_s) {
    order(What::insert, session, timeout_s);
  }
  void remove(const dataplane::SessionKey& key) { order(What::remove, {key, {}}, 0); }
  // Sets only the timeout of an existing entry; when it is gone, calls on_missing with its key at
  // flush.
  void refresh(const dataplane::SessionKey& key, std::uint32_t timeout_s) {
    order(What::refresh, {key, {}}, timeout_s);
  }
  // The same on the new primary, with the whole session: what its helper expects gets its own
  // timeout too.
  void hand_back(const dataplane::Session& session, std::uint32_t timeout_s) {
    order(What::hand_back, session, timeout_s);
  }
  // Any of these; of remove and refresh the session's key counts alone.
  virtual void order(What what, const dataplane::Session& session, std::uint32_t timeout_s) = 0;
  virtual void flush() = 0;  // sends what is queued and handles every answer

  // Called from flush(), or from an operation that completes a batch; must not call back into the
  // sink.
  void on_missing(std::function<void(const dataplane::SessionKey&)> callback) {
    missing_ = std::move(callback);
  }
  // The kernel refused an upsert (errno of the refusal); the entry is not there, or not up to date.
  void on_refused(std::function<void(const dataplane::SessionKey&, int error)> callback) {
    refused_ = std::move(callback);
  }
  // Told once of each helper that sessions need and this kernel lacks; they are made without.
  void on_helper_missing(std::function<void(std::string_view helper)> callback) {
    helper_missing_ = std::move(callback);
  }
  const SinkCounters& counters() const { return counters_; }

 protected:
  SinkCounters counters_;
  std::function<void(const dataplane::SessionKey&)> missing_;
  std::function<void(const dataplane::SessionKey&, int)> refused_;
  std::function<void(std::string_view)> helper_missing_;
};

}  // namespace hotpair::conntrack
