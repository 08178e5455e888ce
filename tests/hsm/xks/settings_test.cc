// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/testlib/authority.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace hsm::xks {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testlib::StatusIs;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    settings_.ca_file = Write("ca.pem", authority_.certificate());
    settings_.client_certificate = Write("cert.pem", client_.certificate);
    settings_.client_key = Write("key.pem", client_.key);
  }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  void ExpectRefused(const std::string& key, const std::string& file) {
    EXPECT_THAT(
        CheckTlsFiles(settings_),
        StatusIs(ErrorCode::kInvalidArgument,
                 AllOf(HasSubstr("xks_client." + key), HasSubstr(file))));
  }

  testlib::TempDir folder_;
  testlib::Authority authority_;
  testlib::Identity client_ = authority_.Issue("client");
  Settings settings_;
};

TEST_F(SettingsTest, TakesFilesThatFit) {
  EXPECT_OK(CheckTlsFiles(settings_));
  settings_.client_certificate.clear();
  settings_.client_key.clear();
  EXPECT_OK(CheckTlsFiles(settings_));
}

TEST_F(SettingsTest, RefusesABundleThatIsNone) {
  settings_.ca_file = folder_ / "none.pem";
  ExpectRefused("ca_file", "none.pem: No such file or directory");
  settings_.ca_file = Write("text.pem", "no certificate\n");
  ExpectRefused("ca_file", "text.pem");
}

TEST_F(SettingsTest, RefusesAKeyOfAnotherCertificate) {
  settings_.client_key = Write("other.pem", authority_.Issue("other").key);
  ExpectRefused("client_key", "other.pem");
}

TEST_F(SettingsTest, RefusesAClientThatIsIncomplete) {
  settings_.client_certificate = folder_ / "none.pem";
  ExpectRefused("client_certificate", "none.pem");
  settings_.client_certificate = Write("cert.pem", client_.certificate);
  settings_.client_key = folder_ / "none.pem";
  ExpectRefused("client_key", "none.pem");
}

}  // namespace
}  // namespace hsm::xks
