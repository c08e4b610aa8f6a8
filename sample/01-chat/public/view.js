import { scrollToEnd, showAvatar, showEntries } from './log.js';
import { Timeline } from './timeline.js';

export { showState } from './state-line.js';

const $ = (id) => document.getElementById(id);
const links = [...document.querySelectorAll('.rooms a')];
const roomOf = (link) => link.hash.slice(1);

export const rooms = links.map(roomOf);

// What a publication and its ack change is painted in one go.
const PAINT_MS = 16;
let painting;

/** Why a message was not sent, for people; the server's own words for everything else. */
const REASONS = {
  timeout: 'the server has not answered in time',
  queue_full: 'too many messages are waiting',
  closed: 'the connection was closed',
};

let timelines = new Map();
let me = '';
let drafts = 0;
let handlers;

/** Tells the page whom to call: `logIn(name)`, `logOut()`, `send(draft)`, `tryNow()`. */
export function start(given) {
  handlers = given;
  $('login-form').addEventListener('submit', submitLogin);
  $('composer').addEventListener('submit', submitText);
  $('text').addEventListener('keydown', submitOnEnter);
  $('log').addEventListener('click', actOnDraft);
  $('log-out').addEventListener('click', () => handlers.logOut());
  $('try-now').addEventListener('click', () => handlers.tryNow());
  addEventListener('hashchange', enterRoom);
  document.addEventListener('visibilitychange', paintSoon);
}

export function showLogin(why = '') {
  $('chat').hidden = true;
  $('outage').hidden = true;
  $('login').hidden = false;
  $('refusal').textContent = why;
  document.title = 'Chat';
  $('name').focus();
}

export function showChat(name) {
  me = name;
  timelines = new Map(rooms.map((room) => [room, new Timeline(me)]));
  $('login').hidden = true;
  $('chat').hidden = false;
  $('my-name').textContent = name;
  showAvatar($('my-avatar'), name);
  enterRoom();
}

export function showHistory(room, messages) {
  timelines.get(room).replace(messages);
  paintSoon();
}

export function showMessage(room, message) {
  timelines.get(room).add(message);
  paintSoon();
}

export function showRefusal(room, reason) {
  timelines.get(room).refusal = reason;
  paintSoon();
}

export function showSending(draft) {
  Object.assign(draft, { status: 'sending', reason: '' });
  timelines.get(draft.room).keepDraft(draft);
  paint();
  scrollToEnd();
}

export function showSent(draft, id) {
  timelines.get(draft.room).confirm(draft, id);
  paintSoon();
}

export function showFailed(draft, { code, message }) {
  Object.assign(draft, { status: 'failed', reason: REASONS[code] ?? message });
  paintSoon();
}

function currentRoom() {
  const room = location.hash.slice(1);
  return rooms.includes(room) ? room : rooms[0];
}

function enterRoom() {
  for (const link of links) link.ariaCurrent = roomOf(link) === currentRoom() ? 'page' : null;
  paint();
  scrollToEnd();
  // A phone would open its keyboard.
  if (matchMedia('(hover: hover)').matches) $('text').focus();
}

function paintSoon() {
  painting ??= setTimeout(paint, PAINT_MS);
}

function paint() {
  clearTimeout(painting);
  painting = undefined;
  const timeline = timelines.get(currentRoom());
  if (!timeline) return;
  if (!document.hidden) timeline.unread = 0;
  showEntries(timeline.entries, me);
  $('empty').textContent = timeline.entries.length > 0 ? '' : emptyText(timeline);
  paintRooms();
}

function paintRooms() {
  for (const link of links) showUnread(link, timelines.get(roomOf(link)).unread);
  const { name } = links.find((link) => roomOf(link) === currentRoom()).dataset;
  const unread = [...timelines.values()].reduce((sum, timeline) => sum + timeline.unread, 0);
  $('room-name').textContent = name;
  document.title = `${unread > 0 ? `(${unread}) ` : ''}${name} · Chat`;
}

function showUnread(link, count) {
  const badge = link.querySelector('.badge');
  badge.hidden = count === 0;
  badge.textContent = count;
  link.ariaLabel = count > 0 ? `${link.dataset.name}, ${count} unread` : null;
}

function emptyText({ isLoaded, refusal }) {
  if (refusal) return refusal;
  return isLoaded ? 'No messages yet. Say hello!' : 'Loading …';
}

async function submitLogin(event) {
  event.preventDefault();
  $('refusal').textContent = '';
  try {
    await handlers.logIn($('name').value);
  } catch (error) {
    $('refusal').textContent = error.message;
  }
}

function submitText(event) {
  event.preventDefault();
  const text = $('text').value.trim();
  event.target.reset();
  $('text').focus();
  if (!text) return;
  drafts += 1;
  handlers.send({
    key: `draft ${drafts}`,
    room: currentRoom(),
    from: me,
    text,
    at: new Date().toISOString(),
  });
}

function submitOnEnter(event) {
  // Enter also ends a composition, as of Japanese.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $('composer').requestSubmit();
}

function actOnDraft({ target }) {
  const { action } = target.dataset;
  if (!action) return;
  const timeline = timelines.get(currentRoom());
  const draft = timeline.findDraft(target.closest('.message').dataset.key);
  $('text').focus();
  if (action === 'retry') {
    handlers.send(draft);
    return;
  }
  timeline.dropDraft(draft);
  paint();
}
