"use strict";
/* Parallel coordinates: what the pointer or the keyboard is on is lit and read out, together with its table row, and
   the slider keeps the best configurations only. */
document.querySelectorAll(".parallels").forEach((box) => {
  const lines = [...box.querySelectorAll("polyline")];
  const table = [...document.querySelectorAll("table[data-search]")].find((one) => one.dataset.search === box.dataset.search);
  const rowOf = (line) => table?.querySelector(`tr[data-number="${line.dataset.number}"]`);
  const readout = box.querySelector(".readout");
  const resting = readout.textContent;
  const light = (line) => {
    for (const one of lines) {
      one.classList.toggle("lit", one === line);
      rowOf(one)?.classList.toggle("lit", one === line);
    }
    readout.textContent = line ? line.querySelector("title").textContent : resting;
  };
  for (const line of lines) {
    const row = rowOf(line);
    line.addEventListener("pointerenter", () => light(line));
    line.addEventListener("pointerleave", () => light(null));
    line.addEventListener("focus", () => light(line));
    line.addEventListener("blur", () => light(null));
    row?.addEventListener("pointerenter", () => light(line));
    row?.addEventListener("pointerleave", () => light(null));
  }
  /* One stop for the tab key; arrows go from line to line, best first. */
  const ranked = [...lines].sort((a, b) => a.dataset.rank - b.dataset.rank);
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  ranked[0].setAttribute("tabindex", "0");
  box.querySelector("svg").addEventListener("keydown", (event) => {
    const seen = ranked.filter((line) => !line.classList.contains("away"));
    const next = seen[seen.indexOf(document.activeElement) + (step[event.key] ?? 0)];
    if (!step[event.key] || !next) return;
    event.preventDefault();
    document.activeElement.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });
  const tools = box.querySelector(".tools");
  const slider = tools.querySelector("input");
  tools.hidden = false;
  slider.addEventListener("input", () => {
    tools.querySelector("output").textContent = slider.value;
    for (const line of lines) line.classList.toggle("away", Number(line.dataset.rank) > Number(slider.value));
  });
});
