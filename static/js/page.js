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
