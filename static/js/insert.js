// Puts a figure into a text box where the cursor is. Markup: button.r-insert[data-into="ID of the box"][data-text].
// Buttons that set a field instead (a repair such as "Set customers to 35%") carry data-value.

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.r-insert[data-into]");
  const box = button && document.getElementById(button.dataset.into);
  if (!box) return;
  if (button.dataset.value !== undefined) {
    box.value = button.dataset.value;
  } else {
    box.setRangeText(button.dataset.text ?? button.textContent, box.selectionStart, box.selectionEnd, "end");
  }
  box.focus();
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.dispatchEvent(new Event("change", { bubbles: true }));
});
