const GROUP_MS = 5 * 60_000;
const NEAR_END_PX = 80;
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const STATUS = { sending: 'Sending …', sent: 'Sent', failed: 'Not sent' };

const log = document.getElementById('log');
const template = document.getElementById('message');

/** By key: an element that stays is neither read out again nor does it lose the focus. */
let elements = new Map();

/** Whoever reads the end goes on reading it, also when a keyboard takes half of the screen. */
let isAtEnd = true;
log.addEventListener('scroll', () => {
  isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
});
new ResizeObserver(() => isAtEnd && scrollToEnd()).observe(log);

export function showEntries(entries, me) {
  const before = elements;
  elements = new Map(
    entries.map(({ key }) => [key, before.get(key) ?? template.content.firstElementChild.cloneNode(true)]),
  );
  for (const [key, element] of before) if (!elements.has(key)) element.remove();

  entries.forEach((entry, index) => {
    const element = elements.get(entry.key);
    fill(element, entry, {
      isOwn: entry.from === me,
      isContinued: isContinuation(entries[index - 1], entry),
    });
    if (log.children[index] !== element) log.insertBefore(element, log.children[index] ?? null);
  });
  if (isAtEnd) scrollToEnd();
}

export function scrollToEnd() {
  log.scrollTop = log.scrollHeight;
}

/** Initials on a colour of the name's own. */
export function showAvatar(element, name) {
  const words = name.split(/\s+/).map((word) => [...word][0] ?? '');
  element.textContent = (
    words.length > 1 ? words[0] + words.at(-1) : [...name].slice(0, 2).join('')
  ).toUpperCase();
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
  element.style.setProperty('--hue', hue);
}

function isContinuation(previous, { from, at }) {
  return previous?.from === from && Date.parse(at) - Date.parse(previous.at) < GROUP_MS;
}

// Texts of people become text nodes and never markup.
function fill(element, { key, from, text, at, status, reason }, { isOwn, isContinued }) {
  const part = (name) => element.querySelector(`.${name}`);
  element.dataset.key = key;
  element.dataset.status = status;
  element.classList.toggle('own', isOwn);
  element.classList.toggle('continues', isContinued);
  write(part('author'), isOwn ? 'You' : from);
  write(part('text'), text);
  write(part('status'), isOwn ? [STATUS[status], reason].filter(Boolean).join(': ') : '');
  const time = element.querySelector('time');
  time.dateTime = at;
  write(time, timeOf(new Date(at)));
  part('actions').hidden = status !== 'failed';
  showAvatar(part('avatar'), from);
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function timeOf(date) {
  const isToday = date.toDateString() === new Date().toDateString();
  return (isToday ? TIME : DAY_AND_TIME).format(date);
}
