// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_PROFILE_H_
#define KMS_CLIENT_PROFILE_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sigv4_signer.h"
#include "kms/client/ini.h"
#include "kms/client/shared_file.h"

namespace kms::client {

enum class KeyFile : std::uint8_t { kAny, kCredentials, kConfig };

// Which profile of AWS's shared files counts. A section of it is [NAME] in the
// credentials file, [profile NAME] or, for the default one, [default] in the
// configuration.
struct ProfileFiles {
  SharedFile credentials;
  SharedFile config;
  std::string profile = "default";
  bool required = false;  // Somebody named the profile: it must be there.
  // Where its access key may be. Once it was found in one file, a key in the
  // other is somebody else's, whatever becomes of the first file.
  KeyFile key_file = KeyFile::kAny;
};

// A Profile is what the shared files say under one name. What the credentials
// file says goes before the configuration. Immutable: it may be read from any
// thread.
class Profile {
 public:
  // Reads both files. Fails with kInvalidArgument, "file:line: ..." or naming
  // the profile that is missing; and with kIo if a file cannot be read. No
  // message holds a value.
  static base::Result<Profile> Load(const ProfileFiles& files);

  // Its access key and the file that has it, if there is one. Fails with
  // kInvalidArgument where half of it is missing, and where the profile gets
  // its credentials in a way that is not served: by a program
  // (credential_process), by assuming a role, by single sign-on.
  struct Key {
    base::SigV4Credentials credentials;
    KeyFile file;
  };
  base::Result<std::optional<Key>> Credentials() const;

  // What a setting says, and "file:line" for messages about it.
  struct Value {
    std::string text;
    std::string where;
  };
  // Nothing if it is absent or empty. Fails with kInvalidArgument if its value
  // is in quotes or followed by a comment: AWS's tools disagree about these.
  base::Result<std::optional<Value>> Region() const;
  base::Result<std::optional<Value>> CaBundle() const;
  // kms.endpoint_url of the profile's [services], else its endpoint_url.
  base::Result<std::optional<Value>> EndpointUrl() const;

 private:
  // A section and the file that it is of.
  struct Place {
    const IniFile* file;
    const IniFile::Section* section;
  };

  Profile(IniFile credentials, IniFile config);

  base::Result<std::vector<Place>> Places(std::string_view name) const;
  base::Result<std::optional<Value>> Find(std::string_view name) const;
  base::Status CheckServed(const Place& place,
                           std::initializer_list<std::string_view> ways) const;

  // Where they are does not change when a Profile is moved.
  std::unique_ptr<const IniFile> credentials_;
  std::unique_ptr<const IniFile> config_;
  std::vector<Place> places_;  // The credentials file's first.
  KeyFile key_file_ = KeyFile::kAny;
};

}  // namespace kms::client

#endif  // KMS_CLIENT_PROFILE_H_
