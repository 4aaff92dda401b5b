#include "platform/linux/aes_gcm.hpp"

#include <intel-ipsec-mb.h>

#include "platform/base/assert.hpp"

namespace hotpair::sys {
namespace {

struct FreeManager {
  void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
};

// The routines for this CPU; nothing in it changes once it is made, so all threads may share it.
IMB_MGR* routines() {
  static const std::unique_ptr<IMB_MGR, FreeManager> manager = [] {
    std::unique_ptr<IMB_MGR, FreeManager> made(alloc_mb_mgr(0));
    HOTPAIR_ASSERT(made);
    init_mb_mgr_auto(made.get(), nullptr);
    HOTPAIR_ASSERT(imb_get_errno(made.get()) == 0);
    return made;
  }();
  return manager.get();
}

}  // namespace

struct Aes256Gcm::State {
  IMB_MGR* routines = hotpair::sys::routines();
  alignas(64) gcm_key_data key;  // which the library takes for granted
  gcm_context_data context;      // of the frame at hand

  ~State() {
    wipe({reinterpret_cast<std::uint8_t*>(&key), sizeof key});
    wipe({reinterpret_cast<std::uint8_t*>(&context), sizeof context});
  }
};

Aes256Gcm::Aes256Gcm(const Key256& key) : state_(std::make_unique<State>()) {
  IMB_AES256_GCM_PRE(state_->routines, key.data(), &state_->key);
}

Aes256Gcm::Aes256Gcm(Aes256Gcm&&) noexcept = default;
Aes256Gcm& Aes256Gcm::operator=(Aes256Gcm&&) noexcept = default;
Aes256Gcm::~Aes256Gcm() = default;

void Aes256Gcm::seal(const Nonce96& nonce, Bytes aad, Bytes plain, MutableBytes out) {
  HOTPAIR_ASSERT(out.size() == plain.size() + kGcmTagSize);
  State& s = *state_;
  IMB_AES256_GCM_ENC(s.routines, &s.key, &s.context, out.data(), plain.data(), plain.size(),
                     nonce.data(), aad.data(), aad.size(), out.data() + plain.size(), kGcmTagSize);
}

bool Aes256Gcm::open(const Nonce96& nonce, Bytes aad, Bytes sealed, MutableBytes out) {
  if (sealed.size() < kGcmTagSize) return false;
  const Bytes cipher = sealed.first(sealed.size() - kGcmTagSize);
  HOTPAIR_ASSERT(out.size() == cipher.size());
  State& s = *state_;
  std::array<std::uint8_t, kGcmTagSize> tag;
  IMB_AES256_GCM_DEC(s.routines, &s.key, &s.context, out.data(), cipher.data(), cipher.size(),
                     nonce.data(), aad.data(), aad.size(), tag.data(), kGcmTagSize);
  return equal_secrets(tag, sealed.last(kGcmTagSize));
}

}  // namespace hotpair::sys
