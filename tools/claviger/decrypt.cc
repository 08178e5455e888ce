// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "tools/claviger/connect.h"
#include "tools/claviger/data_key.h"
#include "tools/claviger/envelope.h"
#include "tools/claviger/files.h"
#include "tools/claviger/progress.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kSuffix = ".clvg";
constexpr const char* kFile = "FILE";
constexpr const char* kKeyId = "--key-id";
constexpr const char* kContext = "--context";
constexpr const char* kOutput = "-o,--output";
constexpr const char* kForce = "-f,--force";

constexpr auto kOptions = std::to_array<Option>({
    {kFile, "The file to decrypt; '-' is standard input", OptionKind::kText,
     true},
    {kKeyId, "Refuse a file whose data key another key has wrapped"},
    {kContext, "KEY=VALUE that the file's encryption context must have",
     OptionKind::kList},
    {kOutput,
     "Where to write; '-' is standard output. Default: FILE without "
     ".clvg"},
    {kForce, "Replace the output if it exists", OptionKind::kFlag},
});

base::Result<std::string> OutputPath(const Arguments& arguments) {
  const std::string file = *arguments.Text(kFile);
  if (const auto path = arguments.Text(kOutput); path.has_value()) {
    return *path;
  }
  if (file == "-") {
    return file;
  }
  if (!file.ends_with(kSuffix) || file.size() == kSuffix.size()) {
    return Error{ErrorCode::kInvalidArgument,
                 file + " does not end in .clvg: name the output with -o"};
  }
  return file.substr(0, file.size() - kSuffix.size());
}

// The file may say any context; what it must say is the caller's to know.
base::Status CheckContext(const EncryptionContext& actual,
                          const EncryptionContext& required) {
  for (const auto& [key, value] : required) {
    const auto found = actual.find(key);
    if (found == actual.end() || found->second != value) {
      std::string why = "the file's encryption context does not have ";
      why.append(key).append("=").append(value);
      return Error{ErrorCode::kInvalidCiphertext, std::move(why)};
    }
  }
  return {};
}

base::Status Decrypt(const Arguments& arguments, const Sink& sink) {
  ASSIGN_OR_RETURN(const EncryptionContext required,
                   ParseContext(arguments.List(kContext)));
  ASSIGN_OR_RETURN(const InputFile input,
                   InputFile::Open(*arguments.Text(kFile)));
  Progress progress(input.size());
  const Source file = input.source();
  const Source source = progress.Count(file);
  ASSIGN_OR_RETURN(const OpenedEnvelope envelope, OpenEnvelope(source));
  const EnvelopeHeader& header = envelope.header;
  RETURN_IF_ERROR(CheckContext(header.context, required));
  ASSIGN_OR_RETURN(const auto client, MakeClient(arguments));
  ASSIGN_OR_RETURN(const base::Secret data_key,
                   UnwrapDataKey(*client, header.wrapped_key, header.context,
                                 arguments.Text(kKeyId)));
  return DecryptEnvelope(envelope, data_key, source, sink);
}

base::Result<int> DecryptToStandardOutput(const Arguments& arguments) {
  bool wrote = false;
  const base::Status status = Decrypt(arguments, [&](base::ByteView bytes) {
    wrote = true;
    return WriteAll(STDOUT_FILENO, bytes);
  });
  if (status.has_value()) {
    return kExitSuccess;
  }
  Error error = status.error();
  if (wrote) {
    error.message += "; what was written is not the whole file: throw it away";
  }
  return error;
}

base::Result<int> RunDecrypt(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string path, OutputPath(arguments));
  if (path == "-") {
    return DecryptToStandardOutput(arguments);
  }
  ASSIGN_OR_RETURN(
      OutputFile output,
      OutputFile::Create(path, arguments.Has(kForce) ? IfExists::kReplace
                                                     : IfExists::kRefuse));
  RETURN_IF_ERROR(Decrypt(
      arguments, [&](base::ByteView bytes) { return output.Write(bytes); }));
  RETURN_IF_ERROR(output.Commit());
  return kExitSuccess;
}

}  // namespace

Verb DecryptVerb() {
  return {"decrypt", "Decrypts what 'claviger encrypt' has made", kOptions,
          RunDecrypt};
}

}  // namespace tools::claviger
