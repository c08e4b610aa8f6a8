import { join } from 'node:path';
import type { ChatTab } from './chat-tab.js';
import {
  compileFolder,
  SampleProcess,
  temporaryFolder,
  type SampleProcessOptions,
} from './sample-process.js';

const NODE = /^\[(node \d)\] serves port (\d+)\. .* kill -9 (\d+)$/;

export interface ClusterOptions extends SampleProcessOptions {
  readonly proxy: string;
  /** Switches beside it. */
  readonly args?: readonly string[];
}

/** The chat on two nodes, as the script of the sample starts it. */
export class ClusterProcess extends SampleProcess {
  static async start({ proxy, args = [], ...options }: ClusterOptions): Promise<ClusterProcess> {
    compileFolder('sample/01-chat');
    const main = join(compileFolder('sample/03-chat-cluster'), 'main.js');
    const cwd = temporaryFolder();
    return new ClusterProcess([main, '--proxy', proxy, ...args], { cwd, ...options }).serves();
  }

  /** The process id of each node, by its address. */
  get nodes(): ReadonlyMap<string, number> {
    return new Map(this.#nodes.map(({ address, pid }) => [address, pid]));
  }

  /** Resolves when the node at this address has ended. */
  async nodeEnded(address: string): Promise<void> {
    const name = this.#nodes.find((node) => node.address === address)?.name;
    await this.until(() => this.said.includes(`[${name}] has ended.`));
  }

  /** Sends a signal to the node at this address. */
  signalNode(address: string, name: NodeJS.Signals): void {
    const pid = this.nodes.get(address);
    if (!pid) throw new Error(`There is no node at ${address}.`);
    process.kill(pid, name);
  }

  get #nodes(): readonly { readonly name: string; readonly address: string; readonly pid: number }[] {
    const found = this.said.map((line) => NODE.exec(line)).filter((match) => match !== null);
    return found.map(([, name = '', port, pid]) => ({
      name,
      address: `127.0.0.1:${port}`,
      pid: Number(pid),
    }));
  }
}

/** The node that a page was connected to last, as the proxy tells with each handshake. */
export class PageNode {
  #address = '';

  private constructor() {}

  /** To be called before the page connects. */
  static async watch(tab: ChatTab): Promise<PageNode> {
    const node = new PageNode();
    const session = await tab.page.context().newCDPSession(tab.page);
    session.on('Network.webSocketHandshakeResponseReceived', ({ response }) => {
      const headers = Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), value]);
      // nginx names those first that it has tried in vain.
      node.#address = new Map(headers as [string, string][]).get('x-served-by')?.split(', ').at(-1) ?? '';
    });
    await session.send('Network.enable');
    return node;
  }

  get address(): string {
    return this.#address;
  }
}
