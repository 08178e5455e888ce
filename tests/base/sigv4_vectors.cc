// SPDX-License-Identifier: Apache-2.0
#include "tests/base/sigv4_vectors.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/sigv4_time.h"
#include "tests/testlib/status.h"
#include "tests/testlib/vectors.h"

namespace base {
namespace {

constexpr std::string_view kXksService = "kms-xks-proxy";

// What the two files have in common.
SigV4Vector Common(const nlohmann::json& json) {
  SigV4Vector vector;
  vector.name = json.at("name");
  vector.access_key = json.at("access_key");
  vector.secret_key = json.at("secret_key");
  vector.region = json.at("region");
  vector.date = json.at("date");
  vector.method = json.at("method");
  vector.path = json.at("path");
  vector.body = json.at("body");
  vector.canonical_request = json.at("canonical_request");
  vector.string_to_sign = json.at("string_to_sign");
  return vector;
}

std::string After(const std::string& text, std::string_view mark) {
  return text.substr(text.find(mark) + mark.size());
}

}  // namespace

WallTime SigV4Vector::time() const { return testlib::Take(ParseAmzDate(date)); }

void PrintTo(const SigV4Vector& vector, std::ostream* out) {
  *out << vector.name;
}

std::vector<SigV4Vector> BotocoreVectors() {
  std::vector<SigV4Vector> vectors;
  for (const auto& json : testlib::ReadJsonVectors("sigv4/botocore.json")) {
    SigV4Vector& vector = vectors.emplace_back(Common(json));
    vector.session_token = json.at("session_token");
    vector.service = json.at("service");
    vector.query = json.at("query");
    vector.headers = json.at("headers");
    vector.authorization = json.at("authorization");
    vector.signature = After(vector.authorization, "Signature=");
    const std::string list = After(vector.authorization, "SignedHeaders=");
    vector.signed_headers = list.substr(0, list.find(','));
  }
  return vectors;
}

std::vector<SigV4Vector> XksVectors() {
  std::vector<SigV4Vector> vectors;
  for (const auto& json : testlib::ReadJsonVectors("sigv4/xks.json")) {
    SigV4Vector& vector = vectors.emplace_back(Common(json));
    vector.service = kXksService;
    for (const auto& [name, value] : json.at("headers").items()) {
      if (name != "x-amz-date") {
        vector.headers.emplace_back(name, value);
      }
    }
    vector.signed_headers = json.at("signed_headers");
    vector.signature = json.at("signature");
    vector.authorization =
        "AWS4-HMAC-SHA256 Credential=" + vector.access_key + "/" +
        vector.date.substr(0, 8) + "/" + vector.region + "/" + vector.service +
        "/aws4_request, SignedHeaders=" + vector.signed_headers +
        ", Signature=" + vector.signature;
  }
  return vectors;
}

std::vector<SigV4Vector> AllSigV4Vectors() {
  std::vector<SigV4Vector> all = BotocoreVectors();
  std::ranges::move(XksVectors(), std::back_inserter(all));
  return all;
}

SigV4Vector SigV4VectorNamed(std::string_view name) {
  const std::vector<SigV4Vector> all = AllSigV4Vectors();
  const auto found = std::ranges::find(all, name, &SigV4Vector::name);
  if (found == all.end()) {
    std::cerr << "no SigV4 vector is called " << name << std::endl;
    std::abort();
  }
  return *found;
}

OwnedRequest OwnedRequest::Unsigned(const SigV4Vector& vector) {
  OwnedRequest request;
  request.method = vector.method;
  request.path = vector.path;
  request.query = vector.query;
  request.headers = vector.headers;
  request.body = vector.body;
  return request;
}

OwnedRequest OwnedRequest::Signed(const SigV4Vector& vector) {
  OwnedRequest request = Unsigned(vector);
  request["X-Amz-Date"] = vector.date;
  if (!vector.session_token.empty()) {
    request["X-Amz-Security-Token"] = vector.session_token;
  }
  request["Authorization"] = vector.authorization;
  return request;
}

std::string& OwnedRequest::operator[](std::string_view name) {
  for (auto& header : headers) {
    if (header.first == name) {
      return header.second;
    }
  }
  return headers.emplace_back(name, "").second;
}

void OwnedRequest::Remove(std::string_view name) {
  std::erase_if(headers,
                [&](const auto& header) { return header.first == name; });
}

SigV4Request OwnedRequest::view() {
  views_.clear();
  for (const auto& [name, value] : headers) {
    views_.push_back({name, value});
  }
  return {.method = method,
          .path = path,
          .query = query,
          .headers = views_,
          .payload_sha256 = ThreadHasher().Sha256(AsBytes(body))};
}

std::string SigV4CaseName(const testing::TestParamInfo<SigV4Vector>& param) {
  std::string name = param.param.name;
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

}  // namespace base
