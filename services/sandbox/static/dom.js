// Small tools for building the page: elements, and the state of things outside the world (storage).

const SVG = 'http://www.w3.org/2000/svg';

/** el('div.bubble', {onclick, 'aria-label': …}, child, …): falsy children are left out, texts are texts. */
export function el(selector, props = {}, ...children) {
  const [tag, ...classes] = selector.split('.');
  const node = document.createElement(tag || 'div');
  if (classes.length) node.className = classes.join(' ');
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'class') node.classList.add(...value.split(' ').filter(Boolean));
    else if (name === 'vars') for (const [key, shade] of Object.entries(value)) node.style.setProperty(key, shade);
    else if (name in node && name !== 'list' && typeof value !== 'string') node[name] = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== ''));
  return node;
}

export const byId = (id) => document.getElementById(id);

export function fill(node, ...children) {
  node.replaceChildren(...children.flat(3).filter(Boolean));
  return node;
}

const PATHS = {
  back: 'M15 5l-7 7 7 7',
  send: 'M4 12l16-8-5 16-3.5-6.5z M11.5 13.5L20 4',
  clip: 'M8 12.5l6.5-6.5a3 3 0 0 1 4.3 4.3l-8.5 8.5a5 5 0 0 1-7.1-7.1L11.5 3.5',
  mic: 'M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3z M6 11a6 6 0 0 0 12 0 M12 17v4',
  slash: 'M4 4h16v16H4z M14 8l-4 8',
  keyboard: 'M3 6h18v12H3z M7 10h.01 M11 10h.01 M15 10h.01 M8 14h8',
  close: 'M6 6l12 12 M18 6L6 18',
  check: 'M4 12.5l5 5L20 7',
  plus: 'M12 5v14 M5 12h14',
  more: 'M12 5.5v.01 M12 12v.01 M12 18.5v.01',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14z M16.5 16.5L21 21',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M12 2v2 M12 20v2 M2 12h2 M20 12h2 M5 5l1.4 1.4 M17.6 17.6L19 19 M5 19l1.4-1.4 M17.6 6.4L19 5',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
  half: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M12 3v18 M12 8h7.5 M12 13h8.7 M12 17.5h6.5',
  code: 'M8 7l-5 5 5 5 M16 7l5 5-5 5 M13.5 5l-3 14',
  down: 'M12 5v13 M6 12.5l6 6 6-6',
  reply: 'M10 6l-6 6 6 6 M4 12h9a7 7 0 0 1 7 7',
  edit: 'M4 20l1-4L16.5 4.5l3 3L8 19z',
  copy: 'M9 9h11v11H9z M5 15H4V4h11v1',
  stop: 'M7 7h10v10H7z',
  play: 'M8 5l11 7-11 7z',
  pause: 'M8 5v14 M16 5v14',
  file: 'M6 3h8l4 4v14H6z M14 3v4h4',
  user: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M4.5 21a7.5 7.5 0 0 1 15 0',
  group: 'M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z M2.5 20a6.5 6.5 0 0 1 13 0 M16 5.5a3.3 3.3 0 0 1 0 6.2 M18 14.5a6.3 6.3 0 0 1 3.5 5.5',
  hash: 'M9 4L7 20 M17 4l-2 16 M4 9h17 M3 15h17',
  block: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M6 6l12 12',
  link: 'M7 17L17 7 M9 7h8v8',
  trash: 'M4 7h16 M9 7V4h6v3 M6 7l1 13h10l1-13',
  bolt: 'M13 3L5 14h6l-1 7 8-11h-6z',
};

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/** What this browser remembers; a browser without storage forgets, and nothing else breaks. */
export const kept = {
  get(key, fallback = null) {
    try {
      return JSON.parse(localStorage.getItem(`vitte-sandbox.${key}`)) ?? fallback;
    } catch {
      return fallback;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`vitte-sandbox.${key}`, JSON.stringify(value));
    } catch {
      // Private windows may refuse; the choice then lasts as long as the page.
    }
  },
};
