#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes ciphertext.json, from docs/protocol/ciphertext.md and not from our code.

Usage: tests/golden/make_ciphertext.py > tests/golden/ciphertext.json
       tests/golden/make_ciphertext.py external > \
           tests/golden/ciphertext_external.json

Needs the Python package "cryptography". The output is checked in and never
changes: every release decrypts these ciphertexts.
"""

import hashlib
import json
import struct
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

XAES, COUNTED, EXTERNAL = 1, 2, 3
UUID, MULTI_REGION = 1, 2


def encrypt_block(key, block):
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def subkey(key):
    """K1 of CMAC: E_K(0) times x in GF(2^128)."""
    number = int.from_bytes(encrypt_block(key, bytes(16)), "big") << 1
    if number >> 128:
        number ^= 1 << 128 | 0x87
    return number.to_bytes(16, "big")


def derive(key, purpose, p):
    k1 = subkey(key)
    blocks = [bytes([0, counter]) + purpose + bytes(1) + p for counter in (1, 2)]
    return b"".join(
        encrypt_block(key, bytes(a ^ b for a, b in zip(block, k1)))
        for block in blocks)


def check_value(algorithm, key):
    if algorithm == XAES:
        return derive(key, b"C", bytes(12))
    return AESGCM(key).encrypt(bytes(12), bytes(32), b"")[:32]


def sized(text):
    data = text.encode()
    return struct.pack(">I", len(data)) + data


def vector(name, algorithm, kind, key_id, key, nonce, context, plaintext):
    check = check_value(algorithm, key)
    material = hashlib.sha256(b"claviger-material-1" + key_id + check).digest()
    header = bytes([1, algorithm, kind]) + key_id + material
    pairs = sorted(context.items(), key=lambda pair: pair[0].encode())
    aad = hashlib.sha256(
        header + struct.pack(">I", len(pairs))
        + b"".join(sized(k) + sized(v) for k, v in pairs)).digest()
    derived = derive(key, b"X", nonce[:12])
    message_key = derived if algorithm == XAES else key
    sealed = AESGCM(message_key).encrypt(nonce[12:], plaintext, aad)
    assert len(header + nonce + sealed) == len(plaintext) + 91
    spelled = {UUID: f"{key_id.hex()[:8]}-{key_id.hex()[8:12]}-"
                     f"{key_id.hex()[12:16]}-{key_id.hex()[16:20]}-"
                     f"{key_id.hex()[20:]}",
               MULTI_REGION: "mrk-" + key_id.hex()}
    return {
        "name": name, "algorithm": algorithm, "key_id": spelled[kind],
        "aes_key": key.hex(), "nonce": nonce.hex(), "context": context,
        "plaintext": plaintext.hex(), "k1": subkey(key).hex(),
        "check_value": check.hex(), "material_id": material.hex(),
        "header": header.hex(), "aad": aad.hex(),
        "message_key": message_key.hex(),
        "blob": (header + nonce + sealed).hex(),
    }


def external_vector(name, key_id, key, nonce, external_key, iv, metadata,
                    context, plaintext):
    """The inner layer is algorithm 1's, but for the header; the outer one is
    what an XKS proxy that binds its metadata makes."""
    check = check_value(XAES, key)
    material = hashlib.sha256(b"claviger-material-1" + key_id + check).digest()
    header = bytes([1, EXTERNAL, UUID]) + key_id + material
    pairs = sorted(context.items(), key=lambda pair: pair[0].encode())
    aad = hashlib.sha256(
        header + struct.pack(">I", len(pairs))
        + b"".join(sized(k) + sized(v) for k, v in pairs)).digest()
    inner = AESGCM(derive(key, b"X", nonce[:12])).encrypt(
        nonce[12:], plaintext, aad)
    bound = struct.pack(">H", len(aad)) + aad + bytes([len(metadata)]) + metadata
    sealed = AESGCM(external_key).encrypt(iv, inner, bound)
    ciphertext, tag = sealed[:-16], sealed[-16:]
    assert len(ciphertext) == len(plaintext) + 16
    return {
        "name": name, "algorithm": EXTERNAL,
        "key_id": f"{key_id.hex()[:8]}-{key_id.hex()[8:12]}-"
                  f"{key_id.hex()[12:16]}-{key_id.hex()[16:20]}-"
                  f"{key_id.hex()[20:]}",
        "aes_key": key.hex(), "external_key": external_key.hex(),
        "nonce": nonce.hex(), "context": context,
        "plaintext": plaintext.hex(), "material_id": material.hex(),
        "header": header.hex(), "aad": aad.hex(), "inner": inner.hex(),
        "metadata": metadata.hex(), "iv": iv.hex(), "tag": tag.hex(),
        "ciphertext": ciphertext.hex(),
        "blob": (header + bytes([len(metadata)]) + metadata
                 + bytes([len(iv)]) + iv + tag + nonce + ciphertext).hex(),
    }


def fixed(label, size):
    """Bytes that anybody can make again."""
    return hashlib.shake_128(label.encode()).digest(size)


def counted(counter):
    return bytes(16) + struct.pack(">Q", counter)


# K1 with and without the reduction of the doubling.
PLAIN, REDUCED = fixed("key 0", 32), fixed("key 1", 32)
assert {encrypt_block(key, bytes(16))[0] >> 7
        for key in (PLAIN, REDUCED)} == {0, 1}

VECTORS = [
    vector("xaes", XAES, UUID, fixed("id 1", 16), PLAIN,
           fixed("nonce 1", 24), {}, b"The keys are under the doormat."),
    vector("xaes with a context", XAES, UUID, fixed("id 2", 16), REDUCED,
           fixed("nonce 2", 24),
           {"\U0001f511": "key", "\uffee": "before it in UTF-8, not in UTF-16",
            "department": "finance", "Department": "", "z\u00e4": "\u20ac"},
           fixed("data key", 32)),
    vector("xaes, multi-Region, one byte", XAES, MULTI_REGION,
           fixed("id 3", 16), PLAIN, fixed("nonce 3", 24),
           {"": "no name"}, b"\x00"),
    vector("xaes, the largest plaintext", XAES, UUID, fixed("id 4", 16),
           REDUCED, fixed("nonce 4", 24), {"a": "b"}, bytes(4096)),
    vector("counted", COUNTED, UUID, fixed("id 5", 16), PLAIN, counted(1),
           {"purpose": "golden"}, b"counted from one"),
    vector("counted, a large counter", COUNTED, UUID, fixed("id 6", 16),
           REDUCED, counted(0x0123456789abcdef), {}, fixed("data key", 64)),
    vector("counted, an IV of the token", COUNTED, UUID, fixed("id 10", 16),
           PLAIN, bytes(12) + fixed("iv 10", 12), {"a": "b"},
           b"not from one"),
]

EXTERNAL_VECTORS = [
    external_vector("external", fixed("id 7", 16), PLAIN, fixed("nonce 7", 24),
                    fixed("external key", 32), fixed("iv 7", 12),
                    bytes([1, 0, 0, 0, 3]), {"department": "finance"},
                    b"behind two doors"),
    external_vector("external, no metadata, 16 bytes of IV", fixed("id 8", 16),
                    REDUCED, fixed("nonce 8", 24), fixed("external key", 32),
                    fixed("iv 8", 16), b"", {}, b"\x00"),
    external_vector("external, the largest", fixed("id 9", 16), REDUCED,
                    fixed("nonce 9", 24), fixed("external key", 32),
                    fixed("iv 9", 16), bytes(range(20)), {"a": "b"},
                    bytes(4096)),
]

print(json.dumps(EXTERNAL_VECTORS if sys.argv[1:] == ["external"] else VECTORS,
                 indent=1))
