// What `npm run bench` compares. Each case has `parts` by name, which one run of a server measures one after another.
import { COMPRESSION } from './compression.mjs';
import { FANOUT } from './fanout.mjs';
import { OVERLOAD } from './overload.mjs';
import { REQUESTS } from './requests.mjs';

export const CASES = [FANOUT, OVERLOAD, ...REQUESTS, ...COMPRESSION];

/** What each section of the results is about, and which packages take part. */
export const SECTIONS = {
  fanout: {
    title: 'Fan-out: 120 bytes to 1,000 subscribers, one, five and twenty publications in a turn',
    packages: ['ws', 'socket.io'],
  },
  overload: {
    title: 'Overload: a burst of 100 publications to 10,000 subscribers',
    packages: ['ws'],
  },
  requests: {
    title: 'Request and answer',
    packages: ['ws', '@nestjs/core', '@nestjs/platform-ws', '@nestjs/platform-socket.io', 'socket.io'],
  },
  compression: {
    title: 'Compression: 2 KB of JSON to 500 subscribers',
    packages: ['ws'],
  },
};
