// JSON as a tree that opens on a click; long texts are cut until one asks for them.

import { el } from './dom.js';

const LONG = 160;

export function tree(value, name = null, open = true) {
  if (value === null || typeof value !== 'object') return el('div.json-leaf', {}, key(name), leaf(value));
  const entries = Object.entries(value);
  const list = Array.isArray(value);
  const brief = list ? `[${entries.length}]` : `{${entries.length}}`;
  if (!entries.length) return el('div.json-leaf', {}, key(name), el('span.json-dim', {}, list ? '[]' : '{}'));
  const node = el('details.json', { open }, el('summary', {}, key(name), el('span.json-dim', {}, brief)));
  const fillIn = () => node.childElementCount === 1 && node.append(el('div', {}, entries.map(([child, inner]) => tree(inner, child, false))));
  if (open) fillIn();
  else node.addEventListener('toggle', fillIn, { once: true });
  return node;
}

const key = (name) => name !== null && el('span.json-key', {}, `${name}: `);

function leaf(value) {
  if (typeof value !== 'string') return el('span', { class: `json-${value === null ? 'null' : typeof value}` }, String(value));
  if (value.length <= LONG) return el('span.json-string', {}, JSON.stringify(value));
  const node = el('span.json-string.cut', { role: 'button', tabindex: '0', title: 'Show all' }, JSON.stringify(value.slice(0, LONG)), '…');
  node.addEventListener('click', () => (node.classList.remove('cut'), (node.textContent = JSON.stringify(value))), { once: true });
  return node;
}
