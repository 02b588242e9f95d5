// Starts the page: parts in place, the world loaded, the right chat open, keys that work everywhere.

import { attempt, sim } from './api.js';
import * as chatlist from './chatlist.js';
import * as composer from './composer.js';
import * as conversation from './conversation.js';
import { el, kept } from './dom.js';
import * as drawer from './drawer.js';
import * as header from './header.js';
import { changed, on, openTalk, place, state } from './store.js';
import { closeMenu, menu, toast } from './surfaces.js';
import * as theme from './theme.js';
import { comeBack } from './world.js';

const REACTIONS = ['👍', '❤', '🔥', '😁', '😢', '🎉', '🤔', '👎'];

function react(message, emoji) {
  attempt(sim.react({ ...place(), message_id: message.message_id, emoji }));
}

function messageMenu(message, at) {
  const own = message.from.id === state.me;
  const used = message.reactions?.find((reaction) => reaction.user_id === state.me)?.emoji;
  const row = el('div.react-row', { role: 'group', 'aria-label': 'Reactions' }, REACTIONS.map((emoji) => el('button', {
    class: used === emoji ? 'own' : '', 'aria-label': `React with ${emoji}`, onclick: () => (closeMenu(), react(message, used === emoji ? null : emoji)),
  }, emoji === '❤' ? '❤️' : emoji)));
  const words = message.text ?? message.caption;
  menu(at, [
    row,
    { label: 'Reply', icon: 'reply', act: () => composer.reply(message) },
    Boolean(words) && { label: 'Copy text', icon: 'copy', act: () => navigator.clipboard?.writeText(words).then(() => toast('Copied')) },
    own && Boolean(words) && { label: 'Edit', icon: 'edit', act: () => composer.edit(message) },
    { label: 'Message id', icon: 'code', hint: String(message.message_id), act: () => navigator.clipboard?.writeText(String(message.message_id)) },
  ]);
}

/** The chat that was open before, else the first bot's, as soon as there is one. */
function openSomething() {
  if (!state.ready || state.open || !state.bots.size || matchMedia('(max-width: 720px)').matches && kept.get('open') === null && state.bots.size > 1) return;
  const before = kept.get('open');
  const known = before && (before.chatId > 0 ? before.chatId === state.me && state.bots.has(before.botId) : state.chats.get(before.key)?.member_ids.includes(state.me));
  if (known) chatlist.go(before.botId, before.chatId, before.thread);
  else chatlist.go([...state.bots.keys()][0], state.me);
}

function everywhere(event) {
  if (event.key === 'Escape') {
    if (closeMenu() || document.querySelector('dialog[open]')) return;
    if (!drawer.close()) composer.focus();
  } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest?.('input, textarea, select, button, dialog, .menu')) {
    composer.focus();
  }
}

function seen() {
  const talk = openTalk();
  if (document.hidden || !talk?.unread) return;
  talk.unread = 0;
  changed('list');
}

theme.setup();
chatlist.setup();
header.setup();
composer.setup();
conversation.setup({ menu: messageMenu, reply: composer.reply, jump: conversation.jump });
drawer.setup();
for (const topic of ['list', 'open', 'me']) on(topic, openSomething);
addEventListener('keydown', everywhere);
addEventListener('react', ({ detail }) => react(detail.message, detail.emoji));
addEventListener('go', ({ detail }) => chatlist.go(detail.botId, detail.chatId));
document.addEventListener('visibilitychange', seen);
comeBack();
