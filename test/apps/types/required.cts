// A module of CommonJS that is written as `verbatimModuleSyntax` wants it.
import channels = require('nestjs-channels');
import clients = require('nestjs-channels/client');
import storage = require('nestjs-channels/client/storage');
import protocol = require('nestjs-channels/protocol');
import publisher = require('nestjs-channels/publisher');
import testing = require('nestjs-channels/testing');

const options: channels.ChannelsModuleOptions = { heartbeatIntervalMs: protocol.MAX_ID_LENGTH };
const client = new clients.ChannelsClient('ws://127.0.0.1/ws', { storage: new storage.LocalStorageQueue() });
const clock = new testing.TestClock();
// @ts-expect-error a channel has a name
client.channel();

const news = publisher.defineChannel('news:{topic}');

export = { module: channels.ChannelsModule.forRoot(options), client, clock, news };
