// SPDX-License-Identifier: Apache-2.0
// The host has made an engine the default for keys of RSA and on curves, as
// `openssl -engine pkcs11` does.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <gmock/gmock.h>
#include <openssl/engine.h>
#include <openssl/evp.h>

#include <array>
#include <string>

#include "tests/pkcs11/session_key_test.h"

namespace pkcs11::module {
namespace {

constexpr const char* kP256 = "06082a8648ce3d030107";

// Methods that do nothing, and those of libp11's engine: OpenSSL's, copied.
enum class Methods { kNone, kCopied };

// Never freed: engines come and go with every test.
template <Methods kMethods, int kType>
EVP_PKEY_METHOD* MethodOf() {
  static EVP_PKEY_METHOD* const made = [] {
    EVP_PKEY_METHOD* const method = EVP_PKEY_meth_new(kType, 0);
    if (kMethods == Methods::kCopied) {
      EVP_PKEY_meth_copy(method, EVP_PKEY_meth_find(kType));
    }
    return method;
  }();
  return made;
}

template <Methods kMethods>
int GiveMethod(ENGINE*, EVP_PKEY_METHOD** method, const int** types, int type) {
  static constexpr std::array kTypes = {EVP_PKEY_RSA, EVP_PKEY_EC};
  if (method == nullptr) {
    *types = kTypes.data();
    return static_cast<int>(kTypes.size());
  }
  *method = type == EVP_PKEY_RSA  ? MethodOf<kMethods, EVP_PKEY_RSA>()
            : type == EVP_PKEY_EC ? MethodOf<kMethods, EVP_PKEY_EC>()
                                  : nullptr;
  return *method == nullptr ? 0 : 1;
}

// The default engine of this process, while it lives.
class DefaultEngine {
 public:
  explicit DefaultEngine(ENGINE_PKEY_METHS_PTR methods)
      : engine_(ENGINE_new()) {
    EXPECT_EQ(ENGINE_set_id(engine_, "test"), 1);
    EXPECT_EQ(ENGINE_set_pkey_meths(engine_, methods), 1);
    EXPECT_EQ(ENGINE_set_default(engine_, ENGINE_METHOD_PKEY_METHS), 1);
  }
  ~DefaultEngine() {
    ENGINE_unregister_pkey_meths(engine_);
    ENGINE_set_pkey_meths(engine_, nullptr);  // It would free the methods.
    ENGINE_free(engine_);
  }
  DefaultEngine(const DefaultEngine&) = delete;
  DefaultEngine& operator=(const DefaultEngine&) = delete;

 private:
  ENGINE* engine_;
};

class HostEngineTest : public SessionKeyTest {
 protected:
  HostEngineTest() {
    kms_->AddKey("ECC_NIST_P256", "KEY_AGREEMENT", "agree");
    kms_->AddKey("RSA_2048", "SIGN_VERIFY", "rsa");
  }

  CK_RV Create(Rows rows) const {
    CK_OBJECT_HANDLE made = 0;
    return C_CreateObject(session_, rows.data(), rows.size(), &made);
  }
  CK_RV CreateRsa() const {
    CK_OBJECT_CLASS kind = CKO_PUBLIC_KEY;
    CK_KEY_TYPE type = CKK_RSA;
    const CK_OBJECT_HANDLE like = Find(kind, "rsa");
    base::Bytes modulus = Value(like, CKA_MODULUS);
    base::Bytes exponent = Value(like, CKA_PUBLIC_EXPONENT);
    return Create({Row(CKA_CLASS, kind),
                   Row(CKA_KEY_TYPE, type),
                   {CKA_MODULUS, modulus.data(), modulus.size()},
                   {CKA_PUBLIC_EXPONENT, exponent.data(), exponent.size()}});
  }
  CK_RV CreateEc(base::Bytes point) const {
    CK_OBJECT_CLASS kind = CKO_PUBLIC_KEY;
    CK_KEY_TYPE type = CKK_EC;
    base::Bytes params = *base::HexDecode(kP256);
    return Create({Row(CKA_CLASS, kind),
                   Row(CKA_KEY_TYPE, type),
                   {CKA_EC_PARAMS, params.data(), params.size()},
                   {CKA_EC_POINT, point.data(), point.size()}});
  }
  CK_RV Generate(CK_MECHANISM_TYPE type, CK_ATTRIBUTE row) {
    CK_MECHANISM mechanism = {type, nullptr, 0};
    return C_GenerateKeyPair(session_, &mechanism, &row, 1, nullptr, 0,
                             &public_, &private_);
  }
  CK_RV GenerateEc() {
    base::Bytes params = *base::HexDecode(kP256);
    return Generate(CKM_EC_KEY_PAIR_GEN,
                    {CKA_EC_PARAMS, params.data(), params.size()});
  }
  CK_RV GenerateRsa() {
    CK_ULONG bits = 2048;
    return Generate(CKM_RSA_PKCS_KEY_PAIR_GEN, Row(CKA_MODULUS_BITS, bits));
  }
  CK_RV Derive(CK_OBJECT_HANDLE own, base::ByteView point) {
    CK_ECDH1_DERIVE_PARAMS parameter = {CKD_NULL, 0, nullptr, point.size(),
                                        Unconst(point)};
    CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &parameter, sizeof(parameter)};
    return C_DeriveKey(session_, &mechanism, own, nullptr, 0, &key_);
  }
  base::Bytes Point(CK_OBJECT_HANDLE key) const {
    return Value(key, CKA_EC_POINT);
  }

  CK_OBJECT_HANDLE public_ = 0;
  CK_OBJECT_HANDLE private_ = 0;
  CK_OBJECT_HANDLE key_ = 0;
};

TEST_F(HostEngineTest, AnEngineLikeLibp11sIsNoHindrance) {
  const base::Bytes theirs = Point(Find(CKO_PUBLIC_KEY, "agree"));
  const CK_OBJECT_HANDLE kms = Find(CKO_PRIVATE_KEY, "agree");
  const DefaultEngine engine(GiveMethod<Methods::kCopied>);
  EXPECT_EQ(CreateRsa(), CKR_OK);
  EXPECT_EQ(CreateEc(theirs), CKR_OK);
  base::Bytes wrong = theirs;
  wrong.back() ^= 1;
  EXPECT_EQ(CreateEc(wrong), CKR_ATTRIBUTE_VALUE_INVALID);
  ASSERT_EQ(GenerateEc(), CKR_OK);
  ASSERT_EQ(Derive(private_, theirs), CKR_OK);
  const base::Bytes secret = Value(key_, CKA_VALUE);
  ASSERT_EQ(Derive(kms, Point(public_)), CKR_OK);
  EXPECT_EQ(Value(key_, CKA_VALUE), secret);
}

TEST_F(HostEngineTest, KeysAreMadeWithoutTheEngine) {
  const base::Bytes theirs = Point(Find(CKO_PUBLIC_KEY, "agree"));
  const DefaultEngine engine(GiveMethod<Methods::kNone>);
  EXPECT_EQ(CreateRsa(), CKR_OK);
  EXPECT_EQ(CreateEc(theirs), CKR_OK);
  EXPECT_EQ(GenerateRsa(), CKR_OK);
  EXPECT_EQ(GenerateEc(), CKR_OK);
}

}  // namespace
}  // namespace pkcs11::module
