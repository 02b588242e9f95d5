// What the model endpoint was asked: the prompt as it arrived, and how the answer went.

import { sim } from './api.js';
import { el, fill } from './dom.js';
import { timeWithSeconds } from './format.js';
import { tree } from './json.js';

const EVERY = 1_500;
const KEPT = 100;
let timer = 0;
let drawn = '';

function entry(call) {
  const last = call.messages.findLast?.((message) => message.role === 'user');
  const words = typeof last?.content === 'string' ? last.content : '';
  const good = call.outcome === 'completed' ? 'good' : call.outcome === 'running' ? 'none' : 'bad';
  const head = el('summary', {}, el('span.status.wide', { class: good }, call.outcome), el('b', {}, call.model), el('span.grow.brief', {}, words),
    el('small', {}, call.total_ms === null ? '…' : `${Math.round(call.total_ms)} ms`), el('time', {}, timeWithSeconds(Date.parse(call.at) / 1000)));
  const said = call.messages.map((message) => el('div.prompt', {}, el('b', {}, message.role), typeof message.content === 'string' ? el('p.pre-line', {}, message.content) : tree(message.content ?? null)));
  return el('details.call', { 'data-n': call.n }, head, el('div.call-body', {}, said));
}

async function refresh(list) {
  const calls = (await sim.modelCalls(0).catch(() => [])).slice(-KEPT).reverse();
  const sign = calls.map((call) => `${call.n}${call.outcome}`).join();
  if (sign === drawn) return;
  drawn = sign;
  const open = new Set([...list.querySelectorAll('details[open]')].map((node) => node.dataset.n));
  fill(list, calls.length ? calls.map(entry) : el('p.none', {}, 'The model was not asked yet.'));
  for (const node of list.children) if (open.has(node.dataset.n)) node.open = true;
}

export const modelCalls = {
  show(body) {
    const list = el('div.calls', { 'aria-label': 'Model calls' });
    fill(body, list);
    drawn = 'nothing';
    refresh(list);
    timer = setInterval(() => refresh(list), EVERY);
  },
  leave() {
    clearInterval(timer);
  },
};
