// SPDX-License-Identifier: Apache-2.0
#include "tests/pkcs11/fake_kms.h"

#include <fmt/format.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "pkcs11/owners.h"

namespace pkcs11::module {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;

constexpr std::size_t kPage = 2;
constexpr std::string_view kOwnPrefix = "Claviger.";
constexpr std::string_view kAliasPrefix = "alias/";
constexpr std::string_view kArnPrefix =
    "arn:aws:kms:us-east-1:000000000000:key/";

// KMS's curves to OpenSSL's.
struct Group {
  std::string_view spec;
  const char* name;
};
constexpr auto kGroups = std::to_array<Group>({
    {"ECC_NIST_P256", "P-256"},
    {"ECC_NIST_P384", "P-384"},
    {"ECC_NIST_P521", "P-521"},
    {"ECC_SECG_P256K1", "secp256k1"},
});

Json Text(std::string_view text) { return base::WipingString(text); }

std::string TextOf(const Json& object, std::string_view name) {
  return std::string(TextMember(object, name).value_or(""));
}

std::string ContextText(const Json& request) {
  const auto context = request.find("EncryptionContext");
  return context == request.end() ? "" : std::string(context->dump());
}

std::shared_ptr<EVP_PKEY> Owned(EVP_PKEY* key) {
  if (key == nullptr) {
    std::abort();  // The test asks for a key that OpenSSL cannot make.
  }
  return {key, EVP_PKEY_free};
}

std::shared_ptr<EVP_PKEY> MakePair(const std::string& spec) {
  const auto* const group = std::ranges::find(kGroups, spec, &Group::spec);
  if (group != kGroups.end()) {
    return Owned(EVP_EC_gen(group->name));
  }
  if (spec == "ECC_NIST_EDWARDS25519") {
    return Owned(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  }
  if (spec.starts_with("RSA_")) {
    return Owned(EVP_RSA_gen(std::stoul(spec.substr(4))));
  }
  return nullptr;
}

const EVP_MD* HashOf(std::string_view algorithm) {
  if (algorithm.ends_with("SHA_224")) {
    return EVP_sha224();
  }
  if (algorithm.ends_with("SHA_256")) {
    return EVP_sha256();
  }
  return algorithm.ends_with("SHA_384") ? EVP_sha384() : EVP_sha512();
}

base::Bytes Spki(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  base::Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

base::Bytes SignRaw(EVP_PKEY* key, base::ByteView message) {
  const DigestContext context(EVP_MD_CTX_new());
  base::Bytes signature(64);
  std::size_t size = signature.size();
  EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key);
  EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                 message.size());
  return signature;
}

base::Bytes SignDigest(EVP_PKEY* key, std::string_view algorithm,
                       base::ByteView digest) {
  const PkeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  base::Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = signature.size();
  EVP_PKEY_sign_init(context.get());
  if (algorithm.starts_with("RSASSA_PSS")) {
    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST);
  }
  EVP_PKEY_CTX_set_signature_md(context.get(), HashOf(algorithm));
  if (EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(),
                    digest.size()) != 1) {
    return {};
  }
  signature.resize(size);
  return signature;
}

}  // namespace

base::Result<Json> FakeKms::Call(std::string_view operation,
                                 const Json& request) {
  const std::lock_guard lock(mutex_);
  const std::string name(operation);
  ++calls_[name];
  ++calls_[""];
  last_[name] = request;
  const auto fixed = fixed_.find(name);
  if (fixed != fixed_.end()) {
    return fixed->second;
  }
  return Answer(operation, request);
}

base::Status FakeKms::CheckLogin(base::SigV4Credentials credentials) {
  if (credentials.access_key_id == kAccessKeyId &&
      credentials.secret_access_key.RevealText() == kSecret) {
    return {};
  }
  return Error{ErrorCode::kUnrecognizedClient, "UnrecognizedClientException"};
}

base::Status FakeKms::LogIn(base::SigV4Credentials credentials) {
  RETURN_IF_ERROR(CheckLogin(std::move(credentials)));
  if (logged_in_.exchange(true)) {
    return Error{ErrorCode::kAlreadyExists, "somebody is logged in"};
  }
  return {};
}

