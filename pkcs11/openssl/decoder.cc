// SPDX-License-Identifier: Apache-2.0
// DECODER: reference files. OpenSSL shows these functions every PEM and DER
// that the process reads, other keys and certificates as well: what is not a
// reference is left alone, without an error, after its first line that begins a
// block of PEM, or after its first few bytes of DER. Nothing behind is read.
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "pkcs11/openssl/handles.h"
#include "pkcs11/openssl/operations.h"
#include "pkcs11/openssl/shim.h"

namespace pkcs11::openssl {
namespace {

// OpenSSL's word for data that is not this decoder's: others may try.
constexpr int kNotOurs = 1;

constexpr const char* kStructure = "claviger-key-uri";
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kBeginReference = "-----BEGIN CLAVIGER KEY URI-----";
constexpr std::string_view kEndReference = "-----END CLAVIGER KEY URI-----";
constexpr std::size_t kLineBytes = 256;

// A Line is a buffer for what may be a line of somebody's private key.
class Line {
 public:
  Line() = default;
  ~Line() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // The next line without its end. Nothing at the end of the data.
  std::optional<std::string_view> Read(const Core& core, OSSL_CORE_BIO* bio) {
    std::string_view line = core.ReadLine(bio, bytes_);
    if (line.empty()) {
      return std::nullopt;
    }
    while (!line.empty() &&
           (line.back() == '\n' || line.back() == '\r' || line.back() == ' ')) {
      line.remove_suffix(1);
    }
    return line;
  }

 private:
  std::array<char, kLineBytes> bytes_{};
};

// Whether the next block of PEM is a reference; reads its first line.
bool FindsReference(const Core& core, OSSL_CORE_BIO* bio) {
  Line line;
  while (const auto text = line.Read(core, bio)) {
    if (text->starts_with(kBegin)) {
      return *text == kBeginReference;
    }
  }
  return false;
}

// The DER in the rest of the block; nothing if that is damaged. Reads to the
// end of the block anyhow: OpenSSL goes on behind what was read.
std::optional<base::Bytes> ReadBlock(const Core& core, OSSL_CORE_BIO* bio) {
  constexpr std::size_t kMaxBase64 = kms::client::kMaxReferenceBytes * 2;
  Line line;
  std::string base64;
  bool fits = true;
  while (const auto text = line.Read(core, bio)) {
    if (*text == kEndReference) {
      base::Result<base::Bytes> der = base::Base64Decode(base64);
      return fits && der.has_value() ? std::optional(*std::move(der))
                                     : std::nullopt;
    }
    fits = fits && base64.size() + text->size() <= kMaxBase64;
    if (fits) {
      base64.append(*text);
    }
  }
  return std::nullopt;
}

void* New(void* provider) { return new ContextOwner(ContextOf(provider)); }

void Free(void* decoder) {
  const std::unique_ptr<ContextOwner> owner(
      static_cast<ContextOwner*>(decoder));
  LetGo(std::move(*owner));
}

const Core& CoreOf(void* decoder) {
  return (*static_cast<ContextOwner*>(decoder))->core();
}

constexpr int kPrivate = OSSL_KEYMGMT_SELECT_PRIVATE_KEY;
constexpr int kPublic = OSSL_KEYMGMT_SELECT_PUBLIC_KEY;

// A reference is to a key. Who wants parameters alone would have the KMS asked
// for nothing. 0: whatever is there.
int DoesSelection(void*, int selection) {
  return selection == 0 || (selection & (kPrivate | kPublic)) != 0 ? 1 : 0;
}

int DecodePem(void* decoder, OSSL_CORE_BIO* bio, int selection,
              OSSL_CALLBACK* callback, void* argument,
              OSSL_PASSPHRASE_CALLBACK*, void*) {
  const Core& core = CoreOf(decoder);
  if (DoesSelection(decoder, selection) == 0 || !FindsReference(core, bio)) {
    return kNotOurs;
  }
  std::optional<base::Bytes> der = ReadBlock(core, bio);
  if (!der.has_value()) {
    return core.RaiseToStay(
        Reason::kReference,
        "the reference to a key is damaged: make it anew with "
        "`claviger pem-reference`");
  }
  int type = OSSL_OBJECT_PKEY;
  std::string structure = kStructure;
  const std::array<OSSL_PARAM, 4> object = {
      OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
      OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_STRUCTURE,
                                       structure.data(), structure.size()),
      OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, der->data(),
                                        der->size()),
      OSSL_PARAM_construct_end()};
  return CallBack(callback, object.data(), argument);
}

