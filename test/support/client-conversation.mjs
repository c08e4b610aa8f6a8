// Runs in every runtime as it stands here: nothing but what all of them have.

const refusal = ({ name, code, closeCode, details }) => ({ name, code, closeCode, details });

/** Says to a `Desk` what an application says in its life, and returns what came back. */
export async function converse({ ChannelsClient }, { url, ...options }) {
  const told = { tokens: [], states: [], said: [] };
  const token = ({ refresh }) => {
    told.tokens.push(refresh);
    return refresh ? 'ann-good' : 'expired';
  };
  const client = new ChannelsClient(url, { ...options, token });
  client.on('$state', ({ name, reason, code }) => told.states.push([name, reason, code].join(' ').trim()));
  const desk = client.channel('desk:one');
  const allSaid = new Promise((resolve) => {
    desk.on('said', (text) => told.said.push(text) === 3 && resolve());
  });

  told.joined = await desk.subscribe();
  told.answers = await Promise.all(['one', 'two', 'grüße 👋'].map((text) => client.send('say', text)));
  await allSaid;
  told.refused = await client.send('note', { text: 1, n: 'x' }).catch(refusal);
  const cut = client.send('hang').catch(refusal);
  client.close();
  told.cut = await cut;
  return told;
}

/** Brings a token that is no good, and no better one when it is asked again. */
export async function intrude({ ChannelsClient }, { url, ...options }) {
  const tokens = [];
  const token = ({ refresh }) => {
    tokens.push(refresh);
    return 'expired';
  };
  const client = new ChannelsClient(url, { ...options, token });
  const refused = await client.send('say', 'let me in').catch(refusal);
  return { tokens, refused, state: client.state };
}

/** Loses its connection, once without a close frame and once with one, and goes on. */
export async function comeBack({ ChannelsClient }, { url, ...options }) {
  const client = new ChannelsClient(url, { ...options, token: 'ann-good', maxRetryDelayMs: 500 });
  const states = [];
  client.on('$state', ({ name, reason, code }) => states.push([name, reason, code].join(' ').trim()));
  const answers = [await client.send('say', 'one')];
  client.emit('drop');
  await new Promise((resolve) => {
    client.on('$state', ({ name }) => name === 'waiting' && resolve());
  });
  answers.push(await client.send('say', 'two'));
  client.emit('bye', 4000);
  await new Promise((resolve) => {
    client.on('$state', ({ name }) => name === 'waiting' && resolve());
  });
  answers.push(await client.send('say', 'three'));
  client.close();
  return { states, answers };
}

/** Where nobody answers; `connectTimeoutMs` is not what ends the attempt. */
export async function callNobody({ ChannelsClient }, { url, ...options }) {
  const client = new ChannelsClient(url, options);
  const waiting = await new Promise((resolve) => {
    client.on('$state', (state) => state.name === 'waiting' && resolve(state));
    client.connect();
  });
  client.close();
  return { reason: waiting.reason, code: waiting.code, failures: waiting.failures };
}

/** Talks to a gateway behind the stock adapter. */
export async function talkPlainly({ ChannelsClient }, { url, ...options }) {
  const client = new ChannelsClient(url, { ...options, server: 'plain' });
  const replies = [];
  const allReplied = new Promise((resolve) => {
    client.on('reply', (data) => replies.push(data) === 3 && resolve());
  });
  const answers = await Promise.all([1, 2, 3].map((n) => client.send('echo', n)));
  await allReplied;
  client.close();
  return { answers: answers.map(String), replies, state: client.state };
}

/** Talks to the same without saying what it is. */
export async function talkInVain({ ChannelsClient }, { url, ...options }) {
  const client = new ChannelsClient(url, { ...options, helloTimeoutMs: 200, minRetryDelayMs: 30_000 });
  const error = await new Promise((resolve) => {
    client.on('$error', resolve);
    client.connect();
  });
  client.close();
  return { code: error.code, message: error.message };
}
