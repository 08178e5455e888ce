// SPDX-License-Identifier: Apache-2.0
// The envelopes of tests/golden/envelope.json were written by a program that
// shares no code with ours. Every release decrypts them, and writes the same.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/hash.h"
#include "tests/testlib/status.h"
#include "tests/tools/envelope_streams.h"

namespace tools::claviger {
namespace {

using base::Bytes;
using testlib::Take;

Bytes Hex(const nlohmann::json& value) {
  return Take(base::HexDecode(value.get<std::string>()));
}

TEST(EnvelopeGoldenTest, DecryptsAndWritesTheSame) {
  std::ifstream file(CLAVIGER_GOLDEN "/envelope.json");
  const nlohmann::json cases = nlohmann::json::parse(file, nullptr, false);
  ASSERT_TRUE(cases.is_array());
  ASSERT_EQ(cases.size(), 4U);
  for (const nlohmann::json& each : cases) {
    SCOPED_TRACE(each["name"].get<std::string>());
    const Bytes envelope = Hex(each["envelope"]);
    const base::Secret key = base::Secret::CopyOf(Hex(each["data_key"]));
    Bytes plaintext;
    ASSERT_OK(DecryptAll(envelope, key, plaintext));
    EXPECT_EQ(plaintext.size(), each["plaintext_size"].get<std::size_t>());
    EXPECT_EQ(base::HexEncode(base::ThreadHasher().Sha256(plaintext)),
              each["plaintext_sha256"].get<std::string>());

    EnvelopeHeader header;
    header.chunk_bits = each["chunk_bits"].get<std::uint8_t>();
    std::ranges::copy(Hex(each["salt"]), header.salt.begin());
    header.wrapped_key = Hex(each["wrapped_key"]);
    header.context = each["context"].get<EncryptionContext>();
    Bytes again;
    ASSERT_OK(EncryptEnvelope(header, key, From(plaintext), Into(again)));
    EXPECT_TRUE(again == envelope);
  }
}

}  // namespace
}  // namespace tools::claviger
