// SPDX-License-Identifier: Apache-2.0
// The certificates that lie beside key pairs, for programs that find both by
// PKCS#11.
#include <fmt/core.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "base/pem.h"
#include "tools/claviger/ask.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;

constexpr const char* kKey = "KEY";
constexpr const char* kFile = "FILE";
constexpr std::size_t kMostPemBytes = 1U << 20;

constexpr auto kOptions = std::to_array<Option>({
    {kKey, "Key id, ARN or alias", OptionKind::kText, true},
});
constexpr auto kPutOptions = std::to_array<Option>({
    {kKey, "Key id, ARN or alias", OptionKind::kText, true},
    {kFile,
     "PEM file with the certificate and then its chain; '-' is standard input",
     OptionKind::kText, true},
});

Json RequestFor(const Arguments& arguments) {
  return {{"KeyId", base::WipingString(*arguments.Text(kKey))}};
}

Json Base64Text(base::ByteView der) {
  return base::WipingString(base::Base64Encode(der));
}

base::Result<Json> ReadRequest(const Arguments& arguments) {
  const std::string path = *arguments.Text(kFile);
  ASSIGN_OR_RETURN(const base::WipingString text,
                   ReadText(path, kMostPemBytes));
  const auto certificates = base::CertificatesInPem(text);
  if (!certificates.has_value() || certificates->empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 path + (certificates.has_value() ? ": there is no certificate"
                                                  : ": the PEM is broken")};
  }
  Json request = RequestFor(arguments);
  request["Certificate"] = Base64Text(certificates->front());
  request["Chain"] = Json::array();
  for (std::size_t i = 1; i < certificates->size(); ++i) {
    request["Chain"].push_back(Base64Text((*certificates)[i]));
  }
  return request;
}

base::Result<std::string> RenderNothing(const Json&) { return std::string(); }

base::Result<std::string> RenderPem(const Json& reply) {
  const Error strange = {ErrorCode::kCorrupt,
                         "the server's reply has no list of certificates"};
  const auto list = reply.find("Certificates");
  if (list == reply.end() || !list->is_array()) {
    return strange;
  }
  std::string pem;
  for (const Json& item : *list) {
    const auto der = item.is_string() ? base::Base64Decode(base::TextOf(item))
                                      : base::Result<base::Bytes>(strange);
    if (!der.has_value()) {
      return strange;
    }
    pem += base::CertificatePem(*der);
  }
  return pem;
}

base::Result<int> RunPut(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const Json request, ReadRequest(arguments));
  RETURN_IF_ERROR(AskAndPrint(arguments, "Claviger.PutCertificate", request,
                              RenderNothing));
  return kExitSuccess;
}

base::Result<int> RunGet(const Arguments& arguments) {
  RETURN_IF_ERROR(AskAndPrint(arguments, "Claviger.GetCertificates",
                              RequestFor(arguments), RenderPem));
  return kExitSuccess;
}

base::Result<int> RunDelete(const Arguments& arguments) {
  RETURN_IF_ERROR(AskAndPrint(arguments, "Claviger.DeleteCertificates",
                              RequestFor(arguments), RenderNothing));
  return kExitSuccess;
}

}  // namespace

Verb CertificatePutVerb() {
  return {"certificate put",
          "Keeps a certificate and its chain with the key that it is for",
          kPutOptions, RunPut};
}

Verb CertificateGetVerb() {
  return {"certificate get", "Prints the certificates of a key", kOptions,
          RunGet};
}

Verb CertificateDeleteVerb() {
  return {"certificate delete", "Forgets the certificates of a key", kOptions,
          RunDelete};
}

}  // namespace tools::claviger
