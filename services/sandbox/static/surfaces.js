// What appears over the page: toasts, alerts, menus, dialogs with a form. All can be left with Escape.

import { byId, el, icon } from './dom.js';

export function toast(text, { bad = false, lasts = 3_600 } = {}) {
  const node = el('div.toast', { class: bad ? 'bad' : '' }, text);
  byId('toasts').append(node);
  setTimeout(() => {
    node.classList.add('gone');
    setTimeout(() => node.remove(), 250);
  }, lasts);
}

function dialog(label, ...content) {
  const node = el('dialog.dialog', { 'aria-label': label }, ...content);
  node.addEventListener('close', () => node.remove());
  node.addEventListener('pointerdown', (event) => event.target === node && node.close());
  document.body.append(node);
  node.showModal();
  return node;
}

export function alertBox(text, { title = '', action = 'OK' } = {}) {
  const node = dialog(title || text, title && el('h2', {}, title), el('p.pre-line', {}, text));
  node.append(el('div.buttons', {}, el('button.primary', { onclick: () => node.close(), autofocus: true }, action)));
}

export function confirmBox(text, action, onYes) {
  const node = dialog(text, el('p.pre-line', {}, text));
  const yes = () => (node.close(), onYes());
  node.append(el('div.buttons', {}, el('button.quiet', { onclick: () => node.close() }, 'Cancel'), el('button.primary.danger', { onclick: yes }, action)));
}

/** Fields are {name, label, value?, placeholder?, type?: 'text' | 'select' | 'checks' | 'check', options?, required?}; `onDone` gets their values. */
export function form(title, action, fields, onDone) {
  const inputs = new Map(fields.map((field) => [field.name, field_(field)]));
  const submit = (event) => {
    event.preventDefault();
    node.close();
    onDone(Object.fromEntries([...inputs].map(([name, input]) => [name, input.value()])));
  };
  const body = el('form', { onsubmit: submit, method: 'dialog' }, [...inputs.values()].map((input) => input.node));
  const node = dialog(title, el('h2', {}, title), body);
  const cancel = el('button.quiet', { type: 'button', onclick: () => node.close() }, 'Cancel');
  body.append(el('div.buttons', {}, cancel, el('button.primary', { type: 'submit' }, action)));
  node.querySelector('input, select')?.focus();
}

function field_({ name, label, value = '', placeholder = '', type = 'text', options = [], required = false }) {
  if (type === 'checks') {
    const boxes = options.map((option) => [option.value, el('input', { type: 'checkbox', checked: option.checked ?? false })]);
    const rows = boxes.map(([, box], index) => el('label.check', {}, box, options[index].label));
    return { node: el('fieldset', {}, el('legend', {}, label), rows), value: () => boxes.filter(([, box]) => box.checked).map(([key]) => key) };
  }
  if (type === 'check') {
    const box = el('input', { type: 'checkbox', checked: Boolean(value) });
    return { node: el('label.check', {}, box, label), value: () => box.checked };
  }
  const chosen = options.map((option) => el('option', { value: option.value, selected: option.value === value }, option.label));
  const input = type === 'select' ? el('select', { name }, chosen) : el('input', { name, type: 'text', value, placeholder, required, autocomplete: 'off' });
  return { node: el('label.field', {}, el('span', {}, label), input), value: () => input.value.trim() };
}

let openMenu = null;

export function closeMenu() {
  if (!openMenu) return false;
  const { node, back } = openMenu;
  openMenu = null;
  if (node.contains(document.activeElement)) back?.focus?.({ preventScroll: true });
  node.remove();
  return true;
}

/** Items are {label, icon?, act, danger?, chosen?, hint?}, null for a line, or a node. `at` is an element or {x, y}. */
export function menu(at, items) {
  closeMenu();
  const back = document.activeElement;
  const node = el('div.menu', { role: 'menu' }, items.filter((item) => item !== false).map(entry));
  document.body.append(node);
  openMenu = { node, back };
  put(node, at);
  node.querySelector('button')?.focus({ preventScroll: true });
  node.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') (event.stopPropagation(), closeMenu());
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') (event.preventDefault(), step(node, event.key === 'ArrowDown' ? 1 : -1));
  });
}

function entry(item) {
  if (item === null) return el('hr');
  if (item instanceof Node) return item;
  const act = () => (closeMenu(), item.act());
  const mark = item.avatar || (item.icon && icon(item.icon));
  const kind = item.chosen === undefined ? { role: 'menuitem' } : { role: 'menuitemradio', 'aria-checked': String(item.chosen) };
  return el('button', { ...kind, class: item.danger ? 'danger' : '', onclick: act }, mark, el('span.grow', {}, item.label), item.hint && el('small', {}, item.hint), item.chosen && icon('check'));
}

function step(node, by) {
  const buttons = [...node.querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement);
  buttons[(at + by + buttons.length) % buttons.length].focus();
}

function put(node, at) {
  const box = at.getBoundingClientRect?.() || { left: at.x, bottom: at.y, top: at.y, right: at.x };
  const wide = node.offsetWidth;
  const high = node.offsetHeight;
  const below = box.bottom + high + 8 < innerHeight;
  node.style.left = `${Math.max(8, Math.min(box.left, innerWidth - wide - 8))}px`;
  node.style.top = `${Math.max(8, below ? box.bottom + 4 : Math.max(8, box.top - high - 4))}px`;
}

addEventListener('pointerdown', (event) => openMenu && !openMenu.node.contains(event.target) && closeMenu(), true);
addEventListener('resize', closeMenu);
