import { join } from 'node:path';
import { TestClient, type TestClientOptions } from 'nestjs-channels/testing';
import { onTestFinished } from 'vitest';
import { compileFolder, SampleProcess, type SampleProcessOptions } from './sample-process.js';

/** The chat sample in a process of its own. */
export class ChatProcess extends SampleProcess {
  static async start(options: SampleProcessOptions = {}): Promise<ChatProcess> {
    const main = join(compileFolder('sample/01-chat'), 'main.js');
    return new ChatProcess([main], options).serves();
  }

  /** Resolves with a token for this name. */
  async logIn(name: string): Promise<string> {
    const response = await fetch(`${this.url}login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    const { token }: { token: string } = JSON.parse(await response.text());
    return token;
  }

  /** Logs in and connects, as a program does. */
  async connect(name: string, options: TestClientOptions = {}): Promise<TestClient> {
    const token = await this.logIn(name);
    const client = await TestClient.connect(`ws://127.0.0.1:${this.port}/ws`, { token, ...options });
    onTestFinished(() => client.terminate());
    return client;
  }
}
