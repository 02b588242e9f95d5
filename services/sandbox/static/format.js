// Times, names, colours: how things are written on the page.

import { el } from './dom.js';

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const exact = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long' });
const full = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const DAY = 86_400_000;

export const time = (seconds) => clock.format(seconds * 1000);
export const timeWithSeconds = (seconds) => exact.format(seconds * 1000);
export const dayKey = (seconds) => new Date(seconds * 1000).toDateString();

export function day(seconds) {
  const then = new Date(seconds * 1000);
  const today = new Date();
  if (then.toDateString() === today.toDateString()) return 'Today';
  if (then.toDateString() === new Date(today - DAY).toDateString()) return 'Yesterday';
  return (then.getFullYear() === today.getFullYear() ? dayAndMonth : full).format(then);
}

/** For the chat list: a time today, a weekday this week, else a date. */
export function briefly(seconds) {
  const age = Date.now() - seconds * 1000;
  if (dayKey(seconds) === new Date().toDateString()) return time(seconds);
  return age < 6 * DAY ? weekday.format(seconds * 1000) : dayAndMonth.format(seconds * 1000);
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds || 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

export function size(bytes) {
  if (!bytes) return '';
  return bytes < 1024 ? `${bytes} B` : bytes < 1_048_576 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
}

export function hash(text) {
  let value = 2_166_136_261;
  for (const letter of String(text)) value = Math.imul(value ^ letter.codePointAt(0), 16_777_619);
  return value >>> 0;
}

const HUES = [258, 212, 162, 334, 24, 190, 288, 130, 350, 10, 232, 310];

export const hue = (id) => HUES[hash(id) % HUES.length];

export function initials(name) {
  const words = String(name || '?').trim().split(/\s+/);
  return words.slice(0, 2).map((word) => [...word][0] || '').join('').toUpperCase() || '?';
}

/** A round picture made of a name; decorative, the name stands beside it. */
export const avatar = (id, name, extra = '') => el('span.avatar', { vars: { '--hue': hue(id) }, class: extra, 'aria-hidden': 'true' }, initials(name));

export const plural = (number, one, many) => `${number} ${number === 1 ? one : many}`;
