// The dialog that browses for files: a button with data-browse fills the input before it. See templates/_browser.html.
"use strict";

let browsedFor = null; // the input that gets what is chosen

function folderOf(pattern) {
  return pattern.replace(/[\\/][^\\/]*$/, "");
}

function browse(button) {
  browsedFor = button.previousElementSibling;
  const near = browsedFor.value || document.getElementById("plate").value;
  const values = { field: button.dataset.browse, folder: near ? folderOf(near) : "" };
  document.getElementById("browse-content").textContent = "";
  document.getElementById("browser").showModal();
  htmx.ajax("GET", "/browse", { target: "#browse-content", values });
}

function choose(value) {
  if (browsedFor.id === "out") value = `${value}/${(browsedFor.value || "alpha.####.exr").replace(/^.*[\\/]/, "")}`;
  browsedFor.value = value;
  if (browsedFor.id === "out") browsedFor.dataset.typed = "yes";
  document.getElementById("browser").close();
  browsedFor.dispatchEvent(new Event("change", { bubbles: true }));
  browsedFor.focus();
}

function filterNames(text) {
  const wanted = text.toLowerCase();
  document.querySelectorAll("#browse-content [data-name]").forEach((row) => {
    row.hidden = !row.dataset.name.toLowerCase().includes(wanted);
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.browse) browse(button);
  else if (button?.dataset.choose) choose(button.dataset.choose);
  else if (button?.id === "browser-close") document.getElementById("browser").close();
});

document.addEventListener("input", (event) => {
  if (event.target.id === "browse-filter") filterNames(event.target.value);
});
