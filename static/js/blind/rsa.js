// Blind signatures, RFC 9474, variant RSABSSA-SHA384-PSS: the reader's side of them. A key signs a ticket that it never
// sees; what comes back is an ordinary RSA-PSS signature once the blinding is taken off.

import { fromText, join, toBytes, toNumber } from "./bytes.js";

const ALGORITHM = { name: "RSA-PSS", hash: "SHA-384" };
const HASH = 48;
const SALT = 48;
const EXPONENT = 65537n;

// A public key out of its SPKI encoding. Refuses every other size and exponent: an odd key could mark its reader.
export async function importKey(spki, bits = 2048) {
  const verifier = await crypto.subtle.importKey("spki", spki, ALGORITHM, true, ["verify"]);
  const { modulusLength, publicExponent } = verifier.algorithm;
  if (modulusLength !== bits || toNumber(publicExponent) !== EXPONENT) throw new TypeError("not a key of this size");
  const { n } = await crypto.subtle.exportKey("jwk", verifier);
  return { n: toNumber(fromText(n)), e: EXPONENT, bits, bytes: bits / 8, verifier };
}

// The prepared message under a factor that only the reader knows, and what takes the factor off again.
export async function blind(key, prepared, salt, factor) {
  const encoded = toNumber(await encode(prepared, salt, key.bits - 1));
  inverseOf(encoded, key.n); // a message that shares a factor with the modulus cannot be blinded
  const inverse = inverseOf(factor % key.n, key.n);
  const blinded = (encoded * power(factor % key.n, key.e, key.n)) % key.n;
  return { blinded: toBytes(blinded, key.bytes), inverse: toBytes(inverse, key.bytes) };
}

// The signature on the prepared message; throws unless it verifies under this very key.
export async function finalize(key, prepared, blindSignature, inverse) {
  if (blindSignature.length !== key.bytes || inverse.length !== key.bytes) throw new TypeError("not of this key's length");
  const covered = toNumber(blindSignature);
  if (covered >= key.n) throw new TypeError("not below the modulus");
  const signature = toBytes((covered * toNumber(inverse)) % key.n, key.bytes);
  if (!(await verify(key, prepared, signature))) throw new TypeError("not a signature of this key");
  return signature;
}

export const verify = (key, prepared, signature) =>
  crypto.subtle.verify({ name: "RSA-PSS", saltLength: SALT }, key.verifier, signature, prepared);

export function power(base, exponent, modulus) {
  let result = 1n;
  for (let bit = exponent.toString(2).length - 1; bit >= 0; bit -= 1) {
    result = (result * result) % modulus;
    if ((exponent >> BigInt(bit)) & 1n) result = (result * base) % modulus;
  }
  return result;
}

export function inverseOf(number, modulus) {
  let [rest, next, coefficient, following] = [modulus, number, 0n, 1n];
  while (next > 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest - quotient * next];
    [coefficient, following] = [following, coefficient - quotient * following];
  }
  if (rest !== 1n) throw new RangeError("no inverse");
  return coefficient < 0n ? coefficient + modulus : coefficient;
}

// EMSA-PSS-ENCODE of RFC 8017 with SHA-384 and MGF1.
async function encode(prepared, salt, bits) {
  const length = Math.ceil(bits / 8);
  if (length < HASH + salt.length + 2) throw new RangeError("the key is too short for this encoding");
  const digest = await sha384(join(new Uint8Array(8), await sha384(prepared), salt));
  const block = new Uint8Array(length - HASH - 1);
  block[block.length - salt.length - 1] = 1;
  block.set(salt, block.length - salt.length);
  const mask = await maskOf(digest, block.length);
  const masked = block.map((byte, index) => byte ^ mask[index]);
  masked[0] &= 0xff >> (8 * length - bits);
  return join(masked, digest, Uint8Array.of(0xbc));
}

async function maskOf(seed, length) {
  const counters = Array.from({ length: Math.ceil(length / HASH) }, (_, count) => toBytes(BigInt(count), 4));
  const blocks = await Promise.all(counters.map((counter) => sha384(join(seed, counter))));
  return join(...blocks).subarray(0, length);
}

const sha384 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-384", bytes));
