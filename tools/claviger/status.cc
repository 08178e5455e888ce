// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/json.h"
#include "tools/claviger/connect.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

void Print(std::string_view name, std::string_view value) {
  fmt::print("{:<26}{}\n", name, value);
}

// The first line of a page.
std::string FirstLine(std::string_view page) {
  return Printable(page.substr(0, page.find('\n')));
}

// Prints what the server says of itself on `path`; returns whether it is well.
base::Result<bool> PrintPage(kms::client::Client& client, std::string_view name,
                             std::string_view path) {
  ASSIGN_OR_RETURN(const kms::client::Response response, client.Get(path));
  const bool good = response.status == 200;
  Print(name, good ? "yes" : "no: " + FirstLine(response.body));
  return good;
}

std::string_view TextIn(const base::Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? base::TextOf(*found)
                                                     : std::string_view();
}

// One line for each token of a key store; `of` goes before their names.
void PrintTokens(const base::Json& tokens, const std::string& of = "") {
  for (const base::Json& token : tokens) {
    const auto text = [&token](const char* key) { return TextIn(token, key); };
    std::string line = Printable(text("State"));
    if (!text("Reason").empty()) {
      line += ": " + Printable(text("Reason"));
    }
    Print("token " + of + Printable(text("Name")), line);
  }
}

// What there is beside the first key store, which the members above are about.
void PrintKeyStores(const base::Json& key_stores) {
  for (std::size_t i = 1; i < key_stores.size(); ++i) {
    const base::Json& key_store = key_stores[i];
    const auto regions = key_store.find("Regions");
    const auto tokens = key_store.find("Tokens");
    const std::string name = Printable(TextIn(key_store, "Name"));
    const std::string_view cluster = TextIn(key_store, "CloudHsmClusterId");
    Print("key store " + name,
          Printable(cluster.empty() && regions != key_store.end()
                        ? std::string_view(regions->dump())
                        : cluster));
    if (tokens != key_store.end() && tokens->is_array()) {
      PrintTokens(*tokens, name + "/");
    }
  }
}

// Prints the members of an object, one a line.
void PrintMembers(const base::Json& object) {
  for (const auto& [key, value] : object.items()) {
    if (key == "Tokens" && value.is_array()) {
      PrintTokens(value);
      continue;
    }
    if (key == "KeyStores" && value.is_array()) {
      PrintKeyStores(value);
      continue;
    }
    Print(key, Printable(value.is_string() ? base::TextOf(value)
                                           : std::string_view(value.dump())));
  }
}

// Only the server's administrators may ask for more, and only on the socket.
base::Status PrintDetails(kms::client::Client& client) {
  const auto response = client.Call("Claviger.Status", "{}");
  if (!response.has_value()) {
    Print("details", "none: " + FirstLine(response.error().message));
    return {};
  }
  ASSIGN_OR_RETURN(const base::Json status, base::ParseJson(response->body));
  if (status.is_object()) {
    PrintMembers(status);
  }
  return {};
}

base::Result<int> RunStatus(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto client, MakeClient(arguments));
  Print("server", kms::client::Describe(client->endpoint()));
  ASSIGN_OR_RETURN(const bool alive, PrintPage(*client, "alive", "/healthz"));
  ASSIGN_OR_RETURN(const bool ready, PrintPage(*client, "ready", "/readyz"));
  RETURN_IF_ERROR(PrintDetails(*client));
  return alive && ready ? kExitSuccess : kExitRefused;
}

}  // namespace

Verb StatusVerb() {
  return {"status",
          "Says whether the server serves; exit status 0 if it does",
          {},
          RunStatus};
}

}  // namespace tools::claviger
