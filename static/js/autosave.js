// Saves a form's draft while it is being written. Markup: form[data-autosave="URL"] and, inside or beside it, an
// element named by data-status="ID" with role="status". All words come from data attributes of that element
// (data-saving, data-saved with {time}, data-failed, data-refused), so that this file holds none. A form marked
// data-sealed is never read: peers' answers leave the device only when they are cast.

const PAUSE = 1200;

function token() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

function tell(status, key) {
  if (!status) return;
  const time = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date());
  status.textContent = (status.dataset[key] ?? "").replace("{time}", time);
}

function watch(form) {
  const status = document.getElementById(form.dataset.status ?? "");
  let timer = 0;
  let running = false;
  let again = false;
  let submitting = false;

  async function save() {
    if (submitting) return;
    if (running) {
      again = true;
      return;
    }
    running = true;
    tell(status, "saving");
    try {
      const response = await fetch(form.dataset.autosave, {
        method: "POST",
        body: new FormData(form),
        headers: { "X-CSRFToken": token(), "X-Requested-With": "autosave" },
        credentials: "same-origin",
        redirect: "error",
      });
      tell(status, response.ok ? "saved" : response.status >= 500 ? "failed" : "refused");
    } catch {
      tell(status, "failed");
    }
    running = false;
    if (again) {
      again = false;
      later();
    }
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  }

  form.addEventListener("input", later);
  form.addEventListener("change", later);
  form.addEventListener("submit", () => {
    submitting = true;
    clearTimeout(timer);
  });
  // A page kept for "back" wakes up with its form still there: it must save again.
  window.addEventListener("pageshow", () => {
    submitting = false;
  });
}

for (const form of document.querySelectorAll("form[data-autosave]:not([data-sealed])")) watch(form);