std::shared_ptr<void> FakeKms::LogOut(const StateLock&) {
  logged_in_.store(false);
  return nullptr;
}

base::Result<Json> FakeKms::PublicKeyOf(const FakeKey& key) {
  if (key.state != "Enabled") {
    return key.state == "Disabled"
               ? Error{ErrorCode::kDisabled, "DisabledException"}
               : Error{ErrorCode::kInvalidState, "KMSInvalidStateException"};
  }
  return Json{{"KeyId", Text(std::string(kArnPrefix) + key.id)},
              {"KeySpec", Text(key.spec)},
              {"KeyUsage", Text(key.usage)},
              {"PublicKey", Base64Json(Spki(key.pair.get()))}};
}

base::Result<Json> FakeKms::Answer(std::string_view operation,
                                   const Json& request) {
  if (operation.starts_with(kOwnPrefix)) {
    return OwnAnswer(operation.substr(kOwnPrefix.size()), request);
  }
  if (operation == "ListKeys") {
    return ListKeys(request);
  }
  if (operation == "ListAliases") {
    return ListAliases();
  }
  if (operation == "CreateKey") {
    FakeKey& key =
        MakeKey(TextOf(request, "KeySpec"), TextOf(request, "KeyUsage"));
    Tag(key, request);
    return MetadataOf(key);
  }
  if (operation == "CreateAlias") {
    return CreateAlias(request);
  }
  ASSIGN_OR_RETURN(FakeKey * key, KeyOf(request));
  if (operation == "DescribeKey") {
    return MetadataOf(*key);
  }
  if (operation == "TagResource") {
    Tag(*key, request);
    return Json::object();
  }
  if (operation == "ScheduleKeyDeletion") {
    key->state = "PendingDeletion";
    return Json::object();
  }
  if (operation == "GetPublicKey") {
    return PublicKeyOf(*key);
  }
  if (operation == "ListResourceTags") {
    Json tags = Json::array();
    for (const auto& [name, value] : key->tags) {
      tags.push_back({{"TagKey", Text(name)}, {"TagValue", Text(value)}});
    }
    return Json{{"Tags", tags}, {"Truncated", false}};
  }
  if (operation == "Sign") {
    return Sign(*key, request);
  }
  if (operation == "Verify") {
    return Verify(*key, request);
  }
  if (operation == "GenerateMac" || operation == "VerifyMac") {
    return Mac(*key, request, operation == "VerifyMac");
  }
  if (operation == "Encrypt") {
    return Encrypt(*key, request);
  }
  if (operation == "Decrypt") {
    return Decrypt(*key, request);
  }
  if (operation == "GenerateDataKey") {
    return GenerateDataKey(*key, request);
  }
  if (operation == "DeriveSharedSecret") {
    return DeriveSharedSecret(*key, request);
  }
  return Error{ErrorCode::kUnknownOperation, "UnknownOperationException"};
}

base::Result<Json> FakeKms::OwnAnswer(std::string_view operation,
                                      const Json& request) {
  const Error unknown = {ErrorCode::kUnknownOperation,
                         "UnknownOperationException"};
  if (!is_claviger_) {
    return unknown;
  }
  if (operation == "ListPkcs11Objects") {
    return ListObjects(request);
  }
  ASSIGN_OR_RETURN(FakeKey * key, KeyOf(request));
  if (operation == "GetCertificates") {
    return Json{{"Certificates", key->certificates}};
  }
  if (operation == "DeleteCertificates") {
    key->certificates = Json::array();
    return Json::object();
  }
  if (operation == "PutCertificate") {
    key->certificates = Json::array({request.at("Certificate")});
    for (const Json& more : request.value("Chain", Json::array())) {
      key->certificates.push_back(more);
    }
    return Json::object();
  }
  return unknown;
}

