/** The page's only script: filters by state and by text, and plays a clip's video in the place of its contact sheet. */
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
for (const link of document.querySelectorAll('a.media')) {
  link.addEventListener('click', (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const video = Object.assign(document.createElement('video'), { controls: true, loop: true, playsInline: true });
    video.src = link.getAttribute('href');
    const media = document.createElement('div');
    media.className = 'media';
    media.append(video);
    link.replaceWith(media);
    void video.play().catch(() => {});
    video.focus();
  });
}
form.parentElement.hidden = false;
show();
`;
