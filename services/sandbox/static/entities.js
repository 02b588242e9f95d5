// Text with Telegram's entities as nodes. Offsets count UTF-16 units, as JavaScript's own strings do.

import { el, icon } from './dom.js';

/** `actions` has command(text), mention(text) and link(url, event): what a click in a text does. */
export function rich(text, entities, actions) {
  const sorted = [...(entities || [])].sort((one, other) => one.offset - other.offset || other.length - one.length);
  return within(text, 0, text.length, sorted, actions);
}

function within(text, from, to, entities, actions) {
  const nodes = [];
  let at = from;
  for (let i = 0; i < entities.length; ) {
    const entity = entities[i++];
    const begin = Math.max(entity.offset, at);
    const end = Math.min(entity.offset + entity.length, to);
    const inner = [];
    while (i < entities.length && entities[i].offset < end) inner.push(entities[i++]);
    if (end <= begin) continue;
    if (begin > at) nodes.push(text.slice(at, begin));
    nodes.push(wrap(entity, within(text, begin, end, inner, actions), text.slice(begin, end), actions));
    at = end;
  }
  if (at < to) nodes.push(text.slice(at, to));
  return nodes;
}

const PLAIN = { bold: 'strong', italic: 'em', underline: 'u', strikethrough: 's', code: 'code' };

function wrap(entity, nodes, text, actions) {
  if (PLAIN[entity.type]) return el(PLAIN[entity.type], {}, nodes);
  return MAKERS[entity.type]?.(nodes, text, entity, actions) ?? el('span', {}, nodes);
}

const MAKERS = {
  pre: (nodes, text, { language }) => fence(nodes, text, language),
  spoiler: (nodes) => {
    const veil = el('span.spoiler', { role: 'button', tabindex: '0', 'aria-label': 'Hidden text, press to show' }, nodes);
    const show = (event) => {
      if (event.type === 'keydown' && event.key !== 'Enter') return;
      veil.classList.add('shown');
      veil.removeAttribute('aria-label');
    };
    veil.addEventListener('click', show);
    veil.addEventListener('keydown', show);
    return veil;
  },
  blockquote: (nodes) => el('blockquote', {}, nodes),
  expandable_blockquote: (nodes) => {
    const quote = el('blockquote.folded', {}, nodes);
    quote.addEventListener('click', () => quote.classList.toggle('folded'));
    return quote;
  },
  url: (nodes, text, _, actions) => link(nodes, text.includes('://') ? text : `https://${text}`, actions),
  text_link: (nodes, _, { url }, actions) => link(nodes, url, actions),
  email: (nodes, text) => link(nodes, `mailto:${text}`),
  phone_number: (nodes, text) => link(nodes, `tel:${text}`),
  bot_command: (nodes, text, _, actions) => pressable(nodes, () => actions.command(text)),
  mention: (nodes, text, _, actions) => pressable(nodes, () => actions.mention(text)),
  text_mention: (nodes) => el('span.mention', {}, nodes),
  hashtag: (nodes) => el('span.mention', {}, nodes),
  cashtag: (nodes) => el('span.mention', {}, nodes),
};

function pressable(nodes, act) {
  return el('button.inline-link', { type: 'button', onclick: act }, nodes);
}

const SAFE = /^(https?|mailto|tel|tg):/i;

function link(nodes, url, actions) {
  if (!SAFE.test(url)) return el('span', {}, nodes);
  const open = (event) => actions?.link(url, event);
  return el('a', { href: url, target: '_blank', rel: 'noopener noreferrer', title: url, onclick: open }, nodes);
}

function fence(nodes, text, language) {
  const copy = el('button.copy', { type: 'button', 'aria-label': 'Copy the code', title: 'Copy' }, icon('copy'));
  copy.addEventListener('click', async () => {
    await navigator.clipboard?.writeText(text);
    copy.replaceChildren(icon('check'));
    setTimeout(() => copy.replaceChildren(icon('copy')), 1_200);
  });
  return el('div.fence', {}, el('div.fence-head', {}, el('span', {}, language || 'code'), copy), el('pre', {}, el('code', {}, nodes)));
}

const EMOJI_ONLY = /^(?:\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier}|\u200d\p{Extended_Pictographic})*){1,3}$/u;

export const isBigEmoji = (text, entities) => !(entities || []).length && EMOJI_ONLY.test((text || '').trim());
