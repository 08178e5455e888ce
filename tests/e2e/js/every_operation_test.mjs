// SPDX-License-Identifier: Apache-2.0
// Every command that the SDK has, at least once: those that the server does
// not do must be refused by name.

import assert from 'node:assert/strict';
import {constants, publicEncrypt, createPublicKey, randomBytes}
  from 'node:crypto';
import {test} from 'node:test';

import * as sdk from '@aws-sdk/client-kms';

const endpoint = new URL(process.env.E2E_ENDPOINT);
assert.equal(endpoint.hostname, '127.0.0.1');
assert.notEqual(endpoint.port, '');

const kms = new sdk.KMSClient({
  endpoint: endpoint.href,
  region: 'us-west-1',
  maxAttempts: 1,
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  },
});
const sent = new Set();

function send(operation, input = {}) {
  sent.add(operation);
  return kms.send(new sdk[`${operation}Command`](input));
}

const newKey = async (input) =>
  (await send('CreateKey', input)).KeyMetadata.KeyId;
const bytes = (value) => Buffer.from(value);

// The reply, or undefined if the server says that it does not do this.
async function served(operation, input) {
  try {
    return await send(operation, input);
  } catch (error) {
    assert.ok(error instanceof sdk.UnsupportedOperationException, error);
    assert.match(error.message, / (is|are) not supported by this server\.$/);
    return undefined;
  }
}

function refuses(name, operation, input) {
  return assert.rejects(send(operation, input), (error) => {
    assert.ok(error instanceof sdk[name], error);
    assert.equal(error.$metadata.httpStatusCode, 400);
    return true;
  });
}

// What kms_test.mjs looks at closely, in passing.
test('keys and their names', async () => {
  const [KeyId, TargetKeyId] = [await newKey(), await newKey()];
  const AliasName = 'alias/every-command';
  await send('CreateAlias', {AliasName, TargetKeyId: KeyId});
  await send('UpdateAlias', {AliasName, TargetKeyId});
  assert.equal((await send('ListAliases', {KeyId: TargetKeyId})).Aliases.length,
               1);
  await send('DeleteAlias', {AliasName});
  await send('DisableKey', {KeyId});
  await send('EnableKey', {KeyId});
  await send('UpdateKeyDescription', {KeyId, Description: 'd'});
  await send('ScheduleKeyDeletion', {KeyId: TargetKeyId});
  await send('CancelKeyDeletion', {KeyId: TargetKeyId});
  await send('DescribeKey', {KeyId});
  await send('ListKeys');
  const {Policy} = await send('GetKeyPolicy', {KeyId});
  await send('PutKeyPolicy', {KeyId, Policy});
  await send('ListKeyPolicies', {KeyId});
  await send('TagResource', {KeyId, Tags: [{TagKey: 'a', TagValue: 'b'}]});
  assert.equal((await send('ListResourceTags', {KeyId})).Tags.length, 1);
  await send('UntagResource', {KeyId, TagKeys: ['a']});
});

test('encryption and data keys', async () => {
  const KeyId = await newKey();
  const {CiphertextBlob} = await send('Encrypt',
                                      {KeyId, Plaintext: Buffer.from('m')});
  const moved = await send('ReEncrypt',
                           {CiphertextBlob, DestinationKeyId: KeyId});
  const opened = await send('Decrypt',
                            {CiphertextBlob: moved.CiphertextBlob});
  assert.equal(bytes(opened.Plaintext).toString(), 'm');
  await send('GenerateDataKey', {KeyId, KeySpec: 'AES_256'});
  await send('GenerateDataKeyWithoutPlaintext', {KeyId, KeySpec: 'AES_256'});
  await send('GenerateRandom', {NumberOfBytes: 1});
  const pair = await send('GenerateDataKeyPair',
                          {KeyId, KeyPairSpec: 'ECC_NIST_P256'});
  const {Plaintext} = await send(
      'Decrypt', {CiphertextBlob: pair.PrivateKeyCiphertextBlob});
  assert.deepEqual(bytes(Plaintext), bytes(pair.PrivateKeyPlaintext));
  const blind = await send('GenerateDataKeyPairWithoutPlaintext',
                           {KeyId, KeyPairSpec: 'ECC_NIST_EDWARDS25519'});
  assert.equal(blind.KeyPairSpec, 'ECC_NIST_EDWARDS25519');
  const {KeyLastUsage} = await send('GetKeyLastUsage', {KeyId});
  assert.equal(KeyLastUsage.Operation, 'GenerateDataKeyPairWithoutPlaintext');
});

