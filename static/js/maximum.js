// The page that rates under maximum protection. One part of it is shown at a time; every word stands in the template.
// Choices, tickets and codes are variables of this file, so that leaving the page forgets them.

import { Problem, Sitting } from "./blind/sitting.js";

const SHORTEST = 8;
const PARTS = ["wait", "again", "new", "return", "list", "ballot"];
const KEPT_OPEN = new Set(["offline", "failed", "signed_out"]);

const root = document.getElementById("maximum");
const part = (name) => document.getElementById(`part-${name}`);
const form = document.getElementById("ballot");
const comment = document.getElementById("comment");
const bar = document.getElementById("bar");
const send = document.getElementById("send");

let sitting = null;
let current = null; // the colleague whose ballot is open
const unsent = new Map(); // review -> choices that were made and not cast
const codes = new Map(); // review -> code of the ballot cast on this visit

const filled = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function say(key) {
  const place = document.getElementById("said");
  place.replaceChildren();
  if (!key) return;
  place.append(root.querySelector(`template[data-say="${key}"]`).content.cloneNode(true));
  place.scrollIntoView({ block: "nearest" });
}

function show(name) {
  for (const each of PARTS) part(each).hidden = each !== name;
  bar.hidden = name !== "ballot";
  part("codes").hidden = codes.size === 0 || name === "ballot";
}

function wait(key, values = {}) {
  part("wait").textContent = filled(part("wait").dataset[key], values);
  show("wait");
}

const progress = (done, all) => wait("drawing", { done, all });

// Runs one step; a failure that may pass offers the very same step again, anything else returns to `back`.
async function attempt(step, back) {
  say(null);
  try {
    await step();
  } catch (error) {
    const code = error instanceof Problem ? error.code : "failed";
    if (KEPT_OPEN.has(code)) {
      show("again");
      document.getElementById("again").onclick = () => attempt(step, back);
    } else {
      show(back);
    }
    say(code);
    if (!(error instanceof Problem)) throw error;
  }
}

// -- tickets ----------------------------------------------------------------------------------------------------------

async function start() {
  if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) {
    say("insecure");
    return;
  }
  await attempt(async () => {
    wait("loading");
    sitting = await Sitting.open(root.dataset.tickets, root.dataset.digest);
    askForPassphrase();
  }, null);
}

function askForPassphrase() {
  const name = sitting.isReturning ? "return" : "new";
  show(name);
  part(name).querySelector("input").focus();
}

for (const asking of root.querySelectorAll("form[data-passphrase]")) {
  asking.addEventListener("submit", (event) => {
    event.preventDefault();
    const [typed, again] = Array.from(asking.querySelectorAll("input"), (input) => input.value);
    const fault = asking.dataset.passphrase === "new" && ([...typed].length < SHORTEST ? "short" : typed !== again && "differs");
    if (fault) {
      say(fault);
      markPassphrase(asking, true);
      return;
    }
    markPassphrase(asking, false);
    attempt(() => unlock(asking, typed), asking.dataset.passphrase).then(() => refocus(asking));
  });
}

