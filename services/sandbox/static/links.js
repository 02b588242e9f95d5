// What a click on a command, a mention, a link or a button of a bot does.

import { attempt, sim } from './api.js';
import { openBot, openChat, place, state } from './store.js';
import { alertBox, toast } from './surfaces.js';
import { onEvent } from './world.js';

export async function say(text) {
  return attempt(sim.send({ ...place(), text, message_thread_id: state.open.thread || undefined }));
}

const START_LINK = /^(?:https?:\/\/)?t\.me\/(\w+)\?start(?:group)?=([\w-]{1,64})$/i;
const RESOLVE = /^tg:\/\/resolve\?domain=(\w+)&start=([\w-]{1,64})$/i;

export const actions = {
  command: (text) => say(text),
  mention: (text) => mentioned(text.slice(1)),
  link(url, event) {
    const deep = START_LINK.exec(url) || RESOLVE.exec(url);
    const bot = deep && [...state.bots.values()].find((one) => one.username.toLowerCase() === deep[1].toLowerCase());
    if (!bot) return;
    event?.preventDefault();
    attempt(sim.send({ bot_id: bot.id, chat_id: state.me, user_id: state.me, text: `/start ${deep[2]}` }));
  },
};

function mentioned(username) {
  const bot = [...state.bots.values()].find((one) => one.username === username);
  const user = [...state.users.values()].find((one) => one.username === username);
  if (bot) dispatchEvent(new CustomEvent('go', { detail: { botId: bot.id, chatId: state.me } }));
  else toast(user ? `${user.first_name} is one of the people here` : `Nobody here is called @${username}`);
}

const waiting = new Map(); // callback query id -> how to take the pressed look away
const early = new Map(); // answers that came before the press was confirmed

export async function pressButton(message, button, node) {
  if (button.url || button.login_url) return openUrl(button.url || button.login_url.url);
  if (button.copy_text) {
    await navigator.clipboard?.writeText(button.copy_text.text);
    return toast('Copied');
  }
  if (button.web_app) return toast('Mini Apps do not open in the sandbox.');
  if (!button.callback_data) return toast('This kind of button does nothing in the sandbox.');
  node.classList.add('pressed');
  node.disabled = true;
  const release = () => {
    node.classList.remove('pressed');
    node.disabled = false;
  };
  const pressed = await attempt(sim.press({ ...place(), message_id: message.message_id, data: button.callback_data }));
  if (!pressed) return release();
  const answered = early.get(pressed.callback_query_id);
  if (answered) return (early.delete(pressed.callback_query_id), release(), show(answered));
  waiting.set(pressed.callback_query_id, release);
  return setTimeout(() => waiting.delete(pressed.callback_query_id) && release(), 15_000);
}

function openUrl(url) {
  const event = { defaultPrevented: false, preventDefault() { this.defaultPrevented = true; } };
  actions.link(url, event);
  if (!event.defaultPrevented && /^https?:/i.test(url)) window.open(url, '_blank', 'noopener,noreferrer');
}

function show({ text, show_alert, url }) {
  if (url) openUrl(url);
  if (text && show_alert) alertBox(text, { title: openBot()?.name || openChat()?.title || '' });
  else if (text) toast(text);
}

onEvent('callback_answer', (answer) => {
  const release = waiting.get(answer.callback_query_id);
  if (!release) return early.set(answer.callback_query_id, answer) && setTimeout(() => early.delete(answer.callback_query_id), 5_000);
  waiting.delete(answer.callback_query_id);
  release();
  return show(answer);
});
