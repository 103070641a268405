import { axisTicks } from '../../pages/axis-ticks.js';

/** Draws the curves of the two chosen cells, one plot a metric, with their joints, the player's frame and a reading. */
export const curvesScript = `
const curveBox = one('#curves .curves');
const svgOf = (name, attributes, ...children) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};
const inset = { left: 46, right: 10, top: 14, bottom: 28 };
const plotHeight = 150;
let plots = [];
const digits = (value) => {
  if (value === undefined || value === null) return '–';
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return size > 0 && size < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
};

${axisTicks.toString()}
/** A path through the values; where one is missing the line breaks. */
function pathOf(values, x, y) {
  let path = '';
  let pen = false;
  values.forEach((value, i) => {
    if (value === null) { pen = false; return; }
    path += (pen ? 'L' : 'M') + x(i).toFixed(1) + ' ' + y(value).toFixed(1);
    pen = true;
  });
  return path;
}
/** Values that have no neighbour to draw a line to. */
function dotsOf(values, x, y) {
  const missing = (i) => (values[i] ?? null) === null;
  return values.map((value, i) => missing(i) || !missing(i - 1) || !missing(i + 1) ? '' : 'M' + x(i).toFixed(1) + ' ' + y(value).toFixed(1) + 'h0').join('');
}
function plotOf({ title, unit }, k) {
  const width = Math.max(260, curveBox.clientWidth < 900 ? curveBox.clientWidth : (curveBox.clientWidth - 20) / 2);
  const last = Math.max(1, lastFrame());
  const runs = [0, 1].map((side) => cellOf(side).runs);
  const known = runs.flat().flatMap(({ curves }) => curves[k]).filter((value) => value !== null);
  if (known.length === 0) return undefined;
  let low = Math.min(...known), high = Math.max(...known);
  const air = (high - low) * 0.06 || Math.abs(high) * 0.05 || 0.5;
  low -= low >= 0 ? Math.min(low, air) : air;
  high += air;
  const bottom = plotHeight - inset.bottom, right = width - inset.right;
  const x = (frame) => inset.left + (frame / last) * (right - inset.left);
  const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - inset.top);
  const lines = svgOf('g', { class: 'gridlines' });
  const texts = svgOf('g', { class: 'ticks' });
  for (const tick of axisTicks(low, high, 4)) {
    lines.append(svgOf('path', { d: 'M' + inset.left + ' ' + y(tick).toFixed(1) + 'H' + right }));
    texts.append(svgOf('text', { x: inset.left - 6, y: y(tick) + 4, 'text-anchor': 'end' }, digits(tick)));
  }
  for (const tick of axisTicks(0, last, 8).filter(Number.isInteger)) texts.append(svgOf('text', { x: x(tick), y: plotHeight - 10, 'text-anchor': 'middle' }, String(tick)));
  const joints = [0, 1].map((side) => svgOf('path', {
    class: 'joint joint-' + side,
    d: cellOf(side).joints.map((joint) => {
      const at = x(joint).toFixed(1);
      return side === 0 ? 'M' + at + ' ' + (inset.top - 8) + 'v8' : 'M' + at + ' ' + (bottom + 1) + 'v7';
    }).join(''),
  }));
  const faint = svgOf('path', { class: 'faint', d: [0, 1].flatMap((side) => cellOf(side).joints).length > 60 ? '' : [0, 1].flatMap((side) => cellOf(side).joints).map((joint) => 'M' + x(joint).toFixed(1) + ' ' + inset.top + 'V' + bottom).join('') });
  const paths = [1, 0].flatMap((side) => [
    ...runs[side].flatMap((run, i) => i === sides[side].run ? [] : [svgOf('path', { class: 'curve other ink-' + side, d: pathOf(run.curves[k], x, y) })]),
    svgOf('path', { class: 'curve ink-' + side, d: pathOf(runOf(side).curves[k], x, y) }),
    svgOf('path', { class: 'dots ink-' + side, d: dotsOf(runOf(side).curves[k], x, y) }),
  ]);
  const cursor = svgOf('path', { class: 'cursor', d: 'M0 ' + (inset.top - 8) + 'V' + (bottom + 8) });
  const svg = svgOf('svg', { viewBox: '0 0 ' + width + ' ' + plotHeight, width, height: plotHeight, role: 'img', 'aria-label': title + ' of A and B by frame' }, lines, faint, ...joints, ...paths, texts, cursor);
  const reading = document.createElement('span');
  reading.className = 'reading';
  const caption = document.createElement('figcaption');
  const name = document.createElement('b');
  name.textContent = title;
  const about = document.createElement('span');
  about.className = 'soft';
  about.textContent = unit ? ' ' + unit : '';
  caption.append(name, about, reading);
  const figure = document.createElement('figure');
  figure.append(caption, svg);
  const frameAt = (event) => {
    const box = svg.getBoundingClientRect();
    return Math.min(last, Math.max(0, Math.round((((event.clientX - box.left) * width / box.width - inset.left) / (right - inset.left)) * last)));
  };
  svg.addEventListener('pointermove', (event) => read(frameAt(event), true));
  svg.addEventListener('pointerleave', () => read(frame, false));
  svg.addEventListener('click', (event) => goTo(frameAt(event)));
  return {
    figure,
    read(at, pointed) {
      cursor.setAttribute('transform', 'translate(' + x(at).toFixed(1) + ' 0)');
      const parts = [0, 1].map((side) => {
        const value = document.createElement('span');
        value.className = 'ink-' + side;
        value.textContent = 'AB'[side] + ' ' + digits(runOf(side).curves[k][at]);
        return value;
      });
      reading.replaceChildren((pointed ? 'frame ' + at + ' · ' : ''), parts[0], ' \u2002', parts[1]);
    },
  };
}
function read(at, pointed) {
  for (const plot of plots) plot.read(at, pointed);
}
function drawCurves() {
  plots = data.curves.map(plotOf).filter(Boolean);
  curveBox.replaceChildren(...plots.map(({ figure }) => figure));
  read(frame, false);
}
function beginCurves() {
  let asked = false;
  const soon = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; drawCurves(); });
  };
  listeners.push(soon);
  frameListeners.push((now) => read(now, false));
  let width = 0;
  new ResizeObserver(() => { if (curveBox.clientWidth !== width) { width = curveBox.clientWidth; soon(); } }).observe(curveBox);
}
`;
