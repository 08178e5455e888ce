// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/key_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "pkcs11/module/template_check.h"

namespace pkcs11::module {
namespace {

// 65537, the only exponent of the KMS.
constexpr std::array<std::uint8_t, 3> kExponent = {1, 0, 1};
// Ed25519 by its name instead of its OID: PKCS#11 3.0 section 2.3.10.
constexpr std::string_view kEdwardsName = "130c656477617264733235353139";
constexpr std::string_view kEdwardsOid = "06032b6570";
// The curve of CKK_EC whose keys KMS makes for signatures only.
constexpr std::string_view kSigningCurve = "ECC_SECG_P256K1";

// The first of two sets that has the attribute speaks.
base::WipingBytes FirstOf(const AttributeSet& first, const AttributeSet& second,
                          CK_ATTRIBUTE_TYPE type) {
  for (const AttributeSet* set : {&first, &second}) {
    if (const base::WipingBytes* const value = set->Find(type)) {
      return *value;
    }
  }
  return {};
}

Answer<const KeySpec*> RsaSpec(const AttributeSet& public_key) {
  const auto bits = public_key.Number(CKA_MODULUS_BITS);
  if (!bits.has_value()) {
    return Failure(CKR_TEMPLATE_INCOMPLETE);
  }
  if (const auto* const exponent = public_key.Find(CKA_PUBLIC_EXPONENT)) {
    // Callers may pad it in front.
    const auto first = std::ranges::find_if(
        *exponent, [](std::uint8_t byte) { return byte != 0; });
    if (!std::equal(first, exponent->end(), kExponent.begin(),
                    kExponent.end())) {
      return Failure(CKR_ATTRIBUTE_VALUE_INVALID,
                     "the KMS makes RSA keys with the exponent 65537 only");
    }
  }
  for (const KeySpec& spec : KeySpecs()) {
    if (spec.type == CKK_RSA && spec.bits == *bits) {
      return &spec;
    }
  }
  return Failure(CKR_KEY_SIZE_RANGE);
}

// A use that a key of the KMS can be made for, and the attributes of the two
// halves that ask for it.
struct PairUse {
  Usage usage;
  std::array<CK_ATTRIBUTE_TYPE, 2> of_private;
  std::array<CK_ATTRIBUTE_TYPE, 2> of_public;
};
// Signing wins, since almost every program that asks for more wants it.
constexpr std::array kPairUses = {
    PairUse{Usage::kSignVerify,
            {CKA_SIGN, CKA_SIGN_RECOVER},
            {CKA_VERIFY, CKA_VERIFY_RECOVER}},
    PairUse{Usage::kEncryptDecrypt,
            {CKA_DECRYPT, CKA_UNWRAP},
            {CKA_ENCRYPT, CKA_WRAP}},
    PairUse{Usage::kKeyAgreement,
            {CKA_DERIVE, CKA_DERIVE},
            {CKA_DERIVE, CKA_DERIVE}},
};

bool CanBeMadeFor(const KeySpec& spec, Usage usage) {
  if (usage == Usage::kKeyAgreement && spec.name == kSigningCurve) {
    return false;
  }
  return std::ranges::any_of(Mechanisms(), [&](const Mechanism& mechanism) {
    return Fits(mechanism, spec, usage);
  });
}

bool AsksFor(const AttributeSet& wanted,
             const std::array<CK_ATTRIBUTE_TYPE, 2>& uses) {
  return std::ranges::any_of(
      uses, [&](CK_ATTRIBUTE_TYPE use) { return wanted.IsTrue(use); });
}

// Whether the template says of a use only that it is not wanted.
bool Forbids(const AttributeSet& wanted,
             const std::array<CK_ATTRIBUTE_TYPE, 2>& uses) {
  return !AsksFor(wanted, uses) &&
         std::ranges::any_of(uses, [&](CK_ATTRIBUTE_TYPE use) {
           return wanted.Find(use) != nullptr;
         });
}

// What the private key is asked to do decides. Where it is asked for nothing,
// the public key's wishes do, and then the default, as far as the private key's
// template does not forbid it.
Answer<Usage> PairUsage(const KeySpec& spec, const AttributeSet& public_key,
                        const AttributeSet& private_key) {
  const auto first = [&](auto&& fits) -> std::optional<Usage> {
    for (const PairUse& use : kPairUses) {
      if (CanBeMadeFor(spec, use.usage) && fits(use)) {
        return use.usage;
      }
    }
    return std::nullopt;
  };
  const auto is_left = [&](const PairUse& use) {
    return !Forbids(private_key, use.of_private);
  };
  const auto asks_anything = [](const AttributeSet& wanted, auto member) {
    return std::ranges::any_of(kPairUses, [&](const PairUse& use) {
      return AsksFor(wanted, use.*member);
    });
  };
  std::optional<Usage> usage;
  if (asks_anything(private_key, &PairUse::of_private)) {
    usage = first([&](const PairUse& use) {
      return AsksFor(private_key, use.of_private);
    });
  } else if (asks_anything(public_key, &PairUse::of_public)) {
    usage = first([&](const PairUse& use) {
      return AsksFor(public_key, use.of_public) && is_left(use);
    });
  } else {
    usage = first([&](const PairUse& use) {
      return is_left(use) && !Forbids(public_key, use.of_public);
    });
  }
  if (!usage.has_value()) {
    return Failure(
        CKR_TEMPLATE_INCONSISTENT,
        fmt::format("the templates leave no use that {} has", spec.name));
  }
  return *usage;
}

// The mechanism, if it makes what `flag` says.
Answer<const Mechanism*> Generator(CK_MECHANISM_TYPE type, CK_FLAGS flag) {
  const Mechanism* const mechanism = FindMechanism(type);
  if (mechanism == nullptr || (mechanism->flags & flag) == 0) {
    return Failure(CKR_MECHANISM_INVALID);
  }
  return mechanism;
}

NewKey Named(const AttributeSet& first, const AttributeSet& second) {
  NewKey key;
  key.label = base::AsText(FirstOf(first, second, CKA_LABEL));
  key.id = FirstOf(first, second, CKA_ID);
  return key;
}

}  // namespace

Answer<const KeySpec*> CurveSpec(CK_KEY_TYPE type,
                                 const AttributeSet& public_key) {
  const base::WipingBytes* const params = public_key.Find(CKA_EC_PARAMS);
  if (params == nullptr) {
    return Failure(CKR_TEMPLATE_INCOMPLETE);
  }
  std::string wanted = base::HexEncode(*params);
  wanted = wanted == kEdwardsName ? kEdwardsOid : wanted;
  for (const KeySpec& spec : KeySpecs()) {
    if (spec.type == type && spec.curve->ec_params == wanted) {
      return &spec;
    }
  }
  return Failure(CKR_CURVE_NOT_SUPPORTED);
}

Answer<const KeySpec*> ReadPairSpec(CK_MECHANISM_TYPE type,
                                    const AttributeSet& public_key,
                                    const AttributeSet& private_key) {
  ASSIGN_OR_FAIL(const Mechanism* mechanism,
                 Generator(type, CKF_GENERATE_KEY_PAIR));
  RETURN_IF_FAILED(
      CheckNewKey(CKO_PUBLIC_KEY, mechanism->key_type, public_key));
  RETURN_IF_FAILED(
      CheckNewKey(CKO_PRIVATE_KEY, mechanism->key_type, private_key));
  for (const AttributeSet* set : {&public_key, &private_key}) {
    if (set->Number(CKA_KEY_TYPE).value_or(mechanism->key_type) !=
        mechanism->key_type) {
      return Failure(CKR_TEMPLATE_INCONSISTENT);
    }
  }
  return mechanism->key_type == CKK_RSA
             ? RsaSpec(public_key)
             : CurveSpec(mechanism->key_type, public_key);
}

Answer<NewKey> ReadPairTemplates(CK_MECHANISM_TYPE type,
                                 const AttributeSet& public_key,
                                 const AttributeSet& private_key) {
  NewKey key = Named(private_key, public_key);
  ASSIGN_OR_FAIL(key.spec, ReadPairSpec(type, public_key, private_key));
  ASSIGN_OR_FAIL(key.usage, PairUsage(*key.spec, public_key, private_key));
  return key;
}

// VALUE_LEN decides between HMAC keys. Their uses do not: programs ask for
// encryption with generic secrets.
Answer<NewKey> ReadSecretTemplate(CK_MECHANISM_TYPE type,
                                  const AttributeSet& secret_key) {
  ASSIGN_OR_FAIL(const Mechanism* mechanism, Generator(type, CKF_GENERATE));
  RETURN_IF_FAILED(
      CheckNewKey(CKO_SECRET_KEY, mechanism->key_type, secret_key));
  const CK_KEY_TYPE wanted_type =
      secret_key.Number(CKA_KEY_TYPE).value_or(mechanism->key_type);
  const auto bytes = secret_key.Number(CKA_VALUE_LEN);
  if (!bytes.has_value()) {
    return Failure(CKR_TEMPLATE_INCOMPLETE);
  }
  NewKey key = Named(secret_key, secret_key);
  key.usage = mechanism->usage;
  for (const KeySpec& spec : KeySpecs()) {
    const bool fits = mechanism->key_type == CKK_AES ? spec.type == CKK_AES
                                                     : spec.mac_hash != nullptr;
    if (!fits || spec.bits / 8 != *bytes) {
      continue;
    }
    if (wanted_type != mechanism->key_type && wanted_type != spec.type) {
      return Failure(CKR_TEMPLATE_INCONSISTENT);
    }
    key.spec = &spec;
    return key;
  }
  return Failure(CKR_KEY_SIZE_RANGE);
}

}  // namespace pkcs11::module
