# SPDX-License-Identifier: Apache-2.0
"""What the libraries that programs load have in common: what they bring along,
and how a program watches what they do to it."""

import re
import subprocess

# What every host of it has anyway, and what sanitizers bring.
LIBRARIES = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6",
             "libcrypto.so.3", "libssl.so.3", "ld-linux-x86-64.so.2"}
SANITIZERS = re.compile(r"lib([atl]san|ubsan)\.so")

# Python for the program; needs ctypes and os.
WATCH = """
def status(name):
    for line in open("/proc/self/status"):
        if line.startswith(name + ":"):
            return line.split()[1]

def descriptors():
    # But for that of the folder itself, which is closed by now.
    return sorted(name for name in os.listdir("/proc/self/fd")
                  if os.path.lexists(f"/proc/self/fd/{name}"))

def state():
    return {"threads": len(os.listdir("/proc/self/task")),
            "handled": status("SigCgt"), "ignored": status("SigIgn"),
            "blocked": status("SigBlk"), "umask": status("Umask"),
            "environment": dict(os.environ), "folder": os.getcwd(),
            "locale": ctypes.CDLL(None).setlocale(6, None)}
"""


class SharedLibraryTests:
    """Tests of the file `library`."""

    library = None

    def read_elf(self, *options):
        return subprocess.run(["readelf", "--wide", *options, self.library],
                              check=True, capture_output=True, text=True).stdout

    def shown(self):
        """The names of the functions that it exports."""
        lines = [line.split() for line in
                 self.read_elf("--dyn-syms").splitlines() if " UND " not in line]
        return {words[7].split("@")[0] for words in lines
                if len(words) > 7 and words[4] in ("GLOBAL", "WEAK")}

    def test_it_needs_openssl_and_the_compilers_libraries_only(self):
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]",
                                self.read_elf("--dynamic")))
        self.assertIn("libcrypto.so.3", needed)
        self.assertEqual(
            {name for name in needed - LIBRARIES if not SANITIZERS.match(name)},
            set())

    def test_it_stays_loaded_and_is_hardened(self):
        flags = self.read_elf("--dynamic")
        self.assertRegex(flags, r"FLAGS_1.*NOW.*NODELETE|FLAGS_1.*NODELETE.*NOW")
        self.assertNotIn("TEXTREL", flags)
        self.assertIn("GNU_RELRO", self.read_elf("--segments"))
        self.assertRegex(self.read_elf("--segments"), r"GNU_STACK .* RW ")
