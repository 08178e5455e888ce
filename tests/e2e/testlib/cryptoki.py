# SPDX-License-Identifier: Apache-2.0
"""The C functions of a PKCS#11 module, called from this very process."""

import ctypes

CKA_CLASS, CKA_LABEL = 0x000, 0x003
CKO_PRIVATE_KEY = 3
CKM_ECDSA = 0x1041
CKF_RW_SERIAL = 6
CKR_OK, CKR_DEVICE_ERROR = 0x00, 0x30
ULONG = ctypes.c_ulong


class Attribute(ctypes.Structure):
    _fields_ = [("type", ULONG), ("value", ctypes.c_void_p), ("size", ULONG)]


class Mechanism(ctypes.Structure):
    _fields_ = [("type", ULONG), ("parameter", ctypes.c_void_p),
                ("size", ULONG)]


class Cryptoki:
    """A module, initialised, in the environment that this process has."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.check("C_Initialize", None)

    def rv(self, function, *arguments):
        call = getattr(self.library, function)
        call.restype = ULONG
        return call(*arguments)

    def check(self, function, *arguments):
        rv = self.rv(function, *arguments)
        assert rv == CKR_OK, f"{function}: {rv:#x}"

    def open(self):
        session = ULONG()
        self.check("C_OpenSession", ULONG(0), ULONG(CKF_RW_SERIAL), None, None,
                   ctypes.byref(session))
        return session

    def private_key(self, session, label):
        text = ctypes.create_string_buffer(label.encode(), len(label))
        kind = ULONG(CKO_PRIVATE_KEY)
        rows = (Attribute * 2)(
            (CKA_CLASS, ctypes.addressof(kind), ctypes.sizeof(kind)),
            (CKA_LABEL, ctypes.addressof(text), len(label)))
        key, count = ULONG(), ULONG()
        self.check("C_FindObjectsInit", session, rows, ULONG(2))
        self.check("C_FindObjects", session, ctypes.byref(key), ULONG(1),
                   ctypes.byref(count))
        self.check("C_FindObjectsFinal", session)
        assert count.value == 1, label
        return key

    def sign(self, session, key, digest):
        """An ECDSA signature, or the CK_RV that came instead."""
        mechanism = Mechanism(CKM_ECDSA, None, 0)
        out = ctypes.create_string_buffer(132)
        size = ULONG(len(out))
        rv = self.rv("C_SignInit", session, ctypes.byref(mechanism), key)
        rv = rv or self.rv("C_Sign", session, digest, ULONG(len(digest)), out,
                           ctypes.byref(size))
        return rv or out.raw[:size.value]

    def close(self):
        self.check("C_Finalize", None)
