// SPDX-License-Identifier: Apache-2.0
// The profiles of hsm/profiles, and what docs/hsm.md says about them.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "hsm/token/quirks.h"
#include "hsm/token/quirks_files.h"
#include "hsm/token/risks.h"
#include "tests/hsm/token_fixture.h"

namespace hsm::token {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string TextOf(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

const Quirks& Named(std::string_view name) {
  const auto found = FindQuirks(name, "");
  EXPECT_TRUE(found.has_value()) << name;
  return **found;
}

TEST(QuirksTest, EveryFileIsAProfileOfTheProgram) {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(CLAVIGER_PROFILES)) {
    ++files;
    const std::string name = entry.path().stem();
    EXPECT_EQ(entry.path().extension(), ".toml") << name;
    const std::string text = TextOf(entry.path());
    const auto parsed = ParseQuirks(name, text);
    ASSERT_OK(parsed);
    EXPECT_EQ(parsed->name, name);
    EXPECT_THAT(parsed->notes, Not(IsEmpty())) << name;
    EXPECT_EQ(&Named(name),
              &*std::ranges::find(AllQuirks(), name, &Quirks::name));
    const auto embedded =
        std::ranges::find(QuirksFiles(), name, &QuirksFile::name);
    ASSERT_NE(embedded, QuirksFiles().end()) << name;
    EXPECT_EQ(embedded->text, text) << name;
  }
  EXPECT_EQ(files, AllQuirks().size());
  EXPECT_TRUE(std::ranges::is_sorted(AllQuirks(), {}, &Quirks::name));
}

TEST(QuirksTest, EveryProfileButTheGenericOneIsRecognisedByItsModuleAlone) {
  for (const Quirks& quirks : AllQuirks()) {
    EXPECT_EQ(quirks.module.empty(), quirks.name == "generic") << quirks.name;
    const auto found =
        FindQuirks("", fmt::format("/opt/x/lib{}.so.1", quirks.module));
    ASSERT_OK(found);
    EXPECT_EQ((*found)->name, quirks.name);
  }
}

TEST(QuirksTest, SaysWhatCannotBeAProfile) {
  const std::string good = "title = \"x\"\nevidence = \"every test run\"\n";
  ASSERT_OK(ParseQuirks("x", good));
  const std::pair<std::string, const char*> cases[] = {
      {"evidence = \"every test run\"", "title is missing"},
      {"title = \"x\"", "evidence is missing"},
      {"title = \"x\"\nevidence = \"hearsay\"",
       "evidence cannot be \"hearsay\""},
      {good + "tilte = \"x\"", "tilte is an unknown key"},
      {good + "[recognise]\nlabel = \"x\"",
       "recognise.label is an unknown key"},
      {good + "[limits]\nsessions = 3", "limits.sessions is an unknown key"},
      {good + "notes = \"x\"", "notes must be a list"},
      {good + "notes = [7]", "notes must be a list of texts"},
      {good + "[recognise]\nmodule = \"\"", "recognise.module must be a text"},
      {good + "[files]\nlayout = \"nss\"", "files.layout cannot be \"nss\""},
      {good + "[login]\npin = \"any\"", "login.pin cannot be \"any\""},
      {good + "[initialise]\nparameters = 1", "parameters must be true or"},
      {good + "[objects]\ncopyable = \"no\"", "objects.copyable must be true"},
      {good + "[answers]\nbad_data = [\"CKR_X\"]",
       "answers.bad_data names no CK_RV by \"CKR_X\""},
      {good + "recognise = 1", "recognise is an unknown key"},
      {good + "\"recognise.module\" = \"x\"",
       "recognise.module is an unknown key"},
      {"title = ", "profile \"x\": line 1"},
  };
  for (const auto& [text, reason] : cases) {
    const auto parsed = ParseQuirks("x", text);
    EXPECT_ERROR(parsed, kInvalidArgument);
    EXPECT_THAT(parsed.error().message, HasSubstr("profile \"x\"")) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr(reason)) << text;
  }
}

