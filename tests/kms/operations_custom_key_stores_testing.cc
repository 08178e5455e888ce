// SPDX-License-Identifier: Apache-2.0
#include "tests/kms/operations_custom_key_stores_testing.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/hash.h"
#include "base/random.h"

namespace kms::operations {
namespace {

using hsm::XksOperation;
using hsm::XksOutcome;
using nlohmann::json;

constexpr std::uint8_t kMetadata[] = {1, 0, 0, 0, 7};

SeenXksRequest See(const hsm::XksRequest& request) {
  const auto plaintext = request.plaintext.Reveal();
  return {.operation = request.operation,
          .endpoint = request.proxy->endpoint,
          .path = request.proxy->path,
          .region = request.proxy->region,
          .access_key_id = request.proxy->access_key_id,
          .secret = std::string(request.proxy->secret_access_key.RevealText()),
          .external_key_id = request.external_key_id,
          .kms_request_id = request.kms_request_id,
          .kms_operation = request.kms_operation,
          .principal_arn = request.principal_arn,
          .key_arn = request.key_arn,
          .via_service = request.via_service,
          .aad = request.aad,
          .plaintext = {plaintext.begin(), plaintext.end()}};
}

// The value of an external key is made of its id.
struct Gcm {
  explicit Gcm(std::string_view id)
      : key(base::ThreadHasher().Sha256(base::AsBytes(id))) {}
  ~Gcm() { EVP_CIPHER_CTX_free(context); }

  void AddAad(const base::Bytes& aad, const base::Bytes& metadata, bool seals) {
    int size = 0;
    for (const base::Bytes* const part : {&aad, &metadata}) {
      EVP_CipherUpdate(context, nullptr, &size, part->data(),
                       static_cast<int>(part->size()));
    }
    EXPECT_EQ(EVP_CIPHER_CTX_encrypting(context), seals ? 1 : 0);
  }

