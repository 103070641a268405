/** The page's only script: filters by state and by text, and hides a clip's contact sheet while its video plays. */
export const summaryScript = `
const form = document.querySelector('form');
const buttons = [...form.querySelectorAll('button')];
const input = form.querySelector('input');
const cards = [...document.querySelectorAll('article')];
const skipped = [...document.querySelectorAll('.skipped li')];
const section = document.querySelector('.skipped');
const none = document.querySelector('#none');
const texts = new Map([...cards, ...skipped].map((item) => [item, item.textContent.toLowerCase()]));
let state = 'all';
function show() {
  const words = input.value.toLowerCase().split(' ').filter(Boolean);
  const matches = (item) => words.every((word) => texts.get(item).includes(word));
  let shown = 0;
  for (const card of cards) {
    card.hidden = !((state === 'all' || card.dataset.state === state) && matches(card));
    if (!card.hidden) shown++;
  }
  let listed = 0;
  for (const item of skipped) {
    item.hidden = !matches(item);
    if (!item.hidden) listed++;
  }
  if (section) {
    section.hidden = !((state === 'all' || state === 'skipped') && listed > 0);
    section.open = state === 'skipped' || words.length > 0;
    if (!section.hidden) shown++;
  }
  none.hidden = shown > 0;
  for (const button of buttons) button.setAttribute('aria-pressed', String(button.value === state));
}
for (const button of buttons) button.addEventListener('click', () => { state = button.value; show(); });
input.addEventListener('input', show);
form.addEventListener('submit', (event) => event.preventDefault());
document.addEventListener('play', (event) => event.target.parentElement.classList.add('playing'), true);
form.parentElement.hidden = false;
show();
`;