// All of a reference; nothing if it is something else.
std::optional<base::Bytes> ReadDer(const Core& core, OSSL_CORE_BIO* bio) {
  base::Bytes der(kms::client::kReferencePrefixBytes);
  der.resize(core.Read(bio, der));
  if (!kms::client::MayBeReference(der)) {
    OPENSSL_cleanse(der.data(), der.size());
    return std::nullopt;
  }
  const std::size_t first = der.size();
  der.resize(kms::client::kMaxReferenceBytes + 1);
  der.resize(first + core.Read(bio, std::span(der).subspan(first)));
  return der;
}

// The same for every type of key: which one it is only the KMS knows, and it is
// asked once, by whichever of these functions OpenSSL comes to first.
int DecodeDer(void* decoder, OSSL_CORE_BIO* bio, int selection,
              OSSL_CALLBACK* callback, void* argument,
              OSSL_PASSPHRASE_CALLBACK*, void*) {
  const Core& core = CoreOf(decoder);
  const std::optional<base::Bytes> der = DoesSelection(decoder, selection) == 1
                                             ? ReadDer(core, bio)
                                             : std::nullopt;
  if (!der.has_value()) {
    return kNotOurs;
  }
  const auto uri = kms::client::DecodeReference(*der);
  if (!uri.has_value()) {
    return core.RaiseToStay(Reason::kReference, uri.error().message);
  }
  const ContextOwner& context = *static_cast<ContextOwner*>(decoder);
  if (const base::Status trusted = context->CheckReference(*uri);
      !trusted.has_value()) {
    return core.RaiseToStay(Reason::kReference, trusted.error().message);
  }
  const bool for_private = selection == 0 || (selection & kPrivate) != 0;
  return GiveKey(context, *uri, for_private ? Half::kPrivate : Half::kPublic,
                 &Core::RaiseToStay, callback, argument);
}

template <auto kDecode>
const OSSL_DISPATCH* Functions() {
  static const std::array rows = {
      Row<OSSL_FUNC_decoder_newctx_fn, New>(OSSL_FUNC_DECODER_NEWCTX),
      Row<OSSL_FUNC_decoder_freectx_fn, Free>(OSSL_FUNC_DECODER_FREECTX),
      Row<OSSL_FUNC_decoder_does_selection_fn, DoesSelection>(
          OSSL_FUNC_DECODER_DOES_SELECTION),
      Row<OSSL_FUNC_decoder_decode_fn, kDecode>(OSSL_FUNC_DECODER_DECODE),
      kEndOfRows};
  return rows.data();
}

constexpr const char* kPemProperties = "provider=claviger,input=pem";
constexpr const char* kDerProperties =
    "provider=claviger,input=der,structure=claviger-key-uri";

}  // namespace

const OSSL_ALGORITHM* Decoders() {
  const auto der = [](const char* names) {
    return OSSL_ALGORITHM{names, kDerProperties, Functions<DecodeDer>(),
                          "references to keys of the KMS"};
  };
  static const std::array algorithms = {
      OSSL_ALGORITHM{"DER", kPemProperties, Functions<DecodePem>(),
                     "PEM files of references to keys of the KMS"},
      der("RSA:rsaEncryption:1.2.840.113549.1.1.1"),
      der("RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10"),
      der("EC:id-ecPublicKey:1.2.840.10045.2.1"),
      der("ED25519:1.3.101.112"),
      OSSL_ALGORITHM{nullptr, nullptr, nullptr, nullptr}};
  return algorithms.data();
}

}  // namespace pkcs11::openssl
