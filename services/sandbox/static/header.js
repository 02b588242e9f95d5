// The top of the conversation: with whom, what they are doing, topics, the menu of the chat; and what an empty chat says.

import { attempt, sim } from './api.js';
import { block, go } from './chatlist.js';
import { byId, el, fill, icon } from './dom.js';
import { avatar, plural } from './format.js';
import { say } from './links.js';
import { changed, isBlocked, on, openBot, openChat, openTalk, shownMessages, state } from './store.js';
import { form, menu, toast } from './surfaces.js';

const DOING = { typing: 'typing', upload_photo: 'sending a photo', record_voice: 'recording a voice message', upload_voice: 'sending a voice message', upload_document: 'sending a file', choose_sticker: 'choosing a sticker' };

export function setup() {
  byId('back').append(icon('back'));
  byId('chat-menu').append(icon('more'));
  byId('back').addEventListener('click', () => (byId('app').dataset.screen = 'list'));
  byId('chat-menu').addEventListener('click', (event) => menu(event.currentTarget, items()));
  for (const topic of ['open', 'list']) on(topic, draw);
  for (const topic of ['typing', 'drafts', 'online']) on(topic, drawSubtitle);
  for (const topic of ['open', 'list', 'empty', 'drafts']) on(topic, drawEmpty);
}

function draw() {
  const [bot, chat] = [openBot(), openChat()];
  byId('pane').dataset.kind = !state.open ? 'none' : state.open.chatId > 0 ? 'private' : 'group';
  byId('title').textContent = state.open ? bot?.name || chat?.title || '' : 'Vitte sandbox';
  fill(byId('pane-avatar'), state.open && avatar(bot?.id ?? state.open.chatId, bot?.name || chat?.title));
  byId('chat-menu').hidden = !state.open;
  drawTopics(chat);
  drawSubtitle();
}

function drawSubtitle() {
  const talk = openTalk();
  const subtitle = byId('subtitle');
  const busy = talk && (talk.typing.size > 0 || [...talk.drafts.values()].some((draft) => !draft.leaving));
  subtitle.classList.toggle('busy', Boolean(busy));
  if (!state.online) subtitle.textContent = 'connecting…';
  else if (busy) fill(subtitle, document.createTextNode(doing(talk)), el('span.typing-dots', {}, el('i'), el('i'), el('i')));
  else subtitle.textContent = about();
}

function doing(talk) {
  const [first] = [...talk.typing];
  const action = DOING[first?.[1].action] || 'typing';
  return talk.chatId < 0 && first ? `${state.bots.get(first[0])?.name || 'Bot'} is ${action}` : action;
}

function about() {
  const [bot, chat] = [openBot(), openChat()];
  if (isBlocked()) return 'blocked';
  if (bot) return 'bot';
  return chat ? `${plural(chat.member_ids.length, 'person', 'people')}, ${plural(chat.bot_ids.length, 'bot', 'bots')}` : '';
}

function drawTopics(chat) {
  const bar = byId('topics');
  bar.hidden = !chat?.is_forum;
  if (bar.hidden) return;
  const tab = (name, thread) => el('button.topic', {
    class: (state.open.thread || null) === thread ? 'open' : '', 'aria-current': (state.open.thread || null) === thread ? 'true' : undefined, onclick: () => go(null, chat.id, thread),
  }, icon('hash'), name);
  const add = el('button.topic.add', { onclick: newTopic, 'aria-label': 'New topic' }, icon('plus'), 'Topic');
  fill(bar, tab('General', null), chat.topics.map((topic) => tab(topic.name, topic.message_thread_id)), add);
}

function newTopic() {
  const { chatId } = state.open;
  form('New topic', 'Create', [{ name: 'name', label: 'Name', placeholder: 'Ideas', required: true }], async ({ name }) => {
    const topic = await attempt(sim.addTopic(chatId, name));
    if (!topic) return;
    const chat = openChat();
    if (chat && !chat.topics.some((one) => one.message_thread_id === topic.message_thread_id)) chat.topics.push(topic);
    go(null, chatId, topic.message_thread_id);
    changed('open');
  });
}

function items() {
  const [bot, chat] = [openBot(), openChat()];
  const copy = (text) => navigator.clipboard?.writeText(String(text)).then(() => toast('Copied'));
  return [
    bot && (isBlocked() ? { label: 'Unblock the bot', icon: 'block', act: () => block(bot.id, false) } : { label: 'Block the bot', icon: 'block', danger: true, act: () => block(bot.id, true) }),
    chat?.is_forum && { label: 'New topic', icon: 'hash', act: newTopic },
    bot && { label: 'Send /start again', icon: 'bolt', act: () => say('/start') },
    { label: 'Copy the chat id', icon: 'copy', hint: String(state.open.chatId), act: () => copy(state.open.chatId) },
  ].filter(Boolean);
}

function drawEmpty() {
  const box = byId('empty');
  const talk = openTalk();
  const quiet = !state.open || (!shownMessages().length && !talk.drafts.size);
  box.hidden = !quiet || !state.ready;
  if (box.hidden) return;
  const [bot, chat] = [openBot(), openChat()];
  if (!state.open) fill(box, waiting());
  else if (bot) fill(box, greeting(bot));
  else fill(box, el('div.card', {}, el('h2', {}, chat?.title || 'Group'), el('p', {}, groupHint(chat))));
}

function waiting() {
  if (state.bots.size) return el('div.card', {}, el('h2', {}, 'Choose a chat'), el('p', {}, 'Your conversations are on the left.'));
  const address = el('code', {}, location.origin);
  return el('div.card', {}, el('div.radar', {}, el('i'), el('i'), icon('bolt')), el('h2', {}, 'Waiting for a bot to connect…'),
    el('p', {}, 'Start a bot with this address as its Bot API server. It appears here with its first call.'), el('p.address', {}, 'TELEGRAM_API_URL=', address));
}

function greeting(bot) {
  return el('div.card', {}, avatar(bot.id, bot.name, 'large'), el('h2', {}, bot.name), el('p.handle', {}, `@${bot.username}`),
    el('p', {}, isBlocked() ? 'You have blocked this bot.' : 'Press START to begin the conversation.'));
}

function groupHint(chat) {
  const name = state.bots.get(chat?.bot_ids[0])?.username;
  return name ? `Say hello. A bot in a group sees commands, replies to it, and messages that name it: @${name}` : 'There is no bot in this group.';
}
