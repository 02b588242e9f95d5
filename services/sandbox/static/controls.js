// Speed and faults of the model, faults of Telegram, a new start.

import { attempt, sim } from './api.js';
import { el, fill } from './dom.js';
import { confirmBox, toast } from './surfaces.js';

const SPEEDS = [['0', 'At once'], ['120', 'Fast · 120 tokens/s'], ['45', 'Natural · 45 tokens/s'], ['12', 'Slow · 12 tokens/s'], ['4', 'Very slow · 4 tokens/s']];
const DELAYS = [['0', 'None'], ['350', '350 ms'], ['2000', '2 seconds'], ['8000', '8 seconds'], ['30000', '30 seconds']];
const FAULTS = [['', 'None'], ['slow_first_token', 'Slow first token (5 s)'], ['hang', 'Hang: no answer at all'], ['keep_alive_only', 'Keep-alive comments only'], ['cut', 'Cut after 5 tokens'],
  ['429', 'Status 429 · rate limit'], ['500', 'Status 500'], ['503', 'Status 503 · overloaded'], ['garbage', 'Garbage instead of JSON'], ['refuse_connection', 'Connection closed at once']];
const TIMES = [['1', 'Once'], ['3', 'Three times'], ['', 'Until cleared']];
const TELEGRAM = [
  ['Flood', '429 for the next message, retry after 3 s', { kind: 'flood', method: 'sendMessage', retry_after: 3, times: 1 }],
  ['Drop', 'closes the connection of the next message', { kind: 'drop', method: 'sendMessage', times: 1 }],
  ['Accept, then time out', 'the message is sent, the bot never hears', { kind: 'accept_then_timeout', method: 'sendMessage', seconds: 5, times: 1 }],
  ['Server error', '500 for the next three calls', { kind: 'error', method: '*', code: 500, description: 'Internal Server Error', times: 3 }],
  ['Slow', 'every call takes 2 s more', { kind: 'slow', method: '*', ms: 2_000 }],
  ['Duplicate updates', 'each update arrives twice', { kind: 'duplicate_updates', times_each: 2 }],
  ['Reorder updates', 'mixes the order across chats', { kind: 'reorder_updates' }],
];

function select(label, options, value, onChange) {
  const known = options.some(([key]) => key === value) ? options : [[value, value], ...options];
  const input = el('select', { onchange: (event) => onChange(event.target.value) }, known.map(([key, name]) => el('option', { value: key, selected: key === value }, name)));
  return el('label.field', {}, el('span', {}, label), input);
}

function faultOf(kind, times) {
  if (!kind) return null;
  const fault = /^\d+$/.test(kind) ? { kind: 'status', code: Number(kind), retry_after: kind === '429' ? 3 : undefined } : { kind };
  return { ...fault, times: times ? Number(times) : undefined };
}

const nameOf = (fault) => (!fault ? '' : fault.kind === 'status' ? String(fault.code) : fault.kind);

async function model(box) {
  const now = await attempt(sim.model());
  if (!now) return;
  const set = async (change) => {
    if (await attempt(sim.setModel(change))) toast('The model is set');
    await model(box);
  };
  const chosen = { kind: nameOf(now.fault), times: now.fault ? String(now.fault.times ?? '') : '1' };
  const reply = el('textarea', { rows: '2', placeholder: 'Empty: the scripted character answers', onchange: (event) => set({ reply: event.target.value.trim() || null }) });
  reply.value = now.reply || '';
  fill(box, el('h2', {}, 'Model'),
    select('Speed', SPEEDS, String(now.tokens_per_second), (value) => set({ tokens_per_second: Number(value) })),
    select('Time to the first token', DELAYS, String(now.first_token_ms), (value) => set({ first_token_ms: Number(value) })),
    select('Fault', FAULTS, chosen.kind, (value) => set({ fault: faultOf(value, chosen.times) })),
    chosen.kind && select('How often', TIMES, chosen.times, (value) => set({ fault: faultOf(chosen.kind, value) })),
    el('label.field', {}, el('span', {}, 'Always say'), reply));
}

function telegram(active) {
  const note = el('p.note', { role: 'status' });
  const say = (faults) => (note.textContent = faults?.length ? `In force: ${faults.map((fault) => fault.kind).join(', ')}` : 'Nothing goes wrong at the moment.');
  say(active);
  const make = ([label, what, fault]) => el('button.fault', { onclick: async () => {
    const done = await attempt(sim.addFaults([fault]));
    if (done) (say(done.faults || [fault]), toast(`${label}: ${what}`));
  } }, el('b', {}, label), el('small', {}, what));
  const clear = el('button.quiet', { onclick: async () => (await attempt(sim.clearFaults())) && (say([]), toast('All faults are cleared')) }, 'Clear all faults');
  return el('section', {}, el('h2', {}, 'Telegram'), el('div.faults', {}, TELEGRAM.map(make)), note, clear);
}

export const controls = {
  show(body) {
    const box = el('section');
    const reset = () => confirmBox('Forget every user, chat, message and file of the sandbox? Bots appear again with their next call.', 'Forget', () => attempt(sim.reset()));
    fill(body, el('div.controls', {}, box, telegram([]), el('section', {}, el('h2', {}, 'World'), el('button.quiet.danger', { onclick: reset }, 'Start over'))));
    model(box);
  },
};
