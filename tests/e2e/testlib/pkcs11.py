# SPDX-License-Identifier: Apache-2.0
"""What the tests of the PKCS#11 module have in common: a folder, the environment
of programs that load it, keys, and plain `openssl` as the second opinion."""

import os
import pathlib
import re
import subprocess
import tempfile

from testlib.case import ServerCase
from testlib.server import BIN

MODULE = os.environ.get("CLAVIGER_PKCS11_MODULE",
                        str(BIN.parent / "lib" / "claviger-pkcs11.so"))
TOOL = "/usr/bin/pkcs11-tool"
MESSAGE = b"the message"

# No test asserts a time; this only ends one that hangs.
PROGRAM_SECONDS = 120


def private_uri(label):
    """RFC 7512's name of the private key that has this label."""
    return f"pkcs11:token=claviger;object={label};type=private"


class Pkcs11Case(ServerCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.message = self.file("message", MESSAGE)

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def path(self, name):
        """Where a program that is told so writes a file."""
        return str(self.folder / name)

    def environment(self, **changes):
        """That of --dev, and nobody's own configuration of the module."""
        return {**self.server.environment, "HOME": str(self.folder),
                "XDG_CONFIG_HOME": str(self.folder), **changes}

    def run_program(self, *command, **changes):
        """Runs a program; `changes` are those of its environment."""
        return subprocess.run(
            [str(word) for word in command], capture_output=True, text=True,
            errors="replace", stdin=subprocess.DEVNULL, check=False,
            timeout=PROGRAM_SECONDS, env=self.environment(**changes))

    def program(self, *command, **changes):
        """run_program() that must succeed; returns what it printed."""
        run = self.run_program(*command, **changes)
        self.assertEqual(run.returncode, 0,
                         f"{command}\n{run.stdout}\n{run.stderr}")
        return run.stdout

    def background(self, *command, **changes):
        """Starts a program that writes to a pipe and ends with the test."""
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=self.environment(**changes))

        def end():
            process.terminate()
            process.wait(PROGRAM_SECONDS)
            process.stdout.close()

        self.addCleanup(end)
        return process

    def said(self, process, pattern):
        """Waits for a line of a background program; returns the match."""
        lines = []
        for line in process.stdout:
            lines.append(line)
            match = re.search(pattern, line)
            if match:
                return match
        raise AssertionError(f"never said {pattern}: {lines}")

    def openssl_config(self, *lines):
        """A file for OPENSSL_CONF: libp11's engine with our module."""
        text = "\n".join((
            "openssl_conf = conf", "[conf]", "engines = engines",
            "[engines]", "pkcs11 = pkcs11", "[pkcs11]", "engine_id = pkcs11",
            f"MODULE_PATH = {MODULE}", *(lines or ("init = 0",)),
            "[req]", "distinguished_name = dn", "[dn]", ""))
        return self.file("openssl.cnf", text.encode())

    def with_engine(self, *arguments):
        """`openssl` that gets private keys from the module."""
        command, *options = arguments
        return self.program(
            "openssl", command, "-engine", "pkcs11", *options,
            OPENSSL_CONF=self.openssl_config())

    def certificate(self, label):
        """A self-signed certificate of localhost and the key `label`."""
        path = self.path(f"{label}.pem")
        self.with_engine(
            "req", "-new", "-x509", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost",
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "extendedKeyUsage=serverAuth,codeSigning,"
                       "emailProtection",
            "-keyform", "engine", "-key", private_uri(label), "-out", path)
        return path

    def run_tool(self, *arguments, **changes):
        return self.run_program(TOOL, "--module", MODULE, *arguments, **changes)

    def tool(self, *arguments, **changes):
        return self.program(TOOL, "--module", MODULE, *arguments, **changes)

    def new(self, spec, usage, label):
        """A new key with an alias, and its CKA_ID in hexadecimal."""
        key = self.new_key(KeySpec=spec, KeyUsage=usage)
        self.kms.create_alias(AliasName=f"alias/{label}",
                              TargetKeyId=key["KeyId"])
        return key, key["KeyId"].replace("-", "")

    def public_key(self, key):
        return self.file("public.der", self.kms.get_public_key(
            KeyId=key["KeyId"])["PublicKey"])

    def sign(self, key_id, mechanism, *options, data=None):
        path = self.path("signature")
        self.tool("--sign", "--id", key_id, "--mechanism", mechanism,
                  "--input-file", data or self.message,
                  "--output-file", path, *options)
        return path

    def openssl_verifies(self, public, signature, digest, *options):
        """Whether plain openssl takes it for a signature of the message."""
        return subprocess.run(
            ["openssl", "dgst", f"-{digest}", *options, "-keyform", "DER",
             "-verify", public, "-signature", signature, self.message],
            capture_output=True, timeout=60, check=False).returncode == 0
