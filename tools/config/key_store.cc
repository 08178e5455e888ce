// SPDX-License-Identifier: Apache-2.0
#include "tools/config/key_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "hsm/client/token_status.h"
#include "hsm/token/quirks_files.h"
#include "hsm/token/risks.h"
#include "tools/config/token_uri.h"

namespace tools::config {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::string_view kResident = "resident";
constexpr std::string_view kWrapped = "wrapped";
constexpr const char* kRunFolder = "/run/claviger-hsm";

std::string KnownQuirks() {
  std::string names;
  for (const hsm::token::QuirksFile& file : hsm::token::QuirksFiles()) {
    names.append(names.empty() ? "" : ", ").append(file.name);
  }
  return names;
}

// What every token has. The caller finishes the reader.
void ReadToken(TableReader& reader, Token& token) {
  reader.Text("name", token.name, true)
      .Text("module", token.module, true)
      .Text("token", token.token, true)
      .Text("pin_file", token.pin_file, true)
      .Text("socket", token.socket)
      .Text("quirks", token.quirks)
      .Text("lock_dir", token.lock_dir)
      .Text("module_parameters", token.module_parameters)
      .Texts("accept_risks", token.accept_risks)
      .Integer("workers", token.workers, 1, 64);
  for (const std::string& risk : token.accept_risks) {
    if (hsm::token::FindRisk(risk) == nullptr) {
      reader.Refuse("accept_risks", fmt::format("has '{}'; known are {}", risk,
                                                hsm::token::KnownRisks()));
    }
  }
  const auto& known = hsm::token::QuirksFiles();
  if (!token.quirks.empty() &&
      std::ranges::find(known, token.quirks, &hsm::token::QuirksFile::name) ==
          known.end()) {
    reader.Refuse("quirks", fmt::format("'{}' is not known; known are {}. "
                                        "Without the key the module tells",
                                        token.quirks, KnownQuirks()));
  }
  if (const std::string fault = FaultOfTokenUri(token.token);
      !token.token.empty() && !fault.empty()) {
    reader.Refuse("token", fault);
  }
  if (token.lock_dir.empty()) {
    token.lock_dir = kRunFolder;
  }
}

std::string SocketOf(const std::string& full_name) {
  return fmt::format("{}/{}.sock", kRunFolder, full_name);
}

// It is a part of file names, of units and of metrics.
bool IsTokenName(std::string_view name) {
  return name.size() <= 32 && name.find_first_not_of(
                                  "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
                                  std::string_view::npos;
}

Status ReadFurtherToken(TableReader& reader, KeyStore& store) {
  FurtherToken token;
  ReadToken(reader, token);
  reader.Bool("drain", token.drain);
  if (token.name == hsm::client::kHomeToken) {
    reader.Refuse("name", "'home' is the name of the key store's own token");
  } else if (!IsTokenName(token.name)) {
    reader.Refuse("name", fmt::format("'{}' is not 1 to 32 of A-Z a-z 0-9 . _ "
                                      "-",
                                      token.name));
  }
  RETURN_IF_ERROR(reader.Finish());
  store.further_tokens.push_back(std::move(token));
  return {};
}

Status CheckFurtherTokens(TableReader& reader, const KeyStore& store) {
  const auto& tokens = store.further_tokens;
  if (!tokens.empty() && !store.wrapped) {
    reader.Refuse("further_token",
                  "needs placement = \"wrapped\": tokens share the keys that "
                  "are in the store, wrapped; a resident key is an object of "
                  "one token and cannot be shared");
  }
  if (tokens.size() >= hsm::client::kMaxTokens) {
    reader.Refuse("further_token",
                  fmt::format("stands there {} times; at most {} can",
                              tokens.size(), hsm::client::kMaxTokens - 1));
  }
  return reader.Finish();
}

}  // namespace

Status ReadKeyStore(TableReader& reader, Config& config) {
  KeyStore store;
  std::string placement(kResident);
  ReadToken(reader, store);
  reader.Text("placement", placement)
      .Bool("shareable_wrapping_key", store.shareable)
      .Texts("regions", store.regions)
      .Text("cluster_id", store.cluster_id)
      .Tables("further_token", [&](TableReader& table) {
        return ReadFurtherToken(table, store);
      });
  store.wrapped = placement == kWrapped;
  if (placement != kResident && placement != kWrapped) {
    reader.Refuse(
        "placement",
        fmt::format("'{}' is neither \"{}\" (every key is an object of the "
                    "token) nor \"{}\" (keys are wrapped by the token and "
                    "kept in the store)",
                    placement, kResident, kWrapped));
  }
  if (store.shareable && !store.wrapped) {
    reader.Refuse("shareable_wrapping_key",
                  "needs placement = \"wrapped\": without it there is no "
                  "wrapping key");
  }
  RETURN_IF_ERROR(reader.Finish());
  RETURN_IF_ERROR(CheckFurtherTokens(reader, store));
  if (store.socket.empty()) {
    store.socket = SocketOf(store.name);
  }
  for (FurtherToken& token : store.further_tokens) {
    if (token.socket.empty()) {
      token.socket = SocketOf(FullName(store, token));
    }
  }
  config.key_stores.push_back(std::move(store));
  return {};
}

std::string FullName(const KeyStore& store, const Token& token) {
  return &token == &store ? store.name : store.name + "-" + token.name;
}

std::vector<const Token*> TokensOf(const KeyStore& store) {
  std::vector<const Token*> tokens = {&store};
  for (const FurtherToken& token : store.further_tokens) {
    tokens.push_back(&token);
  }
  return tokens;
}

Status CheckTokens(const std::string& file, const Config& config) {
  std::set<std::string> names;
  std::set<std::string> sockets;
  for (const KeyStore& store : config.key_stores) {
    for (const Token* const token : TokensOf(store)) {
      const std::string name = FullName(store, *token);
      if (!names.insert(name).second) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{}: two tokens are called {}: give each "
                                 "[[key_store]] and [[key_store.further_token]]"
                                 " another name",
                                 file, name)};
      }
      if (!sockets.insert(token->socket).second) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{}: token {} has the socket of another one: "
                                 "{}",
                                 file, name, token->socket)};
      }
    }
  }
  return {};
}

base::Result<Token> FindToken(const Config& config,
                              const std::string& key_store,
                              const std::string& token) {
  const bool is_home = token.empty() || token == hsm::client::kHomeToken;
  const bool is_only = key_store.empty() && config.key_stores.size() == 1;
  for (const KeyStore& store : config.key_stores) {
    for (const Token* const one : TokensOf(store)) {
      const bool is_its_home = one == &store;
      const bool in_store = is_only || store.name == key_store;
      if ((in_store &&
           (is_home ? is_its_home : !is_its_home && one->name == token)) ||
          (token.empty() && FullName(store, *one) == key_store)) {
        Token found = *one;
        found.name = FullName(store, *one);
        return found;
      }
    }
  }
  if (key_store.empty() && !is_only) {
    return Error{ErrorCode::kInvalidArgument,
                 "which key store? Use --key-store NAME"};
  }
  return Error{ErrorCode::kInvalidArgument,
               is_home ? fmt::format("there is no key store '{}'", key_store)
                       : fmt::format("key store '{}' has no further token '{}'",
                                     key_store, token)};
}

}  // namespace tools::config
