#include "agent/core/recording.hpp"

#include "agent/core/field_codec.hpp"

namespace hotpair::agent {
namespace {

constexpr auto kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320u : 0);
    table[i] = value;
  }
  return table;
}();

constexpr std::uint64_t mix(std::uint64_t chain, std::uint64_t value) {
  chain = (chain ^ value) * 0x9e3779b97f4a7c15ULL;
  return chain ^ (chain >> 32);
}

void put_action(ByteWriter& out, const Action& action) {
  std::visit(
      [&out](const auto& what) {
        using What = std::decay_t<decltype(what)>;
        out.u8(RecordedKind<What>::kNumber);
        const std::size_t at = out.size();
        out.u16(0);
        if constexpr (Listed<What>) FieldWriter(out).fields(what);
        if (!out.failed())
          store_be(out.written().data() + at, static_cast<std::uint16_t>(out.size() - at - 2));
      },
      action);
}

}  // namespace

std::uint32_t crc32(Bytes bytes) {
  std::uint32_t value = 0xffffffffu;
  for (const std::uint8_t byte : bytes) value = (value >> 8) ^ kCrcTable[(value ^ byte) & 0xff];
  return ~value;
}

std::uint8_t DecisionDigest::add(Bytes actions, Role role, Epoch epoch,
                                 std::optional<Instant> deadline) {
  if (!actions.empty())
    chain_ = mix(chain_, (std::uint64_t{crc32(actions)} << 32) | actions.size());
  chain_ = mix(chain_, static_cast<std::uint64_t>(role));
  chain_ = mix(chain_, epoch.number);
  chain_ = mix(chain_, deadline ? static_cast<std::uint64_t>(deadline->time_since_epoch().count())
                                : ~std::uint64_t{0});
  return static_cast<std::uint8_t>(chain_ >> 24);
}

template <typename Range>
Bytes encode_actions(const Range& actions, MutableBytes out) {
  ByteWriter writer(out);
  for (const Action& action : actions) put_action(writer, action);
  return writer.failed() ? Bytes{} : Bytes(writer.written());
}
template Bytes encode_actions(const Actions&, MutableBytes);
template Bytes encode_actions(const std::vector<Action>&, MutableBytes);

}  // namespace hotpair::agent
