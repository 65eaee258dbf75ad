// The reader's own choice of theme; without one, the system's.
window.segassistTheme = () => {
  const chosen = localStorage.getItem('segassist-theme') ?? 'system';
  const dark = chosen === 'dark' || (chosen === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.body.classList.toggle('dark', dark);
};

const chinese = location.pathname.startsWith('/zh');
document.documentElement.lang = chinese ? 'zh' : 'en';

// A plot that was drawn, or whose window was resized, while its view was hidden has the old width: it follows its place.
const widths = new WeakMap();
const fitting = new ResizeObserver(places => {
  const changed = places.filter(({target}) => target.clientWidth && widths.get(target) !== target.clientWidth);
  changed.forEach(({target}) => widths.set(target, target.clientWidth));
  if (changed.length) requestAnimationFrame(() => dispatchEvent(new Event('resize')));
});

// How many customers each part of the editor's definition holds, by the part's meaning: counted after the form is drawn;
// what is known is there at once when the form is drawn anew.
const held = {};
const hold = part => {
  const said = held[part.dataset.holds] ?? '';
  if (part.textContent !== said) part.textContent = said;
};
window.segassistHolds = sizes => {
  Object.assign(held, sizes);
  document.querySelectorAll('#form [data-holds]').forEach(hold);
};

// The newest question and what is said to it are in view, from the question on where both are longer than the chat is high;
// plots are drawn late and make it longer. Who scrolls meanwhile is left where they are.
const BELOW = 44;  // pixels: the buttons over the chat's beginning
let asked = 0;
let following = false;
const leave = event => { if (event.target.closest?.('#chat')) following = false; };
['wheel', 'touchmove', 'pointerdown', 'keydown'].forEach(act => addEventListener(act, leave, {passive: true, capture: true}));
const follow = () => {
  const chat = document.querySelector('#chat .bubble-wrap');
  const questions = chat?.querySelectorAll('.user-row') ?? [];
  if (questions.length > asked) following = true;
  asked = questions.length;
  if (!following || !asked) return;
  const question = questions[asked - 1].getBoundingClientRect().top - chat.getBoundingClientRect().top;
  const to = Math.min(chat.scrollTop + question - BELOW, chat.scrollHeight - chat.clientHeight);
  if (Math.abs(to - chat.scrollTop) > 1) chat.scrollTop = to;
};

// What Gradio leaves out for those who cannot see or point: the whole title of a turn's steps is a button, so the arrow
// in it must not be a second one; a message with a name, and the place of a plot that is not drawn yet, need a role; the
// keyboard needs a way into long texts.
const STEPS = chinese ? '显示或隐藏步骤' : 'Show or hide the steps';
new MutationObserver(() => {
  requestAnimationFrame(follow);
  document.querySelectorAll('#chat [role=button] button:not([disabled])').forEach(arrow => {
    arrow.disabled = true;
    arrow.setAttribute('aria-label', STEPS);
  });
  document.querySelectorAll('#chat [data-testid=bot]:not([role])').forEach(said => said.setAttribute('role', 'group'));
  document.querySelectorAll('.empty[aria-label]:not([role])').forEach(place => place.setAttribute('role', 'img'));
  document.querySelectorAll('.cm-scroller:not([tabindex]), #chat .bubble-wrap:not([tabindex])').forEach(
    text => text.setAttribute('tabindex', '0'));
  document.querySelectorAll('#form [data-holds]:empty').forEach(hold);
  document.querySelectorAll('.js-plotly-plot:not([data-fits])').forEach(plot => {
    plot.dataset.fits = '';
    fitting.observe(plot.parentElement);
  });
}).observe(document.documentElement, {childList: true, subtree: true});
