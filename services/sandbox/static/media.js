// Pictures, voices and files inside a bubble.

import { el, icon } from './dom.js';
import { duration, hash, size } from './format.js';

export function photo(file) {
  const image = el('img', { src: file.url, alt: 'Photo', loading: 'lazy', decoding: 'async' });
  if (file.width && file.height) image.style.aspectRatio = `${file.width} / ${file.height}`;
  return el('button.photo', { type: 'button', 'aria-label': 'Open the photo', onclick: () => lightbox(file.url) }, image);
}

export function lightbox(url) {
  const node = el('dialog.lightbox', { 'aria-label': 'Photo' }, el('img', { src: url, alt: 'Photo' }));
  node.addEventListener('close', () => node.remove());
  node.addEventListener('click', () => node.close());
  document.body.append(node);
  node.showModal();
}

export function video(file) {
  return el('video.video', { src: file.url, controls: true, preload: 'metadata' });
}

export function attachment(file) {
  const name = file.file_name || 'File';
  const what = [size(file.file_size), file.mime_type].filter(Boolean).join(' · ');
  return el('a.attachment', { href: file.url, download: name }, el('span.attachment-icon', {}, icon('file')), el('span.attachment-text', {}, el('b', {}, name), el('small', {}, what)));
}

const BARS = 36;
let playing = null;

/** The bars are made of the file's id: they look like its voice and stay the same. */
export function voice(file) {
  const audio = new Audio();
  audio.preload = 'none';
  const bars = Array.from({ length: BARS }, (_, n) => el('i', { vars: { '--high': `${18 + (hash(`${file.file_id}${n}`) % 82)}%` } }));
  const left = el('span.voice-time', {}, duration(file.duration));
  const button = el('button.play', { type: 'button', 'aria-label': 'Play the voice message' }, icon('play'));
  const wave = el('div.wave', { 'aria-hidden': 'true' }, bars);
  const total = () => (Number.isFinite(audio.duration) && audio.duration) || file.duration || 1;

  const show = () => {
    const done = audio.currentTime / total();
    bars.forEach((bar, n) => bar.classList.toggle('done', n / BARS < done));
    left.textContent = duration(audio.currentTime || total());
    button.replaceChildren(icon(audio.paused ? 'play' : 'pause'));
    button.setAttribute('aria-label', audio.paused ? 'Play the voice message' : 'Pause');
  };
  button.addEventListener('click', async () => {
    if (!audio.src) audio.src = file.url;
    if (!audio.paused) return audio.pause();
    if (playing && playing !== audio) playing.pause();
    playing = audio;
    try {
      await audio.play();
    } catch {
      left.textContent = 'cannot be played';
    }
    return undefined;
  });
  wave.addEventListener('click', (event) => {
    const box = wave.getBoundingClientRect();
    audio.currentTime = ((event.clientX - box.left) / box.width) * total();
  });
  for (const name of ['timeupdate', 'play', 'pause', 'ended']) audio.addEventListener(name, show);
  return el('div.voice', {}, button, wave, left);
}
