// SPDX-License-Identifier: Apache-2.0
// The AWS Encryption SDK for JavaScript: a stream sealed under our keys.

import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {test} from 'node:test';

import {
  buildClient, CommitmentPolicy, KMS, KmsKeyringNode, limitRegions,
} from '@aws-crypto/client-node';

const endpoint = new URL(process.env.E2E_ENDPOINT);
assert.equal(endpoint.hostname, '127.0.0.1');
assert.notEqual(endpoint.port, '');

const region = 'us-west-2';
// The SDK asks for a client of each key's Region. It gets one that can reach
// our server and nothing else.
const clientProvider = limitRegions([region], (wanted) => new KMS({
  endpoint: endpoint.href,
  region: wanted,
  maxAttempts: 1,
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  },
}));
const kms = clientProvider(region);
const {encryptStream, decryptStream, encrypt, decrypt} = buildClient(
    CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

const newKey = async () => (await kms.createKey({})).KeyMetadata.Arn;
const keyring = (generatorKeyId, keyIds = []) => new KmsKeyringNode(
    {generatorKeyId, keyIds, clientProvider});
const context = {tenant: 'a', purpose: 'stream'};

// What comes out of `through` when `bytes` go in, in odd pieces.
async function pass(bytes, through) {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += 10007) {
    pieces.push(bytes.subarray(at, at + 10007));
  }
  const out = [];
  await pipeline(Readable.from(pieces), through, async (source) => {
    for await (const piece of source) {
      out.push(piece);
    }
  });
  return Buffer.concat(out);
}

test('a stream', async () => {
  const key = await newKey();
  const plaintext = randomBytes(300_000);
  const sealed = await pass(plaintext, encryptStream(
      keyring(key), {encryptionContext: context}));
  assert.ok(sealed.length > plaintext.length);
  assert.equal(sealed.indexOf(plaintext.subarray(0, 64)), -1);
  let header;
  const opening = decryptStream(new KmsKeyringNode(
      {keyIds: [key], clientProvider}));
  opening.once('MessageHeader', (message) => { header = message; });
  assert.deepEqual(await pass(sealed, opening), plaintext);
  for (const [name, value] of Object.entries(context)) {
    assert.equal(header.encryptionContext[name], value);
  }
  assert.equal(header.encryptedDataKeys[0].providerInfo, key);

  sealed[sealed.length >> 1] ^= 1;
  await assert.rejects(pass(sealed, decryptStream(keyring(key))));
});

test('a message for either of two keys, and no third', async () => {
  const [one, two, third] = [await newKey(), await newKey(), await newKey()];
  const {result} = await encrypt(keyring(one, [two]), 'message',
                                 {encryptionContext: context});
  for (const key of [one, two]) {
    const {plaintext} = await decrypt(
        new KmsKeyringNode({keyIds: [key], clientProvider}), result);
    assert.equal(plaintext.toString(), 'message');
  }
  await assert.rejects(decrypt(
      new KmsKeyringNode({keyIds: [third], clientProvider}), result));
  // The other key opens it when the first is gone.
  await kms.disableKey({KeyId: one});
  const {plaintext} = await decrypt(keyring(one, [two]), result);
  assert.equal(plaintext.toString(), 'message');
});

test('the context is authenticated', async () => {
  const key = await newKey();
  const {result} = await encrypt(keyring(key), 'message',
                                 {encryptionContext: context});
  const at = result.indexOf('stream');
  assert.notEqual(at, -1);
  result[at] ^= 1;
  await assert.rejects(decrypt(keyring(key), result));
});
