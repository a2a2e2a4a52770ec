// The seed from which a rater's tickets come: made here, sent only under the rating passphrase. The same seed and the
// same key give the same ticket again, so that a ballot can be changed until the close from any computer.

import { hex, join, sha256, utf8 } from "./bytes.js";

const ROUNDS = 600000;
const SALT = 16;
const VECTOR = 12;

export const newSeed = () => crypto.getRandomValues(new Uint8Array(32));

// The seed under the passphrase: salt, initial vector, AES-256-GCM.
export async function wrap(seed, passphrase) {
  const salt = crypto.getRandomValues(new Uint8Array(SALT));
  const iv = crypto.getRandomValues(new Uint8Array(VECTOR));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await keyOf(passphrase, salt), seed);
  return join(salt, iv, new Uint8Array(sealed));
}

// The seed again; throws for every other passphrase.
export async function unwrap(blob, passphrase) {
  const iv = blob.subarray(SALT, SALT + VECTOR);
  const key = await keyOf(passphrase, blob.subarray(0, SALT));
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, blob.subarray(SALT + VECTOR)));
}

// Prefix, salt and blinding (to be reduced by the modulus) of a review's ticket. They depend on the key as well: were
// one factor used under two keys, whoever serves both could compute it and recognise the ticket when it is cast.
export async function derive(seed, review, spki) {
  const place = `${review}|${hex(await sha256(spki))}`;
  const source = await crypto.subtle.importKey("raw", seed, "HKDF", false, ["deriveBits"]);
  const part = async (name, length) => {
    const info = utf8(`review360 ${name}|${place}`);
    const algorithm = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info };
    return new Uint8Array(await crypto.subtle.deriveBits(algorithm, source, 8 * length));
  };
  return { prefix: await part("prefix", 32), salt: await part("salt", 48), blinding: await part("blinding", 272) };
}

// One spelling for what looks alike, whatever keyboard it was typed on.
async function keyOf(passphrase, salt) {
  const source = await crypto.subtle.importKey("raw", utf8(passphrase.normalize("NFKC")), "PBKDF2", false, ["deriveKey"]);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
  return crypto.subtle.deriveKey(algorithm, source, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}
