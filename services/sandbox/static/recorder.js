// Records a voice message, or takes a sound file where there is no microphone.

import { el, icon } from './dom.js';
import { duration } from './format.js';
import { toOgg } from './ogg.js';
import { toast } from './surfaces.js';

const KINDS = ['audio/ogg;codecs=opus', 'audio/webm;codecs=opus', 'audio/mp4'];

export class Recorder {
  constructor(line, done) {
    this.line = line;
    this.done = done;
    this.clock = el('span.clock', {}, '0:00');
    const cancel = el('button.round', { type: 'button', 'aria-label': 'Throw the recording away', onclick: () => this.finish(false) }, icon('trash'));
    const send = el('button.send', { type: 'button', 'aria-label': 'Send the voice message', onclick: () => this.finish(true) }, icon('send'));
    this.bar = el('div.compose.recording', {}, cancel, el('div.field-box', {}, el('span.pulse'), this.clock, el('span.grow', {}, 'Recording…')), send);
  }

  async start() {
    const kind = globalThis.MediaRecorder && KINDS.find((one) => MediaRecorder.isTypeSupported(one));
    if (!kind || !navigator.mediaDevices) return this.choose();
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      return this.choose();
    }
    this.parts = [];
    this.recorder = new MediaRecorder(stream, { mimeType: kind });
    this.recorder.ondataavailable = (event) => event.data.size && this.parts.push(event.data);
    this.recorder.start(500);
    this.began = Date.now();
    this.line.replaceWith(this.bar);
    this.timer = setInterval(() => (this.clock.textContent = duration(Math.floor((Date.now() - this.began) / 1000))), 250);
    return undefined;
  }

  finish(keep) {
    clearInterval(this.timer);
    const seconds = (Date.now() - this.began) / 1000;
    this.recorder.onstop = async () => {
      for (const track of this.recorder.stream.getTracks()) track.stop();
      if (!keep || !this.parts.length) return;
      const sound = new Blob(this.parts, { type: this.recorder.mimeType.split(';')[0] });
      this.done(sound.type === 'audio/webm' ? await toOgg(sound).catch(() => sound) : sound, seconds);
    };
    this.recorder.stop();
    this.clock.textContent = '0:00';
    this.bar.replaceWith(this.line);
  }

  /** No microphone, or no leave to use it: a file with a sound will do. */
  choose() {
    toast('No microphone here: choose a sound file.');
    const chooser = el('input', { type: 'file', accept: 'audio/*,.ogg,.oga,.opus' });
    chooser.addEventListener('change', () => {
      const [file] = chooser.files;
      if (!file) return;
      const sound = new Audio(URL.createObjectURL(file));
      const finish = () => (URL.revokeObjectURL(sound.src), this.done(file, Number.isFinite(sound.duration) ? sound.duration : 1));
      sound.addEventListener('loadedmetadata', finish, { once: true });
      sound.addEventListener('error', finish, { once: true });
    });
    chooser.click();
  }
}
