/** Sorts the table of all numbers by a click on a column's head: the better end first, then the other. */
export const tableScript = `
function beginTable() {
  const table = one('.numbers');
  if (!table) return;
  const body = one('tbody', table);
  const rows = [...body.rows];
  for (const button of all('th button', table)) {
    const head = button.parentElement;
    button.addEventListener('click', () => {
      const first = head.dataset.better === 'higher' ? 'descending' : 'ascending';
      const second = first === 'ascending' ? 'descending' : 'ascending';
      const order = head.getAttribute('aria-sort') === first ? second : first;
      for (const other of all('th', table)) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', order);
      const valueOf = (row) => {
        const text = row.cells[head.cellIndex]?.dataset.value;
        return text === undefined ? undefined : Number(text);
      };
      const sign = order === 'ascending' ? 1 : -1;
      // Rows without a number stay below.
      body.append(...[...rows].sort((a, b) => {
        const one = valueOf(a), other = valueOf(b);
        if (one === undefined || other === undefined) return (one === undefined) - (other === undefined);
        return sign * (one - other) || 0;
      }));
    });
  }
}
`;
