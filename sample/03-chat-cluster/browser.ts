import { spawn } from 'node:child_process';

export function openBrowser(url: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  // There may be no browser. The address has been told.
  spawn(opener, [url], { stdio: 'ignore' }).on('error', () => undefined);
}
