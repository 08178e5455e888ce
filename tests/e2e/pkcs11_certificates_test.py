# SPDX-License-Identifier: Apache-2.0
"""Certificates: beside keys on the server, and as objects of the PKCS#11 module
for pkcs11-tool, Java and NSS. Plain openssl makes and checks them."""

import re
import subprocess
import unittest
import zipfile

from testlib.pkcs11 import MODULE, Pkcs11Case
from testlib.server import BIN

CLAVIGER = BIN / "claviger"
BEGIN = "-----BEGIN CERTIFICATE-----"


class CertificateCase(Pkcs11Case):

    def openssl(self, *arguments):
        return subprocess.run(["openssl", *arguments], check=True, timeout=60,
                              capture_output=True, text=True).stdout

    def authority(self, name, issuer=None):
        """A key and a certificate of an authority: paths without endings."""
        path = self.path(name)
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout",
                     f"{path}.key", "-subj", f"/CN={name}", "-out",
                     f"{path}.csr")
        signer = (["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key"]
                  if issuer else ["-signkey", f"{path}.key"])
        extensions = self.file("authority.cnf", b"basicConstraints=CA:TRUE\n")
        self.openssl("x509", "-req", "-in", f"{path}.csr", *signer, "-days",
                     "30", "-extfile", extensions, "-out", f"{path}.pem")
        return path

    def certify(self, key, name, issuer):
        """A certificate for a key of the KMS; the path of its PEM."""
        public = self.path("public.pem")
        self.openssl("pkey", "-pubin", "-inform", "DER", "-in",
                     self.public_key(key), "-pubout", "-out", public)
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout",
                     self.path("unused.key"), "-subj", f"/CN={name}", "-out",
                     self.path("request.csr"))
        extensions = self.file("leaf.cnf", b"keyUsage=digitalSignature\n"
                               b"extendedKeyUsage=codeSigning,serverAuth\n")
        certificate = self.path(f"{name}.pem")
        self.openssl("x509", "-req", "-in", self.path("request.csr"),
                     "-force_pubkey", public, "-CA", f"{issuer}.pem", "-CAkey",
                     f"{issuer}.key", "-days", "30", "-extfile", extensions,
                     "-out", certificate)
        return certificate

    def text(self, path):
        with open(path, encoding="ascii") as file:
            return file.read()

    def claviger(self, *arguments):
        return self.program(CLAVIGER, *arguments)

    def configure(self, *members):
        socket = self.server.environment["CLAVIGER_SOCKET"]
        return self.file("pkcs11.toml", "\n".join([
            "[[token]]", f'endpoint = "unix:{socket}"', *members]).encode())

    def new_with_chain(self, label, spec="RSA_2048"):
        """A key with a certificate by an authority that a root has signed."""
        key, key_id = self.new(spec, "SIGN_VERIFY", label)
        root = self.authority(f"{label}-root")
        middle = self.authority(f"{label}-middle", root)
        leaf = self.certify(key, f"{label}-leaf", middle)
        chain = self.file("chain.pem", "".join(
            self.text(path) for path in (leaf, f"{middle}.pem", f"{root}.pem")
        ).encode())
        self.claviger("certificate", "put", key["KeyId"], chain)
        return key, key_id, root


class OnTheServer(CertificateCase):

    def test_what_is_put_is_got_until_it_is_deleted(self):
        key, _, _ = self.new_with_chain("kept")
        got = self.claviger("certificate", "get", key["KeyId"])
        self.assertEqual(got.count(BEGIN), 3)
        self.assertEqual(got, self.text(self.path("chain.pem")))
        self.claviger("certificate", "delete", "alias/kept")
        self.assertEqual(
            self.claviger("certificate", "get", key["KeyId"]), "")

    def test_a_certificate_for_another_key_is_refused(self):
        key, _ = self.new("ECC_NIST_P256", "SIGN_VERIFY", "other")
        authority = self.authority("stranger")
        run = self.run_program(CLAVIGER, "certificate", "put", key["KeyId"],
                               f"{authority}.pem")
        self.assertEqual(run.returncode, 1)
        self.assertIn("not for the public key", run.stderr)

    def test_a_file_without_certificates_is_refused(self):
        for data in (b"", b"-----BEGIN CERTIFICATE-----\n"):
            run = self.run_program(CLAVIGER, "certificate", "put", "alias/x",
                                   self.file("bad.pem", data))
            self.assertEqual(run.returncode, 2, run.stderr)
            self.assertIn("bad.pem", run.stderr)


