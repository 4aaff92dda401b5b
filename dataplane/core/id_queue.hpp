// Slots in the order in which they are to be looked at, each with the time since when. In chunks
// that come and go: memory follows what waits. One may stand in it that is not meant any more; who
// takes it out knows by the slot's notes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>

namespace hotpair::dataplane {

class IdQueue {
 public:
  struct Entry {
    std::uint32_t id, since;  // CoarseTime
  };

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const Entry& front() const { return (*head_)[first_]; }
  // The first `most`, or as many of them as there are in one piece; none only of an empty queue.
  std::span<const Entry> front_run(std::size_t most) const {
    if (size_ == 0) return {};
    return {&front(), std::min({most, size_, kChunk - first_})};
  }
  void push(std::uint32_t id, std::uint32_t since) {
    if (end_ == kChunk) add_chunk();
    (*tail_)[end_++] = {id, since};
    ++size_;
  }
  void pop() { pop(1); }
  void pop(std::size_t count) {  // at most what front_run() gave
    if (count == 0) return;
    size_ -= count;
    first_ += count;
    if (first_ == kChunk || size_ == 0) drop_chunk();
  }
  void clear() {
    chunks_.clear();
    head_ = tail_ = nullptr;
    first_ = size_ = 0;
    end_ = kChunk;
  }
  std::size_t memory() const { return chunks_.size() * sizeof(Chunk); }

 private:
  static constexpr std::size_t kChunk = 4096;
  using Chunk = std::array<Entry, kChunk>;

  void add_chunk() {
    chunks_.push_back(spare_ ? std::move(spare_) : std::make_unique_for_overwrite<Chunk>());
    head_ = chunks_.front().get();
    tail_ = chunks_.back().get();
    end_ = 0;
  }
  void drop_chunk() {
    first_ = 0;
    spare_ = std::move(chunks_.front());
    chunks_.pop_front();
    head_ = chunks_.empty() ? nullptr : chunks_.front().get();
    if (chunks_.empty()) end_ = kChunk;
  }

  std::deque<std::unique_ptr<Chunk>> chunks_;
  std::unique_ptr<Chunk> spare_;
  Chunk *head_ = nullptr, *tail_ = nullptr;
  std::size_t first_ = 0, end_ = kChunk, size_ = 0;
};

}  // namespace hotpair::dataplane
