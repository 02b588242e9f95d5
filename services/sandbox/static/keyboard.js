// The reply keyboard a bot has put under the message field.

import { el, fill } from './dom.js';
import { say } from './links.js';
import { shownMessages, state } from './store.js';
import { toast } from './surfaces.js';

let shownFor = null;

export function drawKeyboard(node, toggle) {
  const source = shownMessages().findLast((message) => message.from.is_bot && (message.reply_markup?.keyboard || message.reply_markup?.remove_keyboard));
  const markup = source?.reply_markup?.keyboard ? source.reply_markup : null;
  const sign = markup ? `${state.open.key}/${source.version}` : null;
  if (sign === shownFor) return;
  shownFor = sign;
  node.hidden = toggle.hidden = !markup;
  if (!markup) return;
  const press = (button) => {
    if (button.request_contact || button.request_location || button.web_app) return toast('The sandbox cannot do this yet.');
    if (markup.one_time_keyboard) node.hidden = true;
    return say(button.text ?? button);
  };
  fill(node, markup.keyboard.map((row) => el('div', {}, row.map((button) => el('button', { type: 'button', class: button.style || '', onclick: () => press(button) }, button.text ?? button)))));
}
