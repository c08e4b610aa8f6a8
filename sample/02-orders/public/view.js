import { BidList } from './bids.js';
import { markLine, showState as showLine } from './line-view.js';
import { euros, showAvatar, showBids, showDrafts } from './lists.js';

const $ = (id) => document.getElementById(id);

/** Why a bid was not made, for people; the server's own words for everything else. */
const REASONS = {
  expired: 'No answer for minutes: the list tells whether it was made.',
  queue_full: 'Too many bids are waiting.',
  closed: 'The connection was closed.',
};

let bids = new BidList();
let drafts = [];
let me = '';
let handlers;

/** Tells the page whom to call: `logIn(name)`, `logOut()`, `bid(draft)`, `cut()`, `mend()`, `tryNow()`. */
export function start(given) {
  handlers = given;
  $('login-form').addEventListener('submit', submitName);
  $('bid-form').addEventListener('submit', submitBid);
  $('cut').addEventListener('click', cutOrMend);
  $('try-now').addEventListener('click', () => handlers.tryNow());
  $('log-out').addEventListener('click', () => handlers.logOut());
}

export function showLogin(why = '') {
  $('auction').hidden = true;
  $('login').hidden = false;
  $('refusal').textContent = why;
  $('name').focus();
}

export function enter(name) {
  me = name;
  bids = new BidList();
  drafts = [];
  $('login').hidden = true;
  $('auction').hidden = false;
  $('my-name').textContent = name;
  showAvatar($('my-avatar'), name);
  showNotice('Open a second tab and bid against it.');
  paint();
}

export function showState(state) {
  showLine(state);
  paint();
}

export function showNotice(text) {
  $('notice').textContent = text;
}

/** What was missed comes behind a join that has recovered; any other one brings all there is. */
export function showAuction(auction, recovered) {
  if (bids.isLoaded) {
    const missed = bids.countNew(auction.bids);
    if (recovered)
      showNotice(missed > 0 ? `Back. Bids that came meanwhile: ${missed}.` : 'Back. Nothing was missed.');
    else showNotice('Back. The bids were loaded anew.');
  }
  if (!recovered) bids.load(auction);
  paint();
}

export function showBid(bid) {
  bids.add(bid);
  paint();
}

export function showDraft(draft) {
  drafts.push(draft);
  paint();
}

export function showAccepted(draft, bid) {
  dismiss(draft);
  showBid(bid);
}

export function showRefused(draft, { code, message }) {
  draft.refusal = REASONS[code] ?? message;
  paint();
}

function dismiss(draft) {
  drafts = drafts.filter((other) => other !== draft);
  paint();
}

function paint() {
  const { highest, newestFirst, openingPrice, isLoaded } = bids;
  $('highest').textContent = isLoaded ? euros(highest?.amount ?? openingPrice) : '…';
  $('leader').textContent = leaderText(highest);
  $('leader').classList.toggle('own', highest?.bidder === me);
  $('empty').textContent = isLoaded ? 'No bids yet.' : 'Loading …';
  $('empty').hidden = newestFirst.length > 0;
  $('bids').hidden = newestFirst.length === 0;
  showBids(newestFirst, me);
  showDrafts(drafts, { isOpen: $('state').dataset.name === 'open', dismiss });
  suggest();
}

function leaderText(highest) {
  if (!highest) return 'opening price';
  return highest.bidder === me ? 'by you' : `by ${highest.bidder}`;
}

/** The field holds the next bid, until somebody has typed another one. */
function suggest() {
  const least = bids.isLoaded ? bids.least(drafts.filter(({ refusal }) => !refusal)) : '';
  const input = $('amount');
  if (input.value === '' || input.value === input.dataset.suggested) input.value = least;
  input.dataset.suggested = least;
}

function submitName(event) {
  event.preventDefault();
  const name = $('name').value.trim();
  if (name) handlers.logIn(name);
  else $('refusal').textContent = 'Write a name.';
}

function submitBid(event) {
  event.preventDefault();
  const amount = $('amount').valueAsNumber;
  $('amount').value = '';
  handlers.bid({ amount });
}

async function cutOrMend() {
  const isCut = $('cut').dataset.cut === 'true';
  try {
    if (isCut) await handlers.mend();
    else await handlers.cut();
    markLine(!isCut);
  } catch (error) {
    showNotice(error.message);
  }
}