function markPassphrase(asking, isWrong) {
  for (const input of asking.querySelectorAll("input")) {
    if (isWrong) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  if (isWrong) asking.querySelector("input").focus();
}

function refocus(asking) {
  if (!asking.closest("section").hidden) markPassphrase(asking, true);
}

async function unlock(asking, passphrase) {
  const isNew = asking.dataset.passphrase === "new";
  wait(isNew ? "locking" : "opening");
  await (isNew ? sitting.draw(root.dataset.draw, passphrase, progress) : sitting.redraw(root.dataset.draw, passphrase, progress));
  asking.reset();
  list();
}

// -- the list ---------------------------------------------------------------------------------------------------------

function row(each) {
  const made = document.getElementById("one").content.cloneNode(true);
  const [button, isCast] = [made.querySelector("button"), codes.has(each.review)];
  made.querySelector("[data-name]").textContent = each.name;
  made.querySelector("[data-department]").textContent = each.department ?? "";
  made.querySelector("[data-cast]").hidden = !isCast;
  button.textContent = isCast ? button.dataset.again : button.dataset.first;
  button.setAttribute("aria-label", filled(isCast ? button.dataset.againAbout : button.dataset.firstAbout, each));
  button.addEventListener("click", () => openBallot(each));
  return made;
}

function list() {
  document.getElementById("colleagues").replaceChildren(...sitting.colleagues.map(row));
  // Sorted, so that the order of casting is not read off a sheet of paper.
  const grouped = [...codes.values()].sort().map((code) => code.match(/.{4}/g).join(" "));
  const lines = grouped.map((code) => Object.assign(document.createElement("li"), { textContent: code }));
  document.getElementById("codes").replaceChildren(...lines);
  show("list");
  document.getElementById("list-title").focus();
}

document.getElementById("save").addEventListener("click", (event) => {
  const { file, head, where } = event.currentTarget.dataset;
  const text = [head, where, "", ...[...codes.values()].sort(), ""].join("\r\n");
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  Object.assign(document.createElement("a"), { href: address, download: file }).click();
  URL.revokeObjectURL(address);
});

// -- one ballot -------------------------------------------------------------------------------------------------------

function openBallot(each) {
  say(null);
  current = each;
  form.reset();
  clearMarks();
  const kept = unsent.get(each.review);
  for (const [name, value] of Object.entries(kept?.chosen ?? {})) form.elements[name].value = value;
  if (comment) comment.value = kept?.comment ?? "";
  const heading = document.getElementById("about");
  heading.textContent = filled(heading.dataset.words, each);
  document.getElementById("initial").textContent = [...each.name][0] ?? "";
  document.getElementById("about-department").textContent = each.department ?? "";
  dressBar("next");
  show("ballot");
  window.scrollTo(0, 0);
  heading.focus();
}

// Whom to go on to. Who comes back changes single ballots: which ones are cast already, nobody can tell.
function remaining() {
  if (sitting.isReturning) return [];
  return sitting.colleagues.filter((each) => !codes.has(each.review) && each.review !== current.review);
}

function dressBar(word) {
  send.textContent = send.dataset[word === "next" && remaining().length === 0 ? "last" : word];
  const tally = document.getElementById("tally");
  tally.textContent = filled(tally.dataset.words, { done: codes.size, all: sitting.colleagues.length });
}

const questions = () => [...form.querySelectorAll("fieldset")];

function choices() {
  const chosen = Object.fromEntries([...new FormData(form)].filter(([name]) => name.startsWith("c-")));
  return { chosen, comment: (comment?.value ?? "").trim() };
}

form.addEventListener("input", () => unsent.set(current.review, choices()));
form.addEventListener("change", (event) => {
  unsent.set(current.review, choices());
  unmark(event.target.closest("fieldset"));
});

function unmark(question) {
  question?.querySelector(".r-err")?.remove();
  question?.setAttribute("aria-describedby", `${question.id}-h`);
}

// Above the answers, where whoever is taken there looks first.
function mark(question) {
  const told = document.getElementById("no-answer").content.firstElementChild.cloneNode(true);
  told.id = `${question.id}-e`;
  question.querySelector(".r-levels").before(told);
  question.setAttribute("aria-describedby", `${question.id}-h ${told.id}`);
}

function clearMarks() {
  questions().forEach(unmark);
}

// Marks every question without an answer, and tells which they are.
function markMissing() {
  clearMarks();
  const open = questions().filter((question) => !question.querySelector("input:checked"));
  open.forEach(mark);
  return open;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (send.disabled) return;
  const missing = markMissing();
  say(missing.length > 0 ? "missing" : null);
  if (missing.length > 0) {
    missing[0].scrollIntoView({ block: "center" });
    missing[0].querySelector("input").focus({ preventScroll: true });
    return;
  }
  const { review } = current;
  const { chosen, comment: words } = choices();
  const answers = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== "none").map(([name, value]) => [name.slice(2), value]));
  busy(true);
  try {
    const code = await sitting.cast(review, answers, words);
    codes.set(review, code);
    unsent.delete(review);
    busy(false);
    goOn();
  } catch (error) {
    busy(false);
    refused(error instanceof Problem ? error.code : "failed");
    if (!(error instanceof Problem)) throw error;
  }
});

function busy(isBusy) {
  send.disabled = isBusy;
  document.getElementById("back").disabled = isBusy;
  for (const question of questions()) question.disabled = isBusy;
  if (isBusy) dressBar("sending");
}

function refused(code) {
  if (code === "closed") unsent.clear(); // nothing can be sent any more
  dressBar(code === "offline" || code === "failed" ? "again" : "next");
  say(code === "offline" ? "unsent" : code);
}

function goOn() {
  const next = remaining()[0];
  form.reset();
  if (next) openBallot(next);
  else list();
  say(codes.size === sitting.colleagues.length ? "all" : "cast");
}

document.getElementById("back").addEventListener("click", () => {
  say(null);
  list();
});

// -- leaving ----------------------------------------------------------------------------------------------------------

window.addEventListener("beforeunload", (event) => {
  if (unsent.size > 0) event.preventDefault();
});
// A page kept for "back" would still hold the tickets: it starts from the beginning.
window.addEventListener("pagehide", () => sitting?.forget());
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

start();