// Its pages are those of ListKeys, but longer.
Json FakeKms::ListObjects(const Json& request) const {
  constexpr std::size_t kObjectPage = 400;
  const std::string marker = TextOf(request, "Marker");
  const std::size_t from = marker.empty() ? 0 : std::stoul(marker);
  const std::size_t to = std::min(from + kObjectPage, keys_.size());
  Json list = Json::array();
  for (std::size_t i = from; i < to; ++i) {
    const FakeKey& key = keys_[i];
    Json entry = MetadataOf(key);
    entry["Aliases"] = Json::array();
    for (const auto& [name, id] : aliases_) {
      if (id == key.id) {
        entry["Aliases"].push_back(Text("alias/" + name));
      }
    }
    entry["Tags"] = Json::array();
    for (const auto& [name, value] : key.tags) {
      entry["Tags"].push_back(
          {{"TagKey", Text(name)}, {"TagValue", Text(value)}});
    }
    if (key.pair != nullptr && key.state != "PendingImport") {
      entry["PublicKey"] = Base64Json(Spki(key.pair.get()));
      entry["Certificates"] = key.certificates;
    }
    list.push_back(std::move(entry));
  }
  Json reply = {{"Keys", list}, {"Truncated", to < keys_.size()}};
  if (to < keys_.size()) {
    reply["NextMarker"] = Text(std::to_string(to));
  }
  return reply;
}

Json FakeKms::MetadataOf(const FakeKey& key) {
  return {{"KeyMetadata",
           {{"KeyId", Text(key.id)},
            {"Arn", Text(std::string(kArnPrefix) + key.id)},
            {"KeySpec", Text(key.spec)},
            {"KeyUsage", Text(key.usage)},
            {"KeyState", Text(key.state)},
            {"KeyManager", "CUSTOMER"},
            {"Origin", "AWS_KMS"},
            {"MultiRegion", false}}}};
}

void FakeKms::Tag(FakeKey& key, const Json& request) {
  const auto tags = request.find("Tags");
  if (tags == request.end()) {
    return;
  }
  for (const Json& tag : *tags) {
    key.tags[TextOf(tag, "TagKey")] = TextOf(tag, "TagValue");
  }
}

base::Result<Json> FakeKms::CreateAlias(const Json& request) {
  const std::string name = TextOf(request, "AliasName").substr(6);
  std::string id = TextOf(request, "TargetKeyId");
  id.erase(0, id.starts_with(kArnPrefix) ? kArnPrefix.size() : 0);
  if (!aliases_.emplace(name, id).second) {
    return Error{ErrorCode::kAlreadyExists, "AlreadyExistsException"};
  }
  return Json::object();
}

base::Result<FakeKey*> FakeKms::KeyOf(const Json& request) {
  std::string id = TextOf(request, "KeyId");
  if (id.starts_with(kArnPrefix)) {
    id.erase(0, kArnPrefix.size());
  }
  if (id.starts_with(kAliasPrefix)) {
    const auto alias = aliases_.find(id.substr(kAliasPrefix.size()));
    id = alias == aliases_.end() ? id : alias->second;
  }
  const auto found = std::ranges::find(keys_, id, &FakeKey::id);
  if (found == keys_.end()) {
    return Error{ErrorCode::kNotFound, "NotFoundException: no key " + id};
  }
  return &*found;
}

Json FakeKms::ListKeys(const Json& request) const {
  const std::string marker = TextOf(request, "Marker");
  const std::size_t from = marker.empty() ? 0 : std::stoul(marker);
  const std::size_t to = std::min(from + kPage, keys_.size());
  Json keys = Json::array();
  for (std::size_t i = from; i < to; ++i) {
    keys.push_back({{"KeyId", Text(keys_[i].id)}});
  }
  Json reply = {{"Keys", keys}, {"Truncated", to < keys_.size()}};
  if (to < keys_.size()) {
    reply["NextMarker"] = Text(std::to_string(to));
  }
  return reply;
}

Json FakeKms::ListAliases() const {
  Json aliases = Json::array();
  for (const auto& [name, id] : aliases_) {
    aliases.push_back(
        {{"AliasName", Text("alias/" + name)}, {"TargetKeyId", Text(id)}});
  }
  return {{"Aliases", aliases}, {"Truncated", false}};
}

