/**
 * Two videos as one: A leads, B is held to it by small changes of its speed while they play, and both stand on the middle of
 * the same frame when they do not.
 */
export const playerScript = `
const player = one('.player');
const videos = player ? all('video', player) : [];
const slider = player && one('input[type=range]', player);
const fps = data.framesPerSec;
const frameListeners = [];
let frame = 0, playing = false, looping = true, speed = 1, turn = 0;
const lastFrame = () => Math.max(runOf(0).frames, runOf(1).frames) - 1;
const usable = () => videos.filter((video) => !video.error && video.readyState > 0);
/** The side with more frames; the other waits on its last one. */
const leader = () => { const good = usable(); return good.length < 2 ? good[0] : videos[runOf(1).frames > runOf(0).frames ? 1 : 0]; };

function seek(video, wanted) {
  const time = (Math.min(wanted, runOf(videos.indexOf(video)).frames - 1) + 0.5) / fps;
  if (video.error || video.readyState === 0) return Promise.resolve();
  if (Math.abs(video.currentTime - time) < 1e-4 && !video.seeking) return Promise.resolve();
  return new Promise((done) => {
    const end = () => { clearTimeout(timer); video.removeEventListener('seeked', end); done(); };
    const timer = setTimeout(end, 3000);
    video.addEventListener('seeked', end);
    video.currentTime = time;
  });
}
function show(now) {
  frame = Math.min(lastFrame(), Math.max(0, now));
  slider.value = String(frame);
  slider.setAttribute('aria-valuetext', 'frame ' + frame);
  one('output', player).textContent = 'frame ' + frame + ' of ' + lastFrame() + ' · ' + (frame / fps).toFixed(2) + ' s';
  for (const listener of frameListeners) listener(frame);
}
function goTo(wanted) {
  pause();
  show(wanted);
  for (const video of videos) void seek(video, frame);
}
function pause() {
  playing = false;
  turn++;
  for (const video of videos) { video.pause(); video.playbackRate = speed; }
  one('.play', player).textContent = 'play';
}
async function play() {
  playing = true;
  const mine = ++turn;
  one('.play', player).textContent = 'pause';
  if (frame >= lastFrame()) show(0);
  const from = frame;
  await Promise.all(videos.map((video) => { video.pause(); return seek(video, from); }));
  if (mine !== turn) return;
  if (!leader()) return pause();
  await Promise.all(usable().map((video) => { video.playbackRate = speed; return video.play().catch(() => {}); }));
  if (mine === turn) requestAnimationFrame(() => follow(mine));
}
function follow(mine) {
  if (mine !== turn) return;
  const lead = leader();
  if (!lead) return pause();
  show(Math.floor(lead.currentTime * fps + 0.01));
  if (lead.ended) {
    if (looping) { show(0); void play(); } else pause();
    return;
  }
  for (const video of usable()) {
    if (video === lead || video.ended) continue;
    const behind = lead.currentTime - video.currentTime;
    if (video.seeking) continue;
    if (Math.abs(behind) > 0.3) { video.currentTime = lead.currentTime; video.playbackRate = speed; }
    else if (Math.abs(behind) > 0.25 / fps) video.playbackRate = speed * (1 + Math.max(-0.4, Math.min(0.4, behind * 4)));
    else video.playbackRate = speed;
  }
  requestAnimationFrame(() => follow(mine));
}
function toJoint(direction) {
  const joints = cellOf(activeSide).joints;
  const next = direction > 0 ? joints.find((joint) => joint > frame) : joints.findLast((joint) => joint < frame);
  if (next !== undefined) goTo(next);
}
function load(side) {
  const video = videos[side];
  const trouble = one('.trouble', video.parentElement);
  const again = playing;
  trouble.hidden = true;
  if (video.getAttribute('src') === linkOf(side)) return;
  if (playing) pause();
  const frames = lastFrame();
  slider.max = String(frames);
  show(frame);
  video.onloadeddata = () => { if (again) void play(); else if (!playing) void seek(video, frame); };
  video.onerror = () => {
    trouble.textContent = 'This video cannot be played. Does it lie beside the page? ' + decodeURIComponent(linkOf(side));
    trouble.hidden = false;
  };
  video.src = linkOf(side);
}
function drawStrip(side) {
  const last = Math.max(1, lastFrame());
  one('.strip-' + side, player).replaceChildren(...cellOf(side).joints.map((joint) => {
    const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
    const at = (100 * joint) / last + '%';
    for (const [name, value] of Object.entries({ x1: at, x2: at, y1: 0, y2: 10 })) line.setAttribute(name, value);
    line.dataset.joint = joint;
    return line;
  }));
}
const actions = {
  // Both come to stand on the same frame.
  play: () => (playing ? goTo(frame) : void play()),
  back: () => goTo(frame - 1),
  forward: () => goTo(frame + 1),
  'joint-back': () => toJoint(-1),
  'joint-forward': () => toJoint(1),
  loop: () => { looping = !looping; one('[data-do=loop]', player).setAttribute('aria-pressed', String(looping)); },
};
const keys = { ' ': 'play', ',': 'back', '.': 'forward' };
function onKey(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest('select')) return;
  if (key === ' ' && target.closest('button')) return;
  if (keys[key]) actions[keys[key]]();
  else if (key === 'ArrowLeft' || key === 'ArrowRight') {
    const direction = key === 'ArrowRight' ? 1 : -1;
    if (event.shiftKey) toJoint(direction);
    else goTo(frame + direction * Math.max(1, Math.round(fps / 2)));
  } else if (key === 'Home' || key === 'End') goTo(key === 'Home' ? 0 : lastFrame());
  else if (key === '1' || key === '2') activate(Number(key) - 1);
  else return;
  event.preventDefault();
}
function beginPlayer() {
  player.style.setProperty('--ratio', String(videos[0].width / videos[0].height));
  player.addEventListener('keydown', onKey);
  player.addEventListener('click', ({ target }) => {
    const action = actions[target.closest('button')?.dataset.do];
    if (action) action();
    else if (target.closest('video')) actions.play();
  });
  slider.addEventListener('input', () => goTo(Number(slider.value)));
  one('select[data-do=speed]', player).addEventListener('change', ({ target }) => {
    speed = Number(target.value);
    for (const video of videos) video.playbackRate = speed;
  });
  listeners.push((side) => { load(side); drawStrip(0); drawStrip(1); });
}
`;
