// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_ENVELOPE_H_
#define TOOLS_CLAVIGER_ENVELOPE_H_

#include "base/result.h"
#include "base/secret.h"
#include "tools/claviger/envelope_header.h"

// Envelope encryption of streams of any length under a data key, in memory
// that depends on the chunk's size only (docs/protocol/envelope.md).
//
//   EnvelopeHeader header = ...;              // Random salt, wrapped data key.
//   EncryptEnvelope(header, data_key, source, sink);
//
//   OpenedEnvelope envelope = OpenEnvelope(source);
//   ... ask the KMS for the data key of envelope.header ...
//   DecryptEnvelope(envelope, data_key, source, sink);
namespace tools::claviger {

inline constexpr std::size_t kDataKeyBytes = 32;

// Writes `header` and the encryption of everything in `source` to `sink`.
// `header.salt` must be fresh random bytes. Fails with kInvalidArgument on a
// header or key that cannot be, and with whatever source or sink fail with.
base::Status EncryptEnvelope(const EnvelopeHeader& header,
                             const base::Secret& data_key, const Source& source,
                             const Sink& sink);

// An envelope whose header has been read, but not verified: that takes the
// data key.
struct OpenedEnvelope {
  EnvelopeHeader header;
  base::Bytes header_bytes;  // As they were read.
};

// Reads the header. Fails with kCorrupt.
base::Result<OpenedEnvelope> OpenEnvelope(const Source& source);

// Decrypts what follows the header in `source`. Every chunk is verified before
// `sink` sees it, but only success says that `sink` has seen all of it: unless
// this returns success, what was written is not the file. Fails with
// kInvalidCiphertext, saying whether the envelope was cut off, continued or
// changed, and with whatever source or sink fail with.
base::Status DecryptEnvelope(const OpenedEnvelope& envelope,
                             const base::Secret& data_key, const Source& source,
                             const Sink& sink);

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_ENVELOPE_H_
