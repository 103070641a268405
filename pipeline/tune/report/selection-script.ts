/** Which two cells are looked at: chosen in the player, by a click on a plot, or in the table. Other parts of the script listen. */
export const selectionScript = `
const data = JSON.parse(document.querySelector('#data').textContent);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);
const listeners = [];
const sides = data.start.map((cell) => ({ cell, run: 0 }));
let activeSide = 0;
const cellOf = (side) => data.cells[sides[side].cell];
const runOf = (side) => cellOf(side).runs[sides[side].run];
const linkOf = (side) => one('a[data-run="' + sides[side].cell + ' ' + sides[side].run + '"]').getAttribute('href');

function choose(side, cell, run) {
  const seed = runOf(side)?.seed;
  const same = data.cells[cell].runs.findIndex((candidate) => candidate.seed === seed);
  sides[side] = { cell, run: run ?? Math.max(0, same) };
  showChoice(side);
}
function showChoice(side) {
  one('[data-cell-of="' + side + '"]').value = String(sides[side].cell);
  const seeds = one('[data-seed-of="' + side + '"]');
  seeds.replaceChildren(...cellOf(side).runs.map(({ seed }, i) => new Option(String(seed), String(i))));
  seeds.value = String(sides[side].run);
  seeds.parentElement.hidden = cellOf(side).runs.length < 2;
  for (const mark of all('[data-cell]')) mark.classList.toggle('on-' + side, Number(mark.dataset.cell) === sides[side].cell);
  for (const row of all('.numbers tbody tr')) row.classList.toggle('on-' + side, row.id === 'cell-' + sides[side].cell);
  for (const button of all('[data-side="' + side + '"]')) button.setAttribute('aria-pressed', String(Number(button.dataset.index) === sides[side].cell));
  for (const figure of all('figure.windows')) {
    const cells = figure.dataset.cells.split(' ').map(Number);
    figure.hidden = !sides.some(({ cell }) => cells.includes(cell));
    figure.classList.toggle('on-' + side, cells.includes(sides[side].cell));
  }
  for (const listener of listeners) listener(side);
}
function activate(side) {
  activeSide = side;
  for (const button of all('[data-activate]')) button.setAttribute('aria-pressed', String(Number(button.dataset.activate) === side));
}
function beginSelection() {
  for (const side of [0, 1]) {
    one('[data-cell-of="' + side + '"]').addEventListener('change', (event) => choose(side, Number(event.target.value)));
    one('[data-seed-of="' + side + '"]').addEventListener('change', (event) => choose(side, sides[side].cell, Number(event.target.value)));
  }
  document.addEventListener('click', ({ target }) => {
    const mark = target.closest('[data-cell],[data-side],[data-activate]');
    if (!mark) return;
    if (mark.dataset.activate) activate(Number(mark.dataset.activate));
    else if (mark.dataset.side) choose(Number(mark.dataset.side), Number(mark.dataset.index));
    else choose(activeSide, Number(mark.dataset.cell));
  });
  for (const element of all('.player,#curves,[data-side]')) element.hidden = false;
  document.documentElement.classList.add('live');
  showChoice(0);
  showChoice(1);
}
`;
