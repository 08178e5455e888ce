// SPDX-License-Identifier: Apache-2.0
// Why a program does not find keys of the KMS: OpenSSL passes over a provider
// that does not load without a word.
#include <fmt/format.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "kms/client/client.h"
#include "tools/claviger/connect.h"
#include "tools/claviger/finding.h"
#include "tools/claviger/verb.h"
#include "tools/files/files.h"

namespace tools::claviger {
namespace {

struct Free {
  void operator()(CONF* conf) const { NCONF_free(conf); }
  void operator()(OSSL_LIB_CTX* library) const { OSSL_LIB_CTX_free(library); }
  void operator()(OSSL_PROVIDER* provider) const {
    OSSL_PROVIDER_unload(provider);
  }
  void operator()(char* text) const { OPENSSL_free(text); }
};
using ConfOwner = std::unique_ptr<CONF, Free>;
using LibraryOwner = std::unique_ptr<OSSL_LIB_CTX, Free>;
using ProviderOwner = std::unique_ptr<OSSL_PROVIDER, Free>;

constexpr std::string_view kModule = "claviger.so";

// One line of a section that names providers.
struct Listed {
  std::string name;
  std::string module;  // Empty: OpenSSL looks for NAME.so in its own folder.
  bool activate;
  bool IsOurs() const {
    return name == "claviger" || module.ends_with(kModule);
  }
};

// What openssl.cnf says, as far as it is about providers.
struct Configuration {
  std::string file;
  ConfOwner conf;
  std::vector<Listed> providers;
};

std::optional<std::string> Value(const CONF* conf, const char* section,
                                 const char* name) {
  const char* const text = NCONF_get_string(conf, section, name);
  ERR_clear_error();
  return text == nullptr ? std::nullopt : std::optional<std::string>(text);
}

bool IsYes(const std::optional<std::string>& text) {
  constexpr std::array<std::string_view, 4> kYes = {"1", "yes", "true", "on"};
  return text.has_value() && std::ranges::find(kYes, *text) != kYes.end();
}

std::string FileName() {
  const std::unique_ptr<char, Free> name(CONF_get1_default_config_file());
  return name == nullptr ? "" : name.get();
}

// The section that `openssl_conf` names, whose line `name` names another.
std::optional<std::string> Section(const CONF* conf, const char* name) {
  const auto first = Value(conf, nullptr, "openssl_conf");
  return first.has_value() ? Value(conf, first->c_str(), name) : std::nullopt;
}

base::Result<Configuration> Read() {
  Configuration found;
  found.file = FileName();
  found.conf.reset(NCONF_new(nullptr));
  long line = 0;
  if (NCONF_load(found.conf.get(), found.file.c_str(), &line) != 1) {
    ERR_clear_error();
    return Failure(line > 0 ? fmt::format("{}:{}: not as OpenSSL writes it",
                                          found.file, line)
                            : fmt::format("cannot read {} (OPENSSL_CONF names "
                                          "another one)",
                                          found.file));
  }
  const auto section = Section(found.conf.get(), "providers");
  const STACK_OF(CONF_VALUE)* const lines =
      section.has_value()
          ? NCONF_get_section(found.conf.get(), section->c_str())
          : nullptr;
  for (int i = 0; i < sk_CONF_VALUE_num(lines); ++i) {
    const CONF_VALUE* const row = sk_CONF_VALUE_value(lines, i);
    // Which may be there twice: "2.claviger".
    const std::string name = row->name;
    found.providers.push_back(
        {name.substr(name.find('.') + 1),
         Value(found.conf.get(), row->value, "module").value_or(""),
         IsYes(Value(found.conf.get(), row->value, "activate"))});
  }
  return found;
}

const Listed* Ours(const Configuration& configuration) {
  const auto found =
      std::ranges::find_if(configuration.providers, &Listed::IsOurs);
  return found == configuration.providers.end() ? nullptr : &*found;
}

Finding CheckSection(const Configuration& configuration) {
  const Listed* const ours = Ours(configuration);
  if (ours == nullptr) {
    return Failure(configuration.file +
                   " does not list claviger.so: openssl_conf must name a "
                   "section whose `providers` names one that has it "
                   "(docs/openssl.md)");
  }
  if (!ours->activate) {
    return Failure(configuration.file + ": the section of " + ours->name +
                   " lacks `activate = 1`");
  }
  return configuration.file;
}

// What is on OpenSSL's queue of errors, which is emptied.
std::string Reasons() {
  std::string reasons;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code =
             ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    const char* const reason = ERR_reason_error_string(code);
    reasons += fmt::format("; {} {}", reason == nullptr ? "" : reason,
                           (flags & ERR_TXT_STRING) != 0 ? data : "");
  }
  return reasons;
}

// What to load `module` by: to a name without a slash OpenSSL adds ".so" here,
// and not in openssl.cnf. Both are in its own folder then.
std::string NameOf(const std::string& module) {
  constexpr std::string_view kSuffix = ".so";
  const bool is_bare = module.find('/') == std::string::npos;
  return is_bare && module.ends_with(kSuffix)
             ? module.substr(0, module.size() - kSuffix.size())
             : module;
}

// Loads it as OpenSSL would, where its errors can be seen.
Finding CheckModule(const Listed& ours) {
  const std::string what = ours.module.empty() ? ours.name : ours.module;
  if (what.starts_with('/') && !Exists(what)) {
    return Failure("there is no " + what);
  }
  const LibraryOwner library(OSSL_LIB_CTX_new());
  const ProviderOwner provider(
      OSSL_PROVIDER_load(library.get(), NameOf(what).c_str()));
  if (provider == nullptr) {
    return Failure(what + " does not load" + Reasons());
  }
  return what;
}

Finding CheckDefault(const Configuration& configuration) {
  const auto& list = configuration.providers;
  const auto found = std::ranges::find(list, "default", &Listed::name);
  if (found == list.end() || !found->activate) {
    return Failure(
        "the default provider is not activated: whoever names a provider must "
        "name it, too, or files, certificates and keys of software are out of "
        "reach");
  }
  if (found > std::ranges::find_if(list, &Listed::IsOurs)) {
    return Warning(
        "listed after claviger: software keys can no longer be made; list "
        "`default` first");
  }
  return std::string("activated, and before claviger");
}

Finding CheckProperties(const Configuration& configuration) {
  const auto section = Section(configuration.conf.get(), "alg_section");
  const auto set = section.has_value()
                       ? Value(configuration.conf.get(), section->c_str(),
                               "default_properties")
                       : std::nullopt;
  if (set.has_value()) {
    return Warning("default_properties = " + *set +
                   ": if that prefers or excludes providers, keys of the KMS "
                   "or of software are not found");
  }
  return std::string("none by default");
}

// Asks the provider, loaded as programs load it: only it knows what its section
// says, and what of that counts.
Finding AskProvider(const Configuration& configuration, const Listed& ours) {
  const LibraryOwner library(OSSL_LIB_CTX_new());
  if (OSSL_LIB_CTX_load_config(library.get(), configuration.file.c_str()) !=
          1 ||
      OSSL_PROVIDER_available(library.get(), ours.name.c_str()) != 1) {
    return Failure("not asked: " + configuration.file +
                   " does not make OpenSSL load the provider" + Reasons());
  }
  const ProviderOwner provider(
      OSSL_PROVIDER_load(library.get(), ours.name.c_str()));
  std::array<char, 4096> endpoint{};
  std::array<OSSL_PARAM, 2> where = {
      OSSL_PARAM_construct_utf8_string("claviger-endpoint", endpoint.data(),
                                       endpoint.size()),
      OSSL_PARAM_construct_end()};
  if (OSSL_PROVIDER_get_params(provider.get(), where.data()) != 1) {
    return Failure("no key can be loaded" + Reasons());
  }
  int answers = 0;
  std::array<OSSL_PARAM, 2> whether = {
      OSSL_PARAM_construct_int("claviger-answers", &answers),
      OSSL_PARAM_construct_end()};
  if (OSSL_PROVIDER_get_params(provider.get(), whether.data()) != 1) {
    return Warning("no answer" + Reasons());
  }
  return answers == 1 ? Finding(fmt::format("answers at {}", endpoint.data()))
                      : Warning("not asked: the provider is another version");
}

// Where programs look that have no provider.
Finding AskKms() {
  ASSIGN_OR_RETURN(const auto client, MakeClient(Arguments()));
  const auto answer = client->Get("/readyz");
  if (!answer) {
    return Warning("from here: " + answer.error().message);
  }
  return "answers at " + kms::client::Describe(client->endpoint());
}

}  // namespace

base::Result<int> RunOpensslDoctor() {
  const base::Result<Configuration> configuration = Read();
  bool well =
      Report("openssl.cnf", configuration
                                ? CheckSection(*configuration)
                                : Finding(base::Error(configuration.error())));
  if (!configuration) {
    return kExitUsage;
  }
  const Listed* const ours = Ours(*configuration);
  if (ours != nullptr) {
    well = Report("provider", CheckModule(*ours)) && well;
    well = Report("default", CheckDefault(*configuration)) && well;
  }
  well = Report("properties", CheckProperties(*configuration)) && well;
  well = Report("KMS", ours == nullptr ? AskKms()
                                       : AskProvider(*configuration, *ours)) &&
         well;
  return well ? kExitSuccess : kExitRefused;
}

}  // namespace tools::claviger
