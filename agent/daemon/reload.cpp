#include "agent/daemon/reload.hpp"

#include "agent/daemon/node_config.hpp"
#include "agent/daemon/start_up.hpp"

namespace hotpair::daemon {

PasswordDigest digest_of(const config::Passwords& passwords) {
  std::string text = passwords.current + "\n" + passwords.next.value_or("");
  const auto digest =
      sys::sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  sys::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return digest;
}

Result<Reloaded, ReloadProblems> read_again(const std::string& config_dir,
                                            const config::Config& running,
                                            const PasswordDigest& known) {
  auto config = config::load_config(config_dir);
  if (!config) return fail(problem_texts(config.error()));
  if (const auto fixed = changes_that_need_a_restart(running, *config); !fixed.empty()) {
    std::string text;
    for (const auto& change : fixed) text += (text.empty() ? "" : "; ") + change;
    return fail(ReloadProblems{
        "nothing was changed, because this needs 'systemctl restart hotpaird': " + text});
  }
  const auto passwords = config::load_passwords(config->cluster);
  if (!passwords) return fail(ReloadProblems{passwords.error().message});
  Reloaded reloaded;
  reloaded.config = std::move(config).value();
  reloaded.password_digest = digest_of(*passwords);
  if (reloaded.password_digest == known) return reloaded;
  auto cipher = PasswordCipher::create(*passwords);
  if (!cipher) return fail(ReloadProblems{cipher.error().message});
  reloaded.cipher = std::move(cipher).value();
  return reloaded;
}

}  // namespace hotpair::daemon
