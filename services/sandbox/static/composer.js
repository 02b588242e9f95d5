// Where one writes: text, reply and edit, START and Unblock in their place, the reply keyboard below.

import { attempt, sim } from './api.js';
import { attach, setupDrop } from './attach.js';
import { block } from './chatlist.js';
import { CommandMenu } from './commands.js';
import { toEnd } from './conversation.js';
import { byId, el, fill, icon } from './dom.js';
import { say } from './links.js';
import { drawKeyboard } from './keyboard.js';
import { Recorder } from './recorder.js';
import { isBlocked, on, openBot, openTalk, place, setBlocked, shownMessages, state } from './store.js';

const root = byId('composer');
let about = null; // {kind: 'reply' | 'edit', message}
let key = null;
let face = null; // what is drawn: 'start', 'blocked', 'field' or null

const text = el('textarea', { id: 'text', rows: '1', placeholder: 'Message', 'aria-label': 'Message', dir: 'auto', enterkeyhint: 'send' });
const context = el('div.context', { hidden: true });
const chooser = el('input', { type: 'file', hidden: true, multiple: true, 'aria-hidden': 'true', tabindex: '-1' });
const clip = el('button.round', { type: 'button', 'aria-label': 'Attach a photo or file', onclick: () => chooser.click() }, icon('clip'));
const slash = el('button.round', { type: 'button', id: 'slash', 'aria-label': 'Commands', hidden: true }, icon('slash'));
const keys = el('button.round', { type: 'button', 'aria-label': 'Show or hide the keyboard', hidden: true }, icon('keyboard'));
const send = el('button.send', { type: 'button', 'aria-label': 'Send' });
const keyboard = el('div.reply-keyboard', { hidden: true });
const commands = new CommandMenu(text, (command) => (write(''), say(command)));
const line = el('div.compose', {}, clip, el('div.field-box', {}, text, slash, keys), send);
const recorder = new Recorder(line, (file, seconds) => attach.voice(file, seconds, extra()));

export function setup() {
  for (const topic of ['open', 'empty', 'list']) on(topic, draw);
  on('messages', () => (drawKeyboard(keyboard, keys), obeyForceReply()));
  on('open', () => drawKeyboard(keyboard, keys));
  text.addEventListener('input', changedText);
  text.addEventListener('keydown', pressed);
  text.addEventListener('paste', (event) => event.clipboardData.files.length && (event.preventDefault(), attach.ask([...event.clipboardData.files], extra)));
  chooser.addEventListener('change', () => (attach.ask([...chooser.files], extra), (chooser.value = '')));
  send.addEventListener('click', () => (text.value.trim() || about?.kind === 'edit' ? submit() : recorder.start()));
  slash.addEventListener('click', () => commands.toggle());
  keys.addEventListener('click', () => (keyboard.hidden = !keyboard.hidden));
  setupDrop((files) => face === 'field' && attach.ask(files, extra));
}

/** What a message carries besides its content: where it goes and what it answers. */
function extra() {
  const more = { ...place(), reply_to: about?.kind === 'reply' ? about.message.message_id : undefined, message_thread_id: state.open.thread || undefined };
  setAbout(null);
  return more;
}

/** A bot may open the reply to its message for the person, and say what is expected. */
function obeyForceReply() {
  const last = shownMessages().at(-1);
  const markup = last?.reply_markup;
  text.placeholder = markup?.input_field_placeholder || 'Message';
  if (!markup?.force_reply || !last.fresh || about) return;
  last.fresh = false;
  reply(last);
}

function draw() {
  const bot = openBot();
  const wanted = !state.open ? null : isBlocked() ? 'blocked' : bot && !shownMessages().length && !openTalk().drafts.size && !text.value ? 'start' : 'field';
  root.hidden = !wanted;
  if (state.open?.key !== key) switchTalk();
  slash.hidden = !commands.available().length;
  if (wanted === face) return;
  face = wanted;
  if (wanted === 'start') fill(root, el('button.big', { id: 'start', onclick: () => say('/start') }, 'START'));
  else if (wanted === 'blocked') fill(root, el('button.big.quiet', { onclick: () => block(bot.id, false) }, 'Unblock'));
  else if (wanted) fill(root, commands.node, context, line, keyboard, chooser);
  if (wanted === 'field' && matchMedia('(pointer: fine)').matches) text.focus();
  changedText();
}

function switchTalk() {
  const before = state.talks.get(key);
  if (before) before.unsent = about?.kind === 'edit' ? '' : text.value;
  key = state.open?.key ?? null;
  setAbout(null);
  write(openTalk()?.unsent || '');
  if (face === 'field' && matchMedia('(pointer: fine)').matches) text.focus();
}

function write(value) {
  text.value = value;
  changedText();
}

function changedText() {
  text.style.height = 'auto';
  text.style.height = `${Math.min(text.scrollHeight, 200)}px`;
  const ready = text.value.trim() || about?.kind === 'edit';
  const sign = about?.kind === 'edit' ? 'check' : ready ? 'send' : 'mic';
  if (send.dataset.sign !== sign) {
    send.dataset.sign = sign;
    fill(send, icon(sign));
    send.setAttribute('aria-label', { check: 'Save', send: 'Send', mic: 'Record a voice message' }[sign]);
  }
  commands.update();
}

async function submit() {
  const value = text.value.trim();
  if (!value) return;
  const editing = about?.kind === 'edit' ? about.message : null;
  const more = extra();
  write('');
  toEnd();
  try {
    if (editing) await sim.edit({ ...place(), message_id: editing.message_id, text: value });
    else await sim.send({ ...more, text: value });
  } catch (error) {
    if (error.message.includes('blocked')) setBlocked(state.open.botId, state.me, true);
    if (!text.value) write(value);
    await attempt(Promise.reject(error));
  }
}

function pressed(event) {
  if (event.isComposing || commands.key(event)) return;
  if (event.key === 'Enter' && !event.shiftKey) (event.preventDefault(), submit());
  else if (event.key === 'Escape' && about) (event.preventDefault(), event.stopPropagation(), about.kind === 'edit' && write(''), setAbout(null));
  else if (event.key === 'ArrowUp' && !text.value) {
    const last = shownMessages().findLast((message) => message.from.id === state.me && message.text && !message.service);
    if (last) (event.preventDefault(), edit(last));
  }
}

export const reply = (message) => (setAbout({ kind: 'reply', message }), text.focus());

export function edit(message) {
  setAbout({ kind: 'edit', message });
  write(message.text ?? message.caption ?? '');
  text.focus();
}

function setAbout(next) {
  if (!next && !about) return;
  about = next;
  context.hidden = !about;
  if (about) {
    const title = about.kind === 'edit' ? 'Edit message' : `Reply to ${about.message.from.first_name}`;
    const leave = () => (about.kind === 'edit' && write(''), setAbout(null), text.focus());
    fill(context, icon(about.kind), el('div', {}, el('b', {}, title), el('span', {}, about.message.text || about.message.caption || 'Message')), el('button.round', { type: 'button', 'aria-label': 'Cancel', onclick: leave }, icon('close')));
  }
  changedText();
}

export const focus = () => face === 'field' && text.focus();
