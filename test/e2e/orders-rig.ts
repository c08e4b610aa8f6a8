import { join } from 'node:path';
import type { Bid } from '../../sample/02-orders/bids.js';
import type { Place } from '../apps/auction/faults.js';
import { openClient, type ClientLog } from '../support/client-rig.js';
import {
  compileFolder,
  SampleProcess,
  temporaryFolder,
  type SampleProcessOptions,
} from './sample-process.js';

export type Fault = `${'kill' | 'throw' | 'unavailable'} ${Place}` | 'hang';

export interface FaultyOptions {
  readonly fault?: Fault;
  readonly handlerTimeoutMs?: number;
}

/** The auction in a process of its own, on a file that outlives it. */
export class AuctionProcess extends SampleProcess {
  private constructor(
    args: readonly string[],
    private readonly options: SampleProcessOptions & { readonly cwd: string },
  ) {
    super(args, options);
  }

  static async start(options: SampleProcessOptions = {}): Promise<AuctionProcess> {
    const main = join(compileFolder('sample/02-orders'), 'main.js');
    return new AuctionProcess([main], { cwd: temporaryFolder(), ...options }).serves();
  }

  /** The server of the sample without its page, and with a fault. */
  static async startFaulty({ fault, handlerTimeoutMs }: FaultyOptions): Promise<AuctionProcess> {
    const env: Record<string, string> = {};
    if (fault) env['FAULT'] = fault;
    if (handlerTimeoutMs !== undefined) env['HANDLER_TIMEOUT_MS'] = String(handlerTimeoutMs);
    return new AuctionProcess([faultyMain()], { cwd: temporaryFolder(), env }).serves();
  }

  /** Starts it again on the same port and the same file, without a fault. */
  async restart(): Promise<AuctionProcess> {
    const { port } = this;
    return new AuctionProcess(this.args, { ...this.options, port, env: {} }).serves();
  }

  /** A client as programs have it: it comes back by itself. */
  open(name: string): ClientLog {
    return openClient(`ws://127.0.0.1:${this.port}/ws`, { token: encodeURIComponent(name) });
  }
}

/** The bids that the auction has now, from the newest to the oldest. */
export async function readBids({ client }: ClientLog): Promise<readonly Bid[]> {
  const { bids } = (await client.channel('auction').subscribe()) as { bids: readonly Bid[] };
  return bids;
}

function faultyMain(): string {
  compileFolder('sample/02-orders');
  return join(compileFolder('test/apps/auction'), 'main.js');
}
