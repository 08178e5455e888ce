# SPDX-License-Identifier: Apache-2.0
"""OpenSSH with keys of the KMS: in files, in an agent, and at a login."""

import getpass
import os
import pathlib
import shlex
import shutil
import unittest

from testlib.installed import free_port
from testlib.pkcs11 import MODULE, Pkcs11Case

LABELS = (("ssh-rsa", "RSA_2048"), ("ssh-p256", "ECC_NIST_P256"),
          ("ssh-p384", "ECC_NIST_P384"))


class SshTest(Pkcs11Case):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for label, spec in LABELS:
            key = cls.kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
            cls.kms.create_alias(AliasName=f"alias/{label}",
                                 TargetKeyId=key["KeyMetadata"]["KeyId"])

    def listed(self):
        """The lines of ssh-keygen -D, by label."""
        lines = self.program("ssh-keygen", "-D", MODULE).splitlines()
        return {line.split()[2]: line for line in lines}

    def agent(self):
        """An agent with the module; returns the environment of its users."""
        socket = self.path("agent.sock")
        # Not below the folders that it trusts by itself.
        agent = self.background("ssh-agent", "-D", "-a", socket, "-P",
                                str(pathlib.Path(MODULE).parent) + "/*")
        self.said(agent, "SSH_AUTH_SOCK")
        # No PIN is asked of anybody: the answer is an empty line.
        users = {"SSH_AUTH_SOCK": socket, "SSH_ASKPASS": "/bin/echo",
                 "SSH_ASKPASS_REQUIRE": "force"}
        self.program("ssh-add", "-s", MODULE, **users)
        return users

    def test_the_listed_keys_are_those_of_the_kms(self):
        listed = self.listed()
        for label, _ in LABELS:
            public = self.file("public.pub", (listed[label] + "\n").encode())
            pem = self.program("ssh-keygen", "-e", "-m", "PKCS8", "-f", public)
            der = self.path("public.der")
            self.program("openssl", "pkey", "-pubin", "-outform", "DER", "-in",
                         self.file("public.pem", pem.encode()), "-out", der)
            self.assertEqual(
                pathlib.Path(der).read_bytes(),
                self.kms.get_public_key(KeyId=f"alias/{label}")["PublicKey"])

    def test_an_agent_signs_files_and_ssh_keygen_verifies(self):
        listed, users = self.listed(), self.agent()
        for label, _ in LABELS:
            with self.subTest(label=label):
                public = self.file("key.pub", (listed[label] + "\n").encode())
                signed = self.file(label, b"what git would sign")
                self.program("ssh-keygen", "-Y", "sign", "-n", "git", "-f",
                             public, signed, **users)
                allowed = self.file("allowed", f"me {listed[label]}\n".encode())
                verify = ("ssh-keygen", "-Y", "verify", "-f", allowed, "-I",
                          "me", "-n", "git", "-s", signed + ".sig")
                self.assertIn("Good", self.program(
                    "sh", "-c", f"{shlex.join(verify)} <{signed}"))
                other = self.file("other", b"what git would sigm")
                self.assertNotEqual(self.run_program(
                    "sh", "-c", f"{shlex.join(verify)} <{other}").returncode, 0)

    def test_an_agent_forgets_the_module(self):
        users = self.agent()
        self.assertIn("ssh-p256", self.program("ssh-add", "-L", **users))
        self.program("ssh-add", "-e", MODULE, **users)
        self.assertEqual(
            self.run_program("ssh-add", "-L", **users).returncode, 1)

    def test_a_login(self):
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
        host_key, port = self.path("host"), free_port()
        self.program("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                     host_key)
        authorized = self.file("authorized",
                               (self.listed()["ssh-p256"] + "\n").encode())
        config = self.file("sshd_config", "\n".join((
            f"Port {port}", "ListenAddress 127.0.0.1", f"HostKey {host_key}",
            "PidFile none", f"AuthorizedKeysFile {authorized}",
            "StrictModes no", "UsePAM no", "PasswordAuthentication no",
            "PermitRootLogin yes", "")).encode())
        command = [sshd, "-D", "-e", "-f", config]
        if os.geteuid() == 0:
            # Root's sshd wants a folder that only its unit makes.
            command = ["unshare", "--mount", "sh", "-c",
                       "mount -t tmpfs none /run && mkdir /run/sshd && "
                       f"exec {shlex.join(command)}"]
        self.said(self.background(*command), "Server listening")
        self.assertEqual(self.program(
            "ssh", "-F", "none", "-p", port, "-o", f"PKCS11Provider={MODULE}",
            "-o", "StrictHostKeyChecking=no", "-o",
            f"UserKnownHostsFile={self.path('known')}", "-o", "BatchMode=yes",
            "-o", "IdentityFile=none", "-o", "IdentityAgent=none",
            f"{getpass.getuser()}@127.0.0.1", "echo logged in"),
            "logged in\n")


if __name__ == "__main__":
    unittest.main()
