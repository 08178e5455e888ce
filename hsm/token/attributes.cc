// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/attributes.h"

#include <array>

namespace hsm::token {
namespace {

constexpr std::array kUsages = {CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN,  CKA_VERIFY,
                                CKA_WRAP,    CKA_UNWRAP,  CKA_DERIVE};

// A sensitive AES-256 key that stays as it is made, without a usage.
Template BoundKey(const AttributeSupport& support) {
  Template key;
  key.Set(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{CKK_AES})
      .Set(CKA_VALUE_LEN, kAesKeySize)
      .Set(CKA_PRIVATE, true)
      .Set(CKA_SENSITIVE, true)
      .Set(CKA_EXTRACTABLE, false);
  for (const CK_ATTRIBUTE_TYPE usage : kUsages) {
    key.Set(usage, false);
  }
  if (support.copyable) {
    key.Set(CKA_COPYABLE, false).Set(CKA_DESTROYABLE, true);
  }
  return key;
}

void Allow(Template& key, CK_MECHANISM_TYPE mechanism,
           const AttributeSupport& support) {
  if (support.allowed_mechanisms) {
    key.SetMechanisms({mechanism});
  }
}

}  // namespace

Template KeyTemplate(const KeyRef& key, const AttributeSupport& support) {
  Template made = BoundKey(support);
  made.Set(CKA_TOKEN, true)
      .Set(CKA_MODIFIABLE, false)
      .Set(CKA_ID, key.locator.bytes)
      .Set(CKA_LABEL, base::AsBytes(kLabel));
  if (key.algorithm == Algorithm::kXaes256Gcm) {
    made.Set(CKA_DERIVE, true);
    Allow(made, CKM_AES_ECB_ENCRYPT_DATA, support);
  } else {
    made.Set(CKA_ENCRYPT, true).Set(CKA_DECRYPT, true);
    Allow(made, CKM_AES_GCM, support);
  }
  return made;
}

// Modifiable, because SoftHSM refuses C_DeriveKey otherwise; what matters
// (CKA_SENSITIVE, CKA_EXTRACTABLE) changes one way only.
Template MessageKeyTemplate(const AttributeSupport& support) {
  Template key = BoundKey(support);
  key.Set(CKA_TOKEN, false).Set(CKA_ENCRYPT, true).Set(CKA_DECRYPT, true);
  Allow(key, CKM_AES_GCM, support);
  return key;
}

Template ReadableTemplate(CK_ULONG size) {
  Template secret;
  secret.Set(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{CKK_GENERIC_SECRET})
      .Set(CKA_VALUE_LEN, size)
      .Set(CKA_TOKEN, false)
      .Set(CKA_PRIVATE, true)
      .Set(CKA_SENSITIVE, false)
      .Set(CKA_EXTRACTABLE, true);
  for (const CK_ATTRIBUTE_TYPE usage : kUsages) {
    secret.Set(usage, false);
  }
  return secret;
}

Template AllSecretKeys() {
  Template pattern;
  pattern.Set(CKA_TOKEN, true).Set(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY});
  return pattern;
}

Template SecretKeyWithId(const Locator& locator) {
  Template pattern = AllSecretKeys();
  pattern.Set(CKA_ID, locator.bytes);
  return pattern;
}

}  // namespace hsm::token
