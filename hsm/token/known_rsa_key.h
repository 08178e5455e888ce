// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_KNOWN_RSA_KEY_H_
#define HSM_TOKEN_KNOWN_RSA_KEY_H_

#include <string_view>

namespace hsm::token {

// An RSA key of 2048 bits that everybody knows, to see what a token makes of
// RSA without the wait for a new one: that of
// rsa_oaep_2048_sha256_mgf1sha256_test.json of Project Wycheproof
// (https://github.com/C2SP/wycheproof, Apache-2.0). Hexadecimal; the public
// exponent is 65537.
struct RsaKey {
  std::string_view modulus;
  std::string_view private_exponent;
  std::string_view prime_1;
  std::string_view prime_2;
  std::string_view exponent_1;
  std::string_view exponent_2;
  std::string_view coefficient;
};
inline constexpr RsaKey kKnownRsaKey = {
    .modulus =
        "a2b451a07d0aa5f96e455671513550514a8a5b462ebef717094fa1fee82224e637"
        "f9746d3f7cafd31878d80325b6ef5a1700f65903b469429e89d6eac8845097b5ab"
        "393189db92512ed8a7711a1253facd20f79c15e8247f3d3e42e46e48c98e254a2f"
        "e9765313a03eff8f17e1a029397a1fa26a8dce26f490ed81299615d9814c22da61"
        "0428e09c7d9658594266f5c021d0fceca08d945a12be82de4d1ece6b4c03145b5d"
        "3495d4ed5411eb878daf05fd7afc3e09ada0f1126422f590975a1969816f48698b"
        "cbba1b4d9cae79d460d8f9f85e7975005d9bc22c4e5ac0f7c1a45d12569a62807d"
        "3b9a02e5a530e773066f453d1f5b4c2e9cf7820283f742b9d5",
    .private_exponent =
        "24cdc62317f5d72a6f6ba6cc9632899b01d1ff28867d72f61688995bc855a4e420"
        "a8405250089bdb13cf8e09543827b748b9d27fbb2b4d9e20af8c5a6a862796d1a4"
        "cc18ad16ea678bc1bd4a83bbbe9c5e57453b5ce7388e41a3ba4ce2b77b4438a229"
        "e954f720dae0353dc088ac8a76b26dc276f8e1b7851ddd6398ad16ff2e78195123"
        "b9b036e945c38c9d12434f6df76fe22359eb3e1ac9c011678fc926fad3ae475a4f"
        "ffff55feb2d147e9c894f4c0e29a599e762462482d968bf42780945fc0d2c31c57"
        "3c4431b8f4fe8b8c67bec815abd44f7a86edca1c2308737358d2c2ae5e2e0e2dad"
        "f730980262377e58b13b7d9992060a0bc870ccfdb4a9319ee1",
    .prime_1 =
        "dc431050f782e894fb5248247d98cb7d58b8d1e24f3b55d041c56e4de086b0d5bb"
        "028bda42eeb5d234d5681e5809d415e6a289ad4cfbf78f978f6c35814f50eebff1"
        "c5b80a69f788e81e6bab5ddaa78369d659d143ec6f17e79813a575cfad9c569156"
        "b90113e2e9110ad9e7b48a1c9348a6e653321191290ea36cfb3a5b18f1",
    .prime_2 =
        "bd1a81e7977f9898122273ae3222b598ea5fb19eb4eabc38308a5e32196603b2e5"
        "00ffb79f5b886816611debc472fac45544070beb057c941378a6868af3b7a03d3f"
        "9880ec47d5e089b94fbde542aba9ae8d72c57088d7abf5b131f39098f7bc160f90"
        "536abc9492fd4e06f3ed7299d4b97bb03677207d95669f140cfbc20f25",
    .exponent_1 =
        "a94b528b28f291599121d91952ffd1c7f21d7c1479d99d478885fb161870ee1218"
        "bf08472612dbe5497e8d9c650688e09c786961ae3e2c354dc48ae34514759c4c23"
        "c4588488961dc06b414e61c0e1e7fbbd2923d31532fe289f96da220711e58c1401"
        "9808e00414276933bb07e4efb9b4a9b37656917205209f33f09515d7c1",
    .exponent_2 =
        "3af0e72a933aef09ff2503df78bafed531c02ff1a2bc437c540cdcbd4ad35435cf"
        "511763596543480629b114ca7f780ff7efa32ea0cb6e000d6d9ea1f2ef71fd9cf9"
        "948422a165557e37e755edfe70d90b920502eb478bc98a63f788ce3a0f856d6ede"
        "7251a383bfa8fa480a81a925af7b3cc538c4bab8c9f7597ffb68011d8d",
    .coefficient =
        "2640fbfbcfefb163ee7a87b6483a66ee41f956d90fa8a7939bfc042ee0924b1b79"
        "93d0445f758d51933e85179c0320b0c968b48a91c38b5be923e1097c0c562f88d4"
        "2294b6a2759bafa5428a74f1270874e45f6fcc60f21602de5eccd143cf31241f59"
        "21b5ad3983fb54ef17be3b285367e50c999c67247b552fe4bfce945f7b",
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_KNOWN_RSA_KEY_H_
