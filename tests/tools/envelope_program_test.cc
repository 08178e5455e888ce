// SPDX-License-Identifier: Apache-2.0
// Runs the program itself against a server that plays a script.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tests/kms/client_server.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace tools::claviger {
namespace {

namespace fs = std::filesystem;
using kms::client::Answer;
using kms::client::Peer;
using kms::client::Reply;
using kms::client::ScriptedServer;
using testing::AllOf;
using testing::HasSubstr;

struct Finished {
  int status = -1;
  std::string out;
  std::string err;
};

std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void Write(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

// A data key and what wraps it, as a server would answer.
std::string DataKeyReply() {
  return Reply(R"({"Plaintext":")" + base::Base64Encode(base::Bytes(32, 0x42)) +
               R"(","CiphertextBlob":")" +
               base::Base64Encode(base::Bytes(123, 0x17)) +
               R"(","KeyId":"arn:aws:kms:eu-west-1:000000000000:key/k"})");
}

class EnvelopeProgramTest : public testing::Test {
 protected:
  std::string Path(std::string_view name) { return (folder_ / name).string(); }

  // Runs claviger with `arguments`; its standard input is `input`.
  Finished Claviger(std::vector<std::string> arguments,
                    std::string_view input = "") {
    Write(Path("stdin"), input);
    arguments.insert(arguments.begin(), CLAVIGER_PROGRAM);
    std::vector<char*> words;
    words.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) {
      words.push_back(argument.data());
    }
    words.push_back(nullptr);
    std::string socket = "CLAVIGER_SOCKET=" + Path("s");
    std::vector<char*> environment = {socket.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const int create = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 0, Path("stdin").c_str(),
                                     O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, Path("stdout").c_str(),
                                     create, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, Path("stderr").c_str(),
                                     create, 0600);
    pid_t child = -1;
    EXPECT_EQ(posix_spawn(&child, words[0], &actions, nullptr, words.data(),
                          environment.data()),
              0);
    posix_spawn_file_actions_destroy(&actions);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            Contents(Path("stdout")), Contents(Path("stderr"))};
  }

  // Runs it with a server that gives one reply.
  Finished ClavigerWith(const std::string& reply,
                        const std::vector<std::string>& arguments,
                        std::string_view input = "") {
    fs::remove(Path("s"));
    ScriptedServer server({[&](Peer& peer) {
                            request_ = peer.ReadRequest();
                            peer.Send(reply);
                            peer.WaitForClose();
                          }},
                          Path("s"));
    return Claviger(arguments, input);
  }

  // Makes FILE.clvg of `text`.
  void Encrypt(const std::string& file, std::string_view text) {
    Write(Path(file), text);
    ASSERT_EQ(
        ClavigerWith(DataKeyReply(), {"encrypt", Path(file), "--key-id",
                                      "alias/a", "--context", "purpose=test"})
            .status,
        0);
  }

  std::vector<std::string> HiddenFiles() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path().filename().string().starts_with(".")) {
        names.push_back(entry.path().filename().string());
      }
    }
    return names;
  }

  testlib::TempDir folder_;
  std::string request_;
};

