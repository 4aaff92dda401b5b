#include "agent/core/element_wire.hpp"

namespace hotpair::agent {
namespace {

constexpr std::size_t kFull = 192u << 10;
constexpr std::uint8_t kWhole = 1, kLast = 2;
constexpr std::uint8_t kRemoved = 1, kSet = 2;

class Appender {
 public:
  explicit Appender(ByteVector& out) : out_(out) {}
  void u8(std::uint8_t value) { out_.push_back(value); }
  void u64(std::uint64_t value) { put(value); }
  void name(const std::string& text) {
    u8(static_cast<std::uint8_t>(text.size()));
    out_.insert(out_.end(), text.begin(), text.end());
  }
  void part(const std::string& text) {
    put(static_cast<std::uint16_t>(text.size()));
    out_.insert(out_.end(), text.begin(), text.end());
  }

 private:
  template <typename T>
  void put(T value) {
    const std::size_t at = out_.size();
    out_.resize(at + sizeof value);
    store_be(out_.data() + at, value);
  }
  ByteVector& out_;
};

bool fits(const std::string& part) {
  return part.size() <= kMaxElementPart;
}

std::string text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// False: the part is too long, or cut.
bool read_part(ByteReader& in, std::string& out) {
  const std::size_t size = in.u16();
  if (size > kMaxElementPart) return false;
  out = text_of(in.take(size));
  return !in.failed();
}

bool read_item(ByteReader& in, ElementChange& change) {
  SetElement element;
  const std::uint8_t kind = in.u8();
  if (!read_part(in, element.key) || element.key.empty()) return false;
  if (kind == kRemoved) {
    change.removed.push_back(std::move(element.key));
    return true;
  }
  if (kind != kSet || !read_part(in, element.value) || !read_part(in, element.state)) return false;
  element.timeout_ms = in.u64();
  element.left_ms = in.u64();
  change.set.push_back(std::move(element));
  return !in.failed();
}

}  // namespace

std::vector<ByteVector> encode_elements(const NftSetName& set, bool whole,
                                        const ElementChange& change) {
  std::vector<ByteVector> messages;
  const auto begin = [&] {
    Appender out(messages.emplace_back());
    out.u8(whole ? kWhole : 0);
    for (const std::string* name : {&set.family, &set.table, &set.name}) out.name(*name);
  };
  begin();
  for (const std::string& key : change.removed) {
    if (!fits(key)) continue;
    if (messages.back().size() >= kFull) begin();
    Appender out(messages.back());
    out.u8(kRemoved);
    out.part(key);
  }
  for (const SetElement& element : change.set) {
    if (!fits(element.key) || !fits(element.value) || !fits(element.state)) continue;
    if (messages.back().size() >= kFull) begin();
    Appender out(messages.back());
    out.u8(kSet);
    for (const std::string* part : {&element.key, &element.value, &element.state}) out.part(*part);
    out.u64(element.timeout_ms);
    out.u64(element.left_ms);
  }
  messages.back().front() |= kLast;
  return messages;
}

std::optional<ElementsMessage> decode_elements(Bytes bytes) {
  ByteReader in(bytes);
  ElementsMessage message;
  const std::uint8_t flags = in.u8();
  message.whole = (flags & kWhole) != 0;
  message.last = (flags & kLast) != 0;
  for (std::string* name : {&message.set.family, &message.set.table, &message.set.name}) {
    *name = text_of(in.take(in.u8()));
    if (name->empty() || name->find('\0') != std::string::npos) return std::nullopt;
  }
  if (in.failed() || flags > (kWhole | kLast)) return std::nullopt;
  while (in.remaining() > 0)
    if (!read_item(in, message.change)) return std::nullopt;
  return message;
}

}  // namespace hotpair::agent