test('signatures, MACs and agreement', async () => {
  const Message = Buffer.from('message');
  const signer = {
    KeyId: await newKey({KeySpec: 'ECC_NIST_P384', KeyUsage: 'SIGN_VERIFY'}),
    SigningAlgorithm: 'ECDSA_SHA_384', Message};
  const {Signature} = await send('Sign', signer);
  assert.equal((await send('Verify', {...signer, Signature})).SignatureValid,
               true);
  await refuses('KMSInvalidSignatureException', 'Verify',
                {...signer, Signature, Message: Buffer.from('other')});
  const maker = {
    KeyId: await newKey({KeySpec: 'HMAC_384', KeyUsage: 'GENERATE_VERIFY_MAC'}),
    MacAlgorithm: 'HMAC_SHA_384', Message};
  const {Mac} = await send('GenerateMac', maker);
  assert.equal((await send('VerifyMac', {...maker, Mac})).MacValid, true);
  await refuses('KMSInvalidMacException', 'VerifyMac',
                {...maker, Mac, Message: Buffer.from('other')});
  const agreeing = {KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT'};
  const [one, two] = [await newKey(agreeing), await newKey(agreeing)];
  const secrets = [];
  for (const [KeyId, peer] of [[one, two], [two, one]]) {
    const {PublicKey} = await send('GetPublicKey', {KeyId: peer});
    secrets.push(bytes((await send('DeriveSharedSecret', {
      KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey})).SharedSecret));
  }
  assert.deepEqual(secrets[0], secrets[1]);
});

// There is no ML_KEM key.
test('encapsulation', async () => {
  const KeyId = await newKey();
  await refuses('InvalidKeyUsageException', 'Encapsulate',
                {KeyId, EncapsulationAlgorithm: 'ML_KEM'});
  await refuses('InvalidKeyUsageException', 'Decapsulate', {
    KeyId, EncapsulationAlgorithm: 'ML_KEM',
    SharedSecretCiphertextBlob: Buffer.alloc(768)});
});

test('rotation', async () => {
  const KeyId = await newKey();
  await send('EnableKeyRotation', {KeyId, RotationPeriodInDays: 90});
  const status = await send('GetKeyRotationStatus', {KeyId});
  assert.equal(status.RotationPeriodInDays, 90);
  assert.ok(status.NextRotationDate > new Date());
  await send('DisableKeyRotation', {KeyId});
  await send('RotateKeyOnDemand', {KeyId});
  const {Rotations} = await send('ListKeyRotations', {KeyId});
  assert.deepEqual(Rotations.map((entry) => entry.RotationType),
                   ['ON_DEMAND']);
});

test('grants', async () => {
  const KeyId = await newKey();
  const GranteePrincipal = 'arn:aws:iam::000000000000:user/admin';
  const create = () => send('CreateGrant', {
    KeyId, GranteePrincipal, RetiringPrincipal: GranteePrincipal,
    Operations: ['Decrypt']});
  const [one, two] = [await create(), await create()];
  assert.equal((await send('ListGrants', {KeyId})).Grants.length, 2);
  assert.ok((await send('ListRetirableGrants', {
    RetiringPrincipal: GranteePrincipal})).Grants.length >= 2);
  await send('RetireGrant', {GrantToken: one.GrantToken});
  await send('RevokeGrant', {KeyId, GrantId: two.GrantId});
  assert.deepEqual((await send('ListGrants', {KeyId})).Grants, []);
});

test('imported key material', async () => {
  const made = await served('CreateKey', {Origin: 'EXTERNAL'});
  const KeyId = made ? made.KeyMetadata.KeyId : await newKey();
  const got = await served('GetParametersForImport', {
    KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
    WrappingKeySpec: 'RSA_2048'});
  const EncryptedKeyMaterial = got ? publicEncrypt({
    key: createPublicKey(
        {key: bytes(got.PublicKey), format: 'der', type: 'spki'}),
    padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256',
  }, randomBytes(32)) : Buffer.from('material');
  await served('ImportKeyMaterial', {
    KeyId, EncryptedKeyMaterial,
    ImportToken: got ? got.ImportToken : Buffer.from('token'),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE'});
  await served('DeleteImportedKeyMaterial', {KeyId});
});

test('multi-Region keys', async () => {
  const made = await served('CreateKey', {MultiRegion: true});
  const KeyId = made ? made.KeyMetadata.KeyId : await newKey();
  await served('ReplicateKey', {KeyId, ReplicaRegion: 'eu-north-1'});
  await served('UpdatePrimaryRegion', {KeyId, PrimaryRegion: 'eu-north-1'});
});

test('custom key stores', async () => {
  await refuses('CloudHsmClusterNotFoundException', 'CreateCustomKeyStore', {
    CustomKeyStoreName: 'store', CloudHsmClusterId: 'cluster-abcdefghijk',
    TrustAnchorCertificate: '-----', KeyStorePassword: 'kmsPswd1'});
  const told = await send('DescribeCustomKeyStores', {});
  assert.deepEqual(told.CustomKeyStores, []);
  for (const operation of ['Connect', 'Disconnect', 'Delete']) {
    await refuses('CustomKeyStoreNotFoundException',
                  `${operation}CustomKeyStore`,
                  {CustomKeyStoreId: 'cks-1234567890abcdef0'});
  }
  await refuses('CustomKeyStoreNotFoundException', 'UpdateCustomKeyStore',
                {CustomKeyStoreId: 'cks-1234567890abcdef0',
                 NewCustomKeyStoreName: 'name'});
});

test('that was every command', () => {
  const commands = Object.keys(sdk)
      .filter((name) => name !== '$Command' && name.endsWith('Command'))
      .map((name) => name.slice(0, -'Command'.length));
  assert.deepEqual([...sent].sort(), commands.sort());
  assert.equal(commands.length, 56);
});
