// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/soft/aes_cipher.h"

#include <algorithm>
#include <utility>

#include "pkcs11/module/key_use.h"
#include "pkcs11/module/soft/aes_context.h"

namespace pkcs11::module {
namespace {

// NIST SP 800-38D allows more, but OpenSSL counts with an int.
constexpr std::size_t kMaxText = 1U << 30;
constexpr std::size_t kMaxWrappedKey = kMaxSecretBytes + kAesBlock;

// How to encrypt or decrypt with one key.
struct AesKind {
  Scheme scheme = Scheme::kAesEcb;
  bool encrypt = true;
  AesParameter parameter;
  CipherContext context;
};

bool HasWholeBlocks(Scheme scheme) {
  return scheme == Scheme::kAesEcb || scheme == Scheme::kAesCbc ||
         scheme == Scheme::kAesCbcPad;
}

CK_RV WrongLength(const AesKind& kind) {
  return kind.encrypt ? CKR_DATA_LEN_RANGE : CKR_ENCRYPTED_DATA_LEN_RANGE;
}

// Gives OpenSSL a part and returns what comes out.
Answer<base::WipingBytes> Feed(const AesKind& kind, base::ByteView part) {
  if (part.size() > kMaxText) {
    return Failure(WrongLength(kind));
  }
  base::WipingBytes out(part.size() + kAesBlock);
  int size = 0;
  if (EVP_CipherUpdate(kind.context.get(), out.data(), &size, part.data(),
                       static_cast<int>(part.size())) != 1) {
    return Failure(CKR_GENERAL_ERROR, "OpenSSL cannot do AES");
  }
  out.resize(static_cast<std::size_t>(size));
  return out;
}

// Everything that comes out as it goes in: all but decryption by GCM.
class AesStreaming final : public CipherOperation {
 public:
  explicit AesStreaming(AesKind kind) : kind_(std::move(kind)) {}

  std::size_t LargestOutput(std::size_t more) const override {
    if (kind_.scheme == Scheme::kAesCbcPad && kind_.encrypt) {
      return (held_ + more) / kAesBlock * kAesBlock + kAesBlock;
    }
    return held_ + more + kind_.parameter.tag_size;
  }

  std::size_t OutputOfUpdate(std::size_t size) const override {
    const std::size_t all = held_ + size;
    if (!HasWholeBlocks(kind_.scheme)) {
      return all;
    }
    // The last block may be padding, and stays until it is known not to be.
    const bool keeps_last =
        kind_.scheme == Scheme::kAesCbcPad && !kind_.encrypt && all != 0;
    return (all - (keeps_last ? 1 : 0)) / kAesBlock * kAesBlock;
  }

  Answer<base::WipingBytes> Update(base::ByteView part) override {
    const QuietQueue quiet;
    if (part.size() > kind_.parameter.most_bytes - taken_) {
      return Failure(WrongLength(kind_));
    }
    taken_ += part.size();
    ASSIGN_OR_FAIL(base::WipingBytes out, Feed(kind_, part));
    held_ = held_ + part.size() - out.size();
    return out;
  }

  Answer<base::WipingBytes> Finish() override {
    const QuietQueue quiet;
    const bool padded = kind_.scheme == Scheme::kAesCbcPad;
    const bool whole = taken_ % kAesBlock == 0 && (!padded || taken_ != 0);
    if (HasWholeBlocks(kind_.scheme) && !(padded && kind_.encrypt) && !whole) {
      return Failure(WrongLength(kind_));
    }
    base::WipingBytes out(kAesBlock);
    int size = 0;
    if (EVP_CipherFinal_ex(kind_.context.get(), out.data(), &size) != 1) {
      return Failure(CKR_ENCRYPTED_DATA_INVALID);  // The padding is none.
    }
    out.resize(static_cast<std::size_t>(size));
    return kind_.scheme == Scheme::kAesGcm ? Tag() : std::move(out);
  }

 private:
  Answer<base::WipingBytes> Tag() const {
    base::WipingBytes tag(kind_.parameter.tag_size);
    if (EVP_CIPHER_CTX_ctrl(kind_.context.get(), EVP_CTRL_AEAD_GET_TAG,
                            static_cast<int>(tag.size()), tag.data()) != 1) {
      return Failure(CKR_GENERAL_ERROR, "OpenSSL has no tag");
    }
    return tag;
  }

  const AesKind kind_;
  std::uint64_t taken_ = 0;  // Bytes of the text so far...
  std::size_t held_ = 0;     // ...and those of them that are not out yet.
};

class GcmDecrypting final : public CipherOperation {
 public:
  explicit GcmDecrypting(AesKind kind)
      : kind_(std::move(kind)), text_(kMaxText, CKR_ENCRYPTED_DATA_LEN_RANGE) {}

