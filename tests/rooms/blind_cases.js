// What test_blind_browser.py runs in the page: our modules, and beside them the implementation they are compared with.

import { BlindRSA } from "/oracle/blindrsa.js";
import * as ballot from "/static/js/blind/ballot.js";
import { fromText, hex, toBytes, toNumber, toText, utf8 } from "/static/js/blind/bytes.js";
import * as rsa from "/static/js/blind/rsa.js";
import * as seeds from "/static/js/blind/seed.js";
import * as tickets from "/static/js/blind/ticket.js";

const raw = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const random = (length) => crypto.getRandomValues(new Uint8Array(length));
const keys = new Map();

async function keyOf(spki, bits) {
  if (!keys.has(spki)) keys.set(spki, await rsa.importKey(fromText(spki), bits));
  return keys.get(spki);
}

export async function outcome(work) {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

// The published vectors: the same salt and factor must give the same bytes.
export async function vector(spki, said) {
  const key = await rsa.importKey(fromText(spki), 4096);
  const factor = rsa.inverseOf(toNumber(raw(said.inv)), key.n);
  const { blinded, inverse } = await rsa.blind(key, raw(said.prepared_msg), raw(said.salt), factor);
  const signature = await rsa.finalize(key, raw(said.prepared_msg), raw(said.blind_sig), inverse);
  return { blinded_msg: hex(blinded), inv: hex(inverse), sig: hex(signature) };
}

// Random messages, salts and factors, given to both; the other takes them from a dice that was loaded for it.
let pending = [];
export async function blindBoth(spki, bits, count) {
  const key = await keyOf(spki, bits);
  const other = new BlindRSA({ hash: "SHA-384", saltLength: 48, prepareType: 32 });
  const honest = crypto.getRandomValues;
  const blinded = [];
  let differences = 0;
  for (let n = 0; n < count; n += 1) {
    const prepared = random(32 + (n % 64));
    const salt = random(48);
    const factor = (toNumber(random(bits / 8)) % (key.n - 2n)) + 1n;
    const loaded = [salt, toBytes(factor, bits / 8)];
    crypto.getRandomValues = () => loaded.shift();
    const theirs = await other.blind(key.verifier, prepared).finally(() => delete crypto.getRandomValues);
    if (crypto.getRandomValues !== honest) throw new Error("the dice stayed loaded");
    const ours = await rsa.blind(key, prepared, salt, factor);
    if (hex(ours.blinded) !== hex(theirs.blindedMsg) || hex(ours.inverse) !== hex(theirs.inv)) differences += 1;
    blinded.push(toText(ours.blinded));
    pending.push({ key, prepared, inverse: ours.inverse });
  }
  return { blinded, differences };
}

export async function finalizeBoth(signed) {
  const other = new BlindRSA({ hash: "SHA-384", saltLength: 48, prepareType: 32 });
  let differences = 0;
  for (const [n, { key, prepared, inverse }] of pending.entries()) {
    const ours = await rsa.finalize(key, prepared, fromText(signed[n]), inverse);
    const theirs = await other.finalize(key.verifier, prepared, fromText(signed[n]), inverse);
    if (hex(ours) !== hex(theirs)) differences += 1;
  }
  pending = [];
  return differences;
}

// A rater's ticket in two steps, as on the page.
const asked = new Map();
export async function ask(seed, cycle, review, spki) {
  const key = await keyOf(spki, 2048);
  const request = await tickets.request(fromText(seed), cycle, review, key, fromText(spki));
  asked.set(review, { request, key, cycle });
  return { blinded: toText(request.blinded), prepared: toText(request.prepared) };
}

export async function cast(review, signed, { answers, comment, size, sealKey }) {
  const { request, key, cycle } = asked.get(review);
  const ticket = await tickets.complete(request, key, fromText(signed));
  const plain = ballot.plaintext(answers, comment, review, ticket.prepared, ticket.signature, size);
  const hash = await tickets.hashOf(ticket);
  const sealed = await ballot.seal(plain, { cycle, hash, publicKey: fromText(sealKey) });
  return {
    body: toText(ballot.body(cycle, review, ticket.prefix, ticket.signature, sealed)),
    hash: toText(hash),
    receipt: toText(await tickets.receiptOf(ticket)),
    signature: toText(ticket.signature),
  };
}

export async function derived(seed, review, spki) {
  const { prefix, salt, blinding } = await seeds.derive(fromText(seed), review, fromText(spki));
  return [toText(prefix), toText(salt), toText(blinding)];
}

export const wrapped = async (seed, passphrase) => toText(await seeds.wrap(fromText(seed), passphrase));
export const unwrapped = async (blob, passphrase) => toText(await seeds.unwrap(fromText(blob), passphrase));
export const newSeeds = () => [toText(seeds.newSeed()), toText(seeds.newSeed())];
export const imported = async (spki, bits) => (await rsa.importKey(fromText(spki), bits)).bits;
export const finalized = async (spki, signed, inverse) =>
  toText(await rsa.finalize(await keyOf(spki, 2048), utf8("ticket"), fromText(signed), fromText(inverse)));
export const filled = (answers, comment, size) =>
  toText(ballot.plaintext(answers, comment, 7, new Uint8Array(50), new Uint8Array(256), size));
