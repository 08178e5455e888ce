// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/session.h"

#include <algorithm>
#include <array>

namespace hsm::token {
namespace {

constexpr std::size_t kMaxAttribute = 1024;
constexpr std::size_t kMaxSecret = 128;
constexpr std::size_t kMaxSignature = 1024;
constexpr std::size_t kMaxWrapped = 4096;  // RSA-4096 takes 2,376.
constexpr std::size_t kFindBatch = 256;

// What a token may ask for beyond the ciphertext's length.
constexpr std::size_t kRoomToSpare = 64;

constexpr CK_ULONG kTagBits = 128;

CK_GCM_PARAMS GcmParameters(base::ByteView iv, base::ByteView aad) {
  return {.iv_ptr = Unconst(iv),
          .iv_len = iv.size(),
          .iv_bits = iv.size() * 8,  // SoftHSM ignores it; NSS insists on it.
          .aad_ptr = Unconst(aad),
          .aad_len = aad.size(),
          .tag_bits = kTagBits};
}

CK_MECHANISM AsCk(const Mechanism& mechanism) {
  // No parameter is a null pointer to the standard, an empty one is not.
  return {mechanism.type,
          mechanism.parameter.empty() ? nullptr : Unconst(mechanism.parameter),
          mechanism.parameter.size()};
}

}  // namespace

base::Result<Session> Session::Open(const CK_FUNCTION_LIST& module,
                                    CK_SLOT_ID slot) {
  CK_SESSION_HANDLE handle = 0;
  RETURN_IF_ERROR(
      Check(module.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                 nullptr, nullptr, &handle),
            "C_OpenSession"));
  return Session(module, handle);
}

Session::Session(Session&& other) noexcept
    : module_(std::exchange(other.module_, nullptr)),
      handle_(other.handle_),
      spoiled_(other.spoiled_) {}

Session& Session::operator=(Session&& other) noexcept {
  if (this != &other) {
    Close();
    module_ = std::exchange(other.module_, nullptr);
    handle_ = other.handle_;
    spoiled_ = other.spoiled_;
  }
  return *this;
}

Session::~Session() { Close(); }

void Session::Close() {
  if (module_ != nullptr) {
    module_->C_CloseSession(handle_);  // A failure could not be mended.
  }
}

CK_RV Session::Noted(CK_RV rv) {
  spoiled_ = spoiled_ || rv != CKR_OK;
  return rv;
}

Answer<CK_STATE> Session::State() {
  CK_SESSION_INFO info{};
  const CK_RV rv = Noted(module_->C_GetSessionInfo(handle_, &info));
  return {rv, "C_GetSessionInfo", info.state};
}

Answer<Nothing> Session::Login(CK_USER_TYPE user, const base::Secret& pin) {
  const auto bytes = pin.Reveal();
  const CK_RV rv =
      module_->C_Login(handle_, user, Unconst(bytes), bytes.size());
  return {Noted(rv), "C_Login", {}};
}

Answer<Nothing> Session::Random(std::span<std::uint8_t> out) {
  const CK_RV rv = module_->C_GenerateRandom(handle_, Unconst(out), out.size());
  return {Noted(rv), "C_GenerateRandom", {}};
}

Answer<ObjectHandle> Session::GenerateKey(CK_MECHANISM_TYPE mechanism,
                                          const Template& attributes) {
  CK_MECHANISM ck = {mechanism, nullptr, 0};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  const CK_RV rv = module_->C_GenerateKey(handle_, &ck, attributes.data(),
                                          attributes.size(), &key);
  return {Noted(rv), "C_GenerateKey", ObjectHandle{key}};
}

Answer<PairHandles> Session::GenerateKeyPair(
    CK_MECHANISM_TYPE mechanism, const Template& public_attributes,
    const Template& private_attributes) {
  CK_MECHANISM ck = {mechanism, nullptr, 0};
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
  const CK_RV rv = module_->C_GenerateKeyPair(
      handle_, &ck, public_attributes.data(), public_attributes.size(),
      private_attributes.data(), private_attributes.size(), &public_key,
      &private_key);
  return {Noted(rv),
          "C_GenerateKeyPair",
          {ObjectHandle{public_key}, ObjectHandle{private_key}}};
}

Answer<ObjectHandle> Session::CreateObject(const Template& attributes) {
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  const CK_RV rv = module_->C_CreateObject(handle_, attributes.data(),
                                           attributes.size(), &object);
  return {Noted(rv), "C_CreateObject", ObjectHandle{object}};
}

Answer<ObjectHandle> Session::CopyObject(ObjectHandle object,
                                         const Template& changes) {
  CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
  const CK_RV rv = module_->C_CopyObject(handle_, Raw(object), changes.data(),
                                         changes.size(), &copy);
  return {Noted(rv), "C_CopyObject", ObjectHandle{copy}};
}

