// SPDX-License-Identifier: Apache-2.0
#include "tests/pkcs11/openssl/provider_testing.h"

#include <openssl/core.h>
#include <openssl/pem.h>
#include <openssl/store.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "pkcs11/public_key.h"

extern "C" int OSSL_provider_init(const OSSL_CORE_HANDLE* handle,
                                  const OSSL_DISPATCH* in,
                                  const OSSL_DISPATCH** out, void** provider);

namespace pkcs11::openssl {
namespace {

using base::Json;
using BioOwner = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;
using StoreOwner =
    std::unique_ptr<OSSL_STORE_CTX, OpensslFree<OSSL_STORE_close>>;
using StoreItem =
    std::unique_ptr<OSSL_STORE_INFO, OpensslFree<OSSL_STORE_INFO_free>>;

std::string HeaderOf(const std::string& request, const std::string& name) {
  const std::size_t at = request.find(name + ": ");
  const std::size_t from = at + name.size() + 2;
  return request.substr(from, request.find('\r', from) - from);
}

}  // namespace

void Serve(module::FakeKms& kms, kms::client::Peer& peer) {
  for (;;) {
    const std::string request = peer.ReadRequest();
    if (request.empty()) {
      return;
    }
    const std::string target = HeaderOf(request, "X-Amz-Target");
    const auto body = base::ParseJson(kms::client::BodyOf(request));
    const auto reply = kms.Call(target.substr(target.find('.') + 1), *body);
    if (reply.has_value()) {
      peer.Send(kms::client::Reply(reply->dump()));
      continue;
    }
    const std::string& message = reply.error().message;
    const Json error = {
        {"__type", base::WipingString(message.substr(0, message.find(':')))},
        {"message", base::WipingString(message)}};
    peer.Send(kms::client::Reply(error.dump(), 400));
  }
}

Host::Host(const std::string& section) : library_(OSSL_LIB_CTX_new()) {
  OSSL_PROVIDER_add_builtin(library_.get(), "claviger", OSSL_provider_init);
  if (!section.empty()) {
    Configure(section);
  }
  default_ = OSSL_PROVIDER_load(library_.get(), "default");
  ours_ = OSSL_PROVIDER_load(library_.get(), "claviger");
}

void Host::Configure(const std::string& section) {
  const testlib::TempDir folder;
  const std::string file = (folder / "openssl.cnf").string();
  std::ofstream(file) << "openssl_conf = conf\n[conf]\nproviders = list\n"
                         "[list]\ndefault = other\nclaviger = ours\n"
                         "[other]\nactivate = 1\n[ours]\nactivate = 1\n"
                      << section << "\n";
  OSSL_LIB_CTX_load_config(library_.get(), file.c_str());
}

void Host::Unload() { OSSL_PROVIDER_unload(std::exchange(ours_, nullptr)); }

Host::~Host() {
  Unload();
  OSSL_PROVIDER_unload(default_);
}

PkeyOwner Host::Load(const std::string& uri) const {
  const StoreOwner store(OSSL_STORE_open_ex(uri.c_str(), library_.get(),
                                            nullptr, nullptr, nullptr, nullptr,
                                            nullptr, nullptr));
  if (store == nullptr) {
    return nullptr;
  }
  OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_PKEY);
  const StoreItem item(OSSL_STORE_load(store.get()));
  return PkeyOwner(item == nullptr ? nullptr
                                   : OSSL_STORE_INFO_get1_PKEY(item.get()));
}

PkeyOwner Host::LoadText(base::ByteView text) const {
  const BioOwner bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  return PkeyOwner(PEM_read_bio_PrivateKey_ex(
      bio.get(), nullptr, nullptr, nullptr, library_.get(), nullptr));
}

PkeyOwner Host::LoadPublicText(base::ByteView text) const {
  const BioOwner bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  return PkeyOwner(PEM_read_bio_PUBKEY_ex(bio.get(), nullptr, nullptr, nullptr,
                                          library_.get(), nullptr));
}

ProviderTest::ProviderTest()
    : server_((folder_ / "socket").string(),
              kms::client::ScriptedServer::Always{
                  [this](kms::client::Peer& peer) { Serve(kms_, peer); }}) {
  setenv("CLAVIGER_SOCKET", (folder_ / "socket").c_str(), 1);
  setenv("HOME", folder_.path().c_str(), 1);
  setenv("XDG_CONFIG_HOME", folder_.path().c_str(), 1);
  host_ = std::make_unique<Host>();
}

ProviderTest::~ProviderTest() = default;

std::string ProviderTest::NewKey(const std::string& spec,
                                 const std::string& usage,
                                 const std::string& alias) {
  kms_.AddKey(spec, usage, alias);
  return "claviger:alias/" + alias;
}

PkeyOwner ProviderTest::PublicKey(const std::string& alias) {
  const auto reply = kms_.Call(
      "GetPublicKey", {{"KeyId", base::WipingString("alias/" + alias)}});
  return DecodeSpki(*BytesMember(*reply, "PublicKey"), nullptr);
}

base::Bytes Sign(OSSL_LIB_CTX* library, EVP_PKEY* key, const char* digest,
                 base::ByteView message) {
  const DigestContext context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (EVP_DigestSignInit_ex(context.get(), nullptr, digest, library, nullptr,
                            key, nullptr) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, message.data(),
                     message.size()) != 1) {
    return {};
  }
  base::Bytes signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                     message.size()) != 1) {
    return {};
  }
  signature.resize(size);
  return signature;
}

bool Verifies(EVP_PKEY* key, const char* digest, base::ByteView message,
              base::ByteView signature) {
  const DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, nullptr,
                                 nullptr, key, nullptr) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                          message.data(), message.size()) == 1;
}

std::string Errors() {
  const BioOwner bio(BIO_new(BIO_s_mem()));
  ERR_print_errors(bio.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace pkcs11::openssl
