// Every call a bot makes, the newest first.

import { sim } from './api.js';
import { el, fill, kept } from './dom.js';
import { timeWithSeconds } from './format.js';
import { tree } from './json.js';
import { changed, on, state } from './store.js';
import { onEvent } from './world.js';

const KEPT = 400;
let log = [];
let paused = false;
let wanted = '';
let list = null;
let waiting = false;

const polls = (row) => row.method.toLowerCase() === 'getupdates';
const hidden = () => kept.get('hide-polls', true);

function fits(row) {
  if (hidden() && polls(row)) return false;
  if (!wanted) return true;
  return row.method.toLowerCase().includes(wanted) || String(row.status) === wanted || JSON.stringify(row.params).toLowerCase().includes(wanted);
}

function entry(row) {
  const failed = row.status >= 400 ? 'bad' : row.status ? 'good' : 'none';
  const head = el('summary', {}, el('span.status', { class: failed }, row.status || '–'), el('b', {}, row.method), el('span.grow.brief', {}, brief(row.params)),
    el('small', {}, `${row.ms < 10 ? row.ms.toFixed(1) : Math.round(row.ms)} ms`), el('time', {}, timeWithSeconds(typeof row.at === 'number' ? row.at : Date.parse(row.at) / 1000)));
  const node = el('details.call', { 'data-n': row.n }, head);
  const bot = state.bots.get(row.bot_id);
  node.addEventListener('toggle', () => {
    if (!node.open || node.childElementCount > 1) return;
    node.append(el('div.call-body', {}, el('h3', {}, 'Request', bot && state.bots.size > 1 && el('small', {}, ` by ${bot.name}`)), tree(row.params ?? {}), el('h3', {}, 'Response'), tree(row.response ?? null)));
  });
  return node;
}

const brief = (params) => params?.text || params?.caption || params?.action || params?.chat_id || '';

function draw() {
  if (!list) return;
  const found = log.filter(fits);
  fill(list, found.length ? found.map(entry) : el('p.none', {}, 'No calls yet. They appear as the bot makes them.'));
}

let fresh = [];

function add(row) {
  if (!row || paused) return;
  fresh.push(row);
  changed('calls');
}

/** What came since the last frame, at most as much as is kept. */
function take() {
  const rows = fresh.slice(-KEPT).filter((row) => row.n > (log[0]?.n ?? 0)).reverse();
  fresh = [];
  log = [...rows, ...log].slice(0, KEPT);
  if (!list || !rows.length) return;
  list.querySelector('.none')?.remove();
  list.prepend(...rows.filter(fits).map(entry));
  while (list.childElementCount > KEPT) list.lastChild.remove();
  if (!list.childElementCount) draw();
}

on('calls', take);

onEvent('call', (event) => add(event.call || event));
onEvent('reset', () => ((log = []), draw()));

async function fetchEarlier() {
  if (waiting) return;
  waiting = true;
  try {
    const health = await sim.health();
    const rows = await sim.calls(Math.max(0, (health.calls ?? 0) - KEPT));
    const known = new Set(log.map((row) => row.n));
    log = [...log, ...rows.filter((row) => !known.has(row.n))].sort((one, other) => other.n - one.n).slice(0, KEPT);
    draw();
  } finally {
    waiting = false;
  }
}

export const calls = {
  show(body) {
    const filter = el('input', { type: 'search', placeholder: 'Filter: method, status or text', 'aria-label': 'Filter calls', value: wanted, oninput: (event) => ((wanted = event.target.value.trim().toLowerCase()), draw()) });
    const hide = el('input', { type: 'checkbox', checked: hidden(), onchange: (event) => (kept.set('hide-polls', event.target.checked), draw()) });
    const pause = el('button.quiet', { 'aria-pressed': String(paused), onclick: (event) => ((paused = !paused), (event.target.textContent = paused ? 'Go on' : 'Pause'), event.target.setAttribute('aria-pressed', String(paused))) }, paused ? 'Go on' : 'Pause');
    const clear = el('button.quiet', { onclick: () => ((log = []), draw()) }, 'Clear');
    list = el('div.calls', { 'aria-label': 'Calls' });
    fill(body, el('div.tools', {}, filter, el('div.tool-row', {}, el('label.check', {}, hide, 'Hide getUpdates'), el('span.grow'), pause, clear)), list);
    draw();
    fetchEarlier().catch(() => undefined);
  },
  leave() {
    list = null;
  },
};
