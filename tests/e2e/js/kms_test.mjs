// SPDX-License-Identifier: Apache-2.0
// The AWS SDK for JavaScript: every operation, good and refused. The exact
// texts of errors are tested with boto3.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import * as sdk from '@aws-sdk/client-kms';

const endpoint = new URL(process.env.E2E_ENDPOINT);
assert.equal(endpoint.hostname, '127.0.0.1');
assert.notEqual(endpoint.port, '');

const kms = new sdk.KMSClient({
  endpoint: endpoint.href,
  region: 'us-west-2',
  maxAttempts: 1,
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  },
});

function send(operation, input = {}) {
  return kms.send(new sdk[`${operation}Command`](input));
}

async function newKey(input = {}) {
  return (await send('CreateKey', input)).KeyMetadata;
}

function refuses(name, operation, input) {
  return assert.rejects(send(operation, input), (error) => {
    assert.equal(error.name, name);
    assert.equal(error.$metadata.httpStatusCode, 400);
    if (sdk[name]) {
      assert.ok(error instanceof sdk[name]);
    }
    return true;
  });
}

const text = (bytes) => Buffer.from(bytes).toString();

test('keys', async () => {
  const key = await newKey({
    Description: 'from JavaScript', Tags: [{TagKey: 'a', TagValue: 'b'}]});
  assert.match(key.Arn, /^arn:aws:kms:us-west-2:\d{12}:key\//);
  assert.match(key.CurrentKeyMaterialId, /^[0-9a-f]{64}$/);
  assert.ok(key.CreationDate instanceof Date);
  const KeyId = key.KeyId;
  assert.deepEqual((await send('DescribeKey', {KeyId})).KeyMetadata, key);
  const listed = (await send('ListKeys', {Limit: 1000})).Keys;
  assert.ok(listed.some((entry) => entry.KeyArn === key.Arn));
  await send('UpdateKeyDescription', {KeyId, Description: 'changed'});
  await send('DisableKey', {KeyId});
  const shown = (await send('DescribeKey', {KeyId})).KeyMetadata;
  assert.equal(shown.KeyState, 'Disabled');
  assert.equal(shown.Description, 'changed');
  await refuses('DisabledException', 'GenerateDataKey',
                {KeyId, KeySpec: 'AES_256'});
  await send('EnableKey', {KeyId});
  await refuses('NotFoundException', 'DescribeKey', {KeyId: 'no-such-key'});
  await refuses('InvalidArnException', 'DescribeKey', {KeyId: 'arn:nonsense'});
});

test('deletion', async () => {
  const {KeyId, Arn} = await newKey();
  const reply = await send('ScheduleKeyDeletion',
                           {KeyId, PendingWindowInDays: 7});
  assert.equal(reply.KeyId, Arn);
  assert.ok(reply.DeletionDate > new Date());
  await refuses('KMSInvalidStateException', 'ScheduleKeyDeletion', {KeyId});
  assert.equal((await send('CancelKeyDeletion', {KeyId})).KeyId, Arn);
  await refuses('KMSInvalidStateException', 'CancelKeyDeletion', {KeyId});
  await refuses('ValidationException', 'ScheduleKeyDeletion',
                {KeyId, PendingWindowInDays: 6});
});

test('aliases', async () => {
  const [first, second] = [await newKey(), await newKey()];
  const AliasName = 'alias/javascript';
  await send('CreateAlias', {AliasName, TargetKeyId: first.KeyId});
  await refuses('AlreadyExistsException', 'CreateAlias',
                {AliasName, TargetKeyId: first.KeyId});
  await send('UpdateAlias', {AliasName, TargetKeyId: second.KeyId});
  const {Aliases} = await send('ListAliases', {KeyId: second.KeyId});
  assert.deepEqual(Aliases.map((alias) => alias.AliasName), [AliasName]);
  assert.equal((await send('DescribeKey', {KeyId: AliasName})).KeyMetadata.Arn,
               second.Arn);
  await send('DeleteAlias', {AliasName});
  await refuses('NotFoundException', 'DeleteAlias', {AliasName});
});

test('encryption', async () => {
  const [key, other] = [await newKey(), await newKey()];
  const EncryptionContext = {tenant: 'a', 'schl\u00fcssel': '\u{1f511}'};
  const sealed = await send('Encrypt', {
    KeyId: key.KeyId, Plaintext: Buffer.from('message'), EncryptionContext});
  assert.equal(sealed.KeyId, key.Arn);
  const CiphertextBlob = sealed.CiphertextBlob;
  const opened = await send('Decrypt', {CiphertextBlob, EncryptionContext});
  assert.equal(text(opened.Plaintext), 'message');
  assert.equal(opened.KeyMaterialId, key.CurrentKeyMaterialId);
  await refuses('InvalidCiphertextException', 'Decrypt', {CiphertextBlob});
  await refuses('IncorrectKeyException', 'Decrypt',
                {CiphertextBlob, EncryptionContext, KeyId: other.KeyId});
  await refuses('DryRunOperationException', 'Decrypt',
                {CiphertextBlob, EncryptionContext, DryRun: true});
  const again = await send('ReEncrypt', {
    CiphertextBlob, SourceEncryptionContext: EncryptionContext,
    DestinationKeyId: other.KeyId});
  assert.equal(again.SourceKeyMaterialId, key.CurrentKeyMaterialId);
  assert.equal(again.DestinationKeyMaterialId, other.CurrentKeyMaterialId);
  const plain = await send('Decrypt', {CiphertextBlob: again.CiphertextBlob});
  assert.equal(text(plain.Plaintext), 'message');
});

test('data keys', async () => {
  const {KeyId} = await newKey();
  const made = await send('GenerateDataKey', {KeyId, KeySpec: 'AES_256'});
  assert.equal(made.Plaintext.length, 32);
  const opened = await send('Decrypt', {CiphertextBlob: made.CiphertextBlob});
  assert.deepEqual(Buffer.from(opened.Plaintext), Buffer.from(made.Plaintext));
  const blind = await send('GenerateDataKeyWithoutPlaintext',
                           {KeyId, NumberOfBytes: 24});
  assert.equal(blind.Plaintext, undefined);
  await refuses('ValidationException', 'GenerateDataKey', {KeyId});
  const {Plaintext} = await send('GenerateRandom', {NumberOfBytes: 20});
  assert.equal(Plaintext.length, 20);
  await refuses('ValidationException', 'GenerateRandom', {});
});

test('tags', async () => {
  const {KeyId} = await newKey();
  await send('TagResource', {KeyId, Tags: [
    {TagKey: 'a', TagValue: '1'}, {TagKey: 'b', TagValue: '2'}]});
  await send('UntagResource', {KeyId, TagKeys: ['a']});
  const {Tags} = await send('ListResourceTags', {KeyId});
  assert.deepEqual(Tags, [{TagKey: 'b', TagValue: '2'}]);
  await refuses('TagException', 'TagResource',
                {KeyId, Tags: [{TagKey: 'aws:x', TagValue: ''}]});
});

test('policies', async () => {
  const {KeyId} = await newKey();
  const listed = await send('ListKeyPolicies', {KeyId});
  assert.deepEqual(listed.PolicyNames, ['default']);
  const {Policy, PolicyName} = await send('GetKeyPolicy', {KeyId});
  assert.equal(PolicyName, 'default');
  await send('PutKeyPolicy', {
    KeyId, Policy: Policy.replace('key-default-1', 'mine')});
  const changed = (await send('GetKeyPolicy', {KeyId})).Policy;
  assert.equal(JSON.parse(changed).Id, 'mine');
  await refuses('MalformedPolicyDocumentException', 'PutKeyPolicy',
                {KeyId, Policy: '{}'});
});

test('pages', async () => {
  const keys = [await newKey(), await newKey(), await newKey()];
  const seen = new Set();
  for await (const page of sdk.paginateListKeys(
                 {client: kms, pageSize: 2}, {})) {
    page.Keys.forEach((key) => seen.add(key.KeyArn));
  }
  keys.forEach((key) => assert.ok(seen.has(key.Arn)));
});
