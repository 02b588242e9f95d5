// Keeps the store equal to the sandbox: loads it, follows its events, comes back after a break.

import { sim, attempt } from './api.js';
import { kept } from './dom.js';
import { changed, keyOf, openTalk, put, state, talkOf } from './store.js';

const TYPING_LASTS = 5_500;
const LEAVING = 400; // a draft that is gone waits so long for the message that replaces it
const extra = new Map(); // listeners of events that are no part of the store

export const onEvent = (type, listener) => extra.set(type, listener);

// The demo makes this person an operator of the bot.
const FIRST_USER = 1000001;

let source = null;

/** Everything anew; the events that follow begin exactly where this picture ends. */
export async function load() {
  const world = await sim.state();
  state.bots = new Map(world.bots.map((bot) => [bot.id, bot]));
  state.users = new Map(world.users.map((user) => [user.id, user]));
  state.chats = new Map(world.chats.map((chat) => [keyOf(chat.bot_ids[0], chat.id), chat]));
  if (!state.users.size) {
    const user = await sim.addUser({ id: FIRST_USER, first_name: 'Alex', language_code: 'en' });
    state.users.set(user.id, user);
  }
  const remembered = kept.get('me');
  if (!state.users.has(state.me)) state.me = state.users.has(remembered) ? remembered : [...state.users.keys()][0];
  for (const talk of state.talks.values()) Object.assign(talk, { loaded: false, messages: new Map(), drafts: new Map() });
  follow(world.event);
  await loadTalks();
  state.ready = true;
  for (const topic of ['list', 'open', 'me']) changed(topic);
}

export async function loadTalks() {
  const mine = [...state.chats.values()].filter((chat) => (chat.id > 0 ? chat.id === state.me : chat.member_ids.includes(state.me)));
  await Promise.all(mine.slice(0, 60).map((chat) => loadTalk(chat.id > 0 ? chat.bot_ids[0] : null, chat.id)));
}

export async function loadTalk(botId, chatId) {
  const talk = talkOf(botId, chatId);
  if (talk.loaded || !state.chats.has(talk.key)) return;
  talk.loaded = true;
  const seen = await attempt(sim.transcript(chatId, botId));
  if (!seen) return;
  for (const message of seen.messages) if (!talk.messages.has(message.message_id)) put(talk, message);
  for (const draft of seen.drafts) talk.drafts.set(draft.draft_id, draft);
  changed('list');
  changed('messages', talk.key);
  changed('drafts', talk.key);
}

function follow(after) {
  source?.close();
  source = new EventSource(`/sim/events?after=${after ?? ''}`);
  source.onopen = () => setOnline(true);
  source.onmessage = (message) => receive(JSON.parse(message.data));
  source.onerror = () => {
    setOnline(false);
    source.close();
    setTimeout(comeBack, 1_000);
  };
}

/** Loads the world, however long it takes until the sandbox answers. */
export async function comeBack() {
  try {
    await load();
  } catch {
    setTimeout(comeBack, 2_000);
  }
}

function setOnline(online) {
  state.online = online;
  changed('online');
}

function receive(event) {
  handlers[event.type]?.(event);
  extra.get(event.type)?.(event);
}

const handlers = {
  message({ bot_id, chat_id, message }) {
    const talk = talkOf(bot_id, chat_id);
    if (chat_id > 0 && chat_id !== state.me && !talk.loaded) {
      if (message.from.is_bot) talk.unread += 1; // fetched when somebody becomes this user
      return changed('list');
    }
    const fromBot = message.from.is_bot;
    message.fresh = true;
    put(talk, message);
    if (fromBot) {
      talk.typing.delete(message.from.id);
      for (const draft of talk.drafts.values()) {
        if (draft.bot_id !== message.from.id) continue;
        message.fresh = false; // it takes the place of the bubble that was already there
        talk.drafts.delete(draft.draft_id);
      }
      changed('drafts', talk.key);
    }
    if (message.from.id !== state.me && (openTalk() !== talk || document.hidden)) talk.unread += 1;
    changed('messages', talk.key);
    return changed('list');
  },
  edited({ bot_id, chat_id, message }) {
    const talk = talkOf(bot_id, chat_id);
    put(talk, message);
    changed('messages', talk.key);
    changed('list');
  },
  deleted({ bot_id, chat_id, message_id }) {
    const talk = talkOf(bot_id, chat_id);
    talk.messages.delete(message_id);
    changed('messages', talk.key);
    changed('list');
  },
  draft({ bot_id, chat_id, draft }) {
    const talk = talkOf(bot_id, chat_id);
    talk.drafts.set(draft.draft_id, draft);
    talk.typing.delete(bot_id);
    changed('drafts', talk.key);
    changed('list');
  },
  draft_gone({ bot_id, chat_id, draft_id }) {
    const talk = talkOf(bot_id, chat_id);
    const draft = talk.drafts.get(draft_id);
    if (!draft) return;
    draft.leaving = true;
    setTimeout(() => {
      if (talk.drafts.get(draft_id) === draft) talk.drafts.delete(draft_id);
      changed('drafts', talk.key);
      changed('list');
    }, LEAVING);
  },
  typing({ bot_id, chat_id, action }) {
    const talk = talkOf(bot_id, chat_id);
    const until = Date.now() + TYPING_LASTS;
    talk.typing.set(bot_id, { until, action });
    setTimeout(() => {
      if (talk.typing.get(bot_id)?.until === until) talk.typing.delete(bot_id);
      changed('typing', talk.key);
    }, TYPING_LASTS);
    changed('typing', talk.key);
  },
  reaction({ bot_id, chat_id, message_id, reactions }) {
    const talk = talkOf(bot_id, chat_id);
    const message = talk.messages.get(message_id);
    if (!message) return;
    put(talk, { ...message, reactions, fresh: false });
    changed('messages', talk.key);
  },
  commands({ bot_id, commands }) {
    const bot = state.bots.get(bot_id);
    if (bot) bot.commands = commands;
    changed('open');
  },
  chat({ chat }) {
    state.chats.set(keyOf(chat.bot_ids[0], chat.id), chat);
    changed('list');
    changed('open');
  },
  user({ user }) {
    state.users.set(user.id, user);
    changed('me');
  },
  bot({ bot }) {
    state.bots.set(bot.id, bot);
    changed('list');
    changed('open');
  },
  reset() {
    state.talks.clear();
    state.open = null;
    state.me = null;
    state.blocked.clear();
    kept.set('blocked', []);
    source.close();
    comeBack();
  },
};
