// The drawer on the right: the log of Bot API calls, what the model was asked, and the controls that break things.

import { calls } from './calls.js';
import { controls } from './controls.js';
import { byId, el, fill, icon, kept } from './dom.js';
import { modelCalls } from './modelcalls.js';

const TABS = [['calls', 'Bot API', calls], ['model', 'Model', modelCalls], ['controls', 'Controls', controls]];
const drawer = byId('drawer');
const toggle = byId('toggle-drawer');
const body = el('div.drawer-body');
let open = null;

export function setup() {
  toggle.append(icon('code'));
  toggle.addEventListener('click', () => (drawer.hidden ? show(kept.get('tab', 'calls')) : close()));
  if (kept.get('drawer') && innerWidth > 1100) show(kept.get('tab', 'calls'));
}

function show(name) {
  const [key, , part] = TABS.find(([tab]) => tab === name) || TABS[0];
  open?.leave?.();
  open = part;
  kept.set('tab', key);
  kept.set('drawer', true);
  drawer.hidden = false;
  toggle.setAttribute('aria-expanded', 'true');
  const tabs = TABS.map(([tab, label]) => el('button.tab', { role: 'tab', id: `tab-${tab}`, 'aria-selected': String(tab === key), onclick: () => show(tab) }, label));
  const leave = el('button.round', { 'aria-label': 'Close the drawer', onclick: close }, icon('close'));
  body.setAttribute('aria-labelledby', `tab-${key}`);
  body.setAttribute('role', 'tabpanel');
  fill(drawer, el('header.drawer-head', {}, el('div.tabs', { role: 'tablist', onkeydown: walk }, tabs), leave), body);
  part.show(body);
}

function walk(event) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  const at = TABS.findIndex(([, , part]) => part === open);
  const [next] = TABS[(at + by + TABS.length) % TABS.length];
  show(next);
  byId(`tab-${next}`).focus();
}

/** True where it was open. */
export function close() {
  if (drawer.hidden) return false;
  open?.leave?.();
  open = null;
  drawer.hidden = true;
  kept.set('drawer', false);
  toggle.setAttribute('aria-expanded', 'false');
  return true;
}
