// Compares receipts with the published list. What is typed, pasted or opened here is not sent and not kept.

const DIGITS = 32;

const root = document.getElementById("check");
const pasted = document.getElementById("pasted");
const place = document.getElementById("compared");

// Receipts, and how many lines look like one without being one.
function read(text) {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/[\s-]/g, "").toLowerCase());
  const whole = lines.filter((line) => line && /^[0-9a-f]+$/.test(line) && line.length % DIGITS === 0);
  const close = lines.filter((line) => /^[0-9a-z]{20,}$/.test(line) && !whole.includes(line));
  const receipts = whole.flatMap((line) => line.match(/.{32}/g));
  return { receipts: [...new Set(receipts)], typos: close.length };
}

function say(key, values = {}) {
  const made = root.querySelector(`template[data-say="${key}"]`).content.cloneNode(true);
  for (const text of made.querySelectorAll("b")) text.textContent = text.textContent.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  place.append(made);
}

function list(receipts) {
  const made = Object.assign(document.createElement("ul"), { className: "r-list r-code r-mt-s" });
  made.append(...receipts.map((one) => Object.assign(document.createElement("li"), { textContent: one.match(/.{4}/g).join(" ") })));
  place.append(made);
}

async function published() {
  const response = await fetch(root.dataset.list, { credentials: "same-origin", cache: "no-store" });
  if (!response.ok) throw new Error(String(response.status));
  return new Set((await response.json()).receipts.map((receipt) => receipt.slice(0, DIGITS)));
}

async function compare() {
  place.replaceChildren();
  const { receipts, typos } = read(pasted.value);
  if (receipts.length === 0) {
    say("empty");
    return;
  }
  const counted = await published().catch(() => null);
  if (counted === null) {
    say("failed");
    return;
  }
  const missing = receipts.filter((one) => !counted.has(one));
  const found = receipts.length - missing.length;
  const key = receipts.length === 1 ? (found ? "one" : "none") : missing.length ? "some" : "all";
  say(key, { found, all: receipts.length });
  if (key === "some") list(missing);
  if (typos > 0) say("typos", { count: typos });
}

root.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  compare();
});

document.getElementById("saved").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  pasted.value = await file.text();
  event.target.value = "";
  compare();
});
