// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BASE_SIGV4_VECTORS_H_
#define TESTS_BASE_SIGV4_VECTORS_H_

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "base/sigv4.h"

namespace base {

// A SigV4Vector is one case of tests/vectors/sigv4.
struct SigV4Vector {
  std::string name;
  std::string access_key;
  std::string secret_key;
  std::string session_token;
  std::string region;
  std::string service;
  std::string date;  // "20150830T123600Z"
  std::string method;
  std::string path;
  std::string query;
  std::vector<std::pair<std::string, std::string>> headers;  // As sent first.
  std::string body;
  std::string signed_headers;
  std::string canonical_request;
  std::string string_to_sign;
  std::string signature;
  std::string authorization;

  WallTime time() const;
  Secret secret() const { return Secret::CopyOf(secret_key); }
};

void PrintTo(const SigV4Vector& vector, std::ostream* out);

std::vector<SigV4Vector> BotocoreVectors();
std::vector<SigV4Vector> XksVectors();
std::vector<SigV4Vector> AllSigV4Vectors();
SigV4Vector SigV4VectorNamed(std::string_view name);

// An OwnedRequest keeps what a SigV4Request borrows, for tests that change it.
struct OwnedRequest {
  std::string method;
  std::string path;
  std::string query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // Of `vector` before it is signed; after.
  static OwnedRequest Unsigned(const SigV4Vector& vector);
  static OwnedRequest Signed(const SigV4Vector& vector);

  // The value of the first header of that name; it is added if there is none.
  std::string& operator[](std::string_view name);
  void Remove(std::string_view name);

  // Good until the next call and as long as nothing above changes.
  SigV4Request view();

 private:
  std::vector<HeaderView> views_;
};

// Turns a case's name into one that GoogleTest takes.
std::string SigV4CaseName(const testing::TestParamInfo<SigV4Vector>& param);

}  // namespace base

#endif  // TESTS_BASE_SIGV4_VECTORS_H_
