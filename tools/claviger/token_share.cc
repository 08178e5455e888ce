// SPDX-License-Identifier: Apache-2.0
// Two steps of the ceremony after which two key stores share their wrapping
// key; `token trust`, between them, is the security officer's.
#include <fmt/core.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "base/bytes.h"
#include "base/json.h"
#include "tools/claviger/ask.h"
#include "tools/claviger/connect.h"
#include "tools/claviger/files.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

constexpr const char* kKeyStore = "KEY-STORE";
constexpr const char* kTarget = "TARGET";
constexpr const char* kFile = "FILE";
constexpr const char* kToken = "--token";

constexpr auto kTransportOptions = std::to_array<Option>({
    {kKeyStore,
     "The key store whose token is to be given another's wrapping key",
     OptionKind::kText, true},
    {kFile, "Where to write the public key; there must be no such file yet",
     OptionKind::kText, true},
    {kToken, "A further token of it (default: its own)"},
});
constexpr auto kShareOptions = std::to_array<Option>({
    {kKeyStore, "The key store that has the wrapping key", OptionKind::kText,
     true},
    {kTarget, "The key store whose token is to be given it", OptionKind::kText,
     true},
    {kToken, "A further token of TARGET (default: its own)"},
});

// RFC 7468, 13.
base::Result<std::string> AsPem(std::string_view base64) {
  constexpr std::size_t kLine = 64;
  if (!base::Base64Decode(base64)) {
    return base::Error{base::ErrorCode::kCorrupt,
                       "the server's reply has a PublicKey that is no base64"};
  }
  std::string pem = "-----BEGIN PUBLIC KEY-----\n";
  for (std::size_t i = 0; i < base64.size(); i += kLine) {
    pem.append(base64.substr(i, kLine)).append("\n");
  }
  return pem + "-----END PUBLIC KEY-----\n";
}

// As `token trust` shows it: "ab:cd:...".
std::string AsFingerprint(std::string_view hex) {
  std::string text;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    text.append(i == 0 ? "" : ":").append(hex.substr(i, 2));
  }
  return text;
}

base::Result<int> RunTransportKey(const Arguments& arguments) {
  ASSIGN_OR_RETURN(OutputFile file,
                   OutputFile::Create(arguments.Text(kFile).value_or(""),
                                      IfExists::kRefuse));
  base::Json request = {{"KeyStore", arguments.Text(kKeyStore).value_or("")}};
  if (const auto token = arguments.Text(kToken)) {
    request["Token"] = *token;
  }
  ASSIGN_OR_RETURN(
      const base::Json reply,
      AskForObject(arguments, "Claviger.MakeTransportKey", request.dump()));
  ASSIGN_OR_RETURN(const auto key, MemberOf(reply, "PublicKey"));
  ASSIGN_OR_RETURN(const std::string pem, AsPem(key));
  RETURN_IF_ERROR(file.Write(base::AsBytes(pem)));
  RETURN_IF_ERROR(file.Commit());
  ASSIGN_OR_RETURN(const auto fingerprint, MemberOf(reply, "Sha256"));
  fmt::print("SHA-256 fingerprint: {}\n",
             Printable(AsFingerprint(fingerprint)));
  return kExitSuccess;
}

base::Result<int> RunShare(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto client, MakeClient(arguments));
  base::Json request = {
      {"KeyStore", arguments.Text(kKeyStore).value_or("")},
      {"TargetKeyStore", arguments.Text(kTarget).value_or("")}};
  if (const auto token = arguments.Text(kToken)) {
    request["TargetToken"] = *token;
  }
  RETURN_IF_ERROR(client->Call("Claviger.ShareWrappingKey", request.dump()));
  fmt::print("shared\n");
  return kExitSuccess;
}

}  // namespace

Verb TokenTransportKeyVerb() {
  return {"token transport-key",
          "Writes the public key under which a wrapping key can come in",
          kTransportOptions, RunTransportKey};
}

Verb TokenShareVerb() {
  return {"token share", "Gives the wrapping key of a key store to another",
          kShareOptions, RunShare};
}

}  // namespace tools::claviger
