// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_OPERATION_H_
#define PKCS11_MODULE_OPERATION_H_

#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "base/wiping.h"
#include "pkcs11/module/answer.h"

namespace pkcs11::module {

// Operations are what C_SignInit and its sisters start. Each belongs to one
// session and is used by one thread at a time. After a failure it is of no more
// use.

// A SignOperation makes one signature or MAC.
class SignOperation {
 public:
  virtual ~SignOperation() = default;
  // Bytes of the signature, known before it is made.
  virtual std::size_t size() const = 0;
  // Takes a part of the message.
  virtual Status Update(base::ByteView part) = 0;
  // Asks the KMS for the signature of all parts.
  virtual Answer<base::Bytes> Finish() = 0;
};

// A VerifyOperation checks one signature or MAC.
class VerifyOperation {
 public:
  virtual ~VerifyOperation() = default;
  virtual Status Update(base::ByteView part) = 0;
  // Fails with CKR_SIGNATURE_INVALID or CKR_SIGNATURE_LEN_RANGE.
  virtual Status Finish(base::ByteView signature) = 0;
};

// A CipherOperation encrypts or decrypts one text.
class CipherOperation {
 public:
  virtual ~CipherOperation() = default;
  // Bytes that are still to come at most, once the whole text is `more` longer.
  virtual std::size_t LargestOutput(std::size_t more) const = 0;
  // Bytes that the caller's buffer must have before the KMS is asked.
  virtual std::size_t RoomToBegin(std::size_t) const { return 0; }
  // Bytes that Update() returns for a part of `size`. Most operations have all
  // of their output at the end.
  virtual std::size_t OutputOfUpdate(std::size_t) const { return 0; }
  // Takes a part of the text, and returns what of the output is ready.
  virtual Answer<base::WipingBytes> Update(base::ByteView part) = 0;
  // Returns the rest of the output.
  virtual Answer<base::WipingBytes> Finish() = 0;
};

// A DigestOperation hashes one message.
class DigestOperation {
 public:
  virtual ~DigestOperation() = default;
  virtual std::size_t size() const = 0;
  virtual Status Update(base::ByteView part) = 0;
  virtual Answer<base::WipingBytes> Finish() = 0;
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_OPERATION_H_
