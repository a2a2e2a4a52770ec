// A rater's ticket for one colleague: what is sent to be signed, and what the signature makes of it.

import { join, sha256, toNumber, utf8 } from "./bytes.js";
import { blind, finalize } from "./rsa.js";
import { derive } from "./seed.js";

// Before the signature. `blinded` is all that leaves the browser.
export async function request(seed, cycle, review, key, spki) {
  const { prefix, salt, blinding } = await derive(seed, review, spki);
  const prepared = join(prefix, utf8(`review360 ticket|${cycle}|${review}`));
  return { prefix, prepared, ...(await blind(key, prepared, salt, toNumber(blinding))) };
}

// With the signature; throws when it is not one.
export async function complete(asked, key, blindSignature) {
  const { prefix, prepared, inverse } = asked;
  return { prefix, prepared, signature: await finalize(key, prepared, blindSignature, inverse) };
}

export const hashOf = (ticket) => sha256(ticket.prepared);

// What the published list shows of a counted ballot: says nothing to anybody who has not the ticket.
export const receiptOf = (ticket) => sha256(join(utf8("review360 receipt|"), ticket.prepared));
