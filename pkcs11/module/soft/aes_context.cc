// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/soft/aes_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "pkcs11/module/key_use.h"

namespace pkcs11::module {
namespace {

// OpenSSL's names, behind "AES-256-".
struct ModeRow {
  Scheme scheme;
  const char* mode;
};
constexpr std::array kModes = {
    ModeRow{Scheme::kAesEcb, "ECB"},          ModeRow{Scheme::kAesCbc, "CBC"},
    ModeRow{Scheme::kAesCbcPad, "CBC"},       ModeRow{Scheme::kAesCtr, "CTR"},
    ModeRow{Scheme::kAesGcm, "GCM"},          ModeRow{Scheme::kAesWrap, "WRAP"},
    ModeRow{Scheme::kAesWrapPad, "WRAP-PAD"},
};

constexpr std::size_t kMaxGcmIv = 128;        // OpenSSL's.
constexpr std::size_t kMaxGcmAad = 1U << 20;  // Ours.
// NIST SP 800-38D, 5.2.1.2, without the short ones that need care.
constexpr std::size_t kShortestTag = 12;
constexpr std::size_t kLongestTag = 16;

// The initial values of RFC 3394, 2.2.3.1, and RFC 5649, 3. OpenSSL has them by
// itself, and no others are taken.
using WrapIv = std::array<std::uint8_t, 8>;
using WrapPadIv = std::array<std::uint8_t, 4>;
constexpr WrapIv kWrapIv = {0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6};
constexpr WrapPadIv kWrapPadIv = {0xA6, 0x59, 0x59, 0xA6};

Failure BadParameter() { return Failure(CKR_MECHANISM_PARAM_INVALID); }

Answer<AesParameter> ReadGcm(const CK_MECHANISM& mechanism) {
  const auto given = ParameterOf<CK_GCM_PARAMS>(mechanism);
  if (!given.has_value() || given->pIv == nullptr || given->ulIvLen == 0 ||
      given->ulIvLen > kMaxGcmIv || given->ulAADLen > kMaxGcmAad ||
      (given->pAAD == nullptr && given->ulAADLen != 0) ||
      given->ulTagBits % 8 != 0 || given->ulTagBits / 8 < kShortestTag ||
      given->ulTagBits / 8 > kLongestTag) {
    return BadParameter();
  }
  AesParameter parameter;
  parameter.iv.assign(given->pIv, given->pIv + given->ulIvLen);
  if (given->ulAADLen != 0) {
    parameter.aad.assign(given->pAAD, given->pAAD + given->ulAADLen);
  }
  parameter.tag_size = given->ulTagBits / 8;
  return parameter;
}

// OpenSSL counts with all 128 bits. That is the same until a shorter counter
// would begin anew, which no text may need: it would repeat the key stream.
Answer<AesParameter> ReadCtr(const CK_MECHANISM& mechanism) {
  const auto given = ParameterOf<CK_AES_CTR_PARAMS>(mechanism);
  if (!given.has_value() || given->ulCounterBits == 0 ||
      given->ulCounterBits > 8 * kAesBlock) {
    return BadParameter();
  }
  AesParameter parameter;
  parameter.iv.assign(std::begin(given->cb), std::end(given->cb));
  __extension__ using Counter = unsigned __int128;
  Counter counter = 0;
  for (const std::uint8_t byte : parameter.iv) {
    counter = counter << 8U | byte;
  }
  const Counter last = ~Counter{0} >> (8 * kAesBlock - given->ulCounterBits);
  const Counter blocks_behind = last - (counter & last);
  if (blocks_behind < UINT64_MAX / kAesBlock) {
    parameter.most_bytes =
        (static_cast<std::uint64_t>(blocks_behind) + 1) * kAesBlock;
  }
  return parameter;
}

}  // namespace

Answer<AesParameter> ReadAesParameter(Scheme scheme,
                                      const CK_MECHANISM& mechanism) {
  switch (scheme) {
    case Scheme::kAesGcm:
      return ReadGcm(mechanism);
    case Scheme::kAesCtr:
      return ReadCtr(mechanism);
    case Scheme::kAesCbc:
    case Scheme::kAesCbcPad: {
      const auto iv =
          ParameterOf<std::array<std::uint8_t, kAesBlock>>(mechanism);
      if (!iv.has_value()) {
        return BadParameter();
      }
      AesParameter parameter;
      parameter.iv.assign(iv->begin(), iv->end());
      return parameter;
    }
    case Scheme::kAesWrap:
    case Scheme::kAesWrapPad: {
      const bool is_default =
          scheme == Scheme::kAesWrap
              ? ParameterOf<WrapIv>(mechanism) == kWrapIv
              : ParameterOf<WrapPadIv>(mechanism) == kWrapPadIv;
      if (!is_default && !HasNoParameter(mechanism)) {
        return BadParameter();
      }
      return AesParameter{};
    }
    default:
      if (!HasNoParameter(mechanism)) {
        return BadParameter();
      }
      return AesParameter{};
  }
}

Answer<CipherContext> StartAes(Scheme scheme, base::ByteView key,
                               const AesParameter& parameter, bool encrypt,
                               OSSL_LIB_CTX* library) {
  const QuietQueue quiet;
  const auto* const mode = std::ranges::find(kModes, scheme, &ModeRow::scheme);
  const std::string name = fmt::format("AES-{}-{}", key.size() * 8,
                                       mode == kModes.end() ? "" : mode->mode);
  const CipherOwner cipher(EVP_CIPHER_fetch(library, name.c_str(), nullptr));
  CipherContext context(EVP_CIPHER_CTX_new());
  const Failure failure(CKR_GENERAL_ERROR, "OpenSSL cannot do " + name);
  if (cipher == nullptr || context == nullptr) {
    return failure;
  }
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  const int direction = encrypt ? 1 : 0;
  const bool gcm = scheme == Scheme::kAesGcm;
  int ignored = 0;
  if (EVP_CipherInit_ex2(context.get(), cipher.get(), nullptr, nullptr,
                         direction, nullptr) != 1 ||
      (gcm && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN,
                                  static_cast<int>(parameter.iv.size()),
                                  nullptr) != 1) ||
      EVP_CipherInit_ex2(context.get(), nullptr, key.data(),
                         parameter.iv.empty() ? nullptr : parameter.iv.data(),
                         direction, nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(context.get(),
                                 scheme == Scheme::kAesCbcPad ? 1 : 0) != 1 ||
      (!parameter.aad.empty() &&
       EVP_CipherUpdate(context.get(), nullptr, &ignored, parameter.aad.data(),
                        static_cast<int>(parameter.aad.size())) != 1)) {
    return failure;
  }
  return context;
}

}  // namespace pkcs11::module
