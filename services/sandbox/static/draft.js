// The live bubble while a character answers: words run in at the pace at which they arrive.

import { attempt, sim } from './api.js';
import { el, fill, icon } from './dom.js';
import { rich } from './entities.js';
import { avatar } from './format.js';
import { actions } from './links.js';
import { openTalk, state } from './store.js';

const still = matchMedia('(prefers-reduced-motion: reduce)');
const LONGEST_RUN = 1_200;

/** A view that is kept while its draft lives: `update(draft)` runs on from what is shown. */
export class DraftView {
  constructor(draft, onGrow) {
    const bot = state.bots.get(draft.bot_id);
    this.onGrow = onGrow;
    this.shown = 0;
    this.target = '';
    this.arrived = 0;
    this.pace = 400;
    this.text = el('div.text', { dir: 'auto' });
    this.dots = el('div.dots', { 'aria-label': 'thinking' }, el('i'), el('i'), el('i'));
    this.stop = el('button.stop', { type: 'button', 'aria-label': 'Stop the answer', onclick: () => this.press() }, icon('stop'), el('span', {}, 'Stop'));
    this.bubble = el('div.bubble.draft', {}, this.dots, this.text, this.stop);
    this.node = el('article.row.theirs.first.last.live', { 'aria-busy': 'true' }, avatar(draft.bot_id, bot?.name || 'Bot', 'small'), el('div.stack', {}, el('div.line', {}, this.bubble)));
    this.update(draft);
  }

  update(draft) {
    this.draft = draft;
    const text = draft.text || '';
    this.bubble.classList.toggle('thinking', !text);
    this.bubble.classList.toggle('leaving', Boolean(draft.leaving));
    this.stop.hidden = !draft.can_stop || Boolean(draft.leaving);
    if (text === this.target) return;
    const now = performance.now();
    if (this.arrived) this.pace = Math.min(LONGEST_RUN, Math.max(150, now - this.arrived));
    this.arrived = now;
    if (!text.startsWith(this.target.slice(0, Math.floor(this.shown)))) this.shown = common(text, this.target);
    this.target = text;
    this.from = this.shown;
    this.draw();
  }

  draw() {
    const done = still.matches || document.hidden ? 1 : Math.min(1, (performance.now() - this.arrived) / this.pace);
    this.shown = this.from + (this.target.length - this.from) * done;
    const upTo = Math.round(this.shown);
    const visible = (this.draft.entities || []).filter((entity) => entity.offset < upTo);
    fill(this.text, rich(this.target.slice(0, upTo), visible, actions), el('span.caret', { 'aria-hidden': 'true' }));
    this.onGrow();
    cancelAnimationFrame(this.frame);
    if (done < 1) this.frame = requestAnimationFrame(() => this.draw());
  }

  async press() {
    this.stop.disabled = true;
    const talk = openTalk();
    const stopped = await attempt(sim.stop({ bot_id: this.draft.bot_id, chat_id: talk.chatId, draft_id: this.draft.draft_id }));
    if (!stopped) this.stop.disabled = false;
  }

  remove() {
    cancelAnimationFrame(this.frame);
    this.node.remove();
  }
}

function common(one, other) {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}
