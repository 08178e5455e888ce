// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/testlib/status.h"

namespace base {
namespace {

std::string Sha256Hex(std::string_view text) {
  return HexEncode(ThreadHasher().Sha256(AsBytes(text)));
}

// FIPS 180-4, examples of NIST.
TEST(HasherTest, Sha256GivesTheStandardsDigests) {
  EXPECT_EQ(Sha256Hex(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(
      Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(HasherTest, PiecesGiveTheDigestOfTheWhole) {
  const std::string text(200, 'x');
  const std::string want = Sha256Hex(text);
  Hasher& hasher = ThreadHasher();
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    hasher.Start();
    hasher.Update(AsBytes(std::string_view(text).substr(0, cut)));
    hasher.Update({});
    hasher.Update(AsBytes(std::string_view(text).substr(cut)));
    EXPECT_EQ(HexEncode(hasher.Finish()), want) << cut;
  }
  hasher.Start();
  hasher.Update(AsBytes("left behind"));
  EXPECT_EQ(Sha256Hex(text), want);
}

struct HmacCase {
  std::string key;
  std::string text;
  const char* mac;
};

// RFC 4231, section 4 (case 5 is about truncation), and the empty key.
std::vector<HmacCase> HmacCases() {
  return {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11"
       "\x12"
       "\x13\x14\x15\x16\x17\x18\x19",
       std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'),
       "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than "
       "block-size data. The key needs to be hashed before being used by the "
       "HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
      {"", "",
       "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
  };
}

TEST(HasherTest, HmacGivesTheStandardsTags) {
  for (const HmacCase& c : HmacCases()) {
    EXPECT_EQ(
        HexEncode(ThreadHasher().HmacSha256(AsBytes(c.key), AsBytes(c.text))),
        c.mac)
        << c.text;
  }
}

// A null pointer tells OpenSSL to go on with the key of before.
TEST(HasherTest, AnEmptyKeyIsNotTheKeyOfBefore) {
  Hasher& hasher = ThreadHasher();
  const Digest want = hasher.HmacSha256(ByteView(), ByteView());
  hasher.HmacSha256(AsBytes("key"), AsBytes("text"));
  EXPECT_EQ(hasher.HmacSha256(ByteView(), ByteView()), want);
}

TEST(HasherTest, WorksInALibraryContextOfItsOwn) {
  const std::unique_ptr<OSSL_LIB_CTX, decltype(&OSSL_LIB_CTX_free)> context(
      OSSL_LIB_CTX_new(), OSSL_LIB_CTX_free);
  Hasher hasher(context.get());
  EXPECT_EQ(HexEncode(hasher.Sha256(AsBytes("abc"))), Sha256Hex("abc"));
}

TEST(HasherTest, EachThreadHasItsOwn) {
  Hasher* other = nullptr;
  std::thread([&] { other = &ThreadHasher(); }).join();
  EXPECT_NE(other, &ThreadHasher());
  EXPECT_EQ(&ThreadHasher(), &ThreadHasher());
}

}  // namespace
}  // namespace base