base::Result<Json> FakeKms::Sign(const FakeKey& key, const Json& request) {
  ASSIGN_OR_RETURN(base::Bytes message, BytesMember(request, "Message"));
  const std::string algorithm = TextOf(request, "SigningAlgorithm");
  const bool raw = TextOf(request, "MessageType") == "RAW";
  const bool pure = algorithm == "ED25519_SHA_512";
  if ((pure && !raw) ||
      (!raw && message.size() != static_cast<std::size_t>(
                                     EVP_MD_get_size(HashOf(algorithm))))) {
    return Error{ErrorCode::kValidation, "ValidationException"};
  }
  if (raw && !pure) {
    base::Bytes digest(EVP_MAX_MD_SIZE);
    unsigned int size = 0;
    EVP_Digest(message.data(), message.size(), digest.data(), &size,
               HashOf(algorithm), nullptr);
    digest.resize(size);
    message = std::move(digest);
  }
  const base::Bytes signature =
      pure ? SignRaw(key.pair.get(), message)
           : SignDigest(key.pair.get(), algorithm, message);
  if (signature.empty()) {
    return Error{ErrorCode::kValidation, "ValidationException"};
  }
  return Json{{"Signature", Base64Json(signature)}};
}

base::Result<Json> FakeKms::Verify(const FakeKey& key, const Json& request) {
  ASSIGN_OR_RETURN(const base::Bytes message, BytesMember(request, "Message"));
  ASSIGN_OR_RETURN(const base::Bytes signature,
                   BytesMember(request, "Signature"));
  const PkeyContext context(EVP_PKEY_CTX_new(key.pair.get(), nullptr));
  EVP_PKEY_verify_init(context.get());
  EVP_PKEY_CTX_set_signature_md(context.get(),
                                HashOf(TextOf(request, "SigningAlgorithm")));
  if (TextOf(request, "MessageType") != "DIGEST" ||
      EVP_PKEY_verify(context.get(), signature.data(), signature.size(),
                      message.data(), message.size()) != 1) {
    return Error{ErrorCode::kSignatureMismatch, "KMSInvalidSignatureException"};
  }
  return Json{{"SignatureValid", true}};
}

base::Result<Json> FakeKms::Mac(const FakeKey& key, const Json& request,
                                bool verify) {
  ASSIGN_OR_RETURN(const base::Bytes message, BytesMember(request, "Message"));
  const EVP_MD* const hash = HashOf(TextOf(request, "MacAlgorithm"));
  base::Bytes mac(static_cast<std::size_t>(EVP_MD_get_size(hash)));
  HMAC(hash, key.secret.data(), static_cast<int>(key.secret.size()),
       message.data(), message.size(), mac.data(), nullptr);
  if (!verify) {
    return Json{{"Mac", Base64Json(mac)}};
  }
  ASSIGN_OR_RETURN(const base::Bytes given, BytesMember(request, "Mac"));
  if (given != mac) {
    return Error{ErrorCode::kMacMismatch, "KMSInvalidMacException"};
  }
  return Json{{"MacValid", true}};
}

// The fake's ciphertext: the context, a zero byte, and the plaintext.
base::Result<Json> FakeKms::Encrypt(const FakeKey& key, const Json& request) {
  ASSIGN_OR_RETURN(const base::Bytes plaintext,
                   BytesMember(request, "Plaintext"));
  if (key.spec != "SYMMETRIC_DEFAULT") {
    return Error{ErrorCode::kInvalidKeyUsage, "InvalidKeyUsageException"};
  }
  std::string blob = ContextText(request) + '\0';
  blob.append(base::AsText(plaintext));
  return Json{{"CiphertextBlob", Base64Json(base::AsBytes(blob))}};
}

base::Result<Json> FakeKms::Decrypt(const FakeKey& key, const Json& request) {
  ASSIGN_OR_RETURN(const base::Bytes blob,
                   BytesMember(request, "CiphertextBlob"));
  const std::string prefix = ContextText(request) + '\0';
  const Error wrong = {ErrorCode::kInvalidCiphertext, ""};
  if (key.pair == nullptr) {
    const std::string_view text = base::AsText(blob);
    if (!text.starts_with(prefix)) {
      return wrong;
    }
    return Json{
        {"Plaintext", Base64Json(base::AsBytes(text.substr(prefix.size())))}};
  }
  const PkeyContext context(EVP_PKEY_CTX_new(key.pair.get(), nullptr));
  const EVP_MD* const hash =
      TextOf(request, "EncryptionAlgorithm") == "RSAES_OAEP_SHA_1"
          ? EVP_sha1()
          : EVP_sha256();
  base::Bytes plaintext(512);
  std::size_t size = plaintext.size();
  EVP_PKEY_decrypt_init(context.get());
  EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING);
  EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), hash);
  if (EVP_PKEY_decrypt(context.get(), plaintext.data(), &size, blob.data(),
                       blob.size()) != 1) {
    return wrong;
  }
  plaintext.resize(size);
  return Json{{"Plaintext", Base64Json(plaintext)}};
}