class Pkcs11Tool(CertificateCase):

    def test_lists_and_reads_certificates(self):
        key, key_id, _ = self.new_with_chain("listed")
        listed = self.tool("--list-objects", "--type", "cert")
        self.assertRegex(listed, r"label: +listed\n")
        self.assertIn("listed-middle", listed)
        read = self.path("read.der")
        self.tool("--read-object", "--type", "cert", "--id", key_id,
                  "--output-file", read)
        self.assertEqual(
            self.openssl("x509", "-inform", "DER", "-in", read),
            self.text(self.path("listed-leaf.pem")))

    def test_writes_and_deletes_a_certificate(self):
        key, key_id = self.new("ECC_NIST_P256", "SIGN_VERIFY", "written")
        authority = self.authority("writer")
        leaf = self.certify(key, "written-leaf", authority)
        der = self.path("leaf.der")
        self.openssl("x509", "-in", leaf, "-outform", "DER", "-out", der)
        self.tool("--write-object", der, "--type", "cert", "--id", key_id,
                  "--label", "anything")
        self.assertEqual(self.claviger("certificate", "get", key["KeyId"]),
                         self.text(leaf))
        self.tool("--delete-object", "--type", "cert", "--id", key_id)
        self.assertEqual(
            self.claviger("certificate", "get", key["KeyId"]), "")
        self.assertEqual(self.state(key["KeyId"]), "Enabled")

    def test_cannot_write_the_certificate_of_a_strange_key(self):
        authority = self.authority("homeless")
        der = self.path("homeless.der")
        self.openssl("x509", "-in", f"{authority}.pem", "-outform", "DER",
                     "-out", der)
        run = self.run_tool("--write-object", der, "--type", "cert")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("CKR_ACTION_PROHIBITED", run.stderr)
        self.assertIn("certificate_dir", run.stderr)


class FromTheConfiguration(CertificateCase):

    def test_certificates_are_listed_and_stay(self):
        key, key_id = self.new("ECC_NIST_P256", "SIGN_VERIFY", "configured")
        authority = self.authority("configured-ca")
        leaf = self.certify(key, "configured-leaf", authority)
        path = self.configure(
            f'certificates = ["{leaf}", "{authority}.pem"]')
        listed = self.tool("--list-objects", "--type", "cert",
                           CLAVIGER_PKCS11_CONFIG=path)
        self.assertIn("configured-ca", listed)
        self.assertRegex(listed, rf"label: +configured\n(.*\n)*.*{key_id}")
        run = self.run_tool("--delete-object", "--type", "cert", "--id",
                            key_id, CLAVIGER_PKCS11_CONFIG=path)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("one of the configuration", run.stderr)

    def test_one_that_cannot_be_read_gives_no_token(self):
        path = self.configure('certificates = ["/nowhere/at/all.pem"]')
        run = self.run_tool("--list-slots", CLAVIGER_PKCS11_CONFIG=path)
        self.assertNotIn("claviger", run.stdout)
        self.assertIn(f"{path}:1: certificate file /nowhere/at/all.pem: "
                      "No such file", run.stderr)

    def test_a_folder_keeps_what_the_server_does_not(self):
        authority = self.authority("housed")
        der = self.path("housed.der")
        self.openssl("x509", "-in", f"{authority}.pem", "-outform", "DER",
                     "-out", der)
        kept = self.folder / "kept"
        kept.mkdir()
        path = self.configure(f'certificate_dir = "{kept}"')
        self.tool("--write-object", der, "--type", "cert",
                  CLAVIGER_PKCS11_CONFIG=path)
        self.assertEqual([self.text(file) for file in kept.iterdir()],
                         [self.text(f"{authority}.pem")])
        self.assertIn("housed", self.tool(
            "--list-objects", "--type", "cert", CLAVIGER_PKCS11_CONFIG=path))


