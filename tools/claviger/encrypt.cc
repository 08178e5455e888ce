// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "base/random.h"
#include "tools/claviger/connect.h"
#include "tools/claviger/data_key.h"
#include "tools/claviger/envelope.h"
#include "tools/claviger/files.h"
#include "tools/claviger/progress.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

constexpr const char* kFile = "FILE";
constexpr const char* kKeyId = "--key-id";
constexpr const char* kContext = "--context";
constexpr const char* kOutput = "-o,--output";
constexpr const char* kForce = "-f,--force";

constexpr auto kOptions = std::to_array<Option>({
    {kFile, "The file to encrypt; '-' is standard input", OptionKind::kText,
     true},
    {kKeyId, "Key id, ARN or alias of the key that wraps the data key",
     OptionKind::kText, true},
    {kContext,
     "KEY=VALUE of the encryption context, again for each pair; "
     "stored in clear, and authenticated",
     OptionKind::kList},
    {kOutput, "Where to write; '-' is standard output. Default: FILE.clvg"},
    {kForce, "Replace the output if it exists", OptionKind::kFlag},
});

// What an encryption needs but for where its output goes.
struct Job {
  EnvelopeHeader header;
  base::Secret data_key;
  InputFile input;

  base::Status Run(const Sink& sink) const {
    Progress progress(input.size());
    const Source source = input.source();
    return EncryptEnvelope(header, data_key, progress.Count(source), sink);
  }
};

base::Result<Job> Prepare(const Arguments& arguments) {
  ASSIGN_OR_RETURN(InputFile input, InputFile::Open(*arguments.Text(kFile)));
  EnvelopeHeader header;
  ASSIGN_OR_RETURN(header.context, ParseContext(arguments.List(kContext)));
  ASSIGN_OR_RETURN(const auto client, MakeClient(arguments));
  ASSIGN_OR_RETURN(
      DataKey data_key,
      GenerateDataKey(*client, *arguments.Text(kKeyId), header.context));
  base::RandomBytes(header.salt);
  header.wrapped_key = std::move(data_key.wrapped);
  return Job{std::move(header), std::move(data_key.plaintext),
             std::move(input)};
}

// Where the output goes if nobody says where. Beside a device or a pipe nobody
// would look for it; and /dev/stdin is a regular file if that was redirected.
base::Result<std::string> DefaultOutput(const std::string& file) {
  if (file == "-") {
    return file;
  }
  struct stat status {};
  const std::string_view folder =
      std::string_view(file).substr(0, file.rfind('/') + 1);
  const bool is_device = folder == "/dev/" || folder == "/dev/fd/" ||
                         folder.starts_with("/proc/") ||
                         (stat(file.c_str(), &status) == 0 &&
                          !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode));
  if (is_device) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       file + " is no regular file: say by -o where to write"};
  }
  return file + ".clvg";
}

base::Result<int> RunEncrypt(const Arguments& arguments) {
  const std::string file = *arguments.Text(kFile);
  std::string path;
  if (const auto output = arguments.Text(kOutput)) {
    path = *output;
  } else {
    ASSIGN_OR_RETURN(path, DefaultOutput(file));
  }
  if (path == "-") {
    ASSIGN_OR_RETURN(const Job job, Prepare(arguments));
    RETURN_IF_ERROR(job.Run(
        [](base::ByteView bytes) { return WriteAll(STDOUT_FILENO, bytes); }));
    return kExitSuccess;
  }
  ASSIGN_OR_RETURN(
      OutputFile output,
      OutputFile::Create(path, arguments.Has(kForce) ? IfExists::kReplace
                                                     : IfExists::kRefuse));
  ASSIGN_OR_RETURN(const Job job, Prepare(arguments));
  RETURN_IF_ERROR(
      job.Run([&](base::ByteView bytes) { return output.Write(bytes); }));
  RETURN_IF_ERROR(output.Commit());
  return kExitSuccess;
}

}  // namespace

Verb EncryptVerb() {
  return {"encrypt", "Encrypts a file of any size under a key", kOptions,
          RunEncrypt};
}

}  // namespace tools::claviger
