// One rater's sitting: the keys, checked against the published index, the tickets, and the casting of sealed ballots.
// Everything stays in the memory of the page. What goes wrong is a Problem, whose code the page puts into words.

import { body, plaintext, seal } from "./ballot.js";
import { fromText, hex, sha256, toText } from "./bytes.js";
import { importKey } from "./rsa.js";
import { newSeed, unwrap, wrap } from "./seed.js";
import { complete, hashOf, receiptOf, request } from "./ticket.js";

const CODE = 32; // hexadecimal digits of a receipt that a rater takes along

export class Problem extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export class Sitting {
  #said;
  #colleagues = new Map();
  #tickets = new Map();
  #drawn = null; // seed and wrapped seed of a first draw

  // The cycle's keys, each of them found in the index whose hash the page was delivered with.
  static async open(place, digest) {
    const said = await (await ask(place)).json();
    const index = new Uint8Array(await (await ask(said.index.url)).arrayBuffer());
    if (said.index.sha256 !== digest || hex(await sha256(index)) !== digest) throw new Problem("index");
    const sitting = new Sitting();
    sitting.#said = { ...said, sealKey: fromText(said.seal_public) };
    await sitting.#check(JSON.parse(new TextDecoder().decode(index)));
    return sitting;
  }

  async #check(index) {
    const { cycle, sealKey, colleagues } = this.#said;
    if (index.cycle !== cycle || index.seal !== hex(await sha256(sealKey))) throw new Problem("index");
    for (const each of colleagues) {
      const spki = fromText(each.key);
      if (index.keys[each.review] !== hex(await sha256(spki))) throw new Problem("index");
      const key = await importKey(spki).catch(() => {
        throw new Problem("index");
      });
      this.#colleagues.set(each.review, { ...each, key, spki });
    }
  }

  get isReturning() {
    return this.#said.wrapped !== null && this.#drawn === null;
  }

  get colleagues() {
    return [...this.#colleagues.values()].map(({ review, name, department }) => ({ review, name, department }));
  }

  // All tickets in one go, out of a new seed that only the passphrase opens. Tried again after a failure, it sends the
  // same: the server may have kept the first try although its answer was lost.
  async draw(place, passphrase, progress) {
    if (this.#drawn === null) {
      const seed = newSeed();
      this.#drawn = { seed, wrapped: await wrap(seed, passphrase) };
    }
    await this.#sign(place, this.#drawn, progress);
  }

  // The same tickets again, out of the seed that was kept.
  async redraw(place, passphrase, progress) {
    const wrapped = fromText(this.#said.wrapped);
    const seed = await unwrap(wrapped, passphrase).catch(() => {
      throw new Problem("wrong");
    });
    await this.#sign(place, { seed, wrapped }, progress);
  }

  async #sign(place, { seed, wrapped }, progress) {
    const asked = new Map();
    for (const { review, seat, key, spki } of this.#colleagues.values()) {
      progress(asked.size, this.#colleagues.size);
      asked.set(seat, { review, key, ...(await request(seed, this.#said.cycle, review, key, spki)) });
    }
    const blinded = Object.fromEntries([...asked].map(([seat, each]) => [seat, toText(each.blinded)]));
    const { signatures } = await (await ask(place, { wrapped: toText(wrapped), blinded })).json();
    for (const [seat, each] of asked) {
      const ticket = await complete(each, each.key, fromText(signatures[seat] ?? "")).catch(() => {
        throw new Problem("failed");
      });
      this.#tickets.set(each.review, ticket);
    }
    progress(asked.size, this.#colleagues.size);
  }

  // Seals and sends one ballot; its code. Sent again, or changed, it takes the place of the first.
  async cast(review, answers, comment) {
    const { cycle, size, endpoint, sealKey } = this.#said;
    const ticket = this.#tickets.get(review);
    const plain = fitting(() => plaintext(answers, comment, review, ticket.prepared, ticket.signature, size));
    const sealed = await seal(plain, { cycle, hash: await hashOf(ticket), publicKey: sealKey });
    const sent = body(cycle, review, ticket.prefix, ticket.signature, sealed);
    const response = await reach(endpoint, {
      method: "POST",
      body: sent,
      headers: { "Content-Type": "application/octet-stream" },
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "no-store",
      redirect: "error",
    });
    if (response.status === 410) throw new Problem("closed");
    if (response.status !== 204) throw new Problem("failed");
    return hex(await receiptOf(ticket)).slice(0, CODE);
  }

  forget() {
    this.#tickets.clear();
    this.#drawn = null;
  }
}

function fitting(made) {
  try {
    return made();
  } catch (error) {
    throw error instanceof RangeError ? new Problem("long") : error;
  }
}

async function reach(place, given) {
  try {
    return await fetch(place, given);
  } catch {
    throw new Problem("offline");
  }
}

// A request to our own pages, signed in; with `sent`, a POST of JSON.
async function ask(place, sent) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const posted = { method: "POST", body: JSON.stringify(sent), headers: { "Content-Type": "application/json", "X-CSRFToken": token } };
  const response = await reach(place, { credentials: "same-origin", cache: "no-store", redirect: "manual", ...(sent && posted) });
  if (response.ok) return response;
  if (response.type === "opaqueredirect" || response.status === 401) throw new Problem("signed_out");
  throw new Problem({ 409: "drawn", 410: "closed" }[response.status] ?? "failed");
}
