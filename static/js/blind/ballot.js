// A ballot as the urn takes it: one size for all, sealed to the cycle's public key before it leaves the browser.

import { AEAD_AES_128_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_P256_HKDF_SHA256 } from "../../vendor/hpke/index.js";
import { join, toBytes, toText, utf8 } from "./bytes.js";

export const VERSION = 1;
const SPACE = 0x20;
const suite = new CipherSuite(KEM_DHKEM_P256_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_128_GCM);

// JSON with sorted keys and no white space, filled up with spaces. Throws for a ballot that does not fit.
export function plaintext(answers, comment, review, ticket, signature, size) {
  const said = Object.fromEntries(Object.entries(answers).sort(([one], [other]) => (one < other ? -1 : 1)));
  const words = comment ? { comment: comment.toWellFormed?.() ?? comment } : {};
  const text = JSON.stringify({ answers: said, ...words, review, signature: toText(signature), ticket: toText(ticket) });
  const body = utf8(text);
  if (body.length > size) throw new RangeError("a ballot must fit the one size that all ballots have");
  const filled = new Uint8Array(size).fill(SPACE);
  filled.set(body);
  return filled;
}

// One-time key (65 bytes) and ciphertext. Cycle, version and ticket hash are bound in.
export async function seal(plain, { cycle, hash, publicKey }) {
  const info = join(utf8(`review360 ballot|${cycle}|${VERSION}|`), hash);
  const recipient = await suite.DeserializePublicKey(publicKey);
  const { encapsulatedSecret, ciphertext } = await suite.Seal(recipient, plain, { info });
  return join(encapsulatedSecret, ciphertext);
}

// What is posted to the endpoint that knows no names.
export const body = (cycle, review, prefix, signature, sealed) =>
  join(Uint8Array.of(VERSION), toBytes(BigInt(cycle), 4), toBytes(BigInt(review), 4), prefix, signature, sealed);
