// SPDX-License-Identifier: Apache-2.0
#include "kms/client/profile.h"

#include <algorithm>
#include <utility>

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kId = "aws_access_key_id";
constexpr std::string_view kSecret = "aws_secret_access_key";
constexpr std::string_view kToken = "aws_session_token";

// The NAME of [profile NAME] or [services NAME], also in quotes; or nothing.
std::optional<std::string_view> NameBehind(std::string_view word,
                                           std::string_view section) {
  if (!section.starts_with(word)) {
    return std::nullopt;
  }
  std::string_view name = section.substr(word.size());
  const std::size_t begin = name.find_first_not_of(" \t");
  if (begin == 0 || begin == std::string_view::npos) {
    return std::nullopt;
  }
  name.remove_prefix(begin);
  if (name.size() >= 2 && name.front() == name.back() &&
      (name.front() == '"' || name.front() == '\'')) {
    name = name.substr(1, name.size() - 2);
  }
  return name;
}

// nullptr if there is none.
base::Result<const IniFile::Section*> FindNamed(const IniFile& file,
                                                std::string_view word,
                                                std::string_view name) {
  const IniFile::Section* found = nullptr;
  for (const IniFile::Section& section : file.sections()) {
    if (NameBehind(word, section.name) != name) {
      continue;
    }
    if (found != nullptr) {
      return Error{ErrorCode::kInvalidArgument,
                   file.At(section.line) + ": the section of line " +
                       std::to_string(found->line) + " again; join the two"};
    }
    found = &section;
  }
  return found;
}

bool IsAmbiguous(std::string_view value) {
  for (const std::string_view comment : {" #", "\t#", " ;", "\t;"}) {
    if (value.find(comment) != std::string_view::npos) {
      return true;
    }
  }
  return value.starts_with('"') || value.starts_with('\'');
}

// The value of a setting; empty if there is none.
base::Result<std::string_view> ValueOf(const IniFile& file,
                                       const IniFile::Setting* setting) {
  if (setting == nullptr) {
    return std::string_view();
  }
  if (IsAmbiguous(setting->value)) {
    return Error{ErrorCode::kInvalidArgument,
                 file.At(setting->line) + ": write " +
                     std::string(setting->name) +
                     " without quotes, and comments on lines of their own"};
  }
  return setting->value;
}

base::Result<std::optional<base::SigV4Credentials>> AccessKey(
    const IniFile& file, const IniFile::Section& section) {
  ASSIGN_OR_RETURN(const std::string_view id, ValueOf(file, section.Find(kId)));
  ASSIGN_OR_RETURN(const std::string_view secret,
                   ValueOf(file, section.Find(kSecret)));
  ASSIGN_OR_RETURN(const std::string_view token,
                   ValueOf(file, section.Find(kToken)));
  std::optional<base::SigV4Credentials> credentials;
  if (id.empty() != secret.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 file.At(section.line) + ": the profile lacks " +
                     std::string(id.empty() ? kId : kSecret) +
                     "; an access key is both or neither"};
  }
  if (!id.empty()) {
    credentials.emplace(base::SigV4Credentials{
        std::string(id), base::Secret::CopyOf(secret), std::string(token)});
  }
  return credentials;
}

base::Result<IniFile> Read(const SharedFile& file) {
  ASSIGN_OR_RETURN(base::WipingString text, ReadShared(file));
  return IniFile::Parse(file.path, std::move(text));
}

}  // namespace

Profile::Profile(IniFile credentials, IniFile config)
    : credentials_(std::make_unique<const IniFile>(std::move(credentials))),
      config_(std::make_unique<const IniFile>(std::move(config))) {}

base::Result<Profile> Profile::Load(const ProfileFiles& files) {
  ASSIGN_OR_RETURN(IniFile credentials, Read(files.credentials));
  ASSIGN_OR_RETURN(IniFile config, Read(files.config));
  Profile profile(std::move(credentials), std::move(config));
  profile.key_file_ = files.key_file;
  ASSIGN_OR_RETURN(profile.places_, profile.Places(files.profile));
  if (profile.places_.empty() && files.required) {
    return Error{ErrorCode::kInvalidArgument,
                 "no profile '" + files.profile + "' (AWS_PROFILE): neither [" +
                     files.profile + "] in '" + files.credentials.path +
                     "' nor [profile " + files.profile + "] in '" +
                     files.config.path + "'"};
  }
  return profile;
}

