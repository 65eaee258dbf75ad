// Clicks of buttons and changes of fields that carry data-do come to Python as the event 'act', one at a time: what is
// done while an answer is awaited is sent after it, so that no edit is made on a tree that has changed behind it.
const waiting = [];
let busy = false;
let patience = 0;

function send(data) {
  if (busy) { waiting.push(data); return; }
  busy = true;
  element.setAttribute('aria-busy', 'true');
  trigger('act', data);
  // An answer that never comes changes nothing, so nothing else would let the next one go.
  patience = setTimeout(done, 60000);
}

function done() {
  busy = false;
  clearTimeout(patience);
  element.removeAttribute('aria-busy');
  if (waiting.length) send(waiting.shift());
}

function valueOf(field) {
  if (field.type === 'checkbox') return field.checked;
  if (field.multiple) return [...field.selectedOptions].map(option => option.value);
  return field.value;
}

element.addEventListener('click', event => {
  const button = event.target.closest('button[data-do]');
  if (button && element.contains(button)) send({...button.dataset});
});

element.addEventListener('change', event => {
  const field = event.target;
  if (field.matches('input[data-do], select[data-do], textarea[data-do]')) send({...field.dataset, value: valueOf(field)});
});

element.addEventListener('dragstart', event => {
  const part = event.target.closest?.('[draggable][data-place]');
  if (part) { event.dataTransfer.setData('text/plain', part.dataset.place); event.stopPropagation(); }
});
element.addEventListener('dragover', event => {
  if (event.target.closest('[data-drop]')) event.preventDefault();
});
element.addEventListener('drop', event => {
  const target = event.target.closest('[data-drop]');
  if (!target) return;
  event.preventDefault();
  event.stopPropagation();
  send({do: 'drop', place: event.dataTransfer.getData('text/plain'), to: target.dataset.drop});
});

// The new HTML replaces the old: whoever works with the keyboard stays where they were, with what they had typed, and
// what they unfolded stays unfolded.
let at = null;  // its data as they were: the element itself may be drawn anew as another
const unfolded = new Set();
element.addEventListener('toggle', event => {
  const fold = event.target;
  if (fold.matches?.('details[data-key]')) unfolded[fold.open ? 'add' : 'delete'](fold.dataset.key);
}, true);
element.addEventListener('focusin', event => { at = event.target.dataset?.key ? {...event.target.dataset} : null; });
element.addEventListener('focusout', ({relatedTarget: next}) => { if (next && !element.contains(next)) at = null; });
const keyed = key => element.querySelector(`[data-key="${CSS.escape(key)}"]`);

// Where the focus goes: to what had it; when that is gone, to the field that a chip stood in, to the message that says what
// was done, or to the group around it.
function heir(gone) {
  const near = keyed(gone.key) ?? keyed(gone.key.replace(/\.drop$/, ''));
  if (near) return near;
  const told = element.querySelector('.notice:is(.done, .error)');
  if (told) return Object.assign(told, {tabIndex: -1});
  const outer = (gone.place ?? '').split('.').slice(0, -1);
  return element.querySelector(`select[data-field=kind][data-place="${outer.join('.')}"]`);
}

watch('value', () => {
  element.querySelectorAll('details[data-key]').forEach(fold => { fold.open ||= unfolded.has(fold.dataset.key); });
  let again = at && heir(at);
  if (again?.disabled) again = again.parentElement.querySelector('button:not([disabled])');
  if (again && again !== document.activeElement) again.focus({preventScroll: true});
  if (at?.do === 'turn') element.scrollIntoView({block: 'start'});
  done();
});
