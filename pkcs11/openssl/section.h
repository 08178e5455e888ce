// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_OPENSSL_SECTION_H_
#define PKCS11_OPENSSL_SECTION_H_

#include <chrono>
#include <string>

#include "base/result.h"
#include "kms/client/key_uri.h"
#include "kms/client/options.h"
#include "pkcs11/openssl/core.h"

// Where the KMS is, and as whom it is asked.
namespace pkcs11::openssl {

// What the provider's section of openssl.cnf says. Empty texts: as the
// configuration file or the environment says.
struct Section {
  std::string config;  // A pkcs11.toml.
  std::string token;   // The label of the [[token]] in it; empty: the first.
  std::string endpoint;
  std::string region;
  std::string profile;
  std::string ca_file;
  std::chrono::seconds timeout{10};
  // Whether a reference may say where the KMS is and whose access key counts.
  bool follows_references = false;
};

// Fails with kInvalidArgument.
base::Result<Section> ReadSection(const Core& core);

// What of `uri` says where its KMS is.
kms::client::KeyUri PlaceOf(const kms::client::KeyUri& uri);

// How to reach it: what is nearest to the key counts. Fails with
// kInvalidArgument, and with kIo if a file cannot be read.
base::Result<kms::client::Options> OptionsFor(const kms::client::KeyUri& uri,
                                              const Section& section);

// Whether a reference to `uri` may be followed. Anybody may have put one into a
// file that the process only reads, as the public key of a peer: unless the
// section trusts them, references do not decide where requests go that are
// signed in the process's name, nor in whose. Fails with kInvalidArgument or
// kIo, and says what to do.
base::Status CheckReference(const kms::client::KeyUri& uri,
                            const Section& section);

}  // namespace pkcs11::openssl

#endif  // PKCS11_OPENSSL_SECTION_H_