  base::Digest key;
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
};

void Seal(const hsm::XksRequest& request, hsm::XksReply& reply) {
  Gcm gcm(request.external_key_id);
  hsm::ExternalSealed& sealed = reply.sealed;
  const auto plaintext = request.plaintext.Reveal();
  sealed.metadata.assign(std::begin(kMetadata), std::end(kMetadata));
  sealed.iv.resize(12);
  base::RandomBytes(sealed.iv);
  sealed.ciphertext.resize(plaintext.size());
  sealed.tag.resize(hsm::kTagSize);
  int size = 0;
  EVP_EncryptInit_ex(gcm.context, EVP_aes_256_gcm(), nullptr, gcm.key.data(),
                     sealed.iv.data());
  gcm.AddAad(request.aad, sealed.metadata, true);
  EVP_EncryptUpdate(gcm.context, sealed.ciphertext.data(), &size,
                    plaintext.data(), static_cast<int>(plaintext.size()));
  EVP_EncryptFinal_ex(gcm.context, nullptr, &size);
  EVP_CIPHER_CTX_ctrl(gcm.context, EVP_CTRL_AEAD_GET_TAG,
                      static_cast<int>(sealed.tag.size()), sealed.tag.data());
}

void Open(hsm::XksRequest& request, hsm::XksReply& reply) {
  Gcm gcm(request.external_key_id);
  hsm::ExternalSealed& sealed = request.sealed;
  base::Secret plaintext(sealed.ciphertext.size());
  int size = 0;
  EVP_DecryptInit_ex(gcm.context, EVP_aes_256_gcm(), nullptr, nullptr, nullptr);
  EVP_CIPHER_CTX_ctrl(gcm.context, EVP_CTRL_AEAD_SET_IVLEN,
                      static_cast<int>(sealed.iv.size()), nullptr);
  EVP_DecryptInit_ex(gcm.context, nullptr, nullptr, gcm.key.data(),
                     sealed.iv.data());
  gcm.AddAad(request.aad, sealed.metadata, false);
  EVP_DecryptUpdate(gcm.context, plaintext.Reveal().data(), &size,
                    sealed.ciphertext.data(),
                    static_cast<int>(sealed.ciphertext.size()));
  EVP_CIPHER_CTX_ctrl(gcm.context, EVP_CTRL_AEAD_SET_TAG,
                      static_cast<int>(sealed.tag.size()), sealed.tag.data());
  if (EVP_DecryptFinal_ex(gcm.context, nullptr, &size) != 1) {
    reply.outcome = XksOutcome::kInvalidCiphertext;
    return;
  }
  reply.plaintext = std::move(plaintext);
}

void Answer(hsm::XksRequest& request, hsm::XksReply& reply) {
  switch (request.operation) {
    case XksOperation::kHealth:
      reply.managers = {{"hsm-1", "model", "ACTIVE"}};
      return;
    case XksOperation::kMetadata:
      reply.key_spec = "AES_256";
      reply.key_usages = {"ENCRYPT", "DECRYPT", "WRAP"};
      reply.key_status = "ENABLED";
      return;
    case XksOperation::kEncrypt:
      return Seal(request, reply);
    case XksOperation::kDecrypt:
      return Open(request, reply);
  }
}

}  // namespace

hsm::client::Awaitable<hsm::XksReply> FakeXks::Ask(hsm::XksRequest request) {
  seen.push_back(See(request));
  most_out = std::max(most_out, ++out);
  for (int i = 0; i < turns; ++i) {
    co_await boost::asio::post(boost::asio::use_awaitable);
  }
  --out;
  if (meanwhile) {
    const auto once = std::exchange(meanwhile, nullptr);
    co_await once();
  }
  if (error) {
    co_return base::Error{*error, "the worker is gone"};
  }
  hsm::XksReply reply;
  reply.outcome = outcome;
  reply.message = words;
  if (refused > 0) {
    --refused;
    reply.outcome = XksOutcome::kTimedOut;
    co_return reply;
  }
  reply.microseconds = 1000;
  if (outcome != XksOutcome::kOk) {
    co_return reply;
  }
  if (request.operation != XksOperation::kHealth &&
      !keys.contains(request.external_key_id)) {
    reply.outcome = XksOutcome::kKeyNotFound;
    co_return reply;
  }
  Answer(request, reply);
  if (lie) {
    lie(reply);
  }
  co_return reply;
}

void CustomKeyStoresTest::Begin() {
  testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
  environment().xks = &xks_;
  testlib::Take(Run(LoadCustomKeyStores(environment())));
}

json CustomKeyStoresTest::Credential(std::string_view access_key_id,
                                     std::string_view secret) {
  return {{"AccessKeyId", access_key_id}, {"RawSecretAccessKey", secret}};
}

json CustomKeyStoresTest::StoreInput(std::string_view name,
                                     std::string_view path) {
  return {{"CustomKeyStoreName", name},
          {"CustomKeyStoreType", "EXTERNAL_KEY_STORE"},
          {"XksProxyConnectivity", "PUBLIC_ENDPOINT"},
          {"XksProxyUriEndpoint", "https://xks.example.com"},
          {"XksProxyUriPath", path},
          {"XksProxyAuthenticationCredential",
           Credential(kXksAccessKeyId, kXksSecret)}};
}

std::string CustomKeyStoresTest::NewStore(std::string_view name,
                                          std::string_view path) {
  return testlib::Take(Ask("CreateCustomKeyStore", StoreInput(name, path)))
      .at("CustomKeyStoreId");
}

std::string CustomKeyStoresTest::NewConnectedStore() {
  std::string id = NewStore();
  testlib::Take(OnStore("ConnectCustomKeyStore", id));
  ConnectPending();
  EXPECT_EQ(State(id), "CONNECTED");
  return id;
}

json CustomKeyStoresTest::LastEvent(std::string_view name) const {
  json last;
  for (json& event : Events()) {
    if (event.at("eventName") == name) {
      last = std::move(event);
    }
  }
  return last;
}

json CustomKeyStoresTest::Entry(const std::string& id) {
  return testlib::Take(OnStore("DescribeCustomKeyStores", id))
      .at("CustomKeyStores")
      .at(0);
}

std::string CustomKeyStoresTest::State(const std::string& id) {
  const json entry = Entry(id);
  const std::string state = entry.at("ConnectionState");
  return entry.contains("ConnectionErrorCode")
             ? state + " " + entry.at("ConnectionErrorCode").get<std::string>()
             : state;
}

base::Result<json> CustomKeyStoresTest::CreateExternalKey(
    const std::string& store, std::string_view xks_key_id) {
  return Ask("CreateKey", {{"Origin", "EXTERNAL_KEY_STORE"},
                           {"CustomKeyStoreId", store},
                           {"XksKeyId", xks_key_id}});
}

std::string CustomKeyStoresTest::NewExternalKey(const std::string& store,
                                                std::string_view xks_key_id) {
  return testlib::Take(CreateExternalKey(store, xks_key_id))
      .at("KeyMetadata")
      .at("KeyId");
}

std::string CustomKeyStoresTest::KeyState(const std::string& key) {
  return testlib::Take(Ask("DescribeKey", {{"KeyId", key}}))
      .at("KeyMetadata")
      .at("KeyState");
}

}  // namespace kms::operations
