// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_KNOWN_ANSWERS_H_
#define HSM_TOKEN_KNOWN_ANSWERS_H_

#include <string_view>

#include "base/bytes.h"

// Published test vectors that a token must reproduce; hexadecimal unless said
// otherwise.
namespace hsm::token {

// Only for our own constants.
inline base::Bytes Hex(std::string_view text) {
  return base::HexDecode(text).value_or(base::Bytes());
}

// D. McGrew, J. Viega, "The Galois/Counter Mode of Operation", test case 16.
struct GcmAnswer {
  std::string_view key;
  std::string_view iv;
  std::string_view plaintext;
  std::string_view aad;
  std::string_view ciphertext;  // And tag.
};
inline constexpr GcmAnswer kGcmAnswer = {
    .key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    .iv = "cafebabefacedbaddecaf888",
    .plaintext =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    .aad = "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    .ciphertext =
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b",
};

// https://c2sp.org/XAES-256-GCM, "Test vectors". The key is one byte 32 times;
// nonce, plaintext and AAD are text.
struct XaesAnswer {
  unsigned char key_byte;
  std::string_view nonce;
  std::string_view plaintext;
  std::string_view aad;
  std::string_view ciphertext;  // And tag.
};
inline constexpr XaesAnswer kXaesAnswers[] = {
    {.key_byte = 0x01,
     .nonce = "ABCDEFGHIJKLMNOPQRSTUVWX",
     .plaintext = "XAES-256-GCM",
     .aad = "",
     .ciphertext = "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
    {.key_byte = 0x03,
     .nonce = "ABCDEFGHIJKLMNOPQRSTUVWX",
     .plaintext = "XAES-256-GCM",
     .aad = "c2sp.org/XAES-256-GCM",
     .ciphertext = "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
};

// RFC 5649 section 6, the first example.
struct WrapAnswer {
  std::string_view wrapping_key;
  std::string_view key;
  std::string_view wrapped;
};
inline constexpr WrapAnswer kRfc5649Answer = {
    .wrapping_key = "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
    .key = "c37b7e6492584340bed12207808941155068f738",
    .wrapped =
        "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_KNOWN_ANSWERS_H_
