// The sandbox's controls, as docs/sandbox.md describes them. Every refusal becomes an Error with the server's sentence.

import { toast } from './surfaces.js';

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error('The sandbox does not answer. Is it still running?');
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error || `${response.status} ${response.statusText}`);
  return body;
}

const post = (path, body) => ask(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

export const sim = {
  state: () => ask('/sim/state'),
  transcript: (chatId, botId) => ask(`/sim/chats/${chatId}/transcript${botId ? `?bot_id=${botId}` : ''}`),
  addUser: (user) => post('/sim/users', user),
  addGroup: (group) => post('/sim/chats', group),
  addTopic: (chatId, name) => post(`/sim/chats/${chatId}/topics`, { name }),
  send: (message) => post('/sim/send', message),
  sendFile(fields, kind, file, name) {
    const form = new FormData();
    for (const [key, value] of Object.entries(fields)) if (value !== undefined && value !== null && value !== '') form.append(key, value);
    form.append(kind, file, name);
    return ask('/sim/send', { method: 'POST', body: form });
  },
  edit: (change) => post('/sim/edit', change),
  press: (press) => post('/sim/press', press),
  stop: (stop) => post('/sim/stop', stop),
  react: (reaction) => post('/sim/react', reaction),
  block: (block) => post('/sim/block', block),
  calls: (after) => ask(`/sim/calls?after=${after}`),
  health: () => ask('/health'),
  model: () => ask('/sim/model'),
  setModel: (controls) => post('/sim/model', controls),
  modelCalls: (after) => ask(`/sim/model/calls?after=${after}`),
  addFaults: (faults) => post('/sim/faults', { faults }),
  clearFaults: () => ask('/sim/faults', { method: 'DELETE' }),
  reset: () => post('/sim/reset', {}),
};

/** Shows a refusal to the person; answers undefined then. */
export async function attempt(promise) {
  try {
    return await promise;
  } catch (error) {
    toast(error.message, { bad: true });
    return undefined;
  }
}
