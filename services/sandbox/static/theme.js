// Light and dark: as the system has it, unless somebody chose.

import { byId, fill, icon, kept } from './dom.js';
import { menu } from './surfaces.js';

const CHOICES = [['auto', 'As the system', 'half'], ['light', 'Light', 'sun'], ['dark', 'Dark', 'moon']];

function choose(name) {
  kept.set('theme', name);
  document.documentElement.dataset.theme = name;
  fill(byId('theme'), icon(CHOICES.find(([key]) => key === name)[2]));
}

export function setup() {
  const remembered = kept.get('theme', 'auto');
  choose(CHOICES.some(([key]) => key === remembered) ? remembered : 'auto');
  byId('theme').addEventListener('click', (event) => menu(event.currentTarget, CHOICES.map(([key, label, sign]) => ({
    label, icon: sign, chosen: document.documentElement.dataset.theme === key, act: () => choose(key),
  }))));
}
