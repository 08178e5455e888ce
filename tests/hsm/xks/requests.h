// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_XKS_REQUESTS_H_
#define TESTS_HSM_XKS_REQUESTS_H_

#include <memory>
#include <string>
#include <string_view>

#include "hsm/messages.h"

namespace hsm_test {

inline constexpr std::string_view kHost = "xks.example.com";
inline constexpr std::string_view kAccessKeyId = "BETWEEN2TENAND3TENCHARACTERS";
inline constexpr std::string_view kSecretKey =
    "PleaseReplaceThisWithSomeSecretOfLength43To64";

inline std::shared_ptr<hsm::XksProxy> Proxy() {
  auto proxy = std::make_shared<hsm::XksProxy>();
  proxy->endpoint = "https://xks.example.com";
  proxy->path = "/kms/xks/v1";
  proxy->region = "us-east-1";
  proxy->access_key_id = kAccessKeyId;
  proxy->secret_access_key = base::Secret::CopyOf(kSecretKey);
  return proxy;
}

// With all of the requestMetadata.
inline hsm::XksRequest RequestFor(hsm::XksOperation operation) {
  hsm::XksRequest request;
  request.proxy = Proxy();
  request.operation = operation;
  request.external_key_id = "key-1";
  request.kms_request_id = "4112f4d6-db54-4af4-ae30-c55a22a8dfae";
  request.kms_operation = "Encrypt";
  request.principal_arn = "arn:aws:iam::123456789012:user/Alice";
  request.key_arn = "arn:aws:kms:us-east-1:123456789012:key/k";
  return request;
}

inline hsm::XksRequest EncryptOf(std::string_view text) {
  hsm::XksRequest request = RequestFor(hsm::XksOperation::kEncrypt);
  request.plaintext = base::Secret::CopyOf(text);
  request.aad = {1, 2, 3};
  return request;
}

}  // namespace hsm_test

#endif  // TESTS_HSM_XKS_REQUESTS_H_
