// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/pkcs11_arguments.h"

#include <algorithm>
#include <cstring>

#include "pkcs11/algorithms.h"

namespace pkcs11::module {
namespace {

CK_ULONG Pick(const auto& known, std::uint8_t choice) {
  return known.empty() ? 0 : known[choice % known.size()];
}

}  // namespace

std::uint8_t Input::Byte() {
  if (rest_.empty()) {
    return 0;
  }
  const std::uint8_t byte = rest_.front();
  rest_ = rest_.subspan(1);
  return byte;
}

CK_ULONG Input::Raw() {
  CK_ULONG raw = 0;
  for (std::size_t i = 0; i < sizeof(raw); ++i) {
    raw = raw << 8U | Byte();
  }
  return raw;
}

void Input::Fill(std::span<std::uint8_t> out) {
  const std::size_t wanted = Byte() % 32U;
  const base::ByteView some =
      rest_.first(std::min({rest_.size(), out.size(), wanted}));
  for (std::size_t i = 0; i < out.size() && !some.empty(); ++i) {
    out[i] = some[i % some.size()];
  }
  rest_ = rest_.subspan(some.size());
}

void Learn(std::deque<CK_ULONG>& known, CK_ULONG word) {
  known.push_front(word);
  known.resize(std::min<std::size_t>(known.size(), 32));
}

CK_ULONG Arguments::Word() {
  const std::uint8_t choice = input_.Byte();
  if (choice < 0x40) {
    return Pick(caller_.sessions, choice);
  }
  if (choice < 0x80) {
    return Pick(caller_.objects, choice - 0x40);
  }
  if (choice < 0xA0) {
    return Pick(caller_.words, choice - 0x80);
  }
  return choice < 0xF0 ? choice - 0xA0U : input_.Raw();
}

CK_BYTE* Arguments::OutputBuffer() {
  const std::uint8_t choice = input_.Byte();
  if (choice < 0x20) {
    length_ = Word();
    return nullptr;
  }
  if (choice < 0x40) {  // In place.
    length_ = last_.size();
    return last_.data();
  }
  const std::size_t size = choice < 0x80 ? choice - 0x40U : kRoom;
  length_ = choice >= 0xF0 ? kHuge : size;
  return Allocate(size);
}

void Arguments::SetParameter(CK_MECHANISM& mechanism) {
  const std::size_t size = input_.Byte() % 64U;
  switch (mechanism.mechanism) {
    case CKM_RSA_PKCS_OAEP: {
      auto* const oaep = Parameter<CK_RSA_PKCS_OAEP_PARAMS>(mechanism);
      const auto hash = Hashes()[input_.Byte() % Hashes().size()];
      *oaep = {hash->digest, hash->mgf, input_.Byte() % 3UL, nullptr, 0};
      if (input_.Rarely()) {
        oaep->source_data = Allocate(size);
        oaep->source_data_len = size;
      }
      return;
    }
    case CKM_RSA_PKCS_PSS:
    case CKM_SHA256_RSA_PKCS_PSS: {
      auto* const pss = Parameter<CK_RSA_PKCS_PSS_PARAMS>(mechanism);
      const auto hash = Hashes()[input_.Byte() % Hashes().size()];
      *pss = {hash->digest, hash->mgf,
              input_.Rarely() ? input_.Raw() : hash->size};
      return;
    }
    case CKM_EDDSA: {
      auto* const eddsa = Parameter<CK_EDDSA_PARAMS>(mechanism);
      *eddsa = {input_.Byte(), size, Allocate(size)};
      return;
    }
    case CKM_AES_GCM: {
      auto* const gcm = Parameter<CK_GCM_PARAMS>(mechanism);
      *gcm = {Allocate(size), size, size * 8,
              Allocate(size), size, input_.Byte()};
      return;
    }
    case CKM_ECDH1_DERIVE:
    case CKM_ECDH1_COFACTOR_DERIVE: {
      auto* const ecdh = Parameter<CK_ECDH1_DERIVE_PARAMS>(mechanism);
      *ecdh = {input_.Byte(), size, Allocate(size), size * 2,
               Allocate(size * 2)};
      input_.Fill({ecdh->public_data, size * 2});
      return;
    }
    case CKM_KMS_DATA_KEY_GEN: {
      auto* const data_key = Parameter<CK_KMS_DATA_KEY_PARAMS>(mechanism);
      *data_key = {Word(), Allocate(size), size};
      input_.Fill({data_key->pContext, size});
      return;
    }
    default:
      mechanism.pParameter = Allocate(size);
      mechanism.ulParameterLen = size;
      input_.Fill({static_cast<std::uint8_t*>(mechanism.pParameter), size});
  }
}

CK_MECHANISM* Arguments::MechanismArgument() {
  if (input_.Rarely()) {
    return nullptr;
  }
  auto* const mechanism =
      reinterpret_cast<CK_MECHANISM*>(Allocate(sizeof(CK_MECHANISM)));
  const auto known = Mechanisms();
  mechanism->mechanism =
      input_.Rarely() ? input_.Raw() : known[input_.Byte() % known.size()].type;
  if (input_.Rarely()) {
    mechanism->ulParameterLen = input_.Byte();
  } else if (input_.Byte() >= 0x40) {
    SetParameter(*mechanism);
  }
  return mechanism;
}

void Arguments::SetRow(CK_ATTRIBUTE& row) {
  constexpr auto kTypes =
      std::to_array<CK_ATTRIBUTE_TYPE>({CKA_CLASS,
                                        CKA_TOKEN,
                                        CKA_PRIVATE,
                                        CKA_LABEL,
                                        CKA_ID,
                                        CKA_KEY_TYPE,
                                        CKA_VALUE,
                                        CKA_VALUE_LEN,
                                        CKA_MODULUS_BITS,
                                        CKA_SIGN,
                                        CKA_VERIFY,
                                        CKA_ENCRYPT,
                                        CKA_DECRYPT,
                                        CKA_WRAP,
                                        CKA_UNWRAP,
                                        CKA_DERIVE,
                                        CKA_EC_PARAMS,
                                        CKA_EC_POINT,
                                        CKA_SENSITIVE,
                                        CKA_EXTRACTABLE,
                                        CKA_PUBLIC_EXPONENT,
                                        CKA_MODULUS,
                                        CKA_SUBJECT,
                                        CKA_CERTIFICATE_TYPE,
                                        CKA_APPLICATION,
                                        CKA_PUBLIC_KEY_INFO,
                                        CKA_ALLOWED_MECHANISMS,
                                        CKA_MODIFIABLE,
                                        CKA_COPYABLE,
                                        CKA_DESTROYABLE,
                                        CKA_WRAP_WITH_TRUSTED,
                                        CKA_START_DATE,
                                        CKA_ISSUER,
                                        CKA_SERIAL_NUMBER,
                                        CKA_KMS_CIPHERTEXT_BLOB});
  row.type =
      input_.Rarely() ? input_.Raw() : kTypes[input_.Byte() % kTypes.size()];
  const std::uint8_t choice = input_.Byte();
  std::size_t size = choice % 64U;
  if (choice >= 0xC0) {
    size = sizeof(CK_ULONG);
  } else if (choice >= 0x80) {
    size = sizeof(CK_BBOOL);
  }
  row.ulValueLen = input_.Rarely() ? kHuge : size;
  if (input_.Rarely()) {
    return;  // Null.
  }
  // Room for all that is written where a caller claims that there is.
  row.pValue = Allocate(row.ulValueLen == kHuge ? kRoom : size);
  if (size == sizeof(CK_ULONG)) {
    const CK_ULONG word = Word();
    std::memcpy(row.pValue, &word, sizeof(word));
  } else {
    input_.Fill({static_cast<std::uint8_t*>(row.pValue), size});
  }
}

CK_ATTRIBUTE* Arguments::Template() {
  const std::size_t count = input_.Byte() % 8U;
  length_ = input_.Rarely() ? kHuge : count;
  if (input_.Rarely()) {
    return nullptr;
  }
  auto* const rows =
      reinterpret_cast<CK_ATTRIBUTE*>(Allocate(count * sizeof(CK_ATTRIBUTE)));
  for (CK_ATTRIBUTE& row : std::span(rows, count)) {
    SetRow(row);
  }
  return rows;
}

void* Arguments::InitializeArguments() {
  auto* const arguments = reinterpret_cast<CK_C_INITIALIZE_ARGS*>(
      Allocate(sizeof(CK_C_INITIALIZE_ARGS)));
  arguments->flags = input_.Byte();
  std::uint8_t* const text = Allocate(64);
  input_.Fill({text, 63});
  // What is no pointer at all, as callers try it out.
  arguments->pReserved =
      input_.Rarely()
          // NOLINTNEXTLINE(performance-no-int-to-ptr)
          ? reinterpret_cast<void*>(std::uintptr_t{input_.Byte()})
          : text;
  return arguments;
}

}  // namespace pkcs11::module
