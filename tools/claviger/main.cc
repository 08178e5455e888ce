// SPDX-License-Identifier: Apache-2.0
// The command line. A verb is one row here and one file beside this one.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <list>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/secret.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

std::vector<Verb> Verbs() {
  std::vector<Verb> verbs = {
      AccountAddVerb(),     AccountListVerb(),       AuditVerifyVerb(),
      CallVerb(),           CertificateDeleteVerb(), CertificateGetVerb(),
      CertificatePutVerb(), ConfigCheckVerb(),       DecryptVerb(),
      DoctorVerb(),         EncryptVerb(),           ExplainVerb(),
      InitVerb(),           KeyMoveVerb(),           PemReferenceVerb(),
      PolicyEvaluateVerb(), PolicyReplayVerb(),      PolicyResetVerb(),
      PolicySimulateVerb(), PolicyWhoCanVerb(),      StatusVerb(),
      TokenProbeVerb(),     TokenShareVerb(),        TokenTransportKeyVerb(),
      TokenTrustVerb()};
  for (const Verb& verb : XksVerbs()) {
    verbs.push_back(verb);
  }
  return verbs;
}

constexpr auto kGlobalOptions = std::to_array<Option>({
    {kEndpointOption,
     "Where the server is: /path/of.sock, https://host or http://localhost "
     "(otherwise the environment says)"},
    {kRegionOption, "The Region of the keys"},
    {kCaFileOption,
     "PEM file of the authority that the server's certificate "
     "leads to"},
});

struct Group {
  const char* name;
  const char* summary;
};

constexpr auto kGroups = std::to_array<Group>({
    {"account", "The accounts of a server"},
    {"audit", "The audit log"},
    {"certificate", "The certificates of key pairs"},
    {"config", "The configuration of a server"},
    {"key", "Where keys live"},
    {"policy", "What policies say"},
    {"token", "PKCS#11 tokens"},
    {"xks", "External keys for other key management services"},
});

// What CLI11 fills in for one row.
struct Parsed {
  const Option* row;
  const CLI::Option* option;
  std::vector<std::string> values;
};

// CLI11 keeps references into the elements: a list does not move them.
using ParsedOptions = std::list<Parsed>;

// A verb as CLI11 knows it.
struct Offered {
  Verb verb;
  CLI::App& app;
  ParsedOptions options;
};

void AddOptions(CLI::App& app, std::span<const Option> rows,
                ParsedOptions& parsed) {
  for (const Option& row : rows) {
    Parsed& slot = parsed.emplace_back(Parsed{&row, nullptr, {}});
    if (row.kind == OptionKind::kFlag) {
      slot.option = app.add_flag(row.spelling, row.help);
      continue;
    }
    CLI::Option* const option =
        app.add_option(row.spelling, slot.values, row.help);
    option->required(row.required)->allow_extra_args(false);
    if (row.kind == OptionKind::kText) {
      option->expected(1);
    }
    slot.option = option;
  }
}

// The App of "verb", or of "group verb", whose group is there already.
CLI::App& AddVerb(CLI::App& root, const Verb& verb) {
  const std::string name = verb.name;
  const std::size_t blank = name.find(' ');
  CLI::App* const parent = blank == std::string::npos
                               ? &root
                               : root.get_subcommand(name.substr(0, blank));
  return *parent->add_subcommand(name.substr(blank + 1), verb.summary)
              ->fallthrough();
}

Arguments Collect(const ParsedOptions& global, const ParsedOptions& own) {
  Arguments arguments;
  for (const ParsedOptions* options : {&global, &own}) {
    for (const Parsed& parsed : *options) {
      if (parsed.option->count() > 0) {
        arguments.Set(parsed.row->spelling, parsed.values);
      }
    }
  }
  return arguments;
}

int Run(const Verb& verb, const Arguments& arguments) {
  const base::Result<int> status = verb.run(arguments);
  if (status.has_value()) {
    return *status;
  }
  fmt::print(stderr, "claviger: {}\n", Printable(status.error().message));
  return ExitStatusOf(status.error().code);
}

int Main(int argc, char** argv) {
  CLI::App app("Talks to a Claviger server and looks after one.", "claviger");
  app.set_version_flag("--version", "claviger " CLAVIGER_VERSION);
  app.require_subcommand(1)->fallthrough();
  ParsedOptions global;
  AddOptions(app, kGlobalOptions, global);
  for (const Group& group : kGroups) {
    app.add_subcommand(group.name, group.summary)
        ->require_subcommand(1)
        ->fallthrough();
  }
  std::list<Offered> offered;
  for (const Verb& verb : Verbs()) {
    Offered& slot = offered.emplace_back(Offered{verb, AddVerb(app, verb), {}});
    AddOptions(slot.app, verb.options, slot.options);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitSuccess : kExitUsage;
  }
  for (const Offered& slot : offered) {
    if (slot.app.parsed()) {
      return Run(slot.verb, Collect(global, slot.options));
    }
  }
  return kExitUsage;  // CLI11 insists on a verb: not reached.
}

}  // namespace
}  // namespace tools::claviger

int main(int argc, char** argv) {
  base::InitLog("claviger", base::LogLevel::kWarning);
  // Data keys and plaintext pass through: none of it into a core dump. An
  // ordinary user's small limit of locked memory suffices for the keys; where
  // even that is refused, encrypting a file is no worse than reading it.
  if (const base::Status status = base::ForbidCoreDumps(); !status) {
    fmt::print(stderr, "claviger: {}\n", status.error().message);
    return tools::claviger::kExitUnreachable;
  }
  (void)base::InitSecureHeap(64U << 10, base::UnlockedMemory::kAllow);
  return tools::claviger::Main(argc, argv);
}