Answer<Nothing> Session::DestroyObject(ObjectHandle object) {
  const CK_RV rv = module_->C_DestroyObject(handle_, Raw(object));
  return {Noted(rv), "C_DestroyObject", {}};
}

Answer<Nothing> Session::SetAttributes(ObjectHandle object,
                                       const Template& changes) {
  const CK_RV rv = module_->C_SetAttributeValue(handle_, Raw(object),
                                                changes.data(), changes.size());
  return {Noted(rv), "C_SetAttributeValue", {}};
}

Answer<ObjectHandle> Session::DeriveKey(ObjectHandle base,
                                        base::ByteView blocks,
                                        const Template& attributes) {
  CK_KEY_DERIVATION_STRING_DATA parameter = {Unconst(blocks), blocks.size()};
  CK_MECHANISM ck = {CKM_AES_ECB_ENCRYPT_DATA, &parameter, sizeof(parameter)};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  const CK_RV rv = module_->C_DeriveKey(
      handle_, &ck, Raw(base), attributes.data(), attributes.size(), &key);
  return {Noted(rv), "C_DeriveKey", ObjectHandle{key}};
}

Answer<ObjectHandle> Session::DeriveEcdh(ObjectHandle base,
                                         base::ByteView point,
                                         const Template& attributes) {
  CK_ECDH1_DERIVE_PARAMS parameter = {.kdf = CKD_NULL,
                                      .shared_data_len = 0,
                                      .shared_data = nullptr,
                                      .public_data_len = point.size(),
                                      .public_data = Unconst(point)};
  CK_MECHANISM ck = {CKM_ECDH1_DERIVE, &parameter, sizeof(parameter)};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  const CK_RV rv = module_->C_DeriveKey(
      handle_, &ck, Raw(base), attributes.data(), attributes.size(), &key);
  return {Noted(rv), "C_DeriveKey", ObjectHandle{key}};
}

Answer<base::Bytes> Session::WrapKey(const Mechanism& mechanism,
                                     ObjectHandle with, ObjectHandle key) {
  CK_MECHANISM ck = AsCk(mechanism);
  base::Bytes wrapped(kMaxWrapped);
  CK_ULONG size = wrapped.size();
  const CK_RV rv = module_->C_WrapKey(handle_, &ck, Raw(with), Raw(key),
                                      wrapped.data(), &size);
  wrapped.resize(rv == CKR_OK ? std::min<std::size_t>(size, kMaxWrapped) : 0);
  return {Noted(rv), "C_WrapKey", std::move(wrapped)};
}

Answer<ObjectHandle> Session::UnwrapKey(const Mechanism& mechanism,
                                        ObjectHandle with,
                                        base::ByteView wrapped,
                                        const Template& attributes) {
  CK_MECHANISM ck = AsCk(mechanism);
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  const CK_RV rv = module_->C_UnwrapKey(
      handle_, &ck, Raw(with), Unconst(wrapped), wrapped.size(),
      attributes.data(), attributes.size(), &key);
  return {Noted(rv), "C_UnwrapKey", ObjectHandle{key}};
}

Answer<Nothing> Session::StartEncryption(const Mechanism& mechanism,
                                         ObjectHandle key) {
  CK_MECHANISM ck = AsCk(mechanism);
  spoiled_ = true;
  return {module_->C_EncryptInit(handle_, &ck, Raw(key)), "C_EncryptInit", {}};
}

Answer<base::Bytes> Session::ReadAttribute(ObjectHandle object,
                                           CK_ATTRIBUTE_TYPE type) {
  base::Bytes value(kMaxAttribute);
  CK_ATTRIBUTE attribute = {type, value.data(), value.size()};
  const CK_RV rv =
      module_->C_GetAttributeValue(handle_, Raw(object), &attribute, 1);
  const bool sane = attribute.ulValueLen <= kMaxAttribute;
  value.resize(rv == CKR_OK && sane ? attribute.ulValueLen : 0);
  return {Noted(rv), "C_GetAttributeValue", std::move(value)};
}

Answer<CK_ULONG> Session::ReadNumber(ObjectHandle object,
                                     CK_ATTRIBUTE_TYPE type) {
  CK_ULONG value = 0;
  CK_ATTRIBUTE attribute = {type, &value, sizeof(value)};
  CK_RV rv = module_->C_GetAttributeValue(handle_, Raw(object), &attribute, 1);
  if (rv == CKR_OK && attribute.ulValueLen != sizeof(value)) {
    rv = CKR_ATTRIBUTE_VALUE_INVALID;
  }
  return {Noted(rv), "C_GetAttributeValue", value};
}

Answer<base::Secret> Session::ReadSecret(ObjectHandle object) {
  base::Secret value(kMaxSecret);
  CK_ATTRIBUTE attribute = {CKA_VALUE, value.Reveal().data(), value.size()};
  const CK_RV rv =
      module_->C_GetAttributeValue(handle_, Raw(object), &attribute, 1);
  const bool sane = attribute.ulValueLen <= kMaxSecret;
  value.Truncate(rv == CKR_OK && sane ? attribute.ulValueLen : 0);
  return {Noted(rv), "C_GetAttributeValue", std::move(value)};
}

