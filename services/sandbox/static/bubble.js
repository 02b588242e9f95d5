// One message as a row: avatar, bubble, content, reactions, time, buttons.

import { el, icon } from './dom.js';
import { isBigEmoji, rich } from './entities.js';
import { avatar, hue, time } from './format.js';
import { actions, pressButton } from './links.js';
import { attachment, photo, video, voice } from './media.js';
import { state } from './store.js';

/** `place` is {first, last, group, read, replied}: where in a run of one sender's messages it stands, and what it answers. */
export function row(message, place, handlers) {
  if (message.service) return el('div.row.service', { 'data-id': message.message_id }, el('span', {}, message.service));
  const mine = message.from.id === state.me;
  const text = message.text ?? message.caption ?? '';
  const entities = message.text === undefined ? message.caption_entities : message.entities;
  const big = message.text !== undefined && isBigEmoji(text, entities);
  const beside = Boolean(text) && !big && !message.reactions?.length && !endsInBlock(text, entities); // the time stands in the last line of the text
  const content = media(message).filter(Boolean);
  const kinds = [mine ? 'mine' : 'theirs', place.first && 'first', place.last && 'last', big && 'jumbo', message.photo && 'with-photo', message.fresh && 'fresh'];
  const bubble = el('div.bubble', { vars: { '--hue': hue(message.from.id) } },
    place.group && place.first && !mine && el('div.author', {}, message.from.first_name),
    place.replied && quote(place.replied, handlers),
    content,
    !text && !content.length && el('div.text.unknown', {}, 'The sandbox does not show this kind of message.'),
    text && el('div.text', { dir: 'auto' }, rich(text, entities, actions), beside && el('span.room', { vars: { '--wide': `${stampWidth(message, mine)}px` } })),
    foot(message, mine, place.read, beside));
  const node = el('article.row', { class: kinds.filter(Boolean).join(' '), 'data-id': message.message_id, tabindex: '-1' },
    !mine && (place.last ? avatar(message.from.id, message.from.first_name, 'small') : el('span.avatar-gap')),
    el('div.stack', {}, el('div.line', {}, bubble, more(message, handlers)), buttons(message)));
  bubble.addEventListener('contextmenu', (event) => {
    if (getSelection()?.toString() || event.target.closest('a, img')) return;
    event.preventDefault();
    handlers.menu(message, { x: event.clientX, y: event.clientY });
  });
  bubble.addEventListener('dblclick', (event) => !event.target.closest('button, a') && handlers.reply(message));
  longPress(bubble, (point) => handlers.menu(message, point));
  return node;
}

function media(message) {
  return [
    message.photo && photo(message.photo),
    (message.video || message.animation) && video(message.video || message.animation),
    (message.voice || message.audio) && voice(message.voice || message.audio),
    message.document && attachment(message.document),
    message.sticker && el('div.sticker', {}, message.sticker.emoji || '🖼'),
  ];
}

function quote(replied, handlers) {
  const jump = () => handlers.jump(replied.message_id);
  const words = replied.text || replied.caption || (replied.photo && 'Photo') || (replied.voice && 'Voice message') || (replied.document && 'File') || replied.service || '…';
  return el('button.quote', { type: 'button', onclick: jump, vars: { '--hue': hue(replied.from.id) } }, el('b', {}, replied.from.first_name), el('span', {}, words));
}

const endsInBlock = (text, entities) => (entities || []).some(({ type, offset, length }) => (type === 'pre' || type.endsWith('blockquote')) && offset + length >= text.trimEnd().length);
const stampWidth = (message, mine) => 40 + (mine ? 20 : 0) + (message.edit_date ? 42 : 0);

function foot(message, mine, read, beside) {
  const counts = new Map();
  for (const { emoji, user_id } of message.reactions || []) counts.set(emoji, [...(counts.get(emoji) || []), user_id]);
  const chips = [...counts].map(([emoji, users]) => chip(emoji, users, message));
  const ticks = mine && el('span.ticks', { 'aria-label': read ? 'read' : 'sent' }, icon('check'), read && icon('check'));
  return el('div.foot', { class: beside ? 'beside' : '' }, chips.length > 0 && el('div.reactions', {}, chips),
    el('time.stamp', { datetime: new Date(message.date * 1000).toISOString() }, message.edit_date ? 'edited ' : '', time(message.date), ticks));
}

function chip(emoji, users, message) {
  const own = users.includes(state.me);
  const toggle = () => dispatchEvent(new CustomEvent('react', { detail: { message, emoji: own ? null : emoji } }));
  return el('button.reaction', { type: 'button', class: own ? 'own' : '', 'aria-pressed': String(own), onclick: toggle }, colourful(emoji), users.length > 1 && el('span', {}, users.length));
}

/** A heart that is sent as plain text is still meant in colour. */
const colourful = (emoji) => (emoji.length === 1 ? `${emoji}\ufe0f` : emoji);

function more(message, handlers) {
  const open = (event) => handlers.menu(message, event.currentTarget);
  return el('button.more', { type: 'button', 'aria-label': 'Message menu', 'aria-haspopup': 'menu', onclick: open }, icon('more'));
}

function buttons(message) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows?.length) return null;
  return el('div.inline-keyboard', {}, rows.map((line) => el('div', {}, line.map((button) => inlineButton(message, button)))));
}

function inlineButton(message, button) {
  const press = (event) => pressButton(message, button, event.currentTarget);
  const url = button.url || button.login_url;
  const sign = url ? icon('link') : button.copy_text ? icon('copy') : null;
  return el('button', { type: 'button', class: button.style || '', disabled: Boolean(button.disabled), onclick: press }, el('span', {}, button.text), sign);
}

function longPress(node, act) {
  let timer = 0;
  node.addEventListener('touchstart', (event) => {
    const { clientX: x, clientY: y } = event.touches[0];
    timer = setTimeout(() => act({ x, y }), 500);
  }, { passive: true });
  for (const name of ['touchend', 'touchmove', 'touchcancel']) node.addEventListener(name, () => clearTimeout(timer), { passive: true });
}