  std::size_t LargestOutput(std::size_t more) const override {
    const std::size_t all = text_.bytes().size() + more;
    return all - std::min(all, kind_.parameter.tag_size);
  }

  Answer<base::WipingBytes> Update(base::ByteView part) override {
    return text_.Add(part);
  }

  Answer<base::WipingBytes> Finish() override {
    const QuietQueue quiet;
    const base::ByteView text = text_.bytes();
    const std::size_t tag_size = kind_.parameter.tag_size;
    if (text.size() < tag_size) {
      return Failure(CKR_ENCRYPTED_DATA_LEN_RANGE);
    }
    const base::ByteView tag = text.last(tag_size);
    base::Bytes expected(tag.begin(), tag.end());
    ASSIGN_OR_FAIL(base::WipingBytes out,
                   Feed(kind_, text.first(text.size() - tag_size)));
    int size = 0;
    std::uint8_t nothing = 0;
    if (EVP_CIPHER_CTX_ctrl(kind_.context.get(), EVP_CTRL_AEAD_SET_TAG,
                            static_cast<int>(tag_size), expected.data()) != 1 ||
        EVP_CipherFinal_ex(kind_.context.get(), &nothing, &size) != 1) {
      return Failure(CKR_ENCRYPTED_DATA_INVALID);
    }
    return out;
  }

 private:
  const AesKind kind_;
  CollectedText text_;
};

// Of keys only.
class KeyWrapping final : public CipherOperation {
 public:
  explicit KeyWrapping(AesKind kind)
      : kind_(std::move(kind)), text_(kMaxWrappedKey, WrongLength(kind_)) {}

  std::size_t LargestOutput(std::size_t more) const override {
    return text_.bytes().size() + more + kAesBlock;
  }

  Answer<base::WipingBytes> Update(base::ByteView part) override {
    return text_.Add(part);
  }

  Answer<base::WipingBytes> Finish() override {
    const QuietQueue quiet;
    const std::size_t size = text_.bytes().size();
    // RFC 3394, 2: at least two blocks of 64 bits, and one more when wrapped;
    // RFC 5649, 3: one.
    const bool padded = kind_.scheme == Scheme::kAesWrapPad;
    const bool whole = size % 8 == 0;
    const std::size_t least = kind_.encrypt ? 16 : 24;
    if (padded ? (kind_.encrypt ? size == 0 : !whole || size < 16)
               : !whole || size < least) {
      return Failure(WrongLength(kind_));
    }
    Answer<base::WipingBytes> out = Feed(kind_, text_.bytes());
    if (!out.has_value() && !kind_.encrypt) {
      return Failure(CKR_ENCRYPTED_DATA_INVALID);
    }
    return out;
  }

 private:
  const AesKind kind_;
  CollectedText text_;
};

Answer<std::unique_ptr<CipherOperation>> Start(const Object& object,
                                               const CK_MECHANISM& mechanism,
                                               const CipherFlags& flags,
                                               bool encrypt,
                                               OSSL_LIB_CTX* library) {
  ASSIGN_OR_FAIL(const Mechanism* row,
                 CheckKeyMayUse(object, mechanism, flags.flag, flags.use));
  AesKind kind = {row->scheme, encrypt, {}, nullptr};
  ASSIGN_OR_FAIL(kind.parameter, ReadAesParameter(row->scheme, mechanism));
  ASSIGN_OR_FAIL(kind.context, StartAes(row->scheme, *object.secret,
                                        kind.parameter, encrypt, library));
  std::unique_ptr<CipherOperation> operation;
  if (row->scheme == Scheme::kAesWrap || row->scheme == Scheme::kAesWrapPad) {
    operation = std::make_unique<KeyWrapping>(std::move(kind));
  } else if (row->scheme == Scheme::kAesGcm && !encrypt) {
    operation = std::make_unique<GcmDecrypting>(std::move(kind));
  } else {
    operation = std::make_unique<AesStreaming>(std::move(kind));
  }
  return operation;
}

}  // namespace

Answer<std::unique_ptr<CipherOperation>> StartSecretEncrypting(
    const Object& object, const CK_MECHANISM& mechanism, CipherUse use,
    OSSL_LIB_CTX* library) {
  return Start(object, mechanism, FlagsOfEncryption(use), true, library);
}

Answer<std::unique_ptr<CipherOperation>> StartSecretDecrypting(
    const Object& object, const CK_MECHANISM& mechanism, CipherUse use,
    OSSL_LIB_CTX* library) {
  return Start(object, mechanism, FlagsOfDecryption(use), false, library);
}

}  // namespace pkcs11::module
