// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/key_store_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/testlib/status.h"

namespace tools {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;

config::FurtherToken Further(const std::string& name) {
  config::FurtherToken token;
  token.name = name;
  token.socket = "/" + name;
  return token;
}

config::Config TwoTokens() {
  config::KeyStore store;
  store.name = "main";
  store.socket = "/main";
  store.wrapped = true;
  store.further_tokens = {Further("second")};
  config::Config config;
  config.key_stores = {store};
  return config;
}

TEST(KeyStoreChanges, TokensMayComeAndGoAndBeDrained) {
  const config::Config current = TwoTokens();
  EXPECT_OK(CheckKeyStoreChanges(current, current));
  EXPECT_FALSE(FurtherTokensChanged(current, current));

  config::Config more = current;
  more.key_stores[0].further_tokens.push_back(Further("third"));
  config::Config fewer = current;
  fewer.key_stores[0].further_tokens.clear();
  config::Config drained = current;
  drained.key_stores[0].further_tokens[0].drain = true;
  for (const config::Config& changed : {more, fewer, drained}) {
    EXPECT_OK(CheckKeyStoreChanges(current, changed));
    EXPECT_TRUE(FurtherTokensChanged(current, changed));
  }
}

TEST(KeyStoreChanges, WhatOnlyTheWorkersReadIsNoChange) {
  const config::Config current = TwoTokens();
  config::Config changed = current;
  changed.key_stores[0].pin_file = "/other";
  changed.key_stores[0].further_tokens[0].quirks = "nss";
  EXPECT_OK(CheckKeyStoreChanges(current, changed));
  EXPECT_FALSE(FurtherTokensChanged(current, changed));
}

TEST(KeyStoreChanges, AllElseNeedsARestart) {
  const config::Config current = TwoTokens();
  config::Config workers = current;
  workers.key_stores[0].workers = 3;
  config::Config placement = current;
  placement.key_stores[0].wrapped = false;
  config::Config socket = current;
  socket.key_stores[0].further_tokens[0].socket = "/elsewhere";
  config::Config stores = current;
  stores.key_stores.push_back(current.key_stores[0]);
  for (const config::Config& changed : {workers, placement, socket, stores}) {
    EXPECT_THAT(
        CheckKeyStoreChanges(current, changed),
        StatusIs(ErrorCode::kInvalidArgument, HasSubstr("needs a restart")));
  }
}

}  // namespace
}  // namespace tools
