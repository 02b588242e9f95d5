// Photos and files on their way into the chat: chosen, pasted or dropped, looked at once more, sent.

import { attempt, sim } from './api.js';
import { byId, el, icon } from './dom.js';
import { size } from './format.js';
import { state } from './store.js';

const LARGEST = 50 * 1024 * 1024;
const PICTURE = /^image\/(png|jpeg|webp|gif)$/;

export const attach = {
  /** A last look with a caption; `extra` is asked for the place only when it is sent. */
  ask(files, extra) {
    const chosen = files.filter((file) => file.size);
    if (!chosen.length) return;
    const pictures = chosen.every((file) => PICTURE.test(file.type));
    const asFile = el('input', { type: 'checkbox', id: 'as-file' });
    const caption = el('input', { type: 'text', placeholder: 'Add a caption…', 'aria-label': 'Caption', maxlength: '1024', autocomplete: 'off' });
    const submit = (event) => {
      event.preventDefault();
      node.close();
      sendAll(chosen, pictures && !asFile.checked, caption.value.trim(), extra());
    };
    const body = el('form', { method: 'dialog', onsubmit: submit }, el('div.previews', {}, chosen.map(preview)), caption,
      pictures && el('label.check', {}, asFile, 'Send as a file'),
      el('div.buttons', {}, el('button.quiet', { type: 'button', onclick: () => node.close() }, 'Cancel'), el('button.primary', { type: 'submit' }, 'Send')));
    const node = el('dialog.dialog', { 'aria-label': 'Send files' }, el('h2', {}, chosen.length > 1 ? `Send ${chosen.length} files` : pictures ? 'Send a photo' : 'Send a file'), body);
    node.addEventListener('close', () => node.remove());
    document.body.append(node);
    node.showModal();
    caption.focus();
  },

  voice: (file, seconds, extra) => attempt(sim.sendFile({ ...extra, duration: Math.max(1, Math.round(seconds)) }, 'voice', file, 'voice.ogg')),
};

async function sendAll(files, asPhotos, caption, extra) {
  for (const [n, file] of files.entries()) {
    if (file.size > LARGEST) {
      await attempt(Promise.reject(new Error(`${file.name} is larger than 50 MB.`)));
      continue;
    }
    const kind = asPhotos ? 'photo' : file.type === 'audio/ogg' ? 'voice' : 'document';
    await attempt(sim.sendFile({ ...extra, ...(n === 0 && { caption }), ...(n > 0 && { reply_to: undefined }) }, kind, file, file.name));
  }
}

function preview(file) {
  if (!PICTURE.test(file.type)) return el('div.preview-file', {}, icon('file'), el('span', {}, el('b', {}, file.name), el('small', {}, size(file.size))));
  const url = URL.createObjectURL(file);
  return el('img', { src: url, alt: file.name, onload: () => URL.revokeObjectURL(url) });
}

/** Files may be dropped anywhere on the conversation. */
export function setupDrop(take) {
  const pane = byId('pane');
  const veil = byId('drop');
  let depth = 0;
  const carries = (event) => state.open && event.dataTransfer?.types.includes('Files');
  pane.addEventListener('dragenter', (event) => carries(event) && (event.preventDefault(), (depth += 1), (veil.hidden = false)));
  pane.addEventListener('dragover', (event) => carries(event) && event.preventDefault());
  pane.addEventListener('dragleave', () => depth > 0 && (depth -= 1) === 0 && (veil.hidden = true));
  pane.addEventListener('drop', (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth = 0;
    veil.hidden = true;
    take([...event.dataTransfer.files]);
  });
}
