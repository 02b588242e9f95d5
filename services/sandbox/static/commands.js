// The list of commands: behind the / button, and narrowing while one types a slash.

import { el, fill } from './dom.js';
import { openBot, openChat, state } from './store.js';

export class CommandMenu {
  constructor(field, choose) {
    this.field = field;
    this.choose = choose;
    this.node = el('div.commands', { role: 'listbox', 'aria-label': 'Commands', hidden: true });
    this.found = [];
    this.at = 0;
    addEventListener('pointerdown', (event) => !event.target.closest('.commands, #slash, #text') && this.hide());
  }

  /** Commands of the bots of this chat; in a group each names its bot. */
  available() {
    const chat = openChat();
    const bots = openBot() ? [openBot()] : (chat?.bot_ids || []).map((id) => state.bots.get(id)).filter(Boolean);
    const tail = (bot) => (openBot() ? '' : `@${bot.username}`);
    return bots.flatMap((bot) => (bot.commands || []).map(({ command, description }) => ({ text: `/${command}${tail(bot)}`, description })));
  }

  update() {
    const typed = /^\/(\S*)$/.exec(this.field.value);
    if (!typed) return this.hide();
    return this.show(this.available().filter(({ text }) => text.toLowerCase().startsWith(this.field.value.toLowerCase())));
  }

  toggle() {
    if (!this.node.hidden) return this.hide();
    this.field.focus();
    return this.show(this.available());
  }

  show(found) {
    this.found = found;
    this.at = 0;
    this.node.hidden = !found.length;
    this.draw();
  }

  hide() {
    this.node.hidden = true;
    this.field.removeAttribute('aria-activedescendant');
  }

  draw() {
    fill(this.node, this.found.map(({ text, description }, n) => el('button', {
      type: 'button', role: 'option', id: `command-${n}`, 'aria-selected': String(n === this.at), class: n === this.at ? 'at' : '', onclick: () => this.take(n),
    }, el('b', {}, text), el('span', {}, description))));
    this.field.setAttribute('aria-activedescendant', `command-${this.at}`);
    this.node.children[this.at]?.scrollIntoView({ block: 'nearest' });
  }

  take(n) {
    this.hide();
    this.choose(this.found[n].text);
  }

  /** True where the menu has used the key. */
  key(event) {
    if (this.node.hidden) return false;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) this.at = (this.at + by + this.found.length) % this.found.length;
    else if (event.key === 'Enter' && !event.shiftKey) this.take(this.at);
    else if (event.key === 'Tab') this.field.value = `${this.found[this.at].text} `;
    else if (event.key !== 'Escape') return false;
    event.preventDefault();
    event.stopPropagation();
    if (by) this.draw();
    else this.hide();
    return true;
  }
}