base::Result<std::vector<Profile::Place>> Profile::Places(
    std::string_view name) const {
  std::vector<Place> places;
  if (const auto* const section = credentials_->Find(name)) {
    places.push_back({credentials_.get(), section});
  }
  ASSIGN_OR_RETURN(const IniFile::Section* section,
                   FindNamed(*config_, "profile", name));
  if (section == nullptr && name == "default") {
    section = config_->Find(name);
  }
  if (section != nullptr) {
    places.push_back({config_.get(), section});
  }
  return places;
}

base::Result<std::optional<Profile::Value>> Profile::Find(
    std::string_view name) const {
  for (const Place& place : places_) {
    const IniFile::Setting* const setting = place.section->Find(name);
    ASSIGN_OR_RETURN(const std::string_view value,
                     ValueOf(*place.file, setting));
    if (!value.empty()) {
      return std::optional<Value>(
          Value{std::string(value), place.file->At(setting->line)});
    }
  }
  return std::optional<Value>();
}

base::Result<std::optional<Profile::Value>> Profile::Region() const {
  return Find("region");
}

base::Result<std::optional<Profile::Value>> Profile::CaBundle() const {
  return Find("ca_bundle");
}

base::Result<std::optional<Profile::Value>> Profile::EndpointUrl() const {
  ASSIGN_OR_RETURN(const std::optional<Value> services, Find("services"));
  if (services.has_value()) {
    ASSIGN_OR_RETURN(const IniFile::Section* const section,
                     FindNamed(*config_, "services", services->text));
    if (section == nullptr) {
      return Error{ErrorCode::kInvalidArgument,
                   services->where + ": there is no section [services " +
                       services->text + "]; add it or delete the line"};
    }
    const IniFile::Setting* const setting =
        section->Find("endpoint_url", "kms");
    ASSIGN_OR_RETURN(const std::string_view value, ValueOf(*config_, setting));
    if (!value.empty()) {
      return std::optional<Value>(
          Value{std::string(value), config_->At(setting->line)});
    }
  }
  return Find("endpoint_url");
}

base::Status Profile::CheckServed(
    const Place& place, std::initializer_list<std::string_view> ways) const {
  for (const std::string_view way : ways) {
    const IniFile::Setting* const setting = place.section->Find(way);
    if (setting != nullptr && !setting->value.empty()) {
      return Error{ErrorCode::kInvalidArgument,
                   place.file->At(setting->line) + ": " + std::string(way) +
                       " is not served here; use a profile with an access "
                       "key, or set AWS_ACCESS_KEY_ID and "
                       "AWS_SECRET_ACCESS_KEY"};
    }
  }
  return {};
}

// The order of AWS's tools. What they would ask before a section's access key
// must not be passed over in silence: it stands for somebody else.
base::Result<std::optional<Profile::Key>> Profile::Credentials() const {
  for (const Place& place : places_) {
    RETURN_IF_ERROR(
        CheckServed(place, {"role_arn", "web_identity_token_file",
                            "sso_session", "sso_start_url", "login_session"}));
  }
  for (const Place& place : places_) {
    const KeyFile file =
        place.file == config_.get() ? KeyFile::kConfig : KeyFile::kCredentials;
    if (key_file_ != KeyFile::kAny && key_file_ != file) {
      continue;
    }
    // A program goes before the configuration's key, not before the other's.
    if (file == KeyFile::kConfig) {
      RETURN_IF_ERROR(CheckServed(place, {"credential_process"}));
    }
    ASSIGN_OR_RETURN(std::optional<base::SigV4Credentials> found,
                     AccessKey(*place.file, *place.section));
    if (found.has_value()) {
      return std::optional<Key>(Key{*std::move(found), file});
    }
    RETURN_IF_ERROR(CheckServed(place, {"credential_process"}));
  }
  return std::optional<Key>();
}

}  // namespace kms::client
