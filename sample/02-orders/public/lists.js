const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const EUROS = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR', maximumFractionDigits: 0 });

const $ = (id) => document.getElementById(id);

export const euros = (amount) => EUROS.format(amount);

/** Elements stay where they are: what is new alone is painted, and read out. */
export function showBids(bids, me) {
  const list = $('bids');
  const known = new Map([...list.children].map((element) => [element.dataset.number, element]));
  const elements = bids.map((bid) => known.get(String(bid.number)) ?? bidElement(bid, me));
  place(list, elements);
  elements.forEach((element, index) => element.classList.toggle('highest', index === 0));
}

export function showDrafts(drafts, { isOpen, dismiss }) {
  const elements = drafts.map((draft) => {
    draft.element ??= draftElement(draft, dismiss);
    const { element, refusal } = draft;
    element.classList.toggle('refused', refusal !== undefined);
    const status = refusal ?? (isOpen ? 'Sending …' : 'Waits for the line');
    const text = element.querySelector('.status');
    if (text.textContent !== status) text.textContent = status;
    element.querySelector('button').hidden = refusal === undefined;
    return element;
  });
  place($('drafts'), elements);
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

function place(list, elements) {
  for (const element of [...list.children]) if (!elements.includes(element)) element.remove();
  elements.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
}

// Names of people become text nodes and never markup.
function bidElement({ number, bidder, amount, at }, me) {
  const element = copyOf('bid');
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  element.dataset.number = number;
  element.classList.toggle('own', bidder === me);
  element.querySelector('.bidder').textContent = bidder === me ? 'You' : bidder;
  element.querySelector('.sum').textContent = euros(amount);
  element.querySelector('time').dateTime = at;
  element.querySelector('time').textContent = (isToday ? TIME : DAY_AND_TIME).format(date);
  showAvatar(element.querySelector('.avatar'), bidder);
  return element;
}

function draftElement(draft, dismiss) {
  const element = copyOf('draft');
  element.querySelector('.sum').textContent = euros(draft.amount);
  element.querySelector('button').addEventListener('click', () => dismiss(draft));
  return element;
}

function copyOf(template) {
  return $(template).content.firstElementChild.cloneNode(true);
}
