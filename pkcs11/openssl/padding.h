// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_OPENSSL_PADDING_H_
#define PKCS11_OPENSSL_PADDING_H_

#include <openssl/core.h>

#include <optional>
#include <string>
#include <string_view>

// How OpenSSL's parameters say what is put around a message before RSA, which
// is either a number or a name of it.
namespace pkcs11::openssl {

// One of RSA_..._PADDING; nothing if it is none of OpenSSL's.
std::optional<int> ReadPadding(const OSSL_PARAM& param);
// The other way round, in the form that the caller has room for. 1 or 0.
int WritePadding(OSSL_PARAM& param, int padding);

// Bytes of a PSS salt, or one of RSA_PSS_SALTLEN_...; nothing if it is neither.
std::optional<int> ReadSaltLength(const OSSL_PARAM& param);
int WriteSaltLength(OSSL_PARAM& param, int length);

// A text parameter's value; empty if it is none.
std::string ReadText(const OSSL_PARAM* param);

}  // namespace pkcs11::openssl

#endif  // PKCS11_OPENSSL_PADDING_H_
