// A doubly linked list of slots through their own links: no memory of its own, constant time each
// step. A slot is on one list at most; which one, its flags say.
#pragma once

#include <cstdint>

#include "dataplane/core/session_table.hpp"

namespace hotpair::dataplane {

class SlotList {
 public:
  static constexpr std::uint32_t kNone = SessionTable::kNone;

  std::uint32_t first() const { return first_; }
  std::uint32_t size() const { return size_; }
  bool empty() const { return first_ == kNone; }
  void clear() { *this = SlotList{}; }  // forgets; the slots' links are void

  void push_back(SessionTable& table, std::uint32_t id) { link(table, last_, id, kNone); }
  void push_front(SessionTable& table, std::uint32_t id) { link(table, kNone, id, first_); }
  void unlink(SessionTable& table, std::uint32_t id) {
    const Slot& slot = table.slot(id);
    (slot.prev == kNone ? first_ : table.slot(slot.prev).next) = slot.next;
    (slot.next == kNone ? last_ : table.slot(slot.next).prev) = slot.prev;
    --size_;
  }

 private:
  void link(SessionTable& table, std::uint32_t before, std::uint32_t id, std::uint32_t after) {
    Slot& slot = table.slot(id);
    slot.prev = before;
    slot.next = after;
    (before == kNone ? first_ : table.slot(before).next) = id;
    (after == kNone ? last_ : table.slot(after).prev) = id;
    ++size_;
  }

  std::uint32_t first_ = kNone, last_ = kNone, size_ = 0;
};

}  // namespace hotpair::dataplane