class Java(CertificateCase):

    def java(self, program, *arguments, **changes):
        configuration = self.file("java.cfg", (
            f"name = Claviger\nlibrary = {MODULE}\nslotListIndex = 0\n"
        ).encode())
        return self.program(
            program, "-J-Duser.language=en", "-keystore", "NONE", "-storetype",
            "PKCS11", "-providerClass", "sun.security.pkcs11.SunPKCS11",
            "-providerArg", configuration, "-storepass", "unused", *arguments,
            **changes)

    def test_keytool_lists_keys_that_have_certificates(self):
        self.new_with_chain("java-listed")
        self.new("RSA_2048", "SIGN_VERIFY", "java-bare")
        listed = self.java("keytool", "-list", "-v")
        self.assertIn("java-listed", listed)
        self.assertIn("PrivateKeyEntry", listed)
        self.assertIn("Certificate chain length: 3", listed)
        self.assertNotIn("java-bare", listed)

    def test_a_certificate_that_the_key_signed_itself_is_enough(self):
        self.new("ECC_NIST_P256", "SIGN_VERIFY", "java-self")
        self.claviger("certificate", "put", "alias/java-self",
                      self.certificate("java-self"))
        listed = self.java("keytool", "-list")
        self.assertRegex(listed, r"java-self, .*PrivateKeyEntry")

    def test_one_that_the_module_makes_up_is_enough(self):
        self.new("RSA_2048", "SIGN_VERIFY", "java-ephemeral")
        configuration = self.configure("ephemeral_certificates = true")
        listed = self.java("keytool", "-list",
                           CLAVIGER_PKCS11_CONFIG=configuration)
        self.assertRegex(listed, r"java-ephemeral, .*PrivateKeyEntry")
        jar = self.path("ephemeral.jar")
        with zipfile.ZipFile(jar, "w") as archive:
            archive.writestr("a.txt", "content")
        self.java("jarsigner", jar, "java-ephemeral",
                  CLAVIGER_PKCS11_CONFIG=configuration)
        self.assertIn("jar verified", self.program("jarsigner", "-verify", jar))

    def test_jarsigner_signs_with_the_chain(self):
        for spec in ("RSA_2048", "ECC_NIST_P256"):
            with self.subTest(spec=spec):
                label = "jar-" + spec[:3].lower()
                _, _, root = self.new_with_chain(label, spec)
                jar = self.path(f"{label}.jar")
                with zipfile.ZipFile(jar, "w") as archive:
                    archive.writestr("a.txt", "content")
                self.java("jarsigner", jar, label)
                self.check_jar(jar, label, root)

    def check_jar(self, jar, label, root):
        """Verifies the signature's file by openssl, up to the root."""
        with zipfile.ZipFile(jar) as archive:
            names = archive.namelist()
            block = next(name for name in names
                         if re.search(r"\.(RSA|EC)$", name))
            signature = self.file("block", archive.read(block))
            signed = self.file("signed", archive.read(
                re.sub(r"\.\w+$", ".SF", block)))
        self.openssl("cms", "-verify", "-inform", "DER", "-in", signature,
                     "-content", signed, "-binary", "-CAfile", f"{root}.pem",
                     "-purpose", "any", "-out", self.path("verified"))
        with open(self.path("verified"), "rb") as verified, \
                open(signed, "rb") as content:
            self.assertEqual(verified.read(), content.read())
        certificates = self.openssl("pkcs7", "-inform", "DER", "-in", signature,
                                    "-print_certs", "-noout")
        for name in ("leaf", "middle", "root"):
            self.assertIn(f"subject=CN = {label}-{name}", certificates)
        self.assertIn("jar verified", self.program("jarsigner", "-verify", jar))


class Nss(CertificateCase):

    def test_certutil_and_modutil_list(self):
        self.new_with_chain("nss-listed")
        database = "sql:" + str(self.folder)
        self.program("certutil", "-N", "-d", database, "--empty-password")
        self.program("modutil", "-dbdir", database, "-add", "claviger",
                     "-libfile", MODULE, "-force")
        self.assertIn("token: claviger", self.program(
            "modutil", "-dbdir", database, "-list"))
        certificates = self.program("certutil", "-L", "-d", database, "-h",
                                    "claviger")
        self.assertRegex(certificates, r"claviger:nss-listed +u,u,u")
        self.assertIn("claviger:nss-listed-middle", certificates)
        keys = self.program("certutil", "-K", "-d", database, "-h", "claviger")
        self.assertIn("nss-listed", keys)


if __name__ == "__main__":
    unittest.main()
