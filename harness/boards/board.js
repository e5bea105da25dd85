// Sorting a table by a click on its head; rows that are not ranked stay below those that are.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), body = head.closest("table").tBodies[0];
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.cells[head.cellIndex].dataset.key ?? row.cells[head.cellIndex].textContent;
    const rows = [...body.rows].sort((a, b) => {
      const grey = a.classList.contains("grey") - b.classList.contains("grey");
      if (grey) return grey;
      const x = parseFloat(key(a)), y = parseFloat(key(b));
      if (isNaN(x) !== isNaN(y)) return isNaN(x) - isNaN(y);
      const order = isNaN(x) ? key(a).localeCompare(key(b)) : x - y;
      return up ? order : -order;
    });
    body.append(...rows);
  });
}
