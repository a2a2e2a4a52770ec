// Keeps the sums under the rows of a KPI plan true while weights are typed; the server computes them again on saving.

const sums = document.getElementById("sums");
const rows = [...document.querySelectorAll(".r-kpi-row")];
const told = new Set(sums.dataset.told.split(" "));

const weightOf = (row) => {
  const typed = row.querySelector("[data-weight]").value.normalize("NFKC").replace("%", "").trim();
  return /^\d+(\.\d+)?$/.test(typed) ? Number(typed) : 0;
};
const sumOf = (chosen) => Math.round(chosen.reduce((sum, row) => sum + weightOf(row), 0) * 1e6) / 1e6;

const show = (place, value, isRight) => {
  place.textContent = value;
  place.classList.toggle("r-badc", !isRight);
};

const count = () => {
  const whole = sumOf(rows);
  const satisfied = sumOf(rows.filter((row) => told.has(row.querySelector(".r-indicator select").value)));
  show(sums.querySelector("[data-total]"), whole, whole === 100);
  show(sums.querySelector("[data-satisfaction]"), satisfied, satisfied >= 30);
  for (const old of sums.querySelectorAll("button:not([data-fit])")) old.remove();
  sums.querySelector("[data-fit]").hidden = (whole === 100 && satisfied >= 30) || satisfied === 0;
};

document.getElementById("f").addEventListener("input", count);
document.getElementById("f").addEventListener("change", count);
