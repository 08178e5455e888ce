// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/client_pool.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/kms/client_server.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace pkcs11::module {
namespace {

using base::ErrorCode;
using kms::client::Reply;
using testing::SizeIs;
using testlib::StatusIs;

const char* const kThrottled = R"({"__type":"ThrottlingException"})";

class ClientPoolTest : public testing::Test {
 protected:
  // A pool whose server answers the replies one after another, on one
  // connection.
  base::Result<base::Json> CallAnsweredBy(std::vector<std::string> replies) {
    const std::string path = folder_ / std::to_string(++servers_);
    kms::client::ScriptedServer server(
        {kms::client::Answer(std::move(replies))}, path);
    kms::client::Options options;
    options.endpoint = server.endpoint();
    const auto pool = testlib::Take(ClientPool::Create(
        std::move(options), clock_,
        [this](std::chrono::milliseconds time) { pauses_.push_back(time); }));
    return pool->Call("ListKeys", base::Json::object());
  }

  testlib::TempDir folder_;
  base::RealClock clock_;
  std::vector<std::chrono::milliseconds> pauses_;
  int servers_ = 0;
};

TEST_F(ClientPoolTest, ReturnsTheReply) {
  ASSERT_OK_AND_ASSIGN(const base::Json reply,
                       CallAnsweredBy({Reply(R"({"a":"b"})")}));
  EXPECT_EQ(TextMember(reply, "a"), "b");
  EXPECT_THAT(CallAnsweredBy({Reply("")}), testlib::IsOk());
  EXPECT_THAT(CallAnsweredBy({Reply("[]")}), StatusIs(ErrorCode::kCorrupt));
  EXPECT_THAT(pauses_, SizeIs(0));
}

TEST_F(ClientPoolTest, TriesAgainWhenThrottledButNotForEver) {
  const std::string no = Reply(kThrottled, 400);
  EXPECT_THAT(CallAnsweredBy({no, no, Reply("{}")}), testlib::IsOk());
  EXPECT_THAT(pauses_, SizeIs(2));
  EXPECT_LT(pauses_[0], pauses_[1]);
  pauses_.clear();
  EXPECT_THAT(CallAnsweredBy({no, no, no, no}),
              StatusIs(ErrorCode::kThrottled));
  EXPECT_THAT(pauses_, SizeIs(3));
}

TEST_F(ClientPoolTest, OtherRefusalsAreFinal) {
  EXPECT_THAT(
      CallAnsweredBy({Reply(R"({"__type":"AccessDeniedException"})", 400)}),
      StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(pauses_, SizeIs(0));
}

}  // namespace
}  // namespace pkcs11::module
