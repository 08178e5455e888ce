# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of a test, and what it issues."""

import subprocess

from testlib.clients import SECONDS

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True,
                   capture_output=True, timeout=SECONDS)


class Authority:
    """An authority in a folder of its own, which it makes."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = folder / "ca.pem"
        self.key = folder / "ca.key"
        self.serial = 100
        openssl("req", "-x509", *CURVE, "-days", "2",
                "-subj", "/CN=Authority of a test",
                "-keyout", self.key, "-out", self.certificate)

    def issue(self, name, names="IP:127.0.0.1", days=2, common_name=None):
        """Paths of a certificate and its key, both called `name`."""
        certificate = self.folder / f"{name}.pem"
        key = self.folder / f"{name}.key"
        request = self.folder / "request.pem"
        extensions = self.folder / "extensions"
        extensions.write_text(f"subjectAltName={names}\n")
        self.serial += 1
        openssl("req", "-new", *CURVE, "-subj", f"/CN={common_name or name}",
                "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate,
                "-CAkey", self.key, "-set_serial", self.serial,
                "-days", days, "-extfile", extensions, "-out", certificate)
        return certificate, key