TEST_F(EnvelopeProgramTest, EncryptsAndDecryptsAFile) {
  const std::string text(200'000, 't');
  Encrypt("plain", text);
  EXPECT_THAT(request_,
              AllOf(HasSubstr("X-Amz-Target: TrentService.GenerateDataKey\r\n"),
                    HasSubstr(R"({"KeySpec":"AES_256","KeyId":"alias/a",)"
                              R"("EncryptionContext":{"purpose":"test"}})")));
  fs::remove(Path("plain"));
  const Finished run =
      ClavigerWith(DataKeyReply(), {"decrypt", Path("plain.clvg"), "--context",
                                    "purpose=test", "--key-id", "alias/a"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.err, "");  // No progress bar where there is no terminal.
  EXPECT_EQ(Contents(Path("plain")), text);
  EXPECT_THAT(request_,
              AllOf(HasSubstr("TrentService.Decrypt\r\n"),
                    HasSubstr(base::Base64Encode(base::Bytes(123, 0x17))),
                    HasSubstr(R"("KeyId":"alias/a")"),
                    HasSubstr(R"("EncryptionContext":{"purpose":"test"})")));
  struct stat status {};
  ASSERT_EQ(stat(Path("plain").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_TRUE(HiddenFiles().empty());
}

TEST_F(EnvelopeProgramTest, WorksAsAFilter) {
  const Finished sealed = ClavigerWith(
      DataKeyReply(), {"encrypt", "-", "--key-id", "alias/a"}, "secret text");
  ASSERT_EQ(sealed.status, 0) << sealed.err;
  EXPECT_THAT(sealed.out, testing::StartsWith("CLVGENV\n"));
  const Finished opened =
      ClavigerWith(DataKeyReply(), {"decrypt", "-"}, sealed.out);
  EXPECT_EQ(opened.status, 0) << opened.err;
  EXPECT_EQ(opened.out, "secret text");
}

TEST_F(EnvelopeProgramTest, ReplacesAFileOnlyWhenForced) {
  Encrypt("plain", "new");
  Write(Path("plain"), "old");
  const Finished refused = Claviger({"decrypt", Path("plain.clvg")});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("--force"));
  EXPECT_EQ(Contents(Path("plain")), "old");
  const Finished forced =
      ClavigerWith(DataKeyReply(), {"decrypt", "-f", Path("plain.clvg")});
  EXPECT_EQ(forced.status, 0) << forced.err;
  EXPECT_EQ(Contents(Path("plain")), "new");
}

TEST_F(EnvelopeProgramTest, EncryptsAFileInItsOwnPlace) {
  Write(Path("f"), "in place");
  const std::vector<std::string> where = {Path("f"), "-o", Path("f"), "-f"};
  std::vector<std::string> encrypt = {"encrypt", "--key-id", "k"};
  encrypt.insert(encrypt.end(), where.begin(), where.end());
  ASSERT_EQ(ClavigerWith(DataKeyReply(), encrypt).status, 0);
  EXPECT_THAT(Contents(Path("f")), testing::StartsWith("CLVGENV\n"));
  std::vector<std::string> decrypt = {"decrypt"};
  decrypt.insert(decrypt.end(), where.begin(), where.end());
  ASSERT_EQ(ClavigerWith(DataKeyReply(), decrypt).status, 0);
  EXPECT_EQ(Contents(Path("f")), "in place");
}

TEST_F(EnvelopeProgramTest, ADamagedFileLeavesNoOutput) {
  Encrypt("plain", std::string(200'000, 't'));
  fs::remove(Path("plain"));
  fs::resize_file(Path("plain.clvg"), fs::file_size(Path("plain.clvg")) - 1);
  const Finished run =
      ClavigerWith(DataKeyReply(), {"decrypt", Path("plain.clvg")});
  EXPECT_EQ(run.status, 4);
  EXPECT_THAT(run.err, HasSubstr("changed or cut off in chunk 3"));
  EXPECT_FALSE(fs::exists(Path("plain")));
  EXPECT_TRUE(HiddenFiles().empty());
}

TEST_F(EnvelopeProgramTest, ADamagedStreamSaysThatItsOutputIsNotTheFile) {
  Encrypt("plain", std::string(200'000, 't'));
  fs::resize_file(Path("plain.clvg"), fs::file_size(Path("plain.clvg")) - 1);
  const Finished run =
      ClavigerWith(DataKeyReply(), {"decrypt", Path("plain.clvg"), "-o", "-"});
  EXPECT_EQ(run.status, 4);
  EXPECT_EQ(run.out.size(), 3U << 16);
  EXPECT_THAT(run.err, HasSubstr("throw it away"));
}

TEST_F(EnvelopeProgramTest, AContextThatIsNotThereIsRefusedUnasked) {
  Encrypt("plain", "text");
  const Finished run = Claviger(
      {"decrypt", Path("plain.clvg"), "-f", "--context", "purpose=other"});
  EXPECT_EQ(run.status, 4);
  EXPECT_THAT(run.err, HasSubstr("does not have purpose=other"));
}

TEST_F(EnvelopeProgramTest, WritesOverNothingButRegularFiles) {
  const Finished run = Claviger(
      {"encrypt", "--key-id", "k", Path("stdin"), "-f", "-o", "/dev/null"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, HasSubstr("no regular file"));
}

TEST_F(EnvelopeProgramTest, BesideADeviceOrAPipeNothingIsWrittenUnasked) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  for (const std::string& file :
       {std::string("/dev/stdin"), std::string("/dev/fd/0"),
        std::string("/proc/self/fd/0"), std::string("/dev/zero"),
        Path("pipe")}) {
    const Finished run = Claviger({"encrypt", "--key-id", "k", file}, "text");
    EXPECT_EQ(run.status, 2) << file;
    EXPECT_THAT(run.err, AllOf(HasSubstr(file), HasSubstr("-o")));
    EXPECT_FALSE(fs::exists(file + ".clvg"));
  }
}

TEST_F(EnvelopeProgramTest, AReplyWithoutADataKeyIsRefused) {
  const Finished run =
      ClavigerWith(Reply(R"({"Plaintext":"QQ=="})"),
                   {"encrypt", "--key-id", "k", Path("stdin")});
  EXPECT_EQ(run.status, 4);
  EXPECT_THAT(run.err, HasSubstr("no proper Plaintext"));
}

TEST_F(EnvelopeProgramTest, CallPrintsTheReply) {
  const Finished run = ClavigerWith(Reply(R"({"Keys":[]})"),
                                    {"call", "ListKeys", R"({"Limit":5})"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.out, "{\"Keys\":[]}\n");
  EXPECT_THAT(request_, testing::EndsWith("\r\n\r\n{\"Limit\":5}"));
}

TEST_F(EnvelopeProgramTest, CallReadsStandardInput) {
  const Finished run =
      ClavigerWith(Reply(""), {"call", "EnableKey", "-"}, R"({"KeyId":"k"})");
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(request_, testing::EndsWith("{\"KeyId\":\"k\"}"));
}

TEST_F(EnvelopeProgramTest, CallPrintsTheErrorAndFails) {
  const Finished run = ClavigerWith(
      Reply("{\"__type\":\"NotFoundException\",\"message\":\"no\\u001b[2J\"}",
            400),
      {"call", "DescribeKey"});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "claviger: NotFoundException: no?[2J\n");
}

TEST_F(EnvelopeProgramTest, AServerThatIsNotThereHasAStatusOfItsOwn) {
  const Finished run = Claviger({"status"});
  EXPECT_EQ(run.status, 3);
  EXPECT_THAT(run.err, HasSubstr("cannot connect to unix:" + Path("s")));
}

TEST_F(EnvelopeProgramTest, StatusTellsWhyAServerIsNotReady) {
  ScriptedServer server(
      {Answer({Reply("ok"), Reply("the token is gone\n", 503),
               Reply(R"({"__type":"AccessDeniedException"})", 400)})},
      Path("s"));
  const Finished run = Claviger({"status"});
  EXPECT_EQ(run.status, 1) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("no: the token is gone\n"),
                             HasSubstr("none: AccessDeniedException\n")));
}

TEST_F(EnvelopeProgramTest, StatusPrintsWhatTheServerTells) {
  ScriptedServer server(
      {Answer({Reply("ok"), Reply("ok"),
               Reply(R"({"Version":"0.1.0","TokenReady":true})")})},
      Path("s"));
  const Finished run = Claviger({"status"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("Version                   0.1.0\n"),
                             HasSubstr("TokenReady                true\n")));
}

TEST_F(EnvelopeProgramTest, AWrongCommandLineHasAStatusOfItsOwn) {
  const std::vector<std::vector<std::string>> lines = {
      {},
      {"unknown"},
      {"audit"},
      {"encrypt", "f"},
      {"encrypt", "f", "--key-id", "k", "--context", "novalue"},
      {"encrypt", "f", "--key-id", "k", "--context", "a=1", "--context", "a=2"},
      {"decrypt", "without-suffix"},
      {"decrypt", ".clvg"},
      {"status", "--endpoint", "http://kms.example"},
      {"status", "--endpoint", "https://kms.example"},
      {"call", "Sign", "{}", "extra"},
      {"call", "Sign\r\nX: y"},
  };
  Write(Path("f"), "");
  fs::current_path(folder_.path());
  for (const auto& line : lines) {
    EXPECT_EQ(Claviger(line).status, 2) << testing::PrintToString(line);
  }
}

}  // namespace
}  // namespace tools::claviger
