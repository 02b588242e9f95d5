// The left side: who I am, and my chats, the latest first.

import { attempt, sim } from './api.js';
import { byId, el, fill, icon, kept } from './dom.js';
import { avatar, briefly } from './format.js';
import { changed, keyOf, lastOf, on, setBlocked, state, talkOf } from './store.js';
import { form, menu } from './surfaces.js';
import { loadTalk, loadTalks } from './world.js';

const list = byId('chats');
const search = byId('search');

export function setup() {
  for (const topic of ['list', 'open', 'me', 'typing']) on(topic, draw);
  on('online', drawOnline);
  byId('search-icon').append(icon('search'));
  byId('new').append(icon('plus'));
  search.addEventListener('input', draw);
  byId('account').addEventListener('click', (event) => chooseUser(event.currentTarget));
  byId('new').addEventListener('click', (event) => menu(event.currentTarget, [
    { label: 'New user', icon: 'user', act: newUser },
    { label: 'New group', icon: 'group', act: newGroup },
  ]));
  list.addEventListener('keydown', walk);
}

function walk(event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const buttons = [...list.querySelectorAll('button')];
  buttons[buttons.indexOf(document.activeElement) + by]?.focus();
}

export function go(botId, chatId, thread = null) {
  const talk = talkOf(botId, chatId);
  state.open = { key: talk.key, botId: talk.botId, chatId, thread };
  talk.unread = 0;
  byId('app').dataset.screen = 'talk';
  kept.set('open', state.open);
  loadTalk(talk.botId, chatId);
  changed('open');
}

/** A private chat for each bot, begun or not, then the groups of the person. */
export function places() {
  const bots = [...state.bots.values()].map((bot) => ({ botId: bot.id, chatId: state.me, id: bot.id, name: bot.name, about: `@${bot.username}` }));
  const groups = [...state.chats.values()].filter((chat) => chat.id < 0 && chat.member_ids.includes(state.me))
    .map((chat) => ({ botId: null, chatId: chat.id, id: chat.id, name: chat.title, about: 'No messages yet', group: true }));
  const found = [...bots, ...groups].map((place) => {
    const talk = talkOf(place.botId, place.chatId);
    return { ...place, talk, last: lastOf(talk) };
  });
  return found.sort((one, other) => (other.last?.date ?? 0) - (one.last?.date ?? 0));
}

function draw() {
  const me = state.users.get(state.me);
  if (!me) return;
  const elsewhere = [...state.talks.values()].some((talk) => talk.unread && talk.chatId > 0 && talk.chatId !== state.me);
  fill(byId('account'), avatar(me.id, me.first_name), el('span.account-name', {}, el('b', {}, me.first_name), el('small', {}, me.username ? `@${me.username}` : 'You')), elsewhere && el('span.dot.new'));
  const wanted = search.value.trim().toLowerCase();
  const focused = document.activeElement?.dataset?.key;
  fill(list, places().filter((place) => place.name.toLowerCase().includes(wanted)).map(item));
  if (!list.children.length) list.append(el('p.none', {}, wanted ? 'Nothing found' : 'No bots yet'));
  if (focused) list.querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
  const unread = [...state.talks.values()].reduce((sum, talk) => sum + talk.unread, 0);
  document.title = unread ? `(${unread}) Vitte sandbox` : 'Vitte sandbox';
}

function item({ botId, chatId, id, name, about, group, talk, last }) {
  const key = keyOf(botId, chatId);
  const open = state.open?.key === key;
  return el('button.chat', { class: open ? 'open' : '', 'data-key': key, 'aria-current': open ? 'true' : undefined, onclick: () => go(botId, chatId) },
    avatar(id, name),
    el('span.chat-text', {},
      el('span.chat-top', {}, el('b', {}, group && icon('group'), name), last && el('time', {}, briefly(last.date))),
      el('span.chat-under', {}, preview(talk, last, about), talk.unread > 0 && el('span.badge', { 'aria-label': `${talk.unread} unread` }, talk.unread))));
}

function preview(talk, last, about) {
  if (talk.drafts.size || talk.typing.size) return el('span.preview.busy', {}, 'typing…');
  if (!last) return el('span.preview', {}, about);
  const who = last.service ? '' : last.from.id === state.me ? 'You: ' : talk.chatId < 0 ? `${last.from.first_name}: ` : '';
  return el('span.preview', {}, who && el('span.who', {}, who), words(last));
}

export function words(message) {
  const kind = (message.photo && '🖼 Photo') || (message.voice && '🎤 Voice message') || (message.document && `📎 ${message.document.file_name || 'File'}`) || (message.video && '🎬 Video');
  return message.service || message.text || [kind, message.caption].filter(Boolean).join(' · ') || 'Message';
}

function drawOnline() {
  byId('online').classList.toggle('on', state.online);
  byId('online-text').textContent = state.online ? 'Sandbox connected' : 'Reconnecting…';
}

function chooseUser(at) {
  const users = [...state.users.values()].map((user) => ({
    label: user.first_name, avatar: avatar(user.id, user.first_name, 'small'), hint: user.language_code || '', chosen: user.id === state.me, act: () => become(user.id),
  }));
  menu(at, [...users, null, { label: 'Add a user', icon: 'plus', act: newUser }]);
}

export async function become(userId) {
  const group = state.open && state.open.chatId < 0 && state.chats.get(state.open.key)?.member_ids.includes(userId) ? state.open : null;
  const botId = state.open?.botId ?? [...state.bots.keys()][0];
  state.me = userId;
  kept.set('me', userId);
  changed('me');
  await loadTalks();
  if (group) go(null, group.chatId, group.thread);
  else if (botId) go(botId, userId);
}

function newUser() {
  const languages = [['en', 'English'], ['ru', 'Русский'], ['cs', 'Čeština'], ['de', 'Deutsch'], ['uk', 'Українська']].map(([value, label]) => ({ value, label }));
  form('New user', 'Add', [
    { name: 'first_name', label: 'First name', placeholder: 'Mila', required: true },
    { name: 'username', label: 'Username (optional)', placeholder: 'mila' },
    { name: 'language_code', label: 'Language of the app', type: 'select', options: languages },
  ], async ({ first_name, username, language_code }) => {
    const user = await attempt(sim.addUser({ first_name, language_code, ...(username && { username }) }));
    if (!user) return;
    state.users.set(user.id, user);
    await become(user.id);
  });
}

function newGroup() {
  const boxes = (things, name) => things.map((thing) => ({ value: thing.id, label: name(thing), checked: true }));
  form('New group', 'Create', [
    { name: 'title', label: 'Title', placeholder: 'Book club', required: true },
    { name: 'is_forum', label: 'With topics', type: 'check' },
    { name: 'members', label: 'People', type: 'checks', options: boxes([...state.users.values()], (user) => user.first_name) },
    { name: 'bots', label: 'Bots', type: 'checks', options: boxes([...state.bots.values()], (bot) => bot.name) },
  ], async ({ title, is_forum, members, bots }) => {
    const people = members.includes(state.me) ? members : [state.me, ...members];
    const chat = await attempt(sim.addGroup({ type: 'supergroup', title, is_forum, members: people, bots }));
    if (!chat) return;
    state.chats.set(keyOf(null, chat.id), chat);
    go(null, chat.id);
  });
}

export async function block(botId, blocked) {
  const done = await attempt(sim.block({ bot_id: botId, user_id: state.me, blocked }));
  if (done) setBlocked(botId, state.me, blocked);
}
