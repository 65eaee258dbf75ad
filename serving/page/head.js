// The reader's own choice of theme; without one, the system's.
window.segassistTheme = () => {
  const chosen = localStorage.getItem('segassist-theme') ?? 'system';
  const dark = chosen === 'dark' || (chosen === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.body.classList.toggle('dark', dark);
};

const chinese = location.pathname.startsWith('/zh');
document.documentElement.lang = chinese ? 'zh' : 'en';

// What Gradio leaves out: names of the buttons that fold a turn's steps, and a way for the keyboard into long texts.
const STEPS = chinese ? '显示或隐藏步骤' : 'Show or hide the steps';
new MutationObserver(() => {
  document.querySelectorAll('#chat button[aria-label=""]').forEach(button => button.setAttribute('aria-label', STEPS));
  document.querySelectorAll('.cm-scroller:not([tabindex])').forEach(text => text.setAttribute('tabindex', '0'));
  document.querySelectorAll('#chat .bubble-wrap:not([tabindex])').forEach(log => log.setAttribute('tabindex', '0'));
}).observe(document.documentElement, {childList: true, subtree: true});
