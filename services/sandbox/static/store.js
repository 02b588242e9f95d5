// What the page knows of the world, and who wants to hear when it changes. One draw per frame, however much happened.

import { kept } from './dom.js';

export const state = {
  me: null,
  users: new Map(),
  bots: new Map(),
  chats: new Map(), // key -> chat, of groups and of private chats that have begun
  talks: new Map(), // key -> talk
  open: null, // {key, botId, chatId, thread}
  online: false,
  ready: false,
  blocked: new Set(kept.get('blocked', [])),
};

const listeners = new Map();
const dirty = new Map();
let scheduled = false;

export function on(topic, listener) {
  listeners.set(topic, [...(listeners.get(topic) || []), listener]);
}

/** Tells the listeners of a topic in the next frame; details of one frame come together as a Set. */
export function changed(topic, detail = null) {
  if (!dirty.has(topic)) dirty.set(topic, new Set());
  dirty.get(topic).add(detail);
  if (scheduled) return;
  scheduled = true;
  // A hidden tab has no frames but must not lag behind for ever.
  if (document.hidden) setTimeout(flush, 100);
  else requestAnimationFrame(flush);
}

function flush() {
  scheduled = false;
  const topics = [...dirty];
  dirty.clear();
  for (const [topic, details] of topics) for (const listener of listeners.get(topic) || []) listener(details);
}

export const keyOf = (botId, chatId) => (chatId > 0 ? `${botId}:${chatId}` : String(chatId));

export function talkOf(botId, chatId) {
  const key = keyOf(botId, chatId);
  if (!state.talks.has(key)) {
    state.talks.set(key, {
      key, chatId, botId: chatId > 0 ? botId : null, messages: new Map(), drafts: new Map(), typing: new Map(), unread: 0, loaded: false, unsent: '',
    });
  }
  return state.talks.get(key);
}

export const openTalk = () => (state.open ? talkOf(state.open.botId, state.open.chatId) : null);
export const openChat = () => (state.open ? state.chats.get(state.open.key) || null : null);
export const openBot = () => (state.open && state.open.chatId > 0 ? state.bots.get(state.open.botId) || null : null);

const KEPT = 3_000; // messages of a chat that the page holds
let version = 0;

/** A message as it is now; its version makes the page draw it again. */
export function put(talk, message) {
  message.version = ++version;
  talk.messages.set(message.message_id, message);
  if (talk.messages.size > KEPT) talk.messages.delete(talk.messages.keys().next().value);
}

export function setBlocked(botId, userId, blocked) {
  state.blocked[blocked ? 'add' : 'delete'](keyOf(botId, userId));
  kept.set('blocked', [...state.blocked]);
  changed('open');
}

export const isBlocked = () => Boolean(state.open) && state.blocked.has(state.open.key);

/** Messages of the open conversation, in order, of the open topic where there are topics. */
export function shownMessages() {
  const talk = openTalk();
  if (!talk) return [];
  const all = [...talk.messages.values()].sort((one, other) => one.message_id - other.message_id);
  const chat = openChat();
  if (!chat || !chat.is_forum) return all;
  return all.filter((message) => (message.message_thread_id || null) === (state.open.thread || null));
}

/** Where an action of the current user goes. */
export function place() {
  const { botId, chatId } = state.open;
  return { bot_id: botId ?? openChat()?.bot_ids[0], chat_id: chatId, user_id: state.me };
}

export function lastOf(talk) {
  let last = null;
  for (const message of talk.messages.values()) if (!last || message.message_id > last.message_id) last = message;
  return last;
}
