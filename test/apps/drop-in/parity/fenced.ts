import { setImmediate as nextTurn } from 'node:timers/promises';
import { SubscribeMessage } from '@nestjs/websockets';

/** More turns of the event loop than any answer here takes that does not wait for something else. */
const TURNS = 10;

export async function turns(count: number = TURNS): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** A gateway that says when everything before has been answered. */
export abstract class Fenced {
  @SubscribeMessage('fence')
  async fence(): Promise<string> {
    await turns();
    return 'fence';
  }
}
