import type { Script } from './script.js';
import { ADD_REVOCATION } from './scripts/add-revocation.js';
import { ASK_NODES } from './scripts/ask-nodes.js';
import { DEDUP_CLAIM } from './scripts/dedup-claim.js';
import { DEDUP_LOOK } from './scripts/dedup-look.js';
import { DEDUP_RELEASE } from './scripts/dedup-release.js';
import { DEDUP_RENEW } from './scripts/dedup-renew.js';
import { DEDUP_RESOLVE } from './scripts/dedup-resolve.js';
import { END_LEASE } from './scripts/end-lease.js';
import { HISTORY } from './scripts/history.js';
import { POSITION } from './scripts/position.js';
import { PRESENCE_CLAIM } from './scripts/presence-claim.js';
import { PRESENCE_MEMBERS } from './scripts/presence-members.js';
import { PRESENCE_SWEEP } from './scripts/presence-sweep.js';
import { PRESENCE_WRITE } from './scripts/presence-write.js';
import { PUBLISH } from './scripts/publish.js';
import { READ_CHANNELS } from './scripts/read-channels.js';
import { READ_REVOCATIONS } from './scripts/read-revocations.js';
import { REGISTER_CHANNELS } from './scripts/register-channels.js';
import { RENEW_LEASE } from './scripts/renew-lease.js';
import { TAKE_POINT } from './scripts/take-point.js';
import { WAKE } from './scripts/wake.js';

/** All of them: Redis is told of each when a node connects. */
export const SCRIPTS: readonly Script[] = [
  ADD_REVOCATION,
  ASK_NODES,
  DEDUP_CLAIM,
  DEDUP_LOOK,
  DEDUP_RELEASE,
  DEDUP_RENEW,
  DEDUP_RESOLVE,
  END_LEASE,
  HISTORY,
  POSITION,
  PRESENCE_CLAIM,
  PRESENCE_MEMBERS,
  PRESENCE_SWEEP,
  PRESENCE_WRITE,
  PUBLISH,
  READ_CHANNELS,
  READ_REVOCATIONS,
  REGISTER_CHANNELS,
  RENEW_LEASE,
  TAKE_POINT,
  WAKE,
];