Answer<std::vector<ObjectHandle>> Session::FindObjects(
    const Template& pattern) {
  Answer<std::vector<ObjectHandle>> found;
  found.function = "C_FindObjectsInit";
  found.rv = Noted(
      module_->C_FindObjectsInit(handle_, pattern.data(), pattern.size()));
  if (!found.ok()) {
    return found;
  }
  found.function = "C_FindObjects";
  std::array<CK_OBJECT_HANDLE, kFindBatch> batch{};
  CK_ULONG count = 0;
  do {
    found.rv = Noted(
        module_->C_FindObjects(handle_, batch.data(), batch.size(), &count));
    for (CK_ULONG i = 0; found.ok() && i < count; ++i) {
      found.value.push_back(ObjectHandle{batch[i]});
    }
  } while (found.ok() && count > 0);
  const CK_RV rv = Noted(module_->C_FindObjectsFinal(handle_));
  if (found.ok() && rv != CKR_OK) {
    found.rv = rv;
    found.function = "C_FindObjectsFinal";
  }
  return found;
}

Answer<base::Bytes> Session::EncryptGcm(ObjectHandle key,
                                        std::span<std::uint8_t> iv,
                                        base::ByteView aad,
                                        base::ByteView plaintext) {
  CK_GCM_PARAMS gcm = GcmParameters(iv, aad);
  return EncryptBy({CKM_AES_GCM, &gcm, sizeof(gcm)}, key, plaintext);
}

Answer<base::Bytes> Session::Encrypt(const Mechanism& mechanism,
                                     ObjectHandle key,
                                     base::ByteView plaintext) {
  return EncryptBy(AsCk(mechanism), key, plaintext);
}

Answer<base::Bytes> Session::EncryptBy(CK_MECHANISM mechanism, ObjectHandle key,
                                       base::ByteView plaintext) {
  if (const CK_RV rv = module_->C_EncryptInit(handle_, &mechanism, Raw(key));
      rv != CKR_OK) {
    return {Noted(rv), "C_EncryptInit", {}};
  }
  base::Bytes ciphertext(plaintext.size() + kTagBits / 8 + kRoomToSpare);
  CK_ULONG size = ciphertext.size();
  const CK_RV rv = module_->C_Encrypt(
      handle_, Unconst(plaintext), plaintext.size(), ciphertext.data(), &size);
  ciphertext.resize(rv == CKR_OK ? std::min(ciphertext.size(), size) : 0);
  return {Noted(rv), "C_Encrypt", std::move(ciphertext)};
}

Answer<base::Secret> Session::DecryptGcm(ObjectHandle key, base::ByteView iv,
                                         base::ByteView aad,
                                         base::ByteView ciphertext) {
  CK_GCM_PARAMS gcm = GcmParameters(iv, aad);
  return DecryptBy({CKM_AES_GCM, &gcm, sizeof(gcm)}, key, ciphertext);
}

Answer<base::Bytes> Session::Sign(const Mechanism& mechanism, ObjectHandle key,
                                  base::ByteView message) {
  CK_MECHANISM ck = AsCk(mechanism);
  if (const CK_RV rv = module_->C_SignInit(handle_, &ck, Raw(key));
      rv != CKR_OK) {
    return {Noted(rv), "C_SignInit", {}};
  }
  base::Bytes signature(kMaxSignature);
  CK_ULONG size = signature.size();
  const CK_RV rv = module_->C_Sign(handle_, Unconst(message), message.size(),
                                   signature.data(), &size);
  signature.resize(rv == CKR_OK ? std::min(signature.size(), size) : 0);
  return {Noted(rv), "C_Sign", std::move(signature)};
}

Answer<base::Secret> Session::Decrypt(const Mechanism& mechanism,
                                      ObjectHandle key,
                                      base::ByteView ciphertext) {
  return DecryptBy(AsCk(mechanism), key, ciphertext);
}

Answer<base::Secret> Session::DecryptBy(CK_MECHANISM mechanism,
                                        ObjectHandle key,
                                        base::ByteView ciphertext) {
  if (const CK_RV rv = module_->C_DecryptInit(handle_, &mechanism, Raw(key));
      rv != CKR_OK) {
    return {Noted(rv), "C_DecryptInit", {}};
  }
  base::Secret plaintext(ciphertext.size() + kRoomToSpare);
  CK_ULONG size = plaintext.size();
  const CK_RV rv =
      module_->C_Decrypt(handle_, Unconst(ciphertext), ciphertext.size(),
                         plaintext.Reveal().data(), &size);
  plaintext.Truncate(rv == CKR_OK ? std::min(plaintext.size(), size) : 0);
  return {Noted(rv), "C_Decrypt", std::move(plaintext)};
}

}  // namespace hsm::token