// Data keys of the fake are all alike.
base::Result<Json> FakeKms::GenerateDataKey(const FakeKey& key,
                                            const Json& request) {
  const base::Bytes value(request["NumberOfBytes"].get<std::size_t>(), 0x5A);
  Json inner = request;
  inner["Plaintext"] = Base64Json(value);
  ASSIGN_OR_RETURN(Json reply, Encrypt(key, inner));
  reply["Plaintext"] = Base64Json(value);
  return reply;
}

base::Result<Json> FakeKms::DeriveSharedSecret(const FakeKey& key,
                                               const Json& request) {
  ASSIGN_OR_RETURN(const base::Bytes spki, BytesMember(request, "PublicKey"));
  const unsigned char* at = spki.data();
  const PkeyOwner peer(
      d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  const PkeyContext context(EVP_PKEY_CTX_new(key.pair.get(), nullptr));
  base::Bytes secret(66);
  std::size_t size = secret.size();
  if (key.usage != "KEY_AGREEMENT" || peer == nullptr ||
      EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), secret.data(), &size) != 1) {
    return Error{ErrorCode::kValidation, "ValidationException"};
  }
  secret.resize(size);
  return Json{{"SharedSecret", Base64Json(secret)}};
}

FakeKey& FakeKms::MakeKey(const std::string& spec, const std::string& usage) {
  FakeKey key;
  key.spec = spec;
  key.usage = usage;
  key.pair = MakePair(spec);
  key.secret = base::Bytes(32, 0x0B);
  key.id = fmt::format("00000000-0000-4000-8000-{:012x}", keys_.size() + 1);
  return keys_.emplace_back(std::move(key));
}

std::string FakeKms::AddKey(const std::string& spec, const std::string& usage,
                            const std::string& alias) {
  const std::lock_guard lock(mutex_);
  const FakeKey& key = MakeKey(spec, usage);
  if (!alias.empty()) {
    aliases_[alias] = key.id;
  }
  return key.id;
}

void FakeKms::AddAlias(const std::string& key_id, const std::string& alias) {
  const std::lock_guard lock(mutex_);
  aliases_[alias] = key_id;
}

void FakeKms::BeClaviger() {
  const std::lock_guard lock(mutex_);
  is_claviger_ = true;
}

base::Bytes FakeKms::SpkiOf(const std::string& key_id) {
  const std::lock_guard lock(mutex_);
  return Spki(std::ranges::find(keys_, key_id, &FakeKey::id)->pair.get());
}

void FakeKms::SetTag(const std::string& key_id, const std::string& tag,
                     const std::string& value) {
  const std::lock_guard lock(mutex_);
  std::ranges::find(keys_, key_id, &FakeKey::id)->tags[tag] = value;
}

void FakeKms::SetState(const std::string& key_id, const std::string& state) {
  const std::lock_guard lock(mutex_);
  std::ranges::find(keys_, key_id, &FakeKey::id)->state = state;
}

void FakeKms::Fail(const std::string& operation, std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  fixed_.erase(operation);
  if (error.has_value()) {
    fixed_.emplace(operation, *std::move(error));
  }
}

void FakeKms::Reply(const std::string& operation, Json reply) {
  const std::lock_guard lock(mutex_);
  fixed_.insert_or_assign(operation, std::move(reply));
}

int FakeKms::Calls(const std::string& operation) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(operation);
  return found == calls_.end() ? 0 : found->second;
}

Json FakeKms::LastRequest(const std::string& operation) const {
  const std::lock_guard lock(mutex_);
  const auto found = last_.find(operation);
  return found == last_.end() ? Json() : found->second;
}

}  // namespace pkcs11::module
