import { ChannelsClient } from 'nestjs-channels/client';
import * as session from './session.js';
import * as view from './view.js';

let client;

function open() {
  client?.close();
  client = new ChannelsClient('/ws', { token: session.token });
  client.on('$state', showState);
  for (const room of view.rooms) {
    const channel = client.channel(`chat:${room}`);
    channel.on('$subscribed', ({ data }) => view.showHistory(room, data));
    channel.on('message', (message) => view.showMessage(room, message));
    channel.on('$error', (error) => view.showRefusal(room, error.message));
  }
  view.showChat(session.user());
}

function showState(state) {
  // 4501 closes the client only when the token that it asked for in its place was refused as well.
  if (state.name === 'closed' && state.code === 4501)
    close('The server does not accept your login any more.');
  else view.showState(state);
}

function close(why) {
  client.close();
  session.forget();
  view.showLogin(why);
}

async function logIn(name) {
  await session.logIn(name);
  open();
}

async function send(draft) {
  view.showSending(draft);
  try {
    const { room, text } = draft;
    const { id } = await client.send('chat.send', { room, text }, { timeoutMs: 60_000 });
    view.showSent(draft, id);
  } catch (error) {
    view.showFailed(draft, error);
  }
}

view.start({ logIn, logOut: () => close(), send, tryNow: () => client.connect() });
if (session.user()) open();
else view.showLogin();
