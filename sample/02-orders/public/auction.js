import { ChannelsClient } from 'nestjs-channels/client';
import * as line from './line.js';
import * as session from './session.js';
import * as view from './view.js';

let client;

function open() {
  client = new ChannelsClient(`/ws?line=${line.name}`, {
    token: encodeURIComponent(session.user()),
    maxRetryDelayMs: 5_000,
  });
  client.on('$state', showState);
  const auction = client.channel('auction');
  auction.on('$subscribed', ({ data, recovered }) => view.showAuction(data, recovered));
  auction.on('bid', view.showBid);
  auction.on('$error', (error) => view.showNotice(error.message));
  view.enter(session.user());
}

function showState(state) {
  if (state.name === 'closed' && state.code === 4501) close('The server does not accept this name.');
  else view.showState(state);
}

function close(why) {
  client.close();
  session.forget();
  view.showLogin(why);
}

function logIn(name) {
  session.keep(name);
  open();
}

async function bid(draft) {
  view.showDraft(draft);
  try {
    const accepted = await client.send('bid', { amount: draft.amount });
    view.showAccepted(draft, accepted);
  } catch (error) {
    view.showRefused(draft, error);
  }
}

async function mend() {
  await line.mend();
  client.connect();
}

view.start({ logIn, logOut: () => close(), bid, cut: line.cut, mend, tryNow: () => client.connect() });
if (session.user()) open();
else view.showLogin();