TEST(QuirksTest, OnlyDataErrorsRejectACiphertext) {
  for (const Quirks& quirks : AllQuirks()) {
    for (const CK_RV rv : {CKR_OK, CKR_DEVICE_ERROR, CKR_SESSION_HANDLE_INVALID,
                           CKR_USER_NOT_LOGGED_IN, CKR_BUFFER_TOO_SMALL}) {
      EXPECT_FALSE(RejectsCiphertext(quirks, rv)) << RvText(rv);
    }
    for (const CK_RV rv :
         {CKR_ENCRYPTED_DATA_INVALID, CKR_AEAD_DECRYPT_FAILED}) {
      EXPECT_TRUE(RejectsCiphertext(quirks, rv)) << RvText(rv);
      EXPECT_TRUE(RejectsWrapped(quirks, rv)) << RvText(rv);
    }
    EXPECT_TRUE(RejectsWrapped(quirks, CKR_WRAPPED_KEY_INVALID));
    EXPECT_FALSE(RejectsCiphertext(quirks, CKR_WRAPPED_KEY_INVALID));
  }
  EXPECT_TRUE(RejectsCiphertext(Named("softhsm"), CKR_GENERAL_ERROR));
  EXPECT_FALSE(RejectsCiphertext(Named("nss"), CKR_GENERAL_ERROR));
  EXPECT_TRUE(RejectsCiphertext(Named("nss"), CKR_ARGUMENTS_BAD));
  EXPECT_TRUE(RejectsCiphertext(Named("nshield"), CKR_FUNCTION_FAILED));
}

TEST(QuirksTest, WhatAModuleCallsItselfCountsWhereNobodySaid) {
  const Quirks& generic = Named("generic");
  for (const char* care : {"SoftHSM", "Mozilla Foundation"}) {
    for (const bool named : {false, true}) {
      EXPECT_ERROR(CheckQuirks(generic, named, care), kInvalidArgument);
    }
  }
  const auto recognised =
      CheckQuirks(generic, false, "Yubico (www.yubico.com)");
  ASSERT_OK(recognised);
  EXPECT_EQ((*recognised)->name, "yubihsm");
  const auto wanted = CheckQuirks(generic, true, "Yubico (www.yubico.com)");
  ASSERT_OK(wanted);
  EXPECT_EQ((*wanted)->name, "generic");
  const Quirks& softhsm = Named("softhsm");
  const auto own = CheckQuirks(softhsm, true, "SoftHSM");
  ASSERT_OK(own);
  EXPECT_EQ(*own, &softhsm);
  const auto other = CheckQuirks(generic, false, "Acme");
  ASSERT_OK(other);
  EXPECT_EQ(*other, &generic);
}

TEST(QuirksTest, PinsHaveTheFormOfTheirToken) {
  struct Case {
    const char* quirks;
    const char* pin;
    bool good;
  };
  for (const auto& [quirks, pin, good] :
       {Case{"softhsm", "1234", true}, Case{"cloudhsm", "kms:secret", true},
        Case{"cloudhsm", "kms", false}, Case{"cloudhsm", ":secret", false},
        Case{"cloudhsm", "kms:", false}, Case{"yubihsm", "0001hunter2", true},
        Case{"yubihsm", "0001", false}, Case{"yubihsm", "hunter2", false}}) {
    const auto checked = CheckPin(Named(quirks), base::Secret::CopyOf(pin));
    EXPECT_EQ(checked.has_value(), good) << quirks << " " << pin;
    if (!good) {
      EXPECT_ERROR(checked, kInvalidArgument);
      EXPECT_THAT(checked.error().message, HasSubstr("PIN file"));
      EXPECT_EQ(checked.error().message.find(pin), std::string::npos);
    }
  }
}

std::string EvidenceText(Evidence evidence) {
  return evidence == Evidence::kEveryTestRun ? "run by every test run"
         : evidence == Evidence::kTokensRun
             ? "run by tools/test --tokens"
             : "from the manual; not run on hardware";
}

TEST(HsmPage, HasEveryProfile) {
  std::string wanted;
  for (const Quirks& quirks : AllQuirks()) {
    wanted += fmt::format("\n**`{}`**: {}; {}.\n", quirks.name, quirks.title,
                          EvidenceText(quirks.evidence));
    for (const std::string& note : quirks.notes) {
      wanted += fmt::format("- {}\n", note);
    }
  }
  EXPECT_THAT(TextOf(CLAVIGER_HSM_PAGE), HasSubstr(wanted));
}

TEST(HsmPage, HasEveryRisk) {
  std::string wanted;
  for (const TheftRow& row : kThefts) {
    wanted += fmt::format(
        "| {} | {} | {} |\n", row.tried,
        row.risk.empty() ? "reported only" : fmt::format("`{}`", row.risk),
        row.meaning);
  }
  EXPECT_THAT(TextOf(CLAVIGER_HSM_PAGE), HasSubstr(wanted));
}

TEST(RisksTest, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const TheftRow& row : kThefts) {
    if (row.risk.empty()) {
      continue;
    }
    EXPECT_TRUE(names.insert(row.risk).second) << row.risk;
    EXPECT_EQ(FindRisk(row.risk), &row);
    EXPECT_THAT(KnownRisks(), HasSubstr(std::string(row.risk)));
  }
  EXPECT_EQ(FindRisk(""), nullptr);
  EXPECT_EQ(FindRisk("all"), nullptr);
}

}  // namespace
}  // namespace hsm::token
