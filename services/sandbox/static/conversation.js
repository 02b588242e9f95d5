// The messages of the open chat: rows in order, day by day, kept at the end while one reads the end.

import { byId, el, fill, icon } from './dom.js';
import { row } from './bubble.js';
import { DraftView } from './draft.js';
import { day, dayKey, plural } from './format.js';
import { on, openTalk, shownMessages, state, changed } from './store.js';

const RUN = 300; // seconds within which messages of one sender stand together
const STEP = 120;
const NEAR = 90;

const log = byId('log');
const rows = byId('rows');
const pill = byId('pill');
let drawn = new Map(); // key -> {node, sign}
let drafts = new Map();
let limit = STEP;
let atEnd = true;
let missed = 0;
let lastTop = 0;
let current = null;
let handlers = null;
let lastSeen = null; // the newest message that was drawn; null before the first drawing

export function setup(given) {
  handlers = given;
  on('messages', (keys) => keys.has(state.open?.key) && draw());
  on('drafts', (keys) => keys.has(state.open?.key) && drawDrafts());
  on('open', () => (current !== signOfPlace() ? restart() : draw()));
  log.addEventListener('scroll', scrolled, { passive: true });
  pill.addEventListener('click', () => toEnd(true));
  new ResizeObserver(() => atEnd && toEnd()).observe(rows);
  new ResizeObserver(() => atEnd && toEnd()).observe(log);
}

const signOfPlace = () => (state.open ? `${state.open.key}/${state.open.thread || ''}/${state.me}` : '');

function restart() {
  current = signOfPlace();
  limit = STEP;
  missed = 0;
  lastSeen = null;
  drawn = new Map();
  for (const view of drafts.values()) view.remove();
  drafts = new Map();
  rows.replaceChildren();
  atEnd = true;
  draw();
  drawDrafts();
  toEnd();
}

function scrolled() {
  // Only a person scrolls up; a picture that has loaded makes the rest longer and must not count as reading back.
  const near = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  if (near) atEnd = true;
  else if (log.scrollTop < lastTop) atEnd = false;
  lastTop = log.scrollTop;
  if (atEnd) missed = 0;
  showPill();
  if (log.scrollTop < 240 && limit < shownMessages().length) {
    const before = log.scrollHeight - log.scrollTop;
    limit += STEP;
    draw();
    log.scrollTop = log.scrollHeight - before;
  }
}

export function toEnd(smooth = false) {
  log.scrollTo({ top: log.scrollHeight, behavior: smooth ? 'smooth' : 'instant' });
  missed = 0;
  showPill();
}

function showPill() {
  pill.hidden = atEnd && !missed;
  if (!pill.hidden) fill(pill, missed ? plural(missed, 'new message', 'new messages') : '', icon('down'));
  pill.setAttribute('aria-label', missed ? `${missed} new messages, go to the end` : 'Go to the end');
}

function draw() {
  const talk = openTalk();
  if (!talk || !state.open) return;
  const messages = shownMessages();
  const before = drawn;
  drawn = new Map();
  const readUpTo = messages.findLast((message) => message.from.is_bot)?.message_id ?? 0;
  const busy = talk.drafts.size > 0 || talk.typing.size > 0;
  const visible = messages.slice(-limit);
  visible.forEach((message, n) => place(message, visible[n - 1], visible[n + 1], before, { talk, readUpTo, busy }));
  for (const [key, { node }] of before) if (!drawn.has(key) || drawn.get(key).node !== node) node.remove();
  reorder();
  arrived(visible);
  if (talk.unread && !document.hidden) (talk.unread = 0), changed('list');
  changed('empty');
}

function place(message, previous, next, before, { talk, readUpTo, busy }) {
  if (!previous || dayKey(previous.date) !== dayKey(message.date)) {
    const key = `day ${dayKey(message.date)}`;
    drawn.set(key, before.get(key) || { node: el('div.day', {}, el('span', {}, day(message.date))) });
  }
  const context = {
    first: !together(previous, message),
    last: !together(message, next),
    group: talk.chatId < 0,
    read: busy || message.message_id < readUpTo,
    replied: talk.messages.get(message.reply_to_message_id),
  };
  const sign = `${message.version} ${context.first} ${context.last} ${context.read && message.from.id === state.me} ${context.replied?.version}`;
  const known = before.get(message.message_id);
  if (known) message.fresh = false;
  drawn.set(message.message_id, known?.sign === sign ? known : { node: row(message, context, handlers), sign });
}

function together(one, other) {
  return Boolean(one && other && !one.service && !other.service && one.from.id === other.from.id
    && Math.abs(other.date - one.date) < RUN && dayKey(one.date) === dayKey(other.date));
}

function reorder() {
  let at = rows.firstChild;
  for (const { node } of drawn.values()) {
    if (node === at) at = at.nextSibling;
    else rows.insertBefore(node, at);
  }
}

function arrived(visible) {
  const last = visible.at(-1);
  const known = lastSeen;
  lastSeen = Math.max(known ?? 0, last?.message_id ?? 0);
  if (known === null || lastSeen === known) return;
  const fresh = visible.filter((message) => message.message_id > known);
  if (atEnd || fresh.some((message) => message.from.id === state.me)) {
    atEnd = true;
    toEnd();
  } else {
    missed += fresh.length;
    showPill();
  }
}

function drawDrafts() {
  const talk = openTalk();
  if (!talk) return;
  const living = new Map([...talk.drafts].filter(([, draft]) => !state.open.thread || draft.message_thread_id === state.open.thread));
  for (const [id, view] of drafts) if (!living.has(id)) (view.remove(), drafts.delete(id));
  for (const [id, draft] of living) {
    if (drafts.has(id)) drafts.get(id).update(draft);
    else {
      const view = new DraftView(draft, () => atEnd && toEnd());
      drafts.set(id, view);
      rows.append(view.node);
    }
  }
  draw();
}

/** Scrolls to a message and lights it up for a moment. */
export function jump(messageId) {
  if (!drawn.has(messageId)) (limit = Infinity), draw();
  const node = drawn.get(messageId)?.node;
  if (!node) return;
  node.scrollIntoView({ block: 'center', behavior: 'smooth' });
  node.classList.add('lit');
  setTimeout(() => node.classList.remove('lit'), 1_600);
}
