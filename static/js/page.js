// What every page does when scripts run: shows the controls that need one, counts characters, prints, filters.

document.documentElement.classList.add("js");

// <span data-count-of="ID" data-words="{n} characters"></span> under a text box.
for (const place of document.querySelectorAll("[data-count-of]")) {
  const box = document.getElementById(place.dataset.countOf);
  if (!box) continue;
  const count = () => {
    place.textContent = (place.dataset.words ?? "{n}").replace("{n}", [...box.value].length);
  };
  box.addEventListener("input", count);
  count();
}

for (const button of document.querySelectorAll("button[data-print]")) button.addEventListener("click", () => window.print());

// A select in form[data-filter] acts at once; the form's own button stays for pages without scripts.
for (const form of document.querySelectorAll("form[data-filter]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
}

// The rest of a long navigation closes when one looks away.
for (const more of document.querySelectorAll(".r-nav-more, .r-menu")) {
  document.addEventListener("click", (event) => {
    if (!more.contains(event.target)) more.open = false;
  });
  more.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !more.open) return;
    more.open = false;
    more.querySelector("summary").focus();
  });
}
