// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_PKCS11_FAULTS_H_
#define TESTS_FAKES_PKCS11_FAULTS_H_

#include <p11-kit/pkcs11.h>

#include <cstddef>
#include <string_view>

// What a test tells the fake token to do wrong, by a file of one command a line
// that $FAKE_PKCS11_CONTROL names and that is read anew at every call:
//
//   FUNCTION return RV        fails with RV (a number, or 0x...)
//   FUNCTION return-once RV   likewise, and the line goes away
//   FUNCTION hang             never returns
//   FUNCTION crash            kills the process
//   FUNCTION lie              answers CKR_OK and a wrong byte
//   FUNCTION lie-once         likewise, and the line goes away
//   full N                    there is no memory for more than N objects
//   no-derive                 CKM_AES_ECB_ENCRYPT_DATA does not exist
//   no-allowed-mechanisms     CKA_ALLOWED_MECHANISMS does not exist
//   appends-iv                C_Encrypt of AES-GCM appends the caller's IV
//   iv-in-place               AES-GCM takes no IV but zeros, and C_EncryptInit
//                             writes one of its own over them
//   accept-forgery            C_Decrypt takes any tag
//   bad-tag-unknown           C_Decrypt has an unheard-of answer to a wrong one
//   theft KIND                allows one: value, change, copy, usage, wrap;
//                             copy-template, copy-trust; unwrap-hidden,
//                             unwrap-extractable, unwrap-readable, despite a
//                             CKA_UNWRAP_TEMPLATE
//   picky-unwrapping          no key unwraps what is sensitive and extractable,
//                             or neither
//   no-wrapping               C_WrapKey knows no mechanism
//   no-wrapping-keys          no key may have CKA_WRAP
//   picky-wrapping-keys       none that is generated may have CKA_PRIVATE, too
//   refuses-oddly             C_WrapKey of a non-extractable key fails with
//                             CKR_FUNCTION_FAILED
//   rsa-wrapping-odd          C_WrapKey by RSA fails, whatever the key
//   pin-locked, pin-final-try set the flag in CK_TOKEN_INFO
//
// A "half-made" before a return-once of C_GenerateKey leaves the object behind,
// as SoftHSM does.
//
// If $FAKE_PKCS11_CALLS names a file, the name of every function called is
// appended to it, with " locked" if the token's lock file, the one that ends in
// .lock in $FAKE_PKCS11_LOCK_DIR, was locked at that moment.
namespace fakes::pkcs11 {

// Called first by every function. CKR_OK: go on.
CK_RV Enter(std::string_view function);

// Whether the control file has this line.
bool Told(std::string_view line);

// Whether the token is full when it has that many objects.
bool IsFull(std::size_t objects);

// Whether `function` shall lie.
bool Lies(std::string_view function);

}  // namespace fakes::pkcs11

#endif  // TESTS_FAKES_PKCS11_FAULTS_H_
