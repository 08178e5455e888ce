// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_IDENTITY_DIRECTORY_H_
#define KMS_IDENTITY_DIRECTORY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "kms/caller.h"
#include "kms/current.h"
#include "kms/entity.h"
#include "kms/identity/credentials.h"
#include "kms/identity/session.h"
#include "kms/store/identities.h"

// Who may ask, in memory.
namespace kms::identity {

using SecretPtr = std::shared_ptr<const base::Secret>;

// What is told of an access key.
struct AccessKeyFacts {
  std::string id;
  bool active = true;
  base::WallTime created{};
};

// An Entity and all that belongs to it.
struct Record {
  Entity entity;
  std::vector<Document> documents;          // By name.
  std::vector<std::string> attached;        // ARNs of managed policies.
  std::vector<Tag> tags;                    // By key.
  std::vector<std::string> groups;          // Ids; of a user.
  std::vector<std::string> members;         // Ids; of a group.
  std::vector<AccessKeyFacts> access_keys;  // Of a user; the oldest first.

  // Of users and roles.
  std::shared_ptr<const CallerPolicies> policies;
  PolicyPtr trust;  // Of a role: its trust policy.

  const Document* FindDocument(std::string_view name) const;
  // The version of a managed policy that is in force.
  const Document* DefaultVersion() const;
};

// A Directory is all accounts, entities and credentials as they were at one
// moment, compiled. It never changes, so any thread may read it; what it
// returns lives as long as it does.
class Directory {
 public:
  // `secrets` are those of the access keys in `rows`, by id: a key without one
  // lets nobody in. `others` are credentials that are not in the store.
  using Secrets = std::map<std::string, SecretPtr, std::less<>>;
  Directory(store::IdentityRows rows, Secrets secrets,
            const std::vector<AccessKey>& others);
  Directory(const Directory&) = delete;  // Its indices point into itself.
  Directory& operator=(const Directory&) = delete;

  std::uint64_t revision() const { return revision_; }
  const std::vector<Account>& accounts() const { return accounts_; }
  bool HasAccount(std::string_view id) const;

  // nullptr if there is none.
  const Record* FindById(std::string_view id) const;
  const Record* FindByName(std::string_view account, EntityKind kind,
                           std::string_view name) const;
  // Of a user, group, role or policy by its whole ARN.
  const Record* FindByArn(std::string_view arn) const;
  // Those whose path begins so, by name.
  std::vector<const Record*> List(std::string_view account, EntityKind kind,
                                  std::string_view path_prefix = "/") const;

  // The text and the compiled form of a managed policy, AWS's or a customer's;
  // null and empty if there is none. `account` is whose it must be unless it is
  // AWS's.
  struct ManagedPolicy {
    std::string name;
    std::string_view document;
    PolicyPtr compiled;
    explicit operator bool() const { return compiled != nullptr; }
  };
  ManagedPolicy FindManagedPolicy(std::string_view account,
                                  std::string_view arn) const;

  // Whom a policy or a grant that names `arn` (or an account, or a unique id)
  // means: the unique id of the user or of the role (of a session too); empty
  // for what has none: an account and its root, a federated user. Fails with
  // kNotFound if there is no such principal here.
  base::Result<std::string> PrincipalIdOf(std::string_view arn) const;

  const Credentials& credentials() const { return credentials_; }
  // Of an access key in the store.
  SecretPtr FindSecret(std::string_view access_key_id) const;
  bool HasAccessKeys() const { return !secrets_.empty(); }

  // The user as a caller, without credentials. nullptr if there is no such.
  std::shared_ptr<const Caller> UserCaller(std::string_view account,
                                           std::string_view name) const;
  // The user with this ARN; or, of the role with this ARN, a session of that
  // name which begins at `now` and has no end. nullptr if there is no such.
  std::shared_ptr<const Caller> PrincipalCaller(std::string_view arn,
                                                std::string_view session_name,
                                                base::WallTime now) const;
  // Whom temporary credentials stand for. Fails with kUnrecognizedClient if the
  // user or role is gone.
  base::Result<std::shared_ptr<const Caller>> SessionCaller(
      const Session& session) const;

 private:
  void Fill(store::IdentityRows& rows);
  void Compile();
  void CompilePolicies(Record& record) const;
  void AddPolicies(const Record& record, PolicyList& list) const;
  PolicyPtr ManagedOrUnreadable(const std::string& account,
                                std::string_view arn) const;
  Record* Find(std::string_view id);
  Caller CallerOf(const Record& user) const;
  Caller RoleCallerOf(
      const Record& role, std::string_view session_name,
      std::vector<std::pair<std::string, std::string>> session_tags) const;

  std::uint64_t revision_;
  std::vector<Account> accounts_;
  std::map<std::string, Record, std::less<>> records_;  // By id.
  // By account, kind and folded name.
  std::map<std::string, const Record*, std::less<>> by_name_;
  std::map<std::string, PolicyPtr, std::less<>> managed_;  // By ARN.
  Secrets secrets_;
  Credentials credentials_;
};

// A DirectorySource holds the directory in force. Safe to call from any thread.
class DirectorySource : public Current<Directory> {
 public:
  // `initial` is not null. `others`: see Directory.
  explicit DirectorySource(std::shared_ptr<const Directory> initial,
                           std::vector<AccessKey> others = {});

  const std::vector<AccessKey>& others() const { return others_; }

 private:
  const std::vector<AccessKey> others_;
};

}  // namespace kms::identity

#endif  // KMS_IDENTITY_DIRECTORY_H_
