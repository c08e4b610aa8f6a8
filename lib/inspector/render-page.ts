/**
 * The page, without a figure in it: those come over its socket.
 *
 * @param url - of the request. Addresses are relative to it: a proxy may have taken the beginning of a path away, and
 * routes may have a prefix that sockets do not have
 * @param socket - the path of the gateway
 */
export function renderPage(url: string, socket: string): string {
  const path = url.split('?', 1)[0] ?? '';
  const isFolder = path.endsWith('/');
  const up = '../'.repeat(Math.max(0, path.split('/').length - 2));
  const page = socket.split('/').at(-2) ?? '';
  const beside = isFolder ? '' : `${page}/`;
  return PAGE.replaceAll('%BESIDE%', beside).replace('%SOCKET%', up + socket.slice(1));
}

const chart = (name: string, title: string): string => `
      <section class="chart" aria-labelledby="${name}-title">
        <h3 id="${name}-title">${title}</h3>
        <dl id="${name}-legend"></dl>
        <div class="plot" id="${name}-plot" role="img" aria-labelledby="${name}-title"></div>
      </section>`;

const table = (name: string, title: string, columns: readonly string[], note: string): string => `
    <section aria-labelledby="${name}-title">
      <h2 id="${name}-title">${title}</h2>
      ${note}
      <div class="scroll" role="region" aria-labelledby="${name}-title" tabindex="0">
        <table>
          <thead><tr>${columns.map((column) => `<th scope="col">${column}</th>`).join('')}</tr></thead>
          <tbody id="${name}"></tbody>
        </table>
      </div>
      <p class="note" id="${name}-note">&nbsp;</p>
    </section>`;

const SEARCH = `
      <form id="search">
        <label>User <input id="by-principal" type="search" autocomplete="off" spellcheck="false"></label>
        <label>Channel <input id="by-channel" type="search" autocomplete="off" spellcheck="false"></label>
        <button type="submit">Show</button>
      </form>`;

const PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Channels inspector</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="%BESIDE%inspector.css">
  <script type="module" src="%BESIDE%inspector.js"></script>
</head>
<body data-socket="%SOCKET%">
  <header>
    <h1>Channels inspector</h1>
    <p id="state" role="status">Connecting</p>
  </header>
  <main>
    <section aria-labelledby="now-title">
      <h2 id="now-title" class="unseen">Now</h2>
      <dl id="now"></dl>
    </section>
    <section aria-labelledby="live-title">
      <h2 id="live-title" class="unseen">The last two minutes</h2>
      <div class="charts">${chart('connections-chart', 'Connections')}${chart('throughput', 'Messages a second')}
        ${chart('latency', 'Latency of the slowest node, ms')}${chart('churn', 'Connections that come and go, a second')}
      </div>
    </section>
    ${table('nodes', 'Nodes', ['Node', 'State', 'Connections', 'Channels', 'In /s', 'Out /s', 'Handlers p99', 'Loop delay', 'Outbox', 'Broker'], '')}
    ${table('connections', 'Connections', ['User', 'Actions', 'Connection', 'Path', 'Channels'], SEARCH)}
    ${table('channels', 'Channels', ['Channel', 'Subscribers', 'Publications /s'], '')}
  </main>
  <div id="notice" role="alert" hidden>
    <p id="notice-text"></p>
    <button type="button" id="notice-close">Close</button>
  </div>
  <dialog id="confirm" aria-labelledby="confirm-text">
    <p id="confirm-text"></p>
    <div class="buttons">
      <button type="button" id="confirm-no">Cancel</button>
      <button type="button" id="confirm-yes" class="danger"></button>
    </div>
  </dialog>
  <noscript>The inspector needs JavaScript.</noscript>
</body>
</html>
`;
