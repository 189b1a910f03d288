"use strict";
/* Sorting, filtering, column groups and export of tables; the view is kept in the address. Without this script every
   table is complete and readable. */
(() => {
  const state = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  const remember = (name, value) => {
    if (value) state.set(name, value); else state.delete(name);
    const text = state.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  };
  const cellValue = (row, index) => {
    const cell = row.cells[index];
    return cell.dataset.value ?? cell.textContent.trim();
  };

  /* The column of a head cell, counting what spans several columns or rows. */
  const columnOf = (head) => {
    const table = head.closest("table");
    const taken = [];
    for (const [line, row] of [...table.tHead.rows].entries()) {
      let column = 0;
      for (const cell of row.cells) {
        while (taken[line]?.[column]) column += 1;
        for (let down = 0; down < cell.rowSpan; down += 1) {
          taken[line + down] ??= [];
          for (let right = 0; right < cell.colSpan; right += 1) taken[line + down][column + right] = true;
        }
        if (cell === head) return column;
        column += cell.colSpan;
      }
    }
    return -1;
  };

  const sortBy = (head, direction) => {
    const table = head.closest("table");
    const index = columnOf(head);
    const numeric = head.dataset.sort === "number";
    const sign = direction === "ascending" ? 1 : -1;
    const compare = (one, other) => {
      const [a, b] = [cellValue(one, index), cellValue(other, index)];
      return sign * (numeric ? (parseFloat(a) || 0) - (parseFloat(b) || 0) : a.localeCompare(b));
    };
    table.querySelectorAll("[aria-sort]").forEach((cell) => cell.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", direction);
    table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
  };

  document.querySelectorAll("table.sortable").forEach((table) => {
    table.querySelectorAll("th[data-sort]").forEach((head) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.dataset.sort === "number" && head.dataset.first !== "ascending" ? "descending" : "ascending";
        const flip = { ascending: "descending", descending: "ascending" };
        const direction = flip[head.getAttribute("aria-sort")] ?? first;
        sortBy(head, direction);
        if (table.id) remember("sort", `${columnOf(head)}.${direction}`);
      });
    });
  });

  const download = (name, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const asCsv = (rows) => rows.map((row) => row.map(quoted).join(",")).join("\n") + "\n";

  /* Every other table as it is sorted now: full numbers where a cell has one, with the limits that it has, else text. */
  const plain = (cell) => cell.dataset.value ?? cell.textContent.trim().replace(/\s+/g, " ");
  const headsOf = (table) => {
    const sorted = [...table.querySelectorAll("th[data-sort]")];
    const heads = sorted.length ? sorted : [...(table.tHead?.rows[0].cells ?? [])];
    const named = heads.map((head) => [columnOf(head), head.dataset.name ?? head.textContent.trim()]);
    return named.sort((a, b) => a[0] - b[0]).map(([, name]) => name);
  };
  const tableCsv = (table) => {
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].filter((cell) => !cell.ariaHidden));
    const wide = new Set(rows.flatMap((row) => row.flatMap((cell, index) => (cell.dataset.low ? [index] : []))));
    const spread = (row, limits, text) =>
      row.flatMap((one, index) => (wide.has(index) ? [text(one), ...limits(one)] : [text(one)]));
    const names = spread(headsOf(table), (name) => [`${name}_low`, `${name}_high`], (name) => name);
    const cells = rows.map((row) => spread(row, (cell) => [cell.dataset.low ?? "", cell.dataset.high ?? ""], plain));
    return asCsv(names.length ? [names, ...cells] : cells);
  };
  document.querySelectorAll("table:not([id])").forEach((table) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "save";
    button.textContent = "Save as CSV";
    const region = table.closest(".scroll");
    const title = region?.getAttribute("aria-label") ?? table.closest("section").querySelector("h2").textContent.trim();
    button.setAttribute("aria-label", `Save as CSV: ${title}`);
    const name = title.toLowerCase().replace(/[^a-z0-9]+/g, "-");
    button.addEventListener("click", () => download(`${name}.csv`, tableCsv(table)));
    (region ?? table).after(button);
  });

  /* Paper cannot be clicked: everything that is folded away is printed, then folded again. */
  const opened = [];
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details:not([open])").forEach((one) => { one.open = true; opened.push(one); });
  });
  window.addEventListener("afterprint", () => { while (opened.length) opened.pop().open = false; });
  window.dferbench = { tableCsv };

  const board = document.getElementById("board");
  if (!board) return;
  const tools = document.getElementById("tools");
  tools.hidden = false;
  const filter = tools.querySelector("input[type=search]");
  const shown = () => [...board.tBodies[0].rows].filter((row) => !row.hidden);
  const applyFilter = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of board.tBodies[0].rows) {
      const text = row.cells[1].textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    document.getElementById("count").textContent = `${shown().length} of ${board.tBodies[0].rows.length} methods`;
    remember("filter", filter.value);
  };
  filter.addEventListener("input", applyFilter);

  const groups = [...tools.querySelectorAll("input[data-group]")];
  const applyGroups = () => {
    for (const box of groups) {
      board.querySelectorAll(`[data-in="${box.dataset.group}"]`).forEach((cell) => { cell.hidden = !box.checked; });
    }
    remember("hide", groups.filter((box) => !box.checked).map((box) => box.dataset.group).join("."));
  };
  groups.forEach((box) => box.addEventListener("change", applyGroups));

  /* What is shown now, as rows of texts: numbers in full, with their limits. */
  const view = () => {
    const heads = [...board.querySelectorAll("th[data-name]")].filter((head) => !head.hidden);
    const columns = heads.map((head) => ({ head, index: columnOf(head) })).sort((a, b) => a.index - b.index);
    const names = columns.flatMap(({ head }) => head.dataset.interval
      ? [head.dataset.name, `${head.dataset.name}_low`, `${head.dataset.name}_high`] : [head.dataset.name]);
    const rows = shown().map((row) => columns.flatMap(({ head, index }) => {
      const cell = row.cells[index];
      const value = cell.dataset.value ?? cell.textContent.trim();
      return head.dataset.interval ? [value, cell.dataset.low, cell.dataset.high] : [value];
    }));
    return { names, rows };
  };
  const spelt = { "\\": "backslash", "^": "asciicircum", "~": "asciitilde", "<": "less", ">": "greater", "|": "bar" };
  const escaped = (text) =>
    text.replace(/[\\_%&#${}^~<>|]/g, (sign) => (spelt[sign] ? `\\text${spelt[sign]}{}` : `\\${sign}`));
  const formats = {
    csv: ({ names, rows }) => asCsv([names, ...rows]),
    md: ({ names, rows }) => [names, names.map(() => "---"), ...rows].map((row) => `| ${row.map((cell) => cell.replace(/\|/g, "\\|")).join(" | ")} |`).join("\n") + "\n",
    tex: ({ names, rows }) => [`\\begin{tabular}{${names.map((_, index) => (index ? "r" : "l")).join("")}}`, "\\toprule",
      names.map(escaped).join(" & ") + " \\\\", "\\midrule", ...rows.map((row) => row.map(escaped).join(" & ") + " \\\\"),
      "\\bottomrule", "\\end{tabular}", ""].join("\n"),
  };
  tools.querySelectorAll("button[data-export]").forEach((button) => button.addEventListener("click", () => {
    const kind = button.dataset.export;
    download(`leaderboard.${kind}`, formats[kind](view()));
  }));
  window.dferbench = { view, formats, tableCsv };

  filter.value = state.get("filter") ?? "";
  const hidden = (state.get("hide") ?? "").split(".");
  groups.forEach((box) => { box.checked = !hidden.includes(box.dataset.group); });
  const [column, direction] = (state.get("sort") ?? "").split(".");
  const head = [...board.querySelectorAll("th[data-sort]")].find((cell) => column !== "" && columnOf(cell) === Number(column));
  if (head && ["ascending", "descending"].includes(direction)) sortBy(head, direction);
  if (state.size) { applyFilter(); applyGroups(); }
})();
