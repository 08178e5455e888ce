// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PKCS11_OPENSSL_PROVIDER_TESTING_H_
#define TESTS_PKCS11_OPENSSL_PROVIDER_TESTING_H_

#include <gtest/gtest.h>
#include <openssl/provider.h>

#include <memory>
#include <string>

#include "base/bytes.h"
#include "pkcs11/owners.h"
#include "tests/kms/client_server.h"
#include "tests/pkcs11/fake_kms.h"
#include "tests/testlib/temp_dir.h"

namespace pkcs11::openssl {

using LibraryOwner =
    std::unique_ptr<OSSL_LIB_CTX, OpensslFree<OSSL_LIB_CTX_free>>;

// A Host is a program's OpenSSL that has loaded the default provider and ours.
class Host {
 public:
  // As the lines of its section of openssl.cnf say.
  explicit Host(const std::string& section = "");
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  OSSL_LIB_CTX* library() const { return library_.get(); }
  // Unloads our provider, but for what its keys keep.
  void Unload();

  // By its URI; null if there is none.
  PkeyOwner Load(const std::string& uri) const;
  // The first private key in a file.
  PkeyOwner LoadText(base::ByteView text) const;
  PkeyOwner LoadPublicText(base::ByteView text) const;

 private:
  void Configure(const std::string& section);

  LibraryOwner library_;
  OSSL_PROVIDER* default_;
  OSSL_PROVIDER* ours_;
};

// Lets the fake answer what comes over a connection.
void Serve(module::FakeKms& kms, kms::client::Peer& peer);

// The provider with a KMS in memory at the other end of a socket.
class ProviderTest : public testing::Test {
 protected:
  ProviderTest();
  ~ProviderTest() override;

  // What loads a new key with that alias.
  std::string NewKey(const std::string& spec, const std::string& usage,
                     const std::string& alias);
  // The public half, as OpenSSL without us has it.
  PkeyOwner PublicKey(const std::string& alias);

  testlib::TempDir folder_;
  module::FakeKms kms_;
  kms::client::ScriptedServer server_;
  std::unique_ptr<Host> host_;  // Closes its connections before the server.
};

// A signature of `message` with `digest` (null: none), or nothing.
base::Bytes Sign(OSSL_LIB_CTX* library, EVP_PKEY* key, const char* digest,
                 base::ByteView message);
bool Verifies(EVP_PKEY* key, const char* digest, base::ByteView message,
              base::ByteView signature);

// What is in the calling thread's queue of errors, which is emptied.
std::string Errors();

}  // namespace pkcs11::openssl

#endif  // TESTS_PKCS11_OPENSSL_PROVIDER_TESTING_H_
