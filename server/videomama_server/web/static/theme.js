// Chooses light or dark before the page is drawn; the system's choice holds until a person chooses.
const chosen = localStorage.getItem("videomama-theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
