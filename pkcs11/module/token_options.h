// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_TOKEN_OPTIONS_H_
#define PKCS11_MODULE_TOKEN_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pkcs11::module {

// What the server is: on AWS KMS, no operation of ours is called.
enum class Backend : std::uint8_t { kClaviger, kAws };

// Whether callers need to log in, the PIN being the credential.
enum class LoginMode : std::uint8_t { kNone, kPin };

// Where something is done for which the KMS is not needed.
enum class Place : std::uint8_t { kLocal, kRemote };

struct TagFilter {
  std::string key;
  std::string value;
};

// Which keys a token shows. Every condition that is there must hold.
struct KeyFilter {
  std::vector<std::string> key_ids;  // Ids or ARNs. Given: no key is listed.
  std::string alias_prefix;          // Without "alias/". Empty: any or none.
  std::optional<TagFilter> tag;
};

// What the configuration says about one token, apart from where it is. The
// defaults are those of a configuration that says nothing. Immutable once its
// Token has it: it may be read from any thread.
struct TokenOptions {
  Backend backend = Backend::kClaviger;
  LoginMode login = LoginMode::kNone;
  std::string access_key_id;  // Of who logs in with the secret alone.
  KeyFilter filter;
  bool show_disabled = false;  // And keys that wait for their deletion.
  // Signatures made with key pairs; MACs are always checked by the KMS.
  Place verify = Place::kLocal;
  Place random = Place::kLocal;
  bool destroy = true;  // C_DestroyObject may schedule a key's deletion...
  std::chrono::days destroy_after{30};  // ...after so long.
  bool session_keypairs = true;         // C_GenerateKeyPair without CKA_TOKEN.
  bool digests = false;                 // Mechanisms that digest are listed.
  bool strict_templates = false;        // Refuse what a template asks in vain.
  std::chrono::seconds object_ttl{60};  // How old the list of keys may be.
  // Files and folders of certificates, read once.
  std::vector<std::string> certificates;
  // Where callers' certificates are kept if the KMS does not. Empty: nowhere.
  std::string certificate_dir;
  // Key pairs without a certificate sign one for this process.
  bool ephemeral_certificates = false;
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_TOKEN_OPTIONS_H_
