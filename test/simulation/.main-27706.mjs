import { parseArgs } from "node:util";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { createHash, hash } from "node:crypto";
// test/simulation/build.ts
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/**
* Bundles the simulation with the library as it is, or with one line of it made wrong.
*
* @returns the code of a worker
* @throws Error where the line is not there exactly once
*/
async function build(mutation) {
	const wrong = mutation && {
		id: join(ROOT, mutation.file),
		code: mutate(mutation)
	};
	const bundle = await rolldown({
		input: fileURLToPath(new URL("worker.ts", import.meta.url)),
		platform: "node",
		plugins: [{
			name: "mutation",
			load: (id) => id === wrong?.id ? {
				code: wrong.code,
				moduleType: "ts"
			} : void 0
		}]
	});
	const { output } = await bundle.generate({ format: "esm" });
	await bundle.close();
	return output[0].code;
}
function mutate({ file, find, replace }) {
	const parts = readFileSync(join(ROOT, file), "utf8").split(find);
	if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${find}`);
	return parts.join(replace);
}
// test/simulation/crew.ts
/** What becomes garbage within a history should not be moved about. */
const YOUNG_MEGABYTES = 64;
/** Plays the histories of a run in workers, until all were played or one has broken a promise. */
async function run$1({ seed, count, timeoutMs, workers = 2, mutation }) {
	const code = await build(mutation);
	const began = performance.now();
	const crew = Math.min(workers, availableParallelism());
	const share = Math.ceil(count / crew);
	const orders = Array.from({ length: crew }, (_, at) => {
		const from = at * share;
		return {
			seed,
			from,
			count: Math.min(share, count - from)
		};
	});
	const outcomes = await Promise.all(orders.map((order) => work(code, order, timeoutMs)));
	const played = outcomes.reduce((sum, outcome) => sum + outcome.played, 0);
	const failure = outcomes.find((outcome) => outcome.failure)?.failure;
	return {
		played,
		ms: performance.now() - began,
		failure
	};
}
/** Rejects where the worker ends without an outcome, or not at all. */
async function work(code, workerData, timeoutMs) {
	const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
	const worker = new Worker(url, {
		workerData,
		resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES }
	});
	try {
		return await new Promise((resolve, reject) => {
			const late = () => reject(/* @__PURE__ */ new Error(`no outcome after ${timeoutMs} ms`));
			const timer = setTimeout(late, timeoutMs);
			worker.once("message", (outcome) => resolve(outcome));
			worker.once("error", reject);
			worker.once("exit", () => clearTimeout(timer));
		});
	} finally {
		await worker.terminate();
	}
}
// test/simulation/print.ts
/** As it stands in `counterexamples.spec.ts`. */
function printed({ history, violation }) {
	const { commands, ...world } = history;
	const lines = commands.map((command) => `    ${JSON.stringify(command)},`);
	return [
		`${violation.invariant}: ${violation.text}`,
		JSON.stringify(world),
		"commands: [",
		...lines,
		"]"
	].join("\n");
}
// test/simulation/chance.ts
/** Chance that is the same for the same seed (mulberry32). */
var Chance = class {
	#state;
	constructor(seed) {
		this.#state = seed >>> 0;
	}
	/** A number in `[0, 1)`. */
	next() {
		this.#state = this.#state + 1831565813 >>> 0;
		let mixed = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state);
		mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
		return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
	}
	/** A whole number from 0 to before the end. */
	below(end) {
		return Math.floor(this.next() * end);
	}
	pick(items) {
		return items[this.below(items.length)];
	}
};
// lib/core/options.ts
const DEFAULTS = {
	heartbeatIntervalMs: 25e3,
	heartbeatTimeoutMs: 3e4,
	drainTimeoutMs: 6e4,
	clientTimeoutMs: 4e4,
	idleTimeoutMs: 0,
	handshakeTimeoutMs: 5e3,
	handlerTimeoutMs: 3e4,
	requestTimeoutMs: 1e4,
	controlTimeoutMs: 1e3,
	shutdownTimeoutMs: 3e3,
	maxMessageBytes: 65536,
	maxNesting: 32,
	maxChannelsPerConnection: 128,
	maxEventLength: 128,
	maxInFlight: 64,
	maxRequestsPerConnection: 64,
	maxOutboxBytes: 1048576,
	positionCheckMs: 1e4,
	maxHistories: 1e4,
	presenceGraceMs: 1e4,
	maxPresenceMembers: 1e3,
	maxFragments: 256,
	maxPendingUpgrades: 1024,
	dedupWindowMs: 3e5,
	maxDedupBytesPerPrincipal: 4194304,
	maxDedupBytes: 67108864
};
/** Options for which zero means "off". */
const MAY_BE_ZERO = /* @__PURE__ */ new Set([
	"heartbeatIntervalMs",
	"heartbeatTimeoutMs",
	"idleTimeoutMs",
	"presenceGraceMs"
]);
/** The longest `positionCheckMs`: a broker keeps a position for twice as long, so that one look may fail. */
const MAX_POSITION_CHECK_MS = 12e4;
/** Timers cannot wait longer: Node fires at once instead. */
const MAX_TIMER_MS$1 = 2147483647;
/**
* Fills in the defaults and checks each value once, at start.
*
* @throws TypeError that names the option, says what it got and what to do
*/
function resolveOptions(options) {
	const resolved = { ...DEFAULTS };
	for (const name of Object.keys(DEFAULTS)) {
		const value = options[name];
		if (value !== void 0) resolved[name] = checkNumber$1(name, value);
	}
	const complete = resolved;
	checkTimes(complete);
	return complete;
}
function checkNumber$1(name, value) {
	const least = MAY_BE_ZERO.has(name) ? 0 : 1;
	if (!Number.isSafeInteger(value) || value < least) throw new TypeError(`${name} (${String(value)}) must be a whole number of at least ${least}.`);
	const mostMs = name === "positionCheckMs" ? MAX_POSITION_CHECK_MS : MAX_TIMER_MS$1;
	if (name.endsWith("Ms") && value > mostMs) throw new TypeError(`${name} (${String(value)}) must be at most ${mostMs} milliseconds.`);
	return value;
}
function checkTimes(options) {
	const { heartbeatIntervalMs: interval, heartbeatTimeoutMs: timeout, drainTimeoutMs: drain } = options;
	if (interval > 0 && timeout > 0 && timeout <= interval) throw new TypeError(`heartbeatTimeoutMs (${timeout}) must exceed heartbeatIntervalMs (${interval}); raise the timeout.`);
	if (timeout > 0 && drain < timeout) throw new TypeError(`drainTimeoutMs (${drain}) must not be less than heartbeatTimeoutMs (${timeout}); raise it as well.`);
}
// test/simulation/rules.ts
/** What the channels of the world keep. Small, so that a short history gets past it. */
const HISTORY = {
	size: 4,
	ttlMs: 2e4
};
/** `push` is joined by the server alone; `live` keeps nothing. */
const CHANNELS = [
	"room:a",
	"room:b",
	"live:a",
	"push:a"
];
function hasHistory(channel) {
	return !channel.startsWith("live:");
}
/** How long a node may miss its renewals, from docs/protocol.md section 13. */
const CLAIM_LEASE_MS$1 = 3e4;
/** The client gives up so much earlier than the window ends, docs/protocol.md section 6.4. */
const WINDOW_MARGIN_MS$1 = 3e4;
/** Times of at least 10 s, so that the engine looks once a second; sizes that a history can reach. */
const OPTIONS = resolveOptions({
	heartbeatIntervalMs: 1e4,
	heartbeatTimeoutMs: 12e3,
	drainTimeoutMs: 12e3,
	clientTimeoutMs: 15e3,
	handlerTimeoutMs: 1e4,
	shutdownTimeoutMs: 2e3,
	positionCheckMs: 5e3,
	dedupWindowMs: 12e4,
	maxInFlight: 4,
	maxOutboxBytes: 2400,
	maxDedupBytesPerPrincipal: 4096,
	maxDedupBytes: 6144,
	maxHistories: 3
});
const CLIENT_OPTIONS = {
	connectTimeoutMs: 3e3,
	helloTimeoutMs: 3e3,
	minRetryDelayMs: 100,
	maxRetryDelayMs: 2e3,
	stableAfterMs: 1e3,
	maxQueue: 12
};
// test/simulation/invariants.ts
/** I5: every call has ended, for a reason. */
function checkCalls({ people }) {
	for (const person of people) for (const call of person.calls) person.justify(call);
}
/** Whether nobody waits for anything. */
function isAtRest({ people, leaving }) {
	return leaving.size === 0 && people.every((person) => person.waiting === 0 && person.isCurrent);
}
/** I7: everybody has what was published, or knows that it has not. */
function checkCurrent({ people, facts }) {
	for (const person of people) {
		facts.check("I7", person.client.state.name === "open", `person ${person.index} is ${person.client.state.name}`);
		for (const view of person.expected) facts.check("I7", view.isCurrent, view.description);
	}
}
/** I8: nothing has outgrown its bound. */
function checkRoom({ nodes, people, facts, store }) {
	store.checkRoom();
	for (const { engine, isUp } of nodes) {
		if (!isUp) continue;
		for (const { inFlight, outbox } of engine.connections.values()) {
			facts.check("I8", inFlight <= OPTIONS.maxInFlight, `${inFlight} messages are in flight`);
			const { bytes } = outbox;
			facts.check("I8", bytes <= OPTIONS.maxOutboxBytes, `${bytes} bytes wait for a peer`);
		}
	}
	for (const { waiting, client } of people) facts.check("I8", waiting <= CLIENT_OPTIONS.maxQueue + 1, `${waiting} messages wait in a client that is ${client.state.name}`);
}
/** I9: nobody is connected, so nothing is kept for anybody. */
function checkNothingLeft({ nodes, people, facts, bus }) {
	for (const { engine, joins, hasJoined } of nodes) {
		const { connections, hub, claims, drainQueue } = engine;
		facts.check("I9", connections.size === 0, `${connections.size} connections are left`);
		facts.check("I9", hub.size === 0, `${hub.size} channels are left`);
		facts.check("I9", claims.size === 0, `${claims.size} claims are left`);
		facts.check("I9", drainQueue.size === 0, `${drainQueue.size} slow readers are left`);
		facts.check("I9", joins === 0 || hasJoined, `${joins} joins were not undone`);
	}
	for (const { clock, index } of people) facts.check("I9", clock.pendingTimers === 0, `person ${index} leaves ${clock.pendingTimers} timers`);
	bus.checkEmpty();
}
/** I9: the processes have ended, so nothing of them runs. */
function checkNoTimers({ nodes, facts }) {
	for (const { clock } of nodes) facts.check("I9", clock.pendingTimers === 0, `a node leaves ${clock.pendingTimers} timers`);
}
// test/simulation/heal.ts
/** Time in which a client that hears nothing is back, a position compared, and what was lost read. */
const CONVERGED_MS = 45e3;
/** Time in which the oldest message has expired, and the slowest handler ended. */
const SETTLED_MS = 3e5;
/** What was said last has arrived, and been answered. */
const UNDER_WAY_MS = 300;
/** The network is well again: whether everything comes to its end, and is as was promised. */
async function keepsPromises(world, seed) {
	const { facts, time } = world;
	const isBroken = () => facts.violations.length > 0;
	heal(world);
	const converges = async () => {
		await until(world, () => isBroken() || world.people.every(({ isCurrent }) => isCurrent), CONVERGED_MS);
		checkCurrent(world);
	};
	await converges();
	if (isBroken()) return;
	await until(world, () => isBroken() || isAtRest(world), SETTLED_MS);
	checkCalls(world);
	checkRoom(world);
	if (isBroken()) return;
	for (const channel of CHANNELS) if (world.people.some(({ wants }) => wants.has(channel))) world.publish(channel, world.nodeAt(0));
	await time.advance(20);
	world.bus.checkRoom();
	await converges();
	if (!isBroken()) await leave$1(world, seed);
}
function heal(world) {
	for (const person of world.people) person.heal();
	world.joinMs = 0;
	world.bus.doom("arrives", void 0);
	for (const channel of world.owed) world.publish(channel, world.nodeAt(0));
}
/** Everybody goes, and the processes end. */
async function leave$1(world, seed) {
	const { time, nodes, people, lines } = world;
	for (const person of people) person.goes();
	for (const line of lines) line.socket.close(1e3);
	const isEmpty = () => nodes.every(({ engine, running }) => engine.connections.size + engine.claims.size + running === 0);
	await until(world, isEmpty, SETTLED_MS);
	await time.advance(UNDER_WAY_MS);
	checkNothingLeft(world);
	if (seed % 16 === 0) {
		await time.advance(OPTIONS.dedupWindowMs + HISTORY.ttlMs);
		world.store.checkEmpty();
		world.bus.checkForgotten();
	}
	for (const { engine } of nodes) engine.shutdown();
	await time.advance(5);
	checkNoTimers(world);
	world.bus.close();
	world.store.close();
}
async function until({ time }, isDone, mostMs) {
	const end = time.now + mostMs;
	for (let step = 5; !isDone() && time.now < end; step = Math.min(1e3, step * 4)) await time.advance(step);
}
// test/simulation/runs.ts
/** Who sent a message under which id: what a run is claimed by. */
function keyOf$1(principal, clientId, id) {
	return `${principal} ${clientId} ${String(id)}`;
}
/** A renewal is due every third of the lease, and looked at once a second. */
const RENEWED_WITHIN_MS = 12e3;
/** A store in another process knows of an answer so much later. */
const RECORDED_WITHIN_MS = 4;
/** Every run of every handler, and whether it was allowed. */
var Runs = class {
	facts;
	time;
	all = [];
	/** Times that the store has lost all that it knew. */
	storeLife = 0;
	/** Answers that the store gave up for want of room. */
	evicted = 0;
	#byKey = /* @__PURE__ */ new Map();
	constructor(facts, time) {
		this.facts = facts;
		this.time = time;
	}
	begin(key, event, n, process) {
		const { storeLife } = this;
		const index = this.all.length;
		const run = {
			at: this.time.now,
			index,
			key,
			n,
			event,
			process,
			storeLife,
			state: "running",
			endedAt: Infinity
		};
		const before = this.of(key);
		if (event !== "plain") {
			const first = before.find((earlier) => !this.#allowsAnother(earlier));
			this.facts.check("I6", !first, `${event} ${n} runs again (${key}); the run of ${first?.at} ms holds`);
		}
		this.all.push(run);
		this.#byKey.set(key, [...before, run]);
		return run;
	}
	/** Ends a run, as its message asks for, and says how. */
	end(run, { fails, times }) {
		run.endedAt = this.time.now;
		const failed = this.all.filter(({ n, state }) => n === run.n && state === "retryable").length;
		if (fails === "retryable") run.state = failed < times ? "retryable" : "ok";
		else run.state = fails === "final" ? "final" : "ok";
		return run.state;
	}
	of(key) {
		return this.#byKey.get(key) ?? [];
	}
	/** An answer with data leaves the server. */
	acked(key, event, data) {
		const { run: index } = Object(data);
		const run = index === void 0 ? void 0 : this.all[index];
		this.facts.check("I4", run?.state === "ok", `${event} is acked, its run is ${run?.state} (${key})`);
		this.facts.check("I6", !run || run.key === key, `${key} gets the answer of ${run?.key}`);
	}
	/** A final error leaves the server. */
	refused(key, event, code) {
		if (code !== "bad_request") return;
		const hasFailed = this.of(key).some(({ state }) => state === "final");
		this.facts.check("I4", hasFailed, `${event} is refused, none of its runs has failed (${key})`);
	}
	/** docs/protocol.md section 6.4 says what ends a claim, and for how long an answer is kept. */
	#allowsAnother(run) {
		const { now } = this.time;
		if (run.state === "retryable" || run.storeLife < this.storeLife) return true;
		if (this.evicted > 0 && run.state !== "running") return true;
		const { diedAt } = run.process;
		const isRecorded = diedAt === void 0 || diedAt > run.endedAt + RECORDED_WITHIN_MS;
		if (diedAt !== void 0 && (run.state === "running" || !isRecorded)) return now >= diedAt + CLAIM_LEASE_MS$1 - RENEWED_WITHIN_MS;
		return now >= (run.state === "running" ? run.at : run.endedAt) + OPTIONS.dedupWindowMs;
	}
};
// test/simulation/wire.ts
const PUBLICATION = "{\"channel\":\"";
const OFFSET = /"offset":(\d+)/;
const DROPPED = /"dropped":(\d+)/;
/** What goes over one connection, and whether it may. */
var Wire = class {
	line;
	clientId;
	/** Acked messages that have arrived and whose handler was not called. */
	#arrived = [];
	#events = /* @__PURE__ */ new Map();
	/** What came under each id and has no answer: event and number of the call. */
	#open = [];
	/** The offset that each channel has been served up to; absent where the next one may be any. */
	#offsets = /* @__PURE__ */ new Map();
	/** As whom the client says hello. */
	saysToBe = "";
	/** The last call that was written here and had never been turned away. */
	lastCall = 0;
	#commands = /* @__PURE__ */ new Map();
	/** Commands whose guard has said yes on this connection. */
	#admitted = /* @__PURE__ */ new Set();
	#in = /* @__PURE__ */ new Set();
	/** Channels of which the client has a position of this connection. */
	#positioned = /* @__PURE__ */ new Set();
	#helloId;
	#span;
	constructor(line) {
		this.line = line;
		this.clientId = "";
	}
	/** A frame of the client, as the server is about to read it. */
	read(text) {
		if (text.startsWith("{\"event\":\"$p")) return;
		const { event = "", id, data } = JSON.parse(text);
		if (event === "$hello") {
			this.#helloId = id;
			this.clientId = String(data.clientId);
		} else if (event === "$subscribe" || event === "$unsubscribe") {
			this.#commands.set(String(id), {
				event,
				channel: data.channel
			});
			if (data.since) this.#checkSince(data.channel);
		} else if (!event.startsWith("$") && event !== "") {
			if (event === "work") this.#arrived.push(id);
			if (id === void 0) return;
			this.#events.set(id, event);
			this.#open.push(`${id} ${event} ${data.n}`);
		}
	}
	/** The guard of a channel has let a command pass. */
	admitted(id) {
		this.#admitted.add(id);
	}
	key(id) {
		return keyOf$1(this.line.principal, this.clientId, id);
	}
	/** I3: handlers of one lane are called in the order of arrival, one after the other. */
	handles(id) {
		const { facts } = this.#world;
		const place = this.#arrived.indexOf(id);
		facts.check("I3", place >= 0, `${id} is handled before those that came before it`);
		this.#arrived.splice(0, place + 1);
		const before = this.#span;
		const isOver = !before || before.endedAt < Infinity || this.#now - before.at >= OPTIONS.handlerTimeoutMs;
		facts.check("I3", isOver, `${id} is handled beside ${before?.id}`);
		this.#span = {
			id,
			at: this.#now,
			endedAt: Infinity
		};
		return this.#span;
	}
	/** A frame of the server leaves. */
	written(text) {
		if (text === "{\"event\":\"$ping\"}" || text === "{\"event\":\"$pong\"}") return;
		if (text.startsWith(PUBLICATION)) {
			const end = text.indexOf("\"", 12);
			this.#published(text.slice(12, end), text);
			return;
		}
		const frame = JSON.parse(text);
		if (frame.ack !== void 0) this.#acked(frame, frame.ack);
		else if (frame.event === "$unsubscribed") this.#in.delete(frame.data.channel);
		else if (frame.event === "$subscribed" || frame.event === "$gap") {
			this.#in.add(frame.data.channel);
			this.#stands(frame.data);
		}
	}
	/** A frame reaches the client. */
	delivered(text) {
		if (text.startsWith("{\"ack\"")) {
			const { ack, data, error } = JSON.parse(text);
			if (ack === void 0) return;
			if (error?.retryable) this.#world.turnedAway(this.line, ack);
			if (error) return;
			if (ack === this.#helloId) this.#world.welcomed(this.line);
			else if (this.#commands.get(ack)?.event === "$subscribe") this.#positioned.add(data.channel);
		} else if (text.startsWith("{\"event\":\"$subscribed\"") || text.startsWith("{\"event\":\"$gap\"")) this.#positioned.add(JSON.parse(text).data.channel);
	}
	#acked(frame, id) {
		const { data, error } = frame;
		const command = this.#commands.get(id);
		const event = this.#events.get(id);
		if (command?.event === "$subscribe") this.#subscribed(id, command, frame);
		else if (command && !error) this.#in.delete(command.channel);
		else if (event !== void 0 && error) this.#world.facts.runs.refused(this.key(id), event, error.code);
		else if (event !== void 0) this.#answered(id, event, data);
	}
	/** I4: an answer is that of a message which has come, and of no other under its id. */
	#answered(id, event, data) {
		const { facts } = this.#world;
		facts.runs.acked(this.key(id), event, data);
		const run = facts.runs.all[data?.run ?? -1];
		const place = this.#open.indexOf(`${id} ${run?.event} ${data?.n}`);
		facts.check("I4", place >= 0, `${id} is answered for another message`);
		this.#open.splice(place, 1);
	}
	#stands({ channel, offset }) {
		if (offset === void 0) this.#offsets.delete(channel);
		else this.#offsets.set(channel, offset);
	}
	#subscribed(id, { channel }, { error, data }) {
		if (error !== void 0) {
			if (!(error.code === "unavailable" && this.line.node.engine.draining) && error.code !== "rate_limited") this.#in.delete(channel);
			return;
		}
		this.#in.add(channel);
		this.#stands(data);
		const isAllowed = this.#admitted.has(id);
		this.#world.facts.check("I11", isAllowed, `${channel} is joined without its guard`);
	}
	/** I10, and I1 as the server has to keep it, whatever the client makes up for. */
	#published(channel, text) {
		const { facts } = this.#world;
		facts.check("I10", this.#in.has(channel), `${channel} is sent to one who is not in`);
		const last = this.#offsets.get(channel);
		if (last === void 0) return;
		const offset = Number(OFFSET.exec(text)?.[1]);
		facts.check("I2", offset > last, `${channel}: ${offset} is sent behind ${last}`);
		const next = last + 1 + Number(DROPPED.exec(text)?.[1] ?? 0);
		facts.check("I1", offset <= next, `${channel}: ${offset} is sent right behind ${last}`);
		this.#offsets.set(channel, offset);
	}
	/** "When the tag differs ... all positions are dropped": docs/protocol.md section 6.5. */
	#checkSince(channel) {
		const isOwn = this.#positioned.has(channel) || this.line.principal === this.#world.formerPrincipal(this.line);
		this.#world.facts.check("I11", isOwn, `${channel} is resumed where somebody else has left it`);
	}
	get #world() {
		return this.line.node.world;
	}
	get #now() {
		return this.#world.time.now;
	}
};
// test/simulation/network.ts
/** A server waits so long for the answer to its close. */
const CLOSE_TIMEOUT_MS = 5e3;
/** The network between one client and one node, as TCP: whole, in order, or not at all. */
var Line$1 = class {
	node;
	principal;
	clock;
	socket;
	wire;
	isShared = false;
	bufferedAmount = 0;
	bytesRead = 0;
	bytesWritten = 0;
	connection;
	nextFrame;
	/** How long a frame is under way. */
	latencyMs;
	#towardsClient = true;
	#towardsServer = true;
	#clientAt = 0;
	#serverAt = 0;
	#isOver = false;
	constructor(node, principal, clock, latencyMs) {
		this.node = node;
		this.principal = principal;
		this.clock = clock;
		this.latencyMs = latencyMs;
		this.socket = new SimSocket(this);
		this.wire = new Wire(this);
		clock.setTimeout(() => this.#open(), latencyMs);
	}
	/** The server still believes in it. */
	get isKnown() {
		return this.connection !== void 0 && this.connection.state !== "closed";
	}
	/** Whether the server has the client in a channel. */
	isIn(channel) {
		return this.isKnown && this.node.isUp && this.connection?.subscriptions.has(channel) === true;
	}
	send(text) {
		this.node.world.wrote(this, text);
		this.toServer(text);
	}
	/** Text of a client, or of somebody who repeats it. */
	toServer(text) {
		this.#serverAt = Math.max(this.#serverAt, this.clock.now() + this.latencyMs);
		this.clock.setTimeout(() => {
			if (!this.#towardsServer || !this.node.isUp || !this.connection) return;
			this.bytesRead += text.length;
			this.wire.read(text);
			this.connection.receive(text);
		}, this.#serverAt - this.clock.now());
	}
	hangUp(code) {
		this.clock.setTimeout(() => {
			if (this.#towardsServer) this.#endServer(code);
		}, this.latencyMs);
	}
	write(frames) {
		let bytes = 0;
		const texts = [];
		for (const { text, byteLength } of frames) {
			bytes += byteLength;
			this.wire.written(text);
			const isNumbered = text.startsWith("{\"channel\"") && text.includes("\"offset\":");
			const fate = isNumbered ? this.nextFrame : void 0;
			if (isNumbered) this.nextFrame = void 0;
			if (fate !== "lost") texts.push(text);
			else this.node.world.lostFrame(this, text);
			if (fate === "twice") texts.push(text);
		}
		this.bytesWritten += bytes;
		this.bufferedAmount += bytes;
		this.#clientAt = Math.max(this.#clientAt, this.clock.now() + this.latencyMs);
		this.clock.setTimeout(() => {
			if (!this.#towardsClient) return;
			this.bufferedAmount -= bytes;
			for (const text of texts) this.socket.receive(text);
		}, this.#clientAt - this.clock.now());
	}
	probe() {
		this.bytesWritten += 2;
		this.clock.setTimeout(() => {
			if (this.#towardsClient && this.#towardsServer) this.bytesRead += 2;
		}, 2 * this.latencyMs);
	}
	end(code, reason) {
		this.#clientAt = Math.max(this.#clientAt, this.clock.now() + this.latencyMs);
		this.clock.setTimeout(() => this.#endClient(code, reason), this.#clientAt - this.clock.now());
		const isHeard = this.#towardsClient && this.#towardsServer;
		this.clock.setTimeout(() => this.#endServer(code), isHeard ? 2 * this.latencyMs : CLOSE_TIMEOUT_MS);
	}
	destroy() {
		this.clock.setTimeout(() => this.#endClient(1006, ""), this.latencyMs);
		this.clock.setTimeout(() => this.#endServer(1006), 1);
	}
	cut(how, lagMs) {
		if (how === "client first") this.#towardsClient = false;
		if (how === "server first") this.#towardsServer = false;
		if (how === "both") this.darken();
		this.clock.setTimeout(() => this.#endClient(1006, "", "told"), how === "server first" ? lagMs : 1);
		this.clock.setTimeout(() => this.#endServer(1006), how === "client first" ? lagMs : 1);
	}
	/** Half-open: nothing comes through any more, and nobody is told. */
	darken() {
		this.#towardsClient = this.#towardsServer = false;
	}
	#open() {
		if (!this.node.isUp || this.node.engine.draining || this.socket.readyState !== 0 || !this.#towardsServer) {
			if (this.#towardsClient) this.socket.closed(1006, "");
			return;
		}
		this.connection = this.node.accept(this);
		this.socket.opened();
	}
	#endClient(code, reason, told) {
		if (told || this.#towardsClient) this.socket.closed(code, reason);
		this.#towardsClient = false;
	}
	#endServer(code) {
		if (this.#isOver || !this.connection) return;
		this.#isOver = true;
		this.#towardsServer = false;
		if (this.node.isUp) this.connection.closed(code, "");
	}
};
/** The end of a {@link Line} that the client has. */
var SimSocket = class {
	line;
	onopen = null;
	onmessage = null;
	onclose = null;
	onerror = null;
	bufferedAmount = 0;
	#readyState = 0;
	constructor(line) {
		this.line = line;
	}
	get readyState() {
		return this.#readyState;
	}
	opened() {
		this.#readyState = 1;
		this.onopen?.({});
	}
	send(text) {
		if (this.#readyState === 1) this.line.send(text);
	}
	receive(text) {
		if (this.#readyState === 3 || !this.onmessage) return;
		this.line.wire.delivered(text);
		this.onmessage({ data: text });
	}
	close(code = 1005) {
		if (this.#readyState >= 2) return;
		this.#readyState = 2;
		this.line.hangUp(code);
	}
	closed(code, reason) {
		if (this.#readyState === 3) return;
		this.#readyState = 3;
		this.onclose?.({
			code,
			reason
		});
	}
};
// lib/core/channel-history.ts
/** What a publication takes in an answer besides its event and its data: names, punctuation, the longest offset. */
const FRAMING_BYTES = Buffer.byteLength("{\"event\":,\"data\":,\"offset\":9007199254740991},");
/** The publications of one channel that are still kept, in the memory of one process. */
var ChannelHistory = class {
	epoch;
	#entries = [];
	/** Offsets by key, of what is kept. */
	#keys = /* @__PURE__ */ new Map();
	#offset = 0;
	constructor(epoch) {
		this.epoch = epoch;
	}
	get position() {
		return {
			epoch: this.epoch,
			offset: this.#offset
		};
	}
	/** Nothing has ever been published. */
	get isBlank() {
		return this.#offset === 0;
	}
	/** The position of an earlier publication with this key, while that is kept. */
	find(key, now) {
		this.expire(now);
		const offset = this.#keys.get(key);
		return offset === void 0 ? void 0 : {
			epoch: this.epoch,
			offset
		};
	}
	/** Keeps a publication under the next offset, and returns it with its position. */
	add(publication, { size, ttlMs }, now, key) {
		this.expire(now);
		this.#offset += 1;
		const placed = {
			...publication,
			position: this.position
		};
		const bytes = bytesOf(publication);
		this.#entries.push({
			publication: placed,
			offset: this.#offset,
			keptUntil: now + ttlMs,
			bytes,
			key
		});
		if (key !== void 0) this.#keys.set(key, this.#offset);
		this.#drop(this.#entries.length - size);
		return placed;
	}
	read({ after = 0, limit, maxBytes, reverse = false }, now) {
		this.expire(now);
		const found = this.#entries.filter(({ offset }) => offset > after);
		if (reverse) found.reverse();
		const publications = [];
		let bytes = 0;
		for (const entry of found.slice(0, limit)) {
			bytes += entry.bytes;
			if (bytes > maxBytes && publications.length > 0) break;
			publications.push(entry.publication);
		}
		const oldest = this.#entries[0]?.offset ?? this.#offset + 1;
		return {
			position: this.position,
			oldest,
			publications
		};
	}
	/** Drops what has been kept for long enough. */
	expire(now) {
		const fresh = this.#entries.findIndex(({ keptUntil }) => keptUntil > now);
		this.#drop(fresh === -1 ? this.#entries.length : fresh);
	}
	#drop(count) {
		if (count <= 0) return;
		for (const { key, offset } of this.#entries.splice(0, count)) if (key !== void 0 && this.#keys.get(key) === offset) this.#keys.delete(key);
	}
};
function bytesOf({ event, data = "" }) {
	return Buffer.byteLength(JSON.stringify(event)) + Buffer.byteLength(data) + FRAMING_BYTES;
}
// lib/core/oldest-first.ts
/**
* A set whose oldest item is at hand. Of a plain `Set` that has lost its first items a new iterator walks over
* the places of all of them; this one keeps its iterator, which has them behind it.
*/
var OldestFirst = class {
	#items = /* @__PURE__ */ new Set();
	/** Whatever it has passed is gone, but for {@link #oldest}. */
	#iterator = this.#items.values();
	#oldest;
	get size() {
		return this.#items.size;
	}
	/** The one that was added before all others. */
	get oldest() {
		if (this.#items.size > 0) this.#oldest ??= this.#iterator.next().value;
		return this.#oldest;
	}
	/** Adds an item as the newest one. */
	add(item) {
		this.#items.add(item);
	}
	delete(item) {
		this.#items.delete(item);
		if (this.#oldest === item) this.#oldest = void 0;
	}
	clear() {
		this.#items.clear();
		this.#oldest = void 0;
	}
};
// lib/core/memory-broker.ts
/** How often histories are looked through for publications that are too old. */
const SWEEP_MS = 1e4;
/** The broker of a single process: a publication is accepted and delivered in the same call. */
var MemoryBroker = class {
	#clock;
	#random;
	#maxHistories;
	#subscribed = /* @__PURE__ */ new Set();
	#histories = /* @__PURE__ */ new Map();
	/** Those of channels that nobody is in, in the order of their last use. */
	#left = new OldestFirst();
	/** As those, but never published to: whoever tries to join under many names must not push out the others. */
	#blank = new OldestFirst();
	#sink = () => void 0;
	#sweeper;
	constructor({ clock, random, maxHistories = DEFAULTS.maxHistories }) {
		this.#clock = clock;
		this.#random = random;
		this.#maxHistories = maxHistories;
	}
	sizes() {
		return {
			subscribed: this.#subscribed.size,
			histories: this.#histories.size
		};
	}
	/** Histories that are kept. */
	get size() {
		return this.#histories.size;
	}
	start(sink) {
		this.#sink = sink;
	}
	publish(publication, rule) {
		if (!rule) {
			this.#sink(publication);
			return;
		}
		const now = this.#clock.now();
		const kept = this.#of(publication.channel);
		const earlier = rule.key === void 0 ? void 0 : kept.history.find(rule.key, now);
		const placed = earlier ? void 0 : kept.history.add(publication, rule.history, now, rule.key);
		this.#used(kept);
		if (placed) this.#sink(placed);
		return earlier ?? placed?.position;
	}
	position(channel, _rule) {
		return this.#read(channel).position;
	}
	history(channel, _rule, query) {
		return this.#read(channel).read(query, this.#clock.now());
	}
	subscribe(channel) {
		this.#subscribed.add(channel);
		const kept = this.#histories.get(channel);
		if (kept) this.#used(kept);
	}
	unsubscribe(channel) {
		this.#subscribed.delete(channel);
		const kept = this.#histories.get(channel);
		if (kept) this.#used(kept);
	}
	close() {
		this.#sink = () => void 0;
		if (this.#sweeper) this.#clock.clearTimer(this.#sweeper);
		this.#sweeper = void 0;
	}
	#read(channel) {
		const kept = this.#of(channel);
		this.#used(kept);
		return kept.history;
	}
	#of(channel) {
		this.#sweeper ??= this.#clock.setInterval(() => this.#sweep(), SWEEP_MS);
		const known = this.#histories.get(channel);
		if (known) return known;
		const kept = {
			channel,
			history: new ChannelHistory(this.#random.id())
		};
		this.#histories.set(channel, kept);
		return kept;
	}
	/** Puts it behind all others that may be forgotten, unless somebody is in its channel. */
	#used(kept) {
		this.#left.delete(kept);
		this.#blank.delete(kept);
		if (this.#subscribed.has(kept.channel)) return;
		(kept.history.isBlank ? this.#blank : this.#left).add(kept);
		if (this.#left.size + this.#blank.size > this.#maxHistories) this.#forgetOne();
	}
	#forgetOne() {
		const queue = this.#blank.size > 0 ? this.#blank : this.#left;
		const { oldest } = queue;
		if (!oldest) return;
		queue.delete(oldest);
		this.#histories.delete(oldest.channel);
	}
	/** Drops publications, never a position: whoever has missed nothing must be able to see that. */
	#sweep() {
		const now = this.#clock.now();
		for (const { history } of this.#histories.values()) history.expire(now);
	}
};
// test/simulation/time.ts
/** Far more than a history needs: more of them is a loop without a wait. */
const MOST_TIMERS = 2e4;
let waiting = [];
/**
* Resolves when every promise that can settle has settled: the event loop turns only then. Histories that
* are played beside each other share the turns, which is what makes them cheap.
*/
function turn() {
	return new Promise((resolve) => {
		if (waiting.length === 0) setImmediate(wakeAll);
		waiting.push(resolve);
	});
}
function wakeAll() {
	const awake = waiting;
	waiting = [];
	for (const wake of awake) wake();
}
/** The time of one history. It moves when it is told to, from timer to timer. */
var Time = class {
	#now = 0;
	#order = 0;
	#fired = 0;
	/** A binary heap: the timer that is due first is in front. */
	#heap = [];
	#afterTurn = [];
	get now() {
		return this.#now;
	}
	/** Lets all that has been begun come to rest, without time passing. */
	async settle() {
		for (;;) {
			await turn();
			if (this.#afterTurn.length === 0) return;
			const due = this.#afterTurn;
			this.#afterTurn = [];
			for (const { owner, callback } of due) if (owner.runs) callback();
		}
	}
	async advance(ms) {
		const target = this.#now + ms;
		await this.settle();
		for (let timer = this.#take(target); timer; timer = this.#take(target)) {
			if (++this.#fired > MOST_TIMERS) throw new Error("a loop without a wait");
			this.#now = timer.at;
			this.#fire(timer);
			await this.settle();
		}
		this.#now = target;
	}
	start(owner, callback, ms, everyMs = 0) {
		const timer = {
			at: this.#now + Math.max(ms, 1),
			order: ++this.#order,
			everyMs,
			owner,
			callback
		};
		this.#push(timer);
		return timer;
	}
	atEndOfTurn(owner, callback) {
		this.#afterTurn.push({
			owner,
			callback
		});
	}
	#fire(timer) {
		const { callback, everyMs, owner } = timer;
		if (everyMs > 0) {
			timer.at = this.#now + everyMs;
			timer.order = ++this.#order;
			this.#push(timer);
		} else {
			timer.callback = void 0;
			owner.ended();
		}
		callback?.();
	}
	/** The next timer up to an instant, out of the heap. */
	#take(target) {
		for (;;) {
			const first = this.#heap[0];
			if (!first || first.callback && first.at > target) return void 0;
			this.#pop();
			if (first.callback) return first;
		}
	}
	#push(timer) {
		const heap = this.#heap;
		let at = heap.push(timer) - 1;
		while (at > 0) {
			const parent = at - 1 >> 1;
			if (!isBefore(timer, heap[parent])) break;
			heap[at] = heap[parent];
			at = parent;
		}
		heap[at] = timer;
	}
	#pop() {
		const heap = this.#heap;
		const last = heap.pop();
		if (heap.length === 0) return;
		let at = 0;
		for (;;) {
			let child = 2 * at + 1;
			if (child >= heap.length) break;
			if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
			if (!isBefore(heap[child], last)) break;
			heap[at] = heap[child];
			at = child;
		}
		heap[at] = last;
	}
};
function isBefore(one, other) {
	return one.at < other.at || one.at === other.at && one.order < other.order;
}
/** The clock of one process: it can be asked how much is left running, and stops when the process dies. */
var OwnClock = class {
	time;
	#running = 0;
	#isDead = false;
	constructor(time) {
		this.time = time;
	}
	get runs() {
		return !this.#isDead;
	}
	/** Timers that may still fire. */
	get pendingTimers() {
		return this.#running;
	}
	now() {
		return this.time.now;
	}
	setTimeout(callback, ms) {
		this.#running++;
		return this.time.start(this, () => this.runs && callback(), ms);
	}
	setInterval(callback, ms) {
		this.#running++;
		return this.time.start(this, () => this.runs && callback(), ms, ms);
	}
	clearTimer(timer) {
		const known = timer;
		if (!known?.callback) return;
		known.callback = void 0;
		this.#running--;
	}
	afterTurn(callback) {
		this.time.atEndOfTurn(this, callback);
	}
	/** The process has died: nothing of it runs any more. */
	die() {
		this.#isDead = true;
	}
	/** A timer has fired for the last time. */
	ended() {
		this.#running--;
	}
};
// test/simulation/bus.ts
/** How long a call of a broker in another process takes, and a publication from there. */
const REMOTE_MS$1 = 2;
const LATE_MS = 200;
/** A history is long: reading it takes a while. */
const READ_MS = 30;
/** The broker of all nodes: a real one, that writes down what it has accepted. */
var Bus = class {
	facts;
	random;
	isRemote;
	#nodes = /* @__PURE__ */ new Set();
	/** How many nodes are in a channel. */
	#subscribed = /* @__PURE__ */ new Map();
	#memory;
	#clock;
	/** What the next publication meets, at which node. */
	#fate = "arrives";
	#unlucky;
	#key;
	constructor(facts, random, isRemote) {
		this.facts = facts;
		this.random = random;
		this.isRemote = isRemote;
		this.#begin();
	}
	get pendingTimers() {
		return this.#clock.pendingTimers;
	}
	node(clock) {
		const node = new BusBroker(this, clock);
		this.#nodes.add(node);
		return node;
	}
	/** The node has died, or has closed its broker. */
	drop(node) {
		if (!this.#nodes.delete(node)) return;
		for (const channel of node.channels) this.unsubscribe(channel);
	}
	/** Everything that was kept is lost; nodes that live stay subscribed. */
	forget() {
		this.#memory.close();
		this.#clock.die();
		this.facts.ledger.forgotten();
		this.#begin();
		for (const channel of this.#subscribed.keys()) this.#memory.subscribe(channel);
	}
	/** Publishes, with a fate on the way to one node. */
	publish(publication, rule) {
		const { ledger, time } = this.facts;
		const { channel } = publication;
		const before = ledger.tail(channel);
		const earlier = ledger.underKey(channel, rule?.key, time.now);
		this.#key = rule?.key;
		const position = this.#memory.publish(publication, rule);
		const count = ledger.tail(channel) - before;
		this.facts.check("I2", !earlier || count === 0, `${channel}: published twice under ${rule?.key}`);
		this.facts.check("I7", count === 1 || earlier !== void 0, `${channel}: not published`);
		if (rule) ledger.checkPosition(position, earlier ?? ledger.last(channel));
		this.doom("arrives", void 0);
		return position;
	}
	/** What the next publication meets. */
	doom(fate, node) {
		this.#fate = fate;
		this.#unlucky = node;
	}
	position(channel, rule) {
		return this.#memory.position(channel, rule);
	}
	history(channel, rule, query) {
		return this.#memory.history(channel, rule, query);
	}
	subscribe(channel) {
		const count = this.#subscribed.get(channel) ?? 0;
		this.#subscribed.set(channel, count + 1);
		if (count === 0) this.#memory.subscribe(channel);
	}
	unsubscribe(channel) {
		const count = (this.#subscribed.get(channel) ?? 0) - 1;
		if (count > 0) {
			this.#subscribed.set(channel, count);
			return;
		}
		this.#subscribed.delete(channel);
		this.#memory.unsubscribe(channel);
	}
	/** I8: what is kept, within its bounds. */
	checkRoom() {
		const most = OPTIONS.maxHistories + this.#subscribed.size;
		this.facts.check("I8", this.#memory.size <= most, `${this.#memory.size} histories are kept`);
		for (const channel of CHANNELS) {
			if (!hasHistory(channel)) continue;
			const { length } = this.#memory.history(channel, HISTORY, {
				limit: Infinity,
				maxBytes: Infinity
			}).publications;
			this.facts.check("I8", length <= HISTORY.size, `${channel} keeps ${length} publications`);
		}
	}
	/** I9: nobody is in any channel. */
	checkEmpty() {
		const left = [...this.#subscribed.keys()].join(", ");
		this.facts.check("I9", left === "", `the broker still serves ${left}`);
	}
	/** Publications are as old as they get: none is left. Positions stay, within their bound. */
	checkForgotten() {
		this.checkRoom();
		for (const channel of CHANNELS) {
			if (!hasHistory(channel)) continue;
			const { length } = this.#memory.history(channel, HISTORY, {
				limit: Infinity,
				maxBytes: Infinity
			}).publications;
			this.facts.check("I9", length === 0, `${length} publications of ${channel} outlive their time`);
		}
	}
	close() {
		this.#memory.close();
		this.facts.check("I9", this.pendingTimers === 0, "the broker leaves a timer behind");
	}
	#begin() {
		this.#clock = new OwnClock(this.facts.time);
		const { maxHistories } = OPTIONS;
		this.#memory = new MemoryBroker({
			clock: this.#clock,
			random: this.random,
			maxHistories
		});
		this.#memory.start((publication) => this.#accepted(publication));
	}
	#accepted(publication) {
		this.facts.ledger.accepted(publication, this.#key, this.facts.time.now);
		for (const node of this.#nodes) {
			if (!node.channels.has(publication.channel)) continue;
			const isDoomed = node === this.#unlucky && hasHistory(publication.channel);
			node.take(publication, isDoomed ? this.#fate : "arrives");
		}
	}
};
/** The broker as one node sees it: at once in the same process, or behind a wire. */
var BusBroker = class {
	bus;
	clock;
	channels = /* @__PURE__ */ new Set();
	#sink = () => void 0;
	constructor(bus, clock) {
		this.bus = bus;
		this.clock = clock;
	}
	start(sink) {
		this.#sink = sink;
	}
	publish(publication, rule) {
		return this.#ask(() => this.bus.publish(publication, rule));
	}
	position(channel, rule) {
		return this.#ask(() => this.bus.position(channel, rule));
	}
	history(channel, rule, query) {
		return this.#ask(() => this.bus.history(channel, rule, query), READ_MS);
	}
	subscribe(channel) {
		return this.#ask(() => {
			if (this.channels.has(channel)) return;
			this.channels.add(channel);
			this.bus.subscribe(channel);
		});
	}
	unsubscribe(channel) {
		return this.#ask(() => {
			if (this.channels.delete(channel)) this.bus.unsubscribe(channel);
		});
	}
	close() {
		this.bus.drop(this);
	}
	take(publication, fate) {
		switch (fate) {
			case "lost": return;
			case "late":
				this.clock.setTimeout(() => this.#sink(publication), LATE_MS);
				return;
			case "twice":
				this.#deliver(publication);
				return this.#deliver(publication);
			case "arrives": return this.#deliver(publication);
		}
	}
	#deliver(publication) {
		if (this.bus.isRemote) this.clock.setTimeout(() => this.#sink({ ...publication }), REMOTE_MS$1);
		else this.#sink(publication);
	}
	/** Calls that take equally long keep their order, as on one connection. */
	#ask(work, ms = REMOTE_MS$1) {
		if (!this.bus.isRemote) return work();
		return new Promise((resolve) => this.clock.setTimeout(() => resolve(work()), ms));
	}
};
// test/simulation/ledger.ts
/** What a server has said may have been under way so long. */
const SLACK_MS = 8e3;
/** What was really published, written down at the broker. */
var Ledger = class {
	facts;
	#channels = /* @__PURE__ */ new Map();
	#byNumber = /* @__PURE__ */ new Map();
	/** Times that the broker has lost all that it kept. */
	#life = 0;
	constructor(facts) {
		this.facts = facts;
	}
	/** The broker has lost all that it kept. */
	forgotten() {
		this.#life++;
	}
	/** Publications of a channel so far. */
	tail(channel) {
		return this.#of(channel).length;
	}
	last(channel) {
		return this.#of(channel).at(-1);
	}
	entry(number) {
		return this.#byNumber.get(number);
	}
	accepted({ channel, data, position }, key, now) {
		const { u } = JSON.parse(data ?? "{}");
		const entries = this.#of(channel);
		const { epoch, offset } = position ?? {
			epoch: "none",
			offset: entries.length + 1
		};
		const last = entries.at(-1);
		const isNext = last?.epoch === epoch ? offset === last.offset + 1 : offset === 1;
		if (position) this.facts.check("I1", isNext, `${channel}: offset ${offset} behind ${last?.offset}`);
		const entry = {
			index: entries.length + 1,
			epoch,
			offset,
			at: now,
			key,
			life: this.#life
		};
		entries.push(entry);
		this.#byNumber.set(u, entry);
	}
	/** The first publication under a key, while it has to be in the history. */
	underKey(channel, key, now) {
		if (key === void 0 || !hasHistory(channel)) return void 0;
		return this.#of(channel).slice(-HISTORY.size).filter(({ life }) => life === this.#life).find((entry) => entry.key === key && entry.at + HISTORY.ttlMs > now);
	}
	/** Whether a publication, and all behind it, have been in the history for certain. */
	isKept(channel, { index, epoch, life, at }) {
		const last = this.last(channel);
		const isFresh = at + HISTORY.ttlMs - SLACK_MS > this.facts.time.now;
		const isSameLife = life === this.#life && epoch === last?.epoch;
		return isFresh && isSameLife && this.tail(channel) - index <= HISTORY.size;
	}
	/** Whether a position is that of an entry. */
	checkPosition(position, expected) {
		const isSame = position?.epoch === expected?.epoch && position?.offset === expected?.offset;
		this.facts.check("I2", !expected || isSame, `published under ${position?.offset}, not ${expected?.offset}`);
	}
	#of(channel) {
		let entries = this.#channels.get(channel);
		if (!entries) this.#channels.set(channel, entries = []);
		return entries;
	}
};
// test/simulation/facts.ts
/** What happened in one history, as nobody in it could know it. */
var Facts = class {
	time;
	violations = [];
	ledger = new Ledger(this);
	runs;
	constructor(time) {
		this.time = time;
		this.runs = new Runs(this, time);
	}
	/** Notes a violation where the rule does not hold. */
	check(invariant, holds, text) {
		if (!holds) this.violations.push({
			invariant,
			text: `${text} (at ${Math.round(this.time.now)} ms)`
		});
	}
};
// lib/protocol/close-verdict.ts
const NORMAL_CLOSE = 1e3;
const ABNORMAL_CLOSE = 1006;
const TRY_AGAIN_LATER_CLOSE = 1013;
const TOKEN_EXPIRED_CLOSE = 4401;
const UNAUTHORIZED_CLOSE = 4501;
const REPLACED_CLOSE = 4509;
const IDLE_TIMEOUT_CLOSE = 4510;
/** Below 4000, what would end the same way again; the others are the network's, or pass by. */
const STAYING = /* @__PURE__ */ new Set([
	NORMAL_CLOSE,
	1002,
	1003,
	1007,
	1008,
	1009,
	1010,
	1015
]);
/**
* What a client does after `code`, docs/protocol.md section 8: 4500-4999 stay away, 4000-4499 come back.
* A code that is not in the table obeys its range.
*/
function closeVerdict(code) {
	return STAYING.has(code) || code >= 4500 && code <= 4999 ? "stay" : "reconnect";
}
// lib/protocol/close-codes.ts
const entry = (code, name, reason) => ({
	code,
	name,
	verdict: closeVerdict(code),
	reason
});
/**
* Every close code that this protocol gives a meaning, see docs/protocol.md section 8.
* 4000-4499 come back, 4500-4999 stay away; a code that is not listed obeys its range.
*/
const CLOSE_CODES = {
	Normal: entry(NORMAL_CLOSE, "normal", "closed on purpose"),
	GoingAway: entry(1001, "going_away", "the peer leaves its page or process"),
	ProtocolError: entry(1002, "protocol_error", "the WebSocket framing was violated"),
	UnsupportedData: entry(1003, "unsupported_data", "a kind of data that is not accepted"),
	NoStatus: entry(1005, "no_status", "closed without a code"),
	Abnormal: entry(ABNORMAL_CLOSE, "abnormal", "the connection was lost without a close frame"),
	InvalidPayload: entry(1007, "invalid_payload", "text that is no UTF-8"),
	PolicyViolation: entry(1008, "policy_violation", "too many fragments"),
	MessageTooBig: entry(1009, "message_too_big", "a message over maxMessageBytes"),
	MandatoryExtension: entry(1010, "mandatory_extension", "the client misses an extension"),
	InternalError: entry(1011, "internal_error", "the server failed before the connection was open"),
	ServiceRestart: entry(1012, "service_restart", "the server shuts down or restarts"),
	TryAgainLater: entry(TRY_AGAIN_LATER_CLOSE, "try_again_later", "the server takes no connections now"),
	BadGateway: entry(1014, "bad_gateway", "a proxy lost its upstream"),
	TlsFailure: entry(1015, "tls_failure", "the TLS handshake failed"),
	TokenExpired: entry(TOKEN_EXPIRED_CLOSE, "token_expired", "come back with a new token"),
	HeartbeatMissed: entry(4408, "heartbeat_missed", "silent for longer than heartbeatTimeoutMs"),
	SlowConsumer: entry(4413, "slow_consumer", "the outbox passed maxOutboxBytes"),
	TooManyRequests: entry(4429, "too_many_requests", "a rate limit, after warnings"),
	BadFrame: entry(4500, "bad_frame", "ten bad frames in ten seconds"),
	Unauthorized: entry(UNAUTHORIZED_CLOSE, "unauthorized", "the handshake guard said no"),
	Forbidden: entry(4503, "forbidden", "revoked, or not allowed here"),
	NotFound: entry(4504, "not_found", "no gateway has this path"),
	UnsupportedProtocol: entry(4506, "unsupported_protocol", "an unknown version of this protocol"),
	Replaced: entry(REPLACED_CLOSE, "replaced", "the same client opened a second connection on this node"),
	IdleTimeout: entry(IDLE_TIMEOUT_CLOSE, "idle_timeout", "alive, but nothing said; comes back with the next send")
};
new Map(Object.values(CLOSE_CODES).map((known) => [known.code, known]));
// lib/protocol/error-codes.ts
/** Errors that a server sends in an ack or an `exception` frame, see docs/protocol.md section 9. */
const ERROR_CODES = {
	bad_frame: {
		retryable: false,
		meaning: "no JSON, no object, a wrong type of event or id, or nested too deep"
	},
	bad_request: {
		retryable: false,
		meaning: "the data was refused; `details` says which part"
	},
	unknown_event: {
		retryable: false,
		meaning: "no handler has this event"
	},
	unknown_channel: {
		retryable: false,
		meaning: "no pattern matches this channel name, or it is no name"
	},
	unauthorized: {
		retryable: false,
		meaning: "who this is, is not known"
	},
	forbidden: {
		retryable: false,
		meaning: "a guard said no"
	},
	not_subscribed: {
		retryable: false,
		meaning: "this connection is not in the channel"
	},
	limit_exceeded: {
		retryable: false,
		meaning: "a limit of this connection was reached"
	},
	rate_limited: {
		retryable: true,
		meaning: "too much at once; come back after `retryAfterMs`"
	},
	timeout: {
		retryable: true,
		meaning: "no answer in time: handlerTimeoutMs, or requestTimeoutMs"
	},
	unavailable: {
		retryable: true,
		meaning: "the broker is away, the server shuts down, or the client that was asked is gone"
	},
	conflict: {
		retryable: false,
		meaning: "the same id with another event or other data"
	},
	payload_too_large: {
		retryable: false,
		meaning: "more bytes than maxMessageBytes"
	},
	internal: {
		retryable: false,
		meaning: "the handler failed; the log has the cause under the id in the message"
	}
};
/** Whether a code is one of {@link ERROR_CODES}; a newer server may send others. */
function isErrorCode(value) {
	return typeof value === "string" && Object.hasOwn(ERROR_CODES, value);
}
// lib/protocol/constants.ts
/** The JSON subprotocol of version 1. */
const JSON_SUBPROTOCOL = "nestjs-channels.v1.json";
/** Prefix of the subprotocol entry that carries a token as base64url. Never echoed. */
const BEARER_SUBPROTOCOL_PREFIX = "nestjs-channels.bearer.";
/** The event of a fault that belongs to no `id`, as Nest names it. */
const EXCEPTION_EVENT = "exception";
/** Shape of a `clientId`: 128 bits or more, as base64url or hex. */
const CLIENT_ID = /^[A-Za-z0-9_-]{22,64}$/;
// lib/protocol/channel-name.ts
const CHANNEL_NAME = /^[A-Za-z0-9_.:@=+~-]+$/;
/** Whether `name` may be the name of a channel: 1 to 255 characters of `[A-Za-z0-9_.:@=+~-]`. */
function isChannelName(name) {
	return typeof name === "string" && name.length <= 255 && CHANNEL_NAME.test(name);
}
// lib/protocol/parse-client-frame.ts
/**
* Reads a decoded value as a frame from a client. Fields that the protocol does not know are
* left alone, so that a later version may add some.
*
* @returns the frame, or a sentence that says why it is none
*/
function parseClientFrame(value) {
	if (typeof value !== "object" || value === null || Array.isArray(value)) return "a frame must be an object";
	const { event, id, ack } = value;
	if (typeof event !== "string") {
		if (event === void 0 && isMessageId(ack)) return value;
		return "the event of a frame must be a string";
	}
	if (id !== void 0 && !isMessageId(id)) return `the id of a frame must be a string of at most 64 characters or a safe integer`;
	return value;
}
/** Whether it can be the id of a message: a text of at most {@link MAX_ID_LENGTH} characters or a safe integer. */
function isMessageId(value) {
	if (typeof value === "string") return value.length <= 64;
	return Number.isSafeInteger(value);
}
// lib/codec/codec.interface.ts
/** What a peer sent cannot be read. The message is safe to be told to the peer. */
var DecodeError = class extends Error {
	code;
	value;
	name = "DecodeError";
	constructor(message, code, value) {
		super(message);
		this.code = code;
		this.value = value;
	}
};
// lib/codec/nesting.ts
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const QUOTE = 34;
const BACKSLASH = 92;
/**
* Whether JSON text is nested deeper than `limit`, found before it is parsed: what recursion does
* with the parsed value later must not depend on the peer. Malformed text gives either answer.
*/
function exceedsNesting(text, limit) {
	let depth = 0;
	for (let at = 0; at < text.length; at++) {
		const char = text.charCodeAt(at);
		if (char === QUOTE) at = endOfString(text, at);
		else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
			if (++depth > limit) return true;
		} else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--;
	}
	return false;
}
/** The index of the quote that ends the string which begins at `start`, or the end of the text. */
function endOfString(text, start) {
	let end = text.indexOf("\"", start + 1);
	while (end !== -1 && isEscaped(text, end)) end = text.indexOf("\"", end + 1);
	return end === -1 ? text.length : end;
}
function isEscaped(text, at) {
	let backslashes = 0;
	while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
	return backslashes % 2 === 1;
}
// lib/codec/json.codec.ts
const utf8 = new TextDecoder("utf-8", { fatal: true });
/** `nestjs-channels.v1.json`: every frame is one JSON object. Also serves peers that named no subprotocol. */
var JsonCodec = class {
	maxNesting;
	subprotocol = JSON_SUBPROTOCOL;
	constructor(maxNesting) {
		this.maxNesting = maxNesting;
	}
	decode(message) {
		const text = typeof message === "string" ? message : decodeUtf8(message);
		if (exceedsNesting(text, this.maxNesting)) throw new DecodeError(`nested deeper than ${this.maxNesting} levels`, "bad_frame");
		const value = parseJson$1(text);
		if (mayNameProto(text) && hasProtoKey(value)) throw new DecodeError("the key \"__proto__\" is not accepted", "bad_request", value);
		return value;
	}
	encodeEvent(event, data) {
		return `{"event":${JSON.stringify(event)}${dataMember(data)}}`;
	}
	encodeRequest(event, data, id) {
		return `{"event":${JSON.stringify(event)}${dataMember(data)},"id":${JSON.stringify(id)}}`;
	}
	encodePublication(channel, event, json, offset) {
		const data = json === void 0 ? "" : `,"data":${json}`;
		const place = offset === void 0 ? "" : `,"offset":${offset}`;
		return `{"channel":${JSON.stringify(channel)},"event":${JSON.stringify(event)}${place}${data}}`;
	}
	markDropped(publication, dropped) {
		return `${publication.slice(0, -1)},"dropped":${dropped}}`;
	}
	encodeAck(id, data, more) {
		return `{"ack":${JSON.stringify(id)}${dataMember(data)}${more ? ",\"more\":true" : ""}}`;
	}
	encodeError(id, error) {
		return `{"ack":${JSON.stringify(id)},"error":${JSON.stringify(error)}}`;
	}
	encodeAnswer(id, member, json) {
		return `{"ack":${JSON.stringify(id)}${json === void 0 ? "" : `,"${member}":${json}`}}`;
	}
	encodeValue(value) {
		return JSON.stringify(value);
	}
};
/** As `JSON.stringify` treats a member: without a representation it is left out. */
function dataMember(value) {
	const text = JSON.stringify(value);
	return text === void 0 ? "" : `,"data":${text}`;
}
function decodeUtf8(bytes) {
	try {
		return utf8.decode(bytes);
	} catch {
		throw new DecodeError("a binary message must be JSON in UTF-8", "bad_frame");
	}
}
function parseJson$1(text) {
	try {
		return JSON.parse(text);
	} catch {
		throw new DecodeError("a message must be JSON", "bad_frame");
	}
}
/** Any of its letters may be written as an escape. */
function mayNameProto(text) {
	return text.includes("__proto__") || text.includes("\\u");
}
function hasProtoKey(value) {
	if (typeof value !== "object" || value === null) return false;
	if (Object.hasOwn(value, "__proto__")) return true;
	return Object.values(value).some(hasProtoKey);
}
// lib/core/pattern.ts
const PARAMETER_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
/** `chat:{room}`: literals and parameters, each one segment. */
var Pattern = class {
	text;
	syntax;
	segments;
	#parameters;
	constructor(text, syntax) {
		this.text = text;
		this.syntax = syntax;
		this.segments = text.split(syntax.separator);
		this.#parameters = this.segments.map((segment) => syntax.parameter(segment));
		this.#check();
	}
	/** Two patterns of one shape match the same names. */
	get shape() {
		const { separator } = this.syntax;
		return this.segments.map((segment, at) => this.#parameters[at] === void 0 ? segment : "{}").join(separator);
	}
	get parameters() {
		return this.#parameters.filter((name) => name !== void 0);
	}
	/** The parameters of a name that this pattern matches. */
	match(names) {
		if (names.length !== this.segments.length) return void 0;
		const params = {};
		for (const [at, name] of names.entries()) {
			const parameter = this.#parameters[at];
			if (parameter === void 0) {
				if (name !== this.segments[at]) return void 0;
				continue;
			}
			const value = this.syntax.decode(name);
			if (value === void 0) return void 0;
			params[parameter] = value;
		}
		return params;
	}
	/** Sorts a literal before a parameter, from left to right. */
	compare(other) {
		for (const at of this.segments.keys()) {
			const mine = this.#parameters[at] === void 0 ? 0 : 1;
			const theirs = other.#parameters[at] === void 0 ? 0 : 1;
			if (mine !== theirs) return mine - theirs;
		}
		return 0;
	}
	#check() {
		const names = this.parameters;
		const bad = names.find((name) => !PARAMETER_NAME.test(name));
		if (bad !== void 0) throw new TypeError(`"${this.text}": the name of a parameter is a letter, then letters, digits or "_"; got "${bad}".`);
		const twice = names.find((name, at) => names.indexOf(name) < at);
		if (twice !== void 0) throw new TypeError(`"${this.text}": two parameters are named "${twice}"; rename one of them.`);
		for (const [at, segment] of this.segments.entries()) if (this.#parameters[at] === void 0 && !this.syntax.isLiteral(segment)) throw new TypeError(`"${this.text}": "${segment}" must be ${this.syntax.segmentRule}.`);
	}
};
/** Finds the pattern that fits a name best. */
var PatternTable = class {
	syntax;
	#bySegments = /* @__PURE__ */ new Map();
	constructor(syntax) {
		this.syntax = syntax;
	}
	/** @throws TypeError when another pattern of the same shape is there already */
	add(pattern, value) {
		const count = pattern.segments.length;
		const same = this.#bySegments.get(count) ?? [];
		const rival = same.find((entry) => entry.pattern.shape === pattern.shape);
		if (rival) throw new TypeError(`"${pattern.text}" and "${rival.pattern.text}" match the same names; keep one of them.`);
		const sorted = [...same, {
			pattern,
			value
		}].toSorted((a, b) => a.pattern.compare(b.pattern));
		this.#bySegments.set(count, sorted);
	}
	match(name) {
		const segments = name.split(this.syntax.separator);
		for (const { pattern, value } of this.#bySegments.get(segments.length) ?? []) {
			const params = pattern.match(segments);
			if (params) return {
				value,
				params
			};
		}
	}
};
// lib/core/channel-definition.ts
const BRACED = /^\{(.*)\}$/;
/** Channel names and patterns: `:` separates segments, a parameter is written `{name}`. */
const CHANNEL_SYNTAX = {
	separator: ":",
	parameter: (segment) => BRACED.exec(segment)?.[1],
	isLiteral: (segment) => segment === "" || isChannelName(segment),
	segmentRule: "a parameter, written {name}, or text of [A-Za-z0-9_.@=+~-]",
	decode: (segment) => segment === "" ? void 0 : segment
};
const CHANNEL_DEFAULTS = {
	joinBufferBytes: 65536,
	history: void 0,
	presence: false,
	overflow: "disconnect"
};
const OVERFLOWS = [
	"disconnect",
	"drop-oldest",
	"latest"
];
const HISTORY_DEFAULTS = {
	size: 100,
	ttlMs: 3e5
};
/**
* Defines a channel pattern once.
*
* @example
* ```ts
* export const chat = defineChannel('chat:{room}');
* await channels.publish(chat.name({ room: 'lobby' }), 'message', { text: 'hello' });
* ```
* @throws TypeError where the pattern is none, or an option has no meaning
* @publicApi
*/
function defineChannel(pattern, options = {}) {
	const parsed = new Pattern(pattern, CHANNEL_SYNTAX);
	checkMatchesNames(parsed);
	return {
		pattern,
		options: resolveChannelOptions(pattern, options),
		name: (params) => channelName(parsed, params)
	};
}
/** A pattern that is empty, or longer than any name, would be a channel that nobody can ever join. */
function checkMatchesNames({ text, segments }) {
	if (isChannelName(segments.map((segment) => CHANNEL_SYNTAX.parameter(segment) === void 0 ? segment : "x").join(CHANNEL_SYNTAX.separator))) return;
	throw new TypeError(`"${text}" matches no name: a channel has 1 to 255 characters.`);
}
function resolveChannelOptions(pattern, { joinBufferBytes = CHANNEL_DEFAULTS.joinBufferBytes, history = false, presence = CHANNEL_DEFAULTS.presence, overflow = CHANNEL_DEFAULTS.overflow }) {
	checkWhole(pattern, "joinBufferBytes", joinBufferBytes, 0);
	checkOverflow(pattern, overflow);
	return {
		joinBufferBytes,
		history: resolveHistory(pattern, history),
		presence,
		overflow
	};
}
function resolveHistory(pattern, history) {
	if (history === false) return void 0;
	const { size = HISTORY_DEFAULTS.size, ttlMs = HISTORY_DEFAULTS.ttlMs } = history === true ? {} : history;
	checkWhole(pattern, "history.size", size, 1);
	checkWhole(pattern, "history.ttlMs", ttlMs, 1);
	return {
		size,
		ttlMs
	};
}
function checkOverflow(pattern, overflow) {
	if (OVERFLOWS.some((known) => known === overflow)) return;
	throw new TypeError(`"${pattern}": overflow (${String(overflow)}) must be 'disconnect', 'drop-oldest' or 'latest'.`);
}
function checkWhole(pattern, option, value, least) {
	if (Number.isSafeInteger(value) && value >= least) return;
	throw new TypeError(`"${pattern}": ${option} (${value}) must be a whole number of at least ${least}.`);
}
function channelName(pattern, params) {
	const name = pattern.segments.map((segment) => {
		const parameter = CHANNEL_SYNTAX.parameter(segment);
		return parameter === void 0 ? segment : segmentOf(pattern, parameter, params);
	}).join(CHANNEL_SYNTAX.separator);
	if (!isChannelName(name)) throw new TypeError(`${JSON.stringify(name)} is no channel name: 1 to 255 characters of [A-Za-z0-9_.:@=+~-] are.`);
	return name;
}
function segmentOf(pattern, parameter, params) {
	const value = Object.hasOwn(params, parameter) ? params[parameter] : void 0;
	const segment = typeof value === "number" ? String(value) : value;
	if (typeof segment === "string" && segment !== "" && !segment.includes(CHANNEL_SYNTAX.separator)) return segment;
	throw new TypeError(`"${pattern.text}": {${parameter}} must be one segment, a text or a number; got ${JSON.stringify(value)}.`);
}
// lib/core/errors.ts
/**
* An error with a code of the protocol. Thrown from a handler or a `@SubscribeChannel` method it
* reaches the peer with its code, message and details; its `cause` stays in the log.
*
* @publicApi
*/
var ChannelsError = class extends Error {
	code;
	name = "ChannelsError";
	retryable;
	retryAfterMs;
	details;
	constructor(code, message, options = {}) {
		super(message, options);
		this.code = code;
		this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
		this.retryAfterMs = options.retryAfterMs;
		this.details = options.details;
	}
};
/** The broker, or a store, is away: where that is told once it is not told for each thing that fails by it. */
function isUnavailable(error) {
	return error instanceof ChannelsError && error.code === "unavailable";
}
/** The error as the peer sees it. */
function toWireError(error) {
	return {
		code: error.code,
		message: error.message,
		retryable: error.retryable,
		retryAfterMs: error.retryAfterMs,
		details: error.details
	};
}
// lib/core/deadlines.ts
/**
* Everything that waits for code of the application. All of it may take equally long, so the
* order of arrival is the order of expiry and one sweep replaces a timer each.
*/
var Deadlines = class {
	clock;
	timeoutMs;
	#waiting = /* @__PURE__ */ new Set();
	constructor(clock, timeoutMs) {
		this.clock = clock;
		this.timeoutMs = timeoutMs;
	}
	add(expirable) {
		this.#waiting.delete(expirable);
		expirable.expiresAt = this.clock.now() + this.timeoutMs;
		this.#waiting.add(expirable);
	}
	delete(expirable) {
		this.#waiting.delete(expirable);
	}
	get size() {
		return this.#waiting.size;
	}
	/** When the first of them expires; `undefined` where nothing waits. */
	get nextAt() {
		for (const { expiresAt } of this.#waiting) return expiresAt;
	}
	sweep(now) {
		for (const expirable of this.#waiting) {
			if (expirable.expiresAt > now) return;
			this.#waiting.delete(expirable);
			expirable.expire();
		}
	}
	/** Settles as `work` does, or rejects with `timeout`. What `work` does later is the caller's to watch. */
	limit(work, what) {
		return new Promise((resolve, reject) => {
			const entry = {
				expiresAt: 0,
				expire: () => reject(new ChannelsError("timeout", `${what} took longer than ${this.timeoutMs} ms`))
			};
			this.add(entry);
			work.then(resolve, reject).finally(() => this.delete(entry));
		});
	}
};
// lib/core/alarms.ts
/**
* Everything that waits for as long as the application has said. One timer serves all of it; what
* waits equally long stands in one line, whose order is the order of expiry.
*/
var Alarms = class {
	clock;
	/** By their length, in milliseconds. None of them is empty. */
	#lines = /* @__PURE__ */ new Map();
	#timer;
	#ringsAt = Infinity;
	constructor(clock) {
		this.clock = clock;
	}
	/** All that wait. */
	get size() {
		let size = 0;
		for (const line of this.#lines.values()) size += line.size;
		return size;
	}
	add(expirable, ms) {
		let line = this.#lines.get(ms);
		if (!line) {
			line = new Deadlines(this.clock, ms);
			this.#lines.set(ms, line);
		}
		line.add(expirable);
		if (expirable.expiresAt < this.#ringsAt) this.#ringAt(expirable.expiresAt);
	}
	/** @param ms - as it was added with */
	delete(expirable, ms) {
		this.#lines.get(ms)?.delete(expirable);
		this.#dropEmpty(ms);
		if (this.#lines.size === 0) this.#silence();
	}
	#ringAt(at) {
		this.#silence();
		this.#ringsAt = at;
		this.#timer = this.clock.setTimeout(() => this.#ring(), at - this.clock.now());
	}
	#silence() {
		if (this.#timer) this.clock.clearTimer(this.#timer);
		this.#timer = void 0;
		this.#ringsAt = Infinity;
	}
	#ring() {
		this.#silence();
		const now = this.clock.now();
		let nextAt = Infinity;
		for (const [ms, line] of this.#lines) {
			line.sweep(now);
			this.#dropEmpty(ms);
			nextAt = Math.min(nextAt, line.nextAt ?? Infinity);
		}
		if (nextAt < this.#ringsAt) this.#ringAt(nextAt);
	}
	#dropEmpty(ms) {
		if (this.#lines.get(ms)?.size === 0) this.#lines.delete(ms);
	}
};
// lib/core/channel-catalog.ts
/** What the application has defined about its channels, by name, whatever path a subscriber comes by. */
var ChannelCatalog = class {
	#table = new PatternTable(CHANNEL_SYNTAX);
	#byShape = /* @__PURE__ */ new Map();
	#hasHistories = false;
	#hasPresence = false;
	#hasOverflow = false;
	/** @throws TypeError where the same names have other options already */
	add(definition, where) {
		const pattern = new Pattern(definition.pattern, CHANNEL_SYNTAX);
		const known = this.#byShape.get(pattern.shape);
		if (known) {
			if (JSON.stringify(known.options) === JSON.stringify(definition.options)) return;
			throw new TypeError(`${where}: "${definition.pattern}" has other options elsewhere; share one defineChannel(...).`);
		}
		this.#byShape.set(pattern.shape, definition);
		this.#table.add(pattern, definition);
		if (definition.options.history) this.#hasHistories = true;
		if (definition.options.presence) this.#hasPresence = true;
		if (definition.options.overflow !== CHANNEL_DEFAULTS.overflow) this.#hasOverflow = true;
	}
	get definitions() {
		return this.#byShape.values();
	}
	/** What a channel keeps; `undefined` where it keeps nothing. */
	historyOf(channel) {
		if (!this.#hasHistories) return void 0;
		return this.#table.match(channel)?.value.options.history;
	}
	/** Whether a channel tells who is in it. */
	hasPresence(channel) {
		return this.#hasPresence && (this.#table.match(channel)?.value.options.presence ?? false);
	}
	/** What a channel does for a reader that is slower than it. */
	overflowOf(channel) {
		return ((this.#hasOverflow ? this.#table.match(channel)?.value.options : void 0) ?? CHANNEL_DEFAULTS).overflow;
	}
};
// lib/core/claims.ts
/** A claim is renewed so many times before it would lapse: one or two may be missed. */
const RENEWALS_PER_LEASE = 3;
/** The claims of the handlers that run on this node. One sweep renews all of them. */
var Claims = class {
	clock;
	observers;
	#held = /* @__PURE__ */ new Set();
	#renewEveryMs;
	constructor(clock, observers, leaseMs) {
		this.clock = clock;
		this.observers = observers;
		this.#renewEveryMs = leaseMs / RENEWALS_PER_LEASE;
	}
	get size() {
		return this.#held.size;
	}
	add(claim) {
		claim.renewAt = this.clock.now() + this.#renewEveryMs;
		this.#held.add(claim);
	}
	delete(claim) {
		this.#held.delete(claim);
	}
	sweep(now) {
		for (const claim of this.#held) {
			if (claim.renewAt > now) return;
			this.#held.delete(claim);
			if (now >= claim.endsAt) claim.giveUp();
			else this.#renew(claim);
		}
	}
	#renew(claim) {
		this.add(claim);
		try {
			const renewed = claim.renew();
			if (renewed instanceof Promise) renewed.then((held) => this.#check(claim, held), this.#report);
			else this.#check(claim, renewed);
		} catch (error) {
			this.#report(error);
		}
	}
	/** Somebody else has claimed: that is for good. The handler learns it when it has an answer. */
	#check(claim, held) {
		if (!held) this.#held.delete(claim);
	}
	/** A store that is away may be back before the claim lapses, and is not reported for each claim. */
	#report = (error) => {
		if (isUnavailable(error)) return;
		this.observers.failed({
			where: "dedupStore.renew",
			error
		});
	};
};
// lib/core/read-history.ts
/** Reads what is behind `since`, or, where `since` is of another life of the history, all of this one. */
async function readHistory(broker, channel, rule, query, since) {
	if (!since) return broker.history(channel, rule, query);
	const page = await broker.history(channel, rule, {
		...query,
		after: since.offset
	});
	return page.position.epoch === since.epoch ? page : broker.history(channel, rule, query);
}
// lib/core/history-command.ts
/** Bytes of the publications in one answer, with all that is around them, unless the first alone has more. */
const MAX_HISTORY_BYTES = 262144;
/** How long a peer waits whose last `$history` has no answer yet. */
const HISTORY_RETRY_MS = 1e3;
/** Peers whose `$history` is being read: one at a time each. */
const reading = /* @__PURE__ */ new WeakSet();
/**
* Answers `$history` for a channel that the connection is in: whoever may not join may not read.
*
* @throws ChannelsError where it can be refused at once
*/
function answerHistory(engine, connection, id, request) {
	const { channel } = request;
	if (!connection.subscriptions.has(channel)) throw new ChannelsError("not_subscribed", `this connection is not in ${JSON.stringify(channel)}`);
	const rule = engine.catalog.historyOf(channel);
	if (!rule) throw new ChannelsError("bad_request", `${JSON.stringify(channel)} has no history`);
	if (reading.has(connection)) throw new ChannelsError("rate_limited", "the last $history has no answer yet", { retryAfterMs: HISTORY_RETRY_MS });
	reading.add(connection);
	read(engine, rule, request).then((page) => connection.sendAck(id, answerOf(page, request)), (error) => connection.sendError(id, toWireError(asError$1(engine, channel, error)))).finally(() => reading.delete(connection));
}
function read(engine, rule, { channel, limit = rule.size, since, reverse }) {
	const query = {
		limit,
		maxBytes: MAX_HISTORY_BYTES,
		reverse
	};
	return readHistory(engine.hub.broker, channel, rule, query, since);
}
function answerOf({ position, oldest, publications }, { since }) {
	const items = publications.map(({ event, data, position: at }) => ({
		event,
		data: data === void 0 ? void 0 : JSON.parse(data),
		offset: at?.offset
	}));
	const first = Math.max(oldest, since?.epoch === position.epoch ? since.offset + 1 : 0);
	const available = Math.max(0, position.offset - first + 1);
	return {
		...position,
		publications: items,
		more: items.length < available
	};
}
function asError$1(engine, channel, error) {
	if (error instanceof ChannelsError) return error;
	engine.observers.failed({
		where: `the history of ${channel}`,
		error
	});
	return new ChannelsError("internal", "the history cannot be read");
}
// lib/core/presence-command.ts
/** How long a peer waits whose last `$presence` of a channel has no answer yet. */
const PRESENCE_RETRY_MS = 1e3;
/** Channels about which a peer has asked and has no answer yet: once at a time each. */
const asking = /* @__PURE__ */ new WeakMap();
/**
* Answers `$presence` for a channel that the connection is in: whoever may not join may not see who is there.
*
* @throws ChannelsError where it can be refused at once
*/
function answerPresence(engine, connection, id, channel) {
	if (!connection.subscriptions.has(channel)) throw new ChannelsError("not_subscribed", `this connection is not in ${JSON.stringify(channel)}`);
	if (!engine.catalog.hasPresence(channel)) throw new ChannelsError("bad_request", `${JSON.stringify(channel)} does not tell who is there`);
	const asked = asking.get(connection) ?? /* @__PURE__ */ new Set();
	if (asked.has(channel)) throw new ChannelsError("rate_limited", "the last $presence of this channel has no answer yet", { retryAfterMs: PRESENCE_RETRY_MS });
	const answer = engine.presence.members(channel);
	if (!(answer instanceof Promise)) {
		connection.sendAnswer(id, {
			type: "data",
			data: answer.json
		});
		return;
	}
	asking.set(connection, asked.add(channel));
	answer.then(({ json }) => connection.sendAnswer(id, {
		type: "data",
		data: json
	}), (error) => connection.sendError(id, toWireError(asError(engine, channel, error)))).finally(() => asked.delete(channel));
}
function asError(engine, channel, error) {
	if (error instanceof ChannelsError) return error;
	engine.observers.failed({
		where: `the presence of ${channel}`,
		error
	});
	return new ChannelsError("internal", "who is there cannot be read");
}
// lib/core/commands.ts
const COMMANDS = /* @__PURE__ */ new Map([
	["$hello", hello],
	["$subscribe", subscribe],
	["$unsubscribe", unsubscribe],
	["$history", history],
	["$presence", presence]
]);
/** Whether a peer speaks our protocol that sends it. */
function isCommand(event) {
	return COMMANDS.has(event) || event === "$ping" || event === "$pong";
}
/** Runs a frame whose event begins with `$`. */
function runCommand(engine, connection, frame) {
	const { event, id, data } = frame;
	if (event === "$pong") return;
	if (event === "$ping") {
		if (id === void 0) connection.sendEvent("$pong");
		else connection.sendAck(id, void 0);
		return;
	}
	try {
		const command = COMMANDS.get(event);
		if (!command) throw new ChannelsError("bad_request", `${JSON.stringify(event)} is not available`);
		if (id === void 0) throw new ChannelsError("bad_request", `${event} needs an id`);
		command(engine, connection, id, data);
	} catch (error) {
		if (!(error instanceof ChannelsError)) throw error;
		engine.observers.faulted(connection, "bad_request");
		if (id === void 0) connection.sendException(error);
		else connection.sendError(id, toWireError(error));
	}
}
function hello(engine, connection, id, data) {
	const { clientId, heartbeat } = parseHello(data);
	if (connection.greeted) throw new ChannelsError("bad_request", "$hello comes once, before the first message that needs it");
	connection.greeted = true;
	connection.wantsPingFrames = heartbeat === true;
	if (clientId !== void 0) engine.identify(connection, clientId);
	connection.sendAck(id, welcome(engine, connection));
}
function parseHello(data) {
	const { clientId, heartbeat } = asObject(data === void 0 ? {} : data, "$hello");
	if (clientId !== void 0 && !(typeof clientId === "string" && CLIENT_ID.test(clientId))) throw new ChannelsError("bad_request", "clientId must be 22 to 64 characters of base64url");
	if (heartbeat !== void 0 && typeof heartbeat !== "boolean") throw new ChannelsError("bad_request", "heartbeat must be true or false");
	return {
		clientId,
		heartbeat
	};
}
function welcome(engine, connection) {
	const { options } = engine;
	return {
		connectionId: connection.id,
		principal: engine.principalTag(connection.info.principal),
		heartbeat: {
			intervalMs: options.heartbeatIntervalMs,
			clientTimeoutMs: options.clientTimeoutMs
		},
		limits: {
			maxMessageBytes: connection.endpoint.maxMessageBytes ?? options.maxMessageBytes,
			maxNesting: options.maxNesting,
			maxEventLength: options.maxEventLength,
			maxChannelsPerConnection: options.maxChannelsPerConnection,
			maxInFlight: options.maxInFlight,
			dedupWindowMs: options.dedupWindowMs
		}
	};
}
function subscribe(engine, connection, id, data) {
	const { channel, since, params } = asObject(data, "$subscribe");
	if (engine.draining) throw new ChannelsError("unavailable", "the server shuts down");
	connection.subscriptions.subscribe(parseChannel(channel), id, params, parsePosition(since));
}
function unsubscribe(_engine, connection, id, data) {
	const { channel } = asObject(data, "$unsubscribe");
	connection.subscriptions.unsubscribe(parseChannel(channel), id);
}
function history(engine, connection, id, data) {
	const { channel, limit, since, reverse } = asObject(data, "$history");
	if (engine.draining) throw new ChannelsError("unavailable", "the server shuts down");
	if (reverse !== void 0 && typeof reverse !== "boolean") throw new ChannelsError("bad_request", "reverse must be true or false");
	answerHistory(engine, connection, id, {
		channel: parseChannel(channel),
		limit: parseLimit(limit),
		since: parsePosition(since),
		reverse: reverse ?? false
	});
}
function presence(engine, connection, id, data) {
	const { channel } = asObject(data, "$presence");
	if (engine.draining) throw new ChannelsError("unavailable", "the server shuts down");
	answerPresence(engine, connection, id, parseChannel(channel));
}
function parseChannel(channel) {
	if (isChannelName(channel)) return channel;
	throw new ChannelsError("unknown_channel", "a channel is 1 to 255 characters of [A-Za-z0-9_.:@=+~-]");
}
/** @throws ChannelsError `bad_request` for what is no number of publications */
function parseLimit(limit) {
	if (limit === void 0) return void 0;
	if (typeof limit === "number" && Number.isSafeInteger(limit) && limit >= 1) return limit;
	throw new ChannelsError("bad_request", "limit must be a whole number of at least 1");
}
/** @throws ChannelsError `bad_request` for what is no position */
function parsePosition(since) {
	if (since === void 0) return void 0;
	const { epoch, offset } = asObject(since, "a position");
	if (typeof epoch === "string" && typeof offset === "number" && Number.isSafeInteger(offset) && offset >= 0) return {
		epoch,
		offset
	};
	throw new ChannelsError("bad_request", "a position has an epoch, a text, and an offset of at least 0");
}
function asObject(data, event) {
	if (typeof data === "object" && data !== null && !Array.isArray(data)) return data;
	throw new ChannelsError("bad_request", `the data of ${event} must be an object`);
}
// lib/core/encoded-frame.ts
/**
* One frame, encoded once and shared by every connection that it goes to. A transport keeps here
* what it has made of it, so that a fan-out does that work once, too.
*/
var EncodedFrame = class {
	text;
	/** Length of the text in bytes of UTF-8. */
	byteLength;
	/** The frame as a transport writes it; set by the first transport that does. */
	framed;
	constructor(text) {
		this.text = text;
		this.byteLength = Buffer.byteLength(text);
	}
};
// lib/core/fault-log.ts
/** Remembers the bad frames of one connection; made when the first one comes. */
var FaultLog = class {
	#times = [];
	#toldAt = Number.NEGATIVE_INFINITY;
	/** Counts a bad frame. `true` when too many have come within the window. */
	count(now) {
		this.#times.push(now);
		if (this.#times.length > 10) this.#times.shift();
		const oldest = this.#times[0] ?? now;
		return this.#times.length === 10 && now - oldest <= 1e4;
	}
	/** Whether a plain peer may be told again. Counts as telling it. */
	mayTell(now) {
		if (now - this.#toldAt < 1e3) return false;
		this.#toldAt = now;
		return true;
	}
};
// lib/core/backlog.ts
/**
* What of one channel is handed over at once, in bytes: it cannot be dropped any more. As much as a socket of Node
* takes before it asks to be left alone.
*/
const BATCH_BYTES = 16384;
/** An array that has lost so many of its first items is cut. */
const CUT_AT = 256;
/** The publications of one channel that wait, from the oldest to the newest. Never empty. */
var Line = class {
	reader;
	behind;
	/** How many the reader has lost in front of the first of them. */
	#dropped = 0;
	#frames = [];
	#first = 0;
	/** @param behind - the first of them leaves when the peer has taken so many bytes: what was written before it */
	constructor(reader, behind) {
		this.reader = reader;
		this.behind = behind;
	}
	get length() {
		return this.#frames.length - this.#first;
	}
	add(frame) {
		this.#frames.push(frame);
	}
	/** The oldest one makes room. Returns its bytes. */
	drop() {
		this.#dropped++;
		return this.#shift().byteLength;
	}
	/** The oldest one leaves. Its bytes as they were counted, and the frame that tells of the losses before it. */
	take(codec) {
		const frame = this.#shift();
		const dropped = this.#dropped;
		this.#dropped = 0;
		return {
			frame: dropped === 0 ? frame : new EncodedFrame(codec.markDropped(frame.text, dropped)),
			byteLength: frame.byteLength
		};
	}
	#shift() {
		const frame = this.#frames[this.#first++];
		if (this.#first === CUT_AT) {
			this.#frames = this.#frames.slice(CUT_AT);
			this.#first = 0;
		}
		return frame;
	}
};
/**
* The publications that one connection has not been written yet, of channels that may drop some: behind what the
* peer has not taken, each channel in a line of its own.
*/
var Backlog = class {
	codec;
	#lines = /* @__PURE__ */ new Map();
	#bytes = 0;
	constructor(codec) {
		this.codec = codec;
	}
	get bytes() {
		return this.#bytes;
	}
	get isEmpty() {
		return this.#lines.size === 0;
	}
	/**
	* @param behind - bytes that were written before it
	* @returns how many of the channel it takes the place of
	*/
	add(reader, frame, behind) {
		let line = this.#lines.get(reader);
		if (!line) {
			line = new Line(reader, behind);
			this.#lines.set(reader, line);
		}
		line.add(frame);
		this.#bytes += frame.byteLength;
		if (reader.overflow !== "latest" || line.length === 1) return 0;
		this.#bytes -= line.drop();
		return 1;
	}
	/**
	* Drops publications until so many bytes are free. The newest of each channel stays: nothing else would tell the
	* reader of the loss.
	*
	* @param first - whose channel gives way before all others
	* @returns whether they are
	*/
	makeRoom(bytes, dropped, first) {
		const end = this.#bytes - bytes;
		const line = first && this.#lines.get(first);
		if (line) this.#shorten(line, end, dropped);
		for (const other of this.#lines.values()) this.#shorten(other, end, dropped);
		return this.#bytes <= end;
	}
	/** Writes what has its turn: what was written before it has been taken. */
	release(transport) {
		for (let line = this.#due(transport); line; line = this.#due(transport)) {
			transport.write(this.#take(line, BATCH_BYTES));
			line.behind = transport.bytesWritten;
		}
	}
	/** Everything of a channel, which leaves now. */
	takeOf(reader) {
		const line = this.#lines.get(reader);
		return line ? this.#take(line, Infinity) : [];
	}
	/** Everything, which leaves now. */
	takeAll() {
		return [...this.#lines.values()].flatMap((line) => this.#take(line, Infinity));
	}
	#due({ bytesWritten, bufferedAmount }) {
		for (const line of this.#lines.values()) if (line.behind <= bytesWritten - bufferedAmount) return line;
	}
	/** The oldest ones go, until no more than so many bytes are left of all. */
	#shorten(line, end, dropped) {
		let count = 0;
		while (this.#bytes > end && line.length > 1) {
			this.#bytes -= line.drop();
			count++;
		}
		if (count > 0) dropped(line.reader.channel, count);
	}
	#take(line, mostBytes) {
		const frames = [];
		let bytes = 0;
		while (line.length > 0 && bytes < mostBytes) {
			const { frame, byteLength } = line.take(this.codec);
			frames.push(frame);
			bytes += byteLength;
		}
		this.#bytes -= bytes;
		if (line.length === 0) this.#lines.delete(line.reader);
		return frames;
	}
};
/** Writes to those who read slowly what waits for them, as they take it. One timer serves all; without them there is none. */
var DrainQueue = class {
	clock;
	#waiting = /* @__PURE__ */ new Set();
	#timer;
	constructor(clock) {
		this.clock = clock;
	}
	/** Who has something waiting, however slow. */
	get size() {
		return this.#waiting.size;
	}
	/** It is looked at until nothing waits. */
	add(draining) {
		this.#waiting.add(draining);
		this.#timer ??= this.clock.setTimeout(this.#check, 20);
	}
	/** Nothing is written to it any more. */
	delete(draining) {
		if (!this.#waiting.delete(draining) || this.#waiting.size > 0 || !this.#timer) return;
		this.clock.clearTimer(this.#timer);
		this.#timer = void 0;
	}
	#check = () => {
		this.#timer = void 0;
		for (const draining of this.#waiting) draining.flush();
		if (this.#waiting.size > 0) this.#timer ??= this.clock.setTimeout(this.#check, 20);
	};
};
// lib/core/outbox.ts
/**
* Frames on their way to one peer. Collects what one turn of the event loop sends and writes it
* once; bounds what waits for a peer that reads slower than it is written to.
*/
var Outbox = class {
	owner;
	#frames = [];
	#bytes = 0;
	/** There for a peer that reads slower than some channel publishes whose publications may be dropped. */
	#backlog;
	constructor(owner) {
		this.owner = owner;
	}
	/** Sends a frame at the end of this turn. A connection that cannot be written to any more drops it. */
	push(frame) {
		if (!this.owner.writable) return;
		const waiting = this.bytes;
		if (waiting > 0 && !this.#hasRoom(waiting + frame.byteLength)) this.owner.overflow();
		else this.#collect(frame);
	}
	/** As {@link push}, for a publication that may be dropped while the peer has not taken what was written before. */
	offer(frame, reader) {
		const { owner } = this;
		const { transport } = owner;
		if (!owner.writable) return;
		if ((this.#backlog !== void 0 || !this.hasRoomFor(frame)) && transport.bufferedAmount === 0) this.flush();
		if (transport.bufferedAmount > 0) this.#wait(frame, reader);
		else this.#collect(frame);
	}
	/** Publications of a channel keep their place in front of what is pushed next. */
	settle(reader) {
		for (const frame of this.#backlog?.takeOf(reader) ?? []) this.#collect(frame);
	}
	/** Nobody wants the publications of a channel any more. */
	discard(reader) {
		this.#backlog?.takeOf(reader);
	}
	/** Something was written past it, to a peer for whom something waited already. */
	judge() {
		if (this.owner.writable && !this.#hasRoom(this.bytes)) this.owner.overflow();
	}
	/** Whether half of it stays free behind the frame: what is not so urgent waits until it does. */
	hasRoomFor(frame) {
		const waiting = this.bytes;
		return waiting === 0 || waiting + frame.byteLength <= this.owner.maxOutboxBytes / 2;
	}
	/** Resolves when there is room for the frame, or nothing can be written any more. */
	async roomFor(frame) {
		const { clock } = this.owner;
		await new Promise((resolve) => clock.afterTurn(resolve));
		while (this.owner.writable && !this.hasRoomFor(frame)) await new Promise((resolve) => clock.setTimeout(resolve, 20));
	}
	/** Writes now what was collected, for what has to keep its place behind it, and of the rest what has its turn. */
	flush() {
		if (this.#frames.length > 0) {
			const frames = this.#frames;
			this.#frames = [];
			this.#bytes = 0;
			this.owner.transport.write(frames);
		}
		const backlog = this.#backlog;
		backlog?.release(this.owner.transport);
		if (backlog?.isEmpty) this.abandon();
	}
	/** Writes everything now: nothing is dropped for want of time. */
	flushAll() {
		for (const frame of this.#backlog?.takeAll() ?? []) this.#collect(frame);
		this.flush();
	}
	/** Forgets what was collected. */
	clear() {
		this.#frames = [];
		this.#bytes = 0;
		this.abandon();
	}
	/** Nothing waits any more for the peer to take what was written before. */
	abandon() {
		if (this.#backlog === void 0) return;
		this.#backlog = void 0;
		this.owner.drainQueue.delete(this);
	}
	/** Bytes that the peer has not taken. */
	get bytes() {
		const waiting = this.#bytes + this.owner.transport.bufferedAmount;
		return this.#backlog === void 0 ? waiting : waiting + this.#backlog.bytes;
	}
	#collect(frame) {
		if (this.#frames.length === 0) this.owner.flushQueue.add(this);
		this.#frames.push(frame);
		this.#bytes += frame.byteLength;
	}
	#wait(frame, reader) {
		const { owner } = this;
		if (this.#backlog === void 0) {
			this.#backlog = new Backlog(owner.codec);
			owner.drainQueue.add(this);
		}
		const dropped = this.#backlog.add(reader, frame, owner.transport.bytesWritten);
		if (dropped > 0) owner.dropped(reader.channel, dropped);
		if (!this.#hasRoom(this.bytes, reader)) owner.overflow();
	}
	/** Whether so many bytes may wait, where need be without publications that may be dropped. */
	#hasRoom(waiting, reader) {
		const { owner } = this;
		const excess = waiting - owner.maxOutboxBytes;
		if (excess <= 0) return true;
		if (this.#backlog === void 0) return false;
		return this.#backlog.makeRoom(excess, (channel, count) => owner.dropped(channel, count), reader);
	}
};
// lib/core/lane.ts
/** Most connections wait for nothing; shared by all of them. */
const NOBODY = [];
/** Takes turns one after the other, in the order in which they came. */
var Lane = class {
	#current;
	#waiting = NOBODY;
	#advancing = false;
	/** How many wait; the one that runs is not among them. */
	get waiting() {
		return this.#waiting.length;
	}
	/** Starts the turn, or keeps it until those before it have left. `false` where it has to wait. */
	enter(turn) {
		if (this.#current || this.#waiting.length > 0) {
			if (this.#waiting === NOBODY) this.#waiting = [];
			this.#waiting.push(turn);
			return false;
		}
		this.#current = turn;
		turn.start();
		return true;
	}
	/** The turn is over: the next one starts. Anybody else's is not ended by it. */
	leave(turn) {
		if (this.#current !== turn) return;
		this.#current = void 0;
		if (!this.#advancing) this.#advance();
	}
	/** A loop and not a recursion: all that wait may be over at once. */
	#advance() {
		this.#advancing = true;
		while (!this.#current && this.#waiting.length > 0) {
			this.#current = this.#waiting.shift();
			this.#current.start();
		}
		this.#advancing = false;
		if (this.#waiting.length === 0) this.#waiting = NOBODY;
	}
};
// lib/core/event-name.ts
/** @throws ChannelsError `bad_request` for what the application cannot send as an event */
function checkEventName(event, maxEventLength) {
	if (typeof event !== "string" || event === "" || event.length > maxEventLength) throw new ChannelsError("bad_request", `an event must be a text of 1 to ${maxEventLength} characters`);
	if (event.startsWith("$")) throw new ChannelsError("bad_request", `"${event}" is reserved, as all events that begin with "$" are`);
}
// lib/core/peer-requests.ts
/** Longest text that is taken over from the error of a peer, in characters. The rest is cut off. */
const MAX_ERROR_TEXT_LENGTH = 1024;
/**
* Of every error that a request ends with, whatever its code says: the handler that has asked may have had its
* effect before. Only the handler knows, and raises an error of its own where it may run again.
*/
const FINAL = { retryable: false };
/** What the application has asked one peer, until it is answered. */
var PeerRequests = class {
	connection;
	/** Whoever takes one out of here settles it, and nobody else. */
	#open = /* @__PURE__ */ new Map();
	constructor(connection) {
		this.connection = connection;
	}
	/** Those without an answer. */
	get size() {
		return this.#open.size;
	}
	/** Sends `{ event, data, id }`. Settles with the answer of the peer, and never throws. */
	send(event, data, options) {
		return new Promise((resolve, reject) => {
			const { signal, timeoutMs = this.connection.engine.options.requestTimeoutMs } = options;
			signal?.throwIfAborted();
			checkTimeout(timeoutMs);
			const id = this.connection.engine.random.id();
			const frame = this.#encode(event, data, id);
			this.#checkRoom();
			const waitMs = Math.min(timeoutMs, MAX_TIMER_MS$1);
			this.#add(new PeerRequest(this, id, {
				event,
				waitMs,
				signal,
				resolve,
				reject
			}));
			this.connection.outbox.push(frame);
		});
	}
	/** Whether the answer belongs to a request that is open, and has settled it. */
	answer({ ack, data, error }) {
		const request = this.take(ack);
		if (error === void 0 || error === null) request?.resolve(data);
		else request?.reject(readError$1(error));
		return request !== void 0;
	}
	/** The answer has come, and cannot be taken. */
	refuse(ack, error) {
		this.take(ack)?.reject(error);
	}
	/** Nothing is read from the peer any more. */
	end() {
		for (const { id, event } of this.#open.values()) {
			const text = `the connection ended before the answer to "${event}"`;
			this.take(id)?.reject(new ChannelsError("unavailable", text, FINAL));
		}
	}
	/** Takes a request out; the caller settles it. */
	take(id) {
		const request = this.#open.get(String(id));
		if (!request) return void 0;
		this.#open.delete(request.id);
		this.connection.engine.alarms.delete(request, request.waitMs);
		request.unwatch();
		return request;
	}
	#add(request) {
		this.#open.set(request.id, request);
		this.connection.engine.alarms.add(request, request.waitMs);
		request.watch();
	}
	#encode(event, data, id) {
		const { codec, endpoint, engine } = this.connection;
		checkEventName(event, engine.options.maxEventLength);
		let frame;
		try {
			frame = new EncodedFrame(codec.encodeRequest(event, data, id));
		} catch (cause) {
			throw new ChannelsError("bad_request", "the data of a request has no JSON", { cause });
		}
		const maxMessageBytes = endpoint.maxMessageBytes ?? engine.options.maxMessageBytes;
		if (frame.byteLength <= maxMessageBytes) return frame;
		throw new ChannelsError("payload_too_large", `the request (${frame.byteLength} bytes) is over maxMessageBytes (${maxMessageBytes})`);
	}
	#checkRoom() {
		const { state, engine } = this.connection;
		if (state === "opening") throw new ChannelsError("unavailable", "nothing is read before handleConnection has settled: ask the client after it", FINAL);
		if (state !== "open") throw new ChannelsError("unavailable", "the connection has closed", FINAL);
		const { maxRequestsPerConnection } = engine.options;
		if (this.#open.size < maxRequestsPerConnection) return;
		throw new ChannelsError("limit_exceeded", `a connection may have ${maxRequestsPerConnection} requests that are not answered`);
	}
};
/** One request that has no answer yet. */
var PeerRequest = class {
	table;
	id;
	parts;
	expiresAt = 0;
	#abort = () => this.table.take(this.id)?.reject(this.parts.signal?.reason);
	constructor(table, id, parts) {
		this.table = table;
		this.id = id;
		this.parts = parts;
	}
	get event() {
		return this.parts.event;
	}
	get waitMs() {
		return this.parts.waitMs;
	}
	expire() {
		const text = `the client has not answered "${this.event}" within ${this.waitMs} ms`;
		this.table.take(this.id)?.reject(new ChannelsError("timeout", text, FINAL));
	}
	watch() {
		this.parts.signal?.addEventListener("abort", this.#abort);
	}
	unwatch() {
		this.parts.signal?.removeEventListener("abort", this.#abort);
	}
	resolve(answer) {
		this.parts.resolve(answer);
	}
	reject(error) {
		this.parts.reject(error);
	}
};
function checkTimeout(timeoutMs) {
	if (typeof timeoutMs === "number" && timeoutMs >= 1) return;
	throw new ChannelsError("bad_request", `timeoutMs (${String(timeoutMs)}) must be a number of at least 1`);
}
/** A peer may send anything: a code that the protocol does not have counts as `internal`. */
function readError$1(error) {
	const { code, message, details } = Object(error);
	const text = typeof message === "string" ? message : "the client gave no reason";
	const options = {
		...FINAL,
		details
	};
	return new ChannelsError(isErrorCode(code) ? code : "internal", text.slice(0, MAX_ERROR_TEXT_LENGTH), options);
}
// lib/core/channel-name.ts
/** @throws ChannelsError `bad_request` for what is no channel name */
function checkChannelName(name) {
	if (isChannelName(name)) return;
	throw new ChannelsError("bad_request", `${typeof name === "string" ? JSON.stringify(name) : typeof name} is no channel name: 1 to 255 characters of [A-Za-z0-9_.:@=+~-] are`);
}
// lib/core/handler.interface.ts
/** One message on its way to a handler. */
var Message = class {
	connection;
	event;
	data;
	id;
	channel;
	params;
	constructor(connection, event, data, id, channel, params) {
		this.connection = connection;
		this.event = event;
		this.data = data;
		this.id = id;
		this.channel = channel;
		this.params = params;
	}
};
/** What a handler gives whose gate has turned the message away. */
const TURNED_AWAY = Symbol("turned away");
// lib/core/result-stream.ts
/** What a handler returns when its answer may have several parts. */
var ResultStream = class ResultStream {
	source;
	isEach;
	constructor(source, isEach) {
		this.source = source;
		this.isEach = isEach;
	}
	/** The same stream, but what `recover` makes of a failure is its last item; what that throws fails it. */
	recover(recover) {
		const subscribe = (observer) => this.source.subscribe({
			next: (value) => observer.next(value),
			complete: () => observer.complete(),
			error: (error) => {
				new Promise((resolve) => resolve(recover(error))).then((value) => {
					observer.next(value);
					observer.complete();
				}, (failure) => observer.error(failure));
			}
		});
		return new ResultStream({ subscribe }, this.isEach);
	}
	/** The last item, when the stream has ended. Rejects with the signal's reason when that comes first. */
	last(signal) {
		return new Promise((resolve, reject) => {
			let last;
			const subscription = this.source.subscribe({
				next: (value) => {
					last = value;
				},
				error: reject,
				complete: () => resolve(last)
			});
			signal?.addEventListener("abort", () => {
				new Promise((done) => done(subscription.unsubscribe())).then(() => reject(signal.reason), reject);
			});
		});
	}
};
/** The stream in what a handler has returned, if it is one. Observables of any copy of rxjs count. */
function asStream(value, acked) {
	if (value instanceof ResultStream) return value;
	return isObservable(value) ? new ResultStream(value, acked ? never : always) : void 0;
}
function isObservable(value) {
	if (typeof value !== "object" || value === null) return false;
	const { lift, subscribe } = value;
	return typeof lift === "function" && typeof subscribe === "function";
}
const always = () => true;
const never = () => false;
// lib/core/channel-methods.ts
/** Runs the `@SubscribeChannel` method. Rejects with what it has thrown, or with `timeout`. */
async function callSubscribe(message, method, route) {
	const late = new AbortController();
	const work = call(method, message, late.signal);
	try {
		return await message.connection.engine.deadlines.limit(work, "the @SubscribeChannel method");
	} catch (error) {
		if (error instanceof ChannelsError && error.code === "timeout") {
			work.then(() => callUnsubscribe(message, route, "refused"), (failure) => failure !== error && report("@SubscribeChannel", message, failure));
			late.abort(error);
		}
		throw error;
	}
}
/** Runs the `@UnsubscribeChannel` method for a join that has ended. Never rejects. */
async function callUnsubscribe(joined, route, reason) {
	if (!route?.unsubscribe) return;
	const { connection, channel, params } = joined;
	const message = new Message(connection, "$unsubscribe", { reason }, void 0, channel, params);
	const late = new AbortController();
	const work = call(route.unsubscribe, message, late.signal);
	try {
		await connection.engine.deadlines.limit(work, "the @UnsubscribeChannel method");
	} catch (error) {
		report("@UnsubscribeChannel", message, error);
		work.catch((failure) => failure !== error && report("@UnsubscribeChannel", message, failure));
		late.abort(error);
	}
}
/** Runs a method whose answer has one part. An Observable is left alone when the signal says so. */
async function call(handler, message, signal) {
	const { engine } = message.connection;
	engine.begin();
	try {
		const result = await handler.handle(message);
		const stream = asStream(result, true);
		return stream ? await stream.last(signal) : result;
	} finally {
		engine.finish();
	}
}
function report(method, { connection, channel }, error) {
	connection.engine.observers.failed({
		where: `${method} ${channel}`,
		error
	});
}
// lib/core/held-publications.ts
/** Publications that wait for the ack of the subscription they belong to, or for those before them. */
var HeldPublications = class {
	maxBytes;
	#publications = [];
	#bytes = 0;
	#isBroken = false;
	#hasLost;
	/** @param hasLost - of what was held before in its place */
	constructor(maxBytes, hasLost = false) {
		this.maxBytes = maxBytes;
		this.#hasLost = hasLost;
	}
	/** Some are missing: what is left has a hole, so none of it is of use. */
	get isBroken() {
		return this.#isBroken;
	}
	/** Something is missing that no history has either. */
	get hasLost() {
		return this.#hasLost;
	}
	get publications() {
		return this.#publications;
	}
	add(frame, position) {
		this.#bytes += frame.byteLength;
		if (this.#bytes > this.maxBytes) this.break();
		else if (!this.#isBroken) this.#publications.push({
			frame,
			position
		});
	}
	/** Something has come that nobody can be handed. */
	lose() {
		this.#hasLost = true;
		this.break();
	}
	/** What comes next does not follow what is held. */
	break() {
		this.#isBroken = true;
		this.#publications.length = 0;
	}
};
// lib/core/missed.ts
function nothing(from) {
	return {
		from,
		publications: [],
		isGap: false
	};
}
/**
* All that is in a page, behind `since`; `undefined` where the page is of another life of the history, or does not
* have all of them: it may not reach back so far, or end before.
*/
function behind(since, { position, publications }) {
	const isAll = publications.length === position.offset - since.offset;
	if (position.epoch !== since.epoch || !isAll) return void 0;
	return {
		from: since,
		publications,
		isGap: false
	};
}
/** As {@link behind}, where a page may end before the channel does: then the next one goes on behind it. */
function startBehind(since, page) {
	const position = page.publications.at(-1)?.position ?? page.position;
	return behind(since, {
		...page,
		position
	});
}
function isSame(one, other) {
	return one.epoch === other.epoch && one.offset === other.offset;
}
// lib/core/subscription-command.ts
/** The connection has ended before it could begin. */
function dropCommand(command) {
	switch (command.type) {
		case "join":
			command.reject(new ChannelsError("unavailable", "the connection has closed"));
			break;
		case "leave": command.resolve();
	}
}
// lib/core/subscription.ts
/** Shared by all that have nothing to do. */
const NO_COMMANDS = [];
const NO_PARAMS = {};
/** One connection in one channel. Its commands run one after the other, in the order in which they came. */
var Subscription = class {
	connection;
	channel;
	route;
	overflow;
	/** Set from the moment that publications may come until those before them have been sent. */
	held;
	/** The last publication that the peer was sent, in a channel with history. */
	#last;
	/**
	* The join that holds, to be undone exactly once: the parameters of the name, where its end is told to
	* anybody. Nothing else that the peer has sent is kept.
	*/
	#joined;
	#commands = NO_COMMANDS;
	#running = false;
	#ended = false;
	constructor(connection, channel, route) {
		this.connection = connection;
		this.channel = channel;
		this.route = route;
		this.overflow = connection.engine.catalog.overflowOf(channel);
	}
	get isJoined() {
		return this.#joined !== void 0;
	}
	/** Its end is next: nothing of the channel is to be sent any more. */
	get isLeaving() {
		return this.#commands.some(({ type }) => type === "unsubscribe" || type === "leave");
	}
	get joinBufferBytes() {
		return (this.route?.definition.options ?? CHANNEL_DEFAULTS).joinBufferBytes;
	}
	/** Whether it counts against `maxChannelsPerConnection`: the connection is in, or may get in. */
	get counts() {
		if (this.isJoined || this.held) return true;
		return this.#commands.some(({ type }) => type === "subscribe" || type === "join");
	}
	add(command) {
		if (this.#commands === NO_COMMANDS) this.#commands = [];
		this.#commands.push(command);
		if (!this.#running) this.#run();
	}
	/** A live publication that nothing holds back. */
	send(frame) {
		const { outbox } = this.connection;
		if (this.overflow === "disconnect") outbox.push(frame);
		else outbox.offer(frame, this);
	}
	/** A publication of a channel with history. */
	take(frame, position) {
		if (this.held) this.held.add(frame, position);
		else if (this.#isNext(position)) this.send(frame);
	}
	/** This node has lost publications of a channel with history. */
	skip(position) {
		if (this.held) this.held.break();
		else this.#tellGap(position);
	}
	/** This node may have lost publications that no history has. */
	lose() {
		if (this.held) this.held.lose();
		else if (!this.#isOver) this.tellLoss();
	}
	/** Something was lost that cannot be had; what has a position goes on behind the last one that was sent. */
	tellLoss() {
		this.sendGap();
		this.connection.engine.observers.gap(this.connection, this.channel);
	}
	/** By itself for what no publication was: changes of presence, of which the list has all. */
	sendGap() {
		this.connection.outbox.settle(this);
		this.connection.sendEvent("$gap", {
			channel: this.channel,
			...this.#last
		});
	}
	/** The connection has ended. A method that still runs counts as joined and left when it resolves. */
	end(code) {
		this.#ended = true;
		this.connection.engine.hub.leave(this);
		this.connection.engine.presence.ended(this, code);
		for (const command of this.#commands) dropCommand(command);
		this.#commands = NO_COMMANDS;
		this.#undo("closed");
	}
	async #run() {
		this.#running = true;
		for (let command = this.#commands.shift(); command; command = this.#commands.shift()) {
			await this.#execute(command);
			if (command.type === "subscribe" || command.type === "unsubscribe") this.#table.commandDone();
		}
		this.#running = false;
		this.#commands = NO_COMMANDS;
		if (!this.#joined && !this.#ended) this.#table.remove(this);
	}
	#execute(command) {
		switch (command.type) {
			case "subscribe": return this.#subscribe(command.message, command.method, command.since);
			case "unsubscribe": return this.#unsubscribe(command.id);
			case "join": return this.#join(command.message).then(command.resolve, command.reject);
			case "leave": return this.#leave(command.code, command.reason).then(command.resolve, command.reject);
		}
	}
	async #subscribe(message, method, since) {
		const { connection, route } = this;
		let missed;
		if (!connection.writable) return;
		try {
			await this.#enter();
			if (!connection.writable) {
				this.#exit();
				return;
			}
			const before = this.#stream?.position;
			const data = await callSubscribe(message, method, route);
			if (this.#ended) return await callUnsubscribe(message, route, "closed");
			await this.#replace(message);
			missed = before && await this.#missed(before, since);
			if (this.#ended) return;
			const recovered = since && (missed?.recovered ?? false);
			connection.sendAck(message.id, {
				channel: this.channel,
				...missed?.from,
				recovered,
				data
			});
		} catch (error) {
			this.#exit();
			if (!this.#ended) connection.engine.dispatcher.fail(message, error);
			await this.#undo("refused");
			return;
		}
		if (missed?.isGap) this.#tellGap(missed.from);
		else this.#last = missed?.from;
		connection.engine.presence.entered(this);
		if (missed) await this.#replay(missed.publications);
		else this.#release();
	}
	async #unsubscribe(id) {
		const { connection } = this;
		if (!this.#joined) {
			connection.sendError(id, {
				code: "not_subscribed",
				message: `this connection is not in ${JSON.stringify(this.channel)}`,
				retryable: false
			});
			return;
		}
		this.#exit();
		await this.#undo("unsubscribed");
		connection.sendAck(id, { channel: this.channel });
	}
	async #join(message) {
		if (this.#joined) return;
		try {
			await this.#enter();
			if (!this.connection.writable) throw new ChannelsError("unavailable", "the connection has closed");
		} catch (error) {
			this.#exit();
			throw error;
		}
		this.#joined = this.#paramsOf(message);
		this.#last = this.#stream?.position;
		this.connection.sendEvent("$subscribed", {
			channel: this.channel,
			...this.#last
		});
		this.connection.engine.presence.entered(this);
		if (this.#last) this.held = void 0;
		else this.#release();
	}
	async #leave(code, reason) {
		if (!this.#joined) return;
		this.connection.outbox.settle(this);
		this.connection.sendEvent("$unsubscribed", {
			channel: this.channel,
			code,
			reason
		});
		this.#exit();
		await this.#undo("removed");
	}
	/** From here on publications are kept, so that none falls between the method and its ack. */
	#enter() {
		this.#last = void 0;
		const { catalog, hub, presence } = this.connection.engine;
		this.connection.outbox.settle(this);
		this.#hold(catalog.historyOf(this.channel) ? 0 : this.joinBufferBytes);
		presence.entering(this);
		return hub.join(this);
	}
	#exit() {
		this.held = void 0;
		this.#last = void 0;
		this.connection.outbox.discard(this);
		this.connection.engine.hub.leave(this);
		this.connection.engine.presence.exited(this);
	}
	/** Sends what was kept, unless a leave is already waiting: then nothing may come in between. */
	#release() {
		const { held } = this;
		if (!held || this.isLeaving) return;
		this.held = void 0;
		if (held.isBroken) this.tellLoss();
		for (const { frame } of held.publications) this.send(frame);
	}
	/** What the peer has not got of a channel with history; from here on what comes live is held behind it. */
	async #missed(before, since) {
		this.#hold();
		const stream = this.#stream;
		const now = stream.position;
		if (since) {
			const missed = isSame(since, now) ? nothing(since) : await stream.readSince(since);
			if (missed) return {
				...missed,
				recovered: true
			};
		}
		return {
			...isSame(before, now) ? nothing(before) : await stream.readOn(before),
			recovered: false
		};
	}
	/** Sends what the peer has missed, as fast as it reads, and lets it follow the channel from there on. */
	async #replay(publications) {
		for (let next = this.#encode(publications); await this.#send(next);) {
			const held = this.held;
			if (held.isBroken) next = this.#encode((await this.#readOn()).publications);
			else if (held.publications.length > 0) {
				next = held.publications;
				this.#hold();
			} else {
				this.held = void 0;
				if (held.hasLost) this.tellLoss();
				return;
			}
		}
	}
	async #readOn() {
		this.#hold();
		const stream = this.#stream;
		try {
			const missed = await stream.readOn(this.#last);
			if (missed.isGap) this.#tellGap(missed.from);
			return missed;
		} catch (error) {
			this.connection.engine.observers.failed({
				where: `the history of ${this.channel}`,
				error
			});
			this.#tellGap(stream.position);
			return nothing(stream.position);
		}
	}
	/** Whether all of them were sent. The end of the connection, a leave and another join come in between. */
	async #send(publications) {
		const { outbox } = this.connection;
		for (const { frame, position } of publications) {
			if (!outbox.hasRoomFor(frame)) await outbox.roomFor(frame);
			if (this.#isOver) return false;
			if (this.#isNext(position)) outbox.push(frame);
		}
		return !this.#isOver;
	}
	#encode(publications) {
		const { hub } = this.connection.engine;
		return publications.map((publication) => ({
			frame: hub.encode(publication),
			position: publication.position
		}));
	}
	/** Whether it is to be sent: of the epoch that was told, and behind the last one. */
	#isNext(position) {
		const last = this.#last;
		if (!last || position.epoch !== last.epoch || position.offset <= last.offset) return false;
		this.#last = position;
		return true;
	}
	#tellGap(position) {
		if (this.#isOver) return;
		if (this.#last?.epoch === position.epoch && position.offset <= this.#last.offset) return;
		this.#last = position;
		this.tellLoss();
	}
	#hold(maxBytes = this.joinBufferBytes) {
		this.held = new HeldPublications(maxBytes, this.held?.hasLost);
	}
	get #stream() {
		return this.connection.engine.hub.streamOf(this.channel);
	}
	/** Nothing of the join that holds is to be sent any more: its end, or another one in its place, is next. */
	get #isOver() {
		return this.#ended || this.#commands.some(({ type }) => type !== "join");
	}
	/** A second join takes the place of the first, which has thereby ended. */
	#replace(message) {
		const previous = this.#joined;
		this.#joined = this.#paramsOf(message);
		if (previous) return this.#left(previous, "replaced");
	}
	/** Ends the join that holds, if there is one. */
	#undo(reason) {
		const joined = this.#joined;
		this.#joined = void 0;
		if (joined) return this.#left(joined, reason);
	}
	#paramsOf({ params = NO_PARAMS }) {
		return this.route?.unsubscribe ? params : NO_PARAMS;
	}
	#left(params, reason) {
		const { connection, channel } = this;
		return callUnsubscribe({
			connection,
			channel,
			params
		}, this.route, reason);
	}
	get #table() {
		return this.connection.subscriptions;
	}
};
// lib/core/subscription-table.ts
/** How long a peer waits that has too many subscription commands under way. */
const COMMAND_RETRY_MS = 1e3;
/** The channels of one connection. */
var SubscriptionTable = class {
	connection;
	#byChannel;
	#commands = 0;
	constructor(connection) {
		this.connection = connection;
	}
	/** Those that hold, begin or end. */
	get size() {
		return this.#byChannel?.size ?? 0;
	}
	/** Channels that the connection is in. */
	*channels() {
		for (const subscription of this.#byChannel?.values() ?? []) if (subscription.isJoined) yield subscription.channel;
	}
	has(channel) {
		return this.#byChannel?.get(channel)?.isJoined ?? false;
	}
	/**
	* The peer asks to join. Answers when the method has run.
	*
	* @throws ChannelsError where it can be refused at once
	*/
	subscribe(channel, id, params, since) {
		const match = this.connection.endpoint.channels.match(channel);
		const method = match?.value.subscribe;
		if (!method) throw new ChannelsError("unknown_channel", `no @SubscribeChannel() matches ${JSON.stringify(channel)}`);
		this.#checkCommands();
		const message = new Message(this.connection, "$subscribe", params, id, channel, match.params);
		const subscription = this.#slot(channel, match.value);
		this.#commands++;
		subscription.add({
			type: "subscribe",
			message,
			method,
			since
		});
	}
	/**
	* The peer asks to leave.
	*
	* @throws ChannelsError where it can be refused at once
	*/
	unsubscribe(channel, id) {
		const subscription = this.#byChannel?.get(channel);
		if (!subscription) throw new ChannelsError("not_subscribed", `this connection is not in ${JSON.stringify(channel)}`);
		this.#checkCommands();
		this.#commands++;
		subscription.add({
			type: "unsubscribe",
			id
		});
	}
	/** The server joins the connection: no guard or method runs. Resolves when it is in. */
	async join(channel) {
		checkChannelName(channel);
		const { connection } = this;
		if (!connection.writable) throw new ChannelsError("unavailable", "the connection has closed");
		const match = connection.endpoint.channels.match(channel);
		const message = new Message(connection, "$subscribe", void 0, void 0, channel, match?.params);
		const subscription = this.#slot(channel, match?.value);
		await new Promise((resolve, reject) => {
			subscription.add({
				type: "join",
				message,
				resolve,
				reject
			});
		});
	}
	/** The server takes the connection out of a channel. Resolves when it is out. */
	async leave(channel, code, reason) {
		const subscription = this.#byChannel?.get(channel);
		if (!subscription) return;
		checkText("code", code);
		checkText("reason", reason);
		await new Promise((resolve, reject) => {
			subscription.add({
				type: "leave",
				code,
				reason,
				resolve,
				reject
			});
		});
	}
	/** The connection has ended: every join is undone. */
	end(code) {
		for (const subscription of this.#byChannel?.values() ?? []) subscription.end(code);
		this.#byChannel = void 0;
	}
	/** A command of the peer has been answered. */
	commandDone() {
		this.#commands--;
	}
	/** Nothing is left of a subscription. */
	remove(subscription) {
		this.#byChannel?.delete(subscription.channel);
	}
	#slot(channel, route) {
		const known = this.#byChannel?.get(channel);
		if (!known?.counts) this.#checkRoom();
		if (known) return known;
		const subscription = new Subscription(this.connection, channel, route);
		(this.#byChannel ??= /* @__PURE__ */ new Map()).set(channel, subscription);
		return subscription;
	}
	#checkRoom() {
		const { maxChannelsPerConnection } = this.connection.engine.options;
		if (!this.#byChannel || this.#byChannel.size < maxChannelsPerConnection) return;
		let counted = 0;
		for (const subscription of this.#byChannel.values()) if (subscription.counts) counted++;
		if (counted < maxChannelsPerConnection) return;
		throw new ChannelsError("limit_exceeded", `a connection may be in ${maxChannelsPerConnection} channels`);
	}
	/** Each channel may have a join and a leave under way. */
	#checkCommands() {
		if (this.#commands < 2 * this.connection.engine.options.maxChannelsPerConnection) return;
		throw new ChannelsError("rate_limited", "too many subscription commands are unanswered", { retryAfterMs: COMMAND_RETRY_MS });
	}
};
function checkText(name, value) {
	if (value === void 0 || typeof value === "string") return;
	throw new ChannelsError("bad_request", `the ${name} of a leave must be a text, got a ${typeof value}`);
}
// lib/core/connection.ts
const NEXT_STATES = {
	opening: [
		"open",
		"closing",
		"closed"
	],
	open: ["closing", "closed"],
	closing: ["closed"],
	closed: []
};
/** One peer, whatever carries it. Owns no timer; a sweep looks after all connections. */
var Connection$1 = class {
	engine;
	endpoint;
	transport;
	info;
	id;
	outbox = new Outbox(this);
	subscriptions = new SubscriptionTable(this);
	/** Speaks our protocol: has offered our subprotocol, or sent a `$` frame. The others are plain. */
	ours;
	/** Secret of the client, kept over its reconnects. */
	clientId;
	/** Wants `$ping` frames instead of protocol pings. */
	wantsPingFrames = false;
	/** `$hello` has been said, or is too late: a message to an `@Acked` handler came first. */
	greeted = false;
	/** A message came since the heartbeat last looked. */
	spoke = false;
	/** Looked after by the heartbeat, see there. */
	pulse = {
		heardAt: 0,
		sentAt: 0,
		spokeAt: 0,
		pingedAt: 0,
		pingAfterMs: 0,
		bytesRead: 0,
		bytesWritten: 0,
		bytesAtHeard: 0
	};
	#state = "opening";
	#closeCode;
	#closeReason = "";
	#faults;
	/** What came while `handleConnection` ran, where that reads messages itself. */
	#waiting;
	#requests;
	#pending;
	#lane;
	#inFlight = 0;
	constructor(engine, endpoint, transport, info) {
		this.engine = engine;
		this.endpoint = endpoint;
		this.transport = transport;
		this.info = info;
		this.id = engine.random.id();
		this.ours = info.ours;
	}
	get state() {
		return this.#state;
	}
	get principal() {
		return this.info.principal;
	}
	get address() {
		return this.info.address;
	}
	get path() {
		return this.endpoint.path;
	}
	get codec() {
		return this.engine.codec;
	}
	get writable() {
		return this.#state === "open" || this.#state === "opening";
	}
	get maxOutboxBytes() {
		return this.engine.options.maxOutboxBytes;
	}
	get clock() {
		return this.engine.clock;
	}
	get flushQueue() {
		return this.engine.flushQueue;
	}
	get drainQueue() {
		return this.engine.drainQueue;
	}
	/** Messages with an `id` that have no answer yet. */
	get inFlight() {
		return this.#inFlight;
	}
	/** Requests of the server that the peer has not answered. */
	get openRequests() {
		return this.#requests?.size ?? 0;
	}
	/** Messages that have no answer yet, or whose handler runs, with an `id` or without. */
	get unanswered() {
		return (this.#pending?.size ?? 0) + (this.#lane?.waiting ?? 0);
	}
	/** Messages that wait for `handleConnection`. */
	get early() {
		return this.#waiting?.length ?? 0;
	}
	/**
	* Handles one message. The transport calls it in the order of arrival. Before `handleConnection` has settled
	* messages wait; `true` says that no more of them should come until then.
	*/
	receive(message) {
		if (this.#state === "opening") return this.#wait(message);
		if (this.#state === "open") this.#handle(message);
		return false;
	}
	/** `handleConnection` has settled: from now on messages are handled, and first those that have waited. */
	open() {
		this.#transition("open");
		const waiting = this.#waiting;
		this.#waiting = void 0;
		for (const message of waiting ?? []) this.receive(message);
	}
	/** Sends `{ event, data }`. Throws where `data` cannot be encoded. */
	sendEvent(event, data) {
		this.outbox.push(new EncodedFrame(this.codec.encodeEvent(event, data)));
	}
	/** Asks the peer and settles with its answer, once, whatever happens. */
	request(event, data, options = {}) {
		return (this.#requests ??= new PeerRequests(this)).send(event, data, options);
	}
	/** Sends what a stock Nest handler answers with: the value itself, nothing for `undefined` and `null`. */
	sendValue(value) {
		if (value === void 0 || value === null) return;
		const text = this.codec.encodeValue(value);
		if (text !== void 0) this.outbox.push(new EncodedFrame(text));
	}
	/** Sends `{ ack, data }`. Throws where `data` cannot be encoded. */
	sendAck(id, data, more = false) {
		this.outbox.push(new EncodedFrame(this.codec.encodeAck(id, data, more)));
	}
	sendError(id, error) {
		this.outbox.push(new EncodedFrame(this.codec.encodeError(id, error)));
	}
	/** Sends an answer that is encoded already. */
	sendAnswer(id, answer) {
		const json = answer.type === "data" ? answer.data : answer.error;
		this.outbox.push(new EncodedFrame(this.codec.encodeAnswer(id, answer.type, json)));
	}
	/** Plain, and its messages are read by the application as well: what no handler takes is none of our business. */
	get isForeign() {
		return !this.ours && this.transport.isShared;
	}
	/** Tells the peer of a fault that belongs to no `id`, a plain one at most once a second. */
	sendException(error) {
		if (!this.ours && !this.#faultLog().mayTell(this.engine.clock.now())) return;
		this.sendEvent(EXCEPTION_EVENT, {
			status: "error",
			code: error.code,
			message: error.message
		});
	}
	/** The `id` that a frame is answered under: none where plain peers are answered as the stock adapter does. */
	idOf(frame) {
		return this.ours || this.engine.plainAcks ? frame.id : void 0;
	}
	/** Where the messages to `@Acked` handlers wait for each other. */
	get lane() {
		return this.#lane ??= new Lane();
	}
	track(reply) {
		(this.#pending ??= /* @__PURE__ */ new Set()).add(reply);
		if (reply.isAwaited) this.#inFlight++;
	}
	untrack(reply) {
		if (this.#pending?.delete(reply) && reply.isAwaited) this.#inFlight--;
	}
	/** Flushes what is due and says good-bye with `code`. A second call changes nothing. */
	close(code, reason = "") {
		if (!this.writable) return;
		this.outbox.flushAll();
		this.transport.end(code, reason);
		this.#end(code, reason);
	}
	/** Ends the connection at once. The peer sees 1006; `code` is what log and metrics say. */
	terminate(code, reason = "") {
		if (this.#state === "closed") return;
		if (this.writable) this.#end(code, reason);
		this.outbox.clear();
		this.transport.destroy();
	}
	overflow() {
		this.terminate(CLOSE_CODES.SlowConsumer.code, CLOSE_CODES.SlowConsumer.reason);
	}
	dropped(channel, count) {
		this.engine.observers.dropped(this, channel, count);
	}
	/** The transport has ended. What this side has said first counts more than what the transport saw. */
	closed(code, reason) {
		if (this.#state === "closed") return;
		if (this.writable) this.#end(code, reason);
		this.#transition("closed");
		this.outbox.abandon();
		for (const reply of this.#pending ?? []) reply.cancel();
		const endedWith = this.#closeCode ?? code;
		this.subscriptions.end(endedWith);
		this.engine.forget(this, endedWith, this.#closeReason);
	}
	/** Nothing more is sent or handled from here on. */
	#end(code, reason) {
		this.#closeCode = code;
		this.#closeReason = reason;
		this.#transition("closing");
		this.#requests?.end();
	}
	#transition(to) {
		if (!NEXT_STATES[this.#state].includes(to)) throw new Error(`a connection cannot go from ${this.#state} to ${to}`);
		this.#state = to;
	}
	#wait(message) {
		this.#waiting ??= [];
		this.#waiting.push(message);
		return this.#waiting.length >= this.engine.options.maxInFlight;
	}
	#handle(message) {
		const frame = this.#read(message);
		if (frame) this.engine.dispatcher.dispatch(this, frame);
	}
	#read(message) {
		let value;
		try {
			const parse = this.ours ? void 0 : this.endpoint.parse;
			value = parse ? parse(message) : this.codec.decode(message);
		} catch (error) {
			this.#refuse(error, message);
			return;
		}
		const frame = parseClientFrame(value);
		if (typeof frame === "string") {
			if (value === void 0 || isKeepAlive(value)) this.engine.observers.faulted(this, "keep_alive");
			else this.#badFrame(frame);
			return;
		}
		if (!("event" in frame)) {
			if (!this.#requests?.answer(frame)) this.engine.observers.faulted(this, "late_ack");
			return;
		}
		this.#note(frame);
		return frame;
	}
	#note({ event }) {
		if (isCommand(event) || event.startsWith("$") && !this.isForeign) this.ours = true;
		else this.spoke = true;
	}
	#refuse(error, message) {
		if (!(error instanceof DecodeError)) throw error;
		if (error.code === "bad_frame") {
			if (isKeepAlive(message)) this.engine.observers.faulted(this, "keep_alive");
			else this.#badFrame(error.message);
			return;
		}
		this.engine.observers.faulted(this, "bad_request");
		const frame = parseClientFrame(error.value);
		if (typeof frame === "object" && "ack" in frame && !("event" in frame)) this.#requests?.refuse(frame.ack, new ChannelsError(error.code, error.message));
		const wire = {
			code: error.code,
			message: error.message,
			retryable: false
		};
		const isEvent = typeof frame === "object" && "event" in frame;
		if (isEvent) this.#note(frame);
		const id = isEvent ? this.idOf(frame) : void 0;
		if (id !== void 0) this.sendError(id, wire);
		else if (this.isForeign) this.spoke = true;
		else this.sendException(wire);
	}
	#badFrame(message) {
		this.engine.observers.faulted(this, "bad_frame");
		if (this.isForeign) {
			this.spoke = true;
			return;
		}
		this.sendException({
			code: "bad_frame",
			message
		});
		if (this.ours && this.#faultLog().count(this.engine.clock.now())) this.close(CLOSE_CODES.BadFrame.code, CLOSE_CODES.BadFrame.reason);
	}
	#faultLog() {
		return this.#faults ??= new FaultLog();
	}
};
/** Text that other libraries send to keep a connection alive: a sign of life and nothing else. */
function isKeepAlive(message) {
	if (message === "ping") return true;
	if (typeof message !== "object" || message === null || "event" in message) return false;
	return "type" in message && message.type === "ping";
}
// lib/core/channel-agreement.ts
/** All that a node says: which pattern fits a channel best, and what it keeps. */
function toTable(channels) {
	const table = new PatternTable(CHANNEL_SYNTAX);
	for (const { pattern, history } of channels) table.add(new Pattern(pattern, CHANNEL_SYNTAX), history);
	return table;
}
/** In words, the same for the same rule. */
function describeHistory(history) {
	return history ? `a history of ${history.size} for ${history.ttlMs} ms` : "no history";
}
// lib/core/contradictions.ts
/**
* A sentence for each pattern of whose channels other nodes say something else than this one.
*
* @param registered - of each node all that it says: which pattern fits a channel best is a matter of all of them
*/
function contradictions(own, registered) {
	const mine = toTable(own);
	const theirs = registered.map(toTable);
	return [...namesOf([...own, ...registered.flat()])].flatMap(([name, pattern]) => {
		const match = mine.match(name);
		if (!match) return [];
		const here = describeHistory(match.value);
		const said = theirs.map((table) => table.match(name)).filter((other) => other !== void 0);
		const there = new Set(said.map(({ value }) => describeHistory(value)));
		there.delete(here);
		if (there.size === 0) return [];
		return [`"${pattern}" has ${here} here, but ${[...there].join(" or ")} at other nodes, or had until a minute ago: in a deploy that changes it this ends with the last of the old ones, else share one defineChannel(...) between them. What is published without a history is told as \$gap where there is one.`];
	});
}
/** A name for each shape, with its first pattern: the shape itself, whose `{}` no literal can be. */
function namesOf(channels) {
	const patterns = /* @__PURE__ */ new Map();
	for (const { pattern } of channels) {
		const { shape } = new Pattern(pattern, CHANNEL_SYNTAX);
		if (!patterns.has(shape)) patterns.set(shape, pattern);
	}
	return patterns;
}
// lib/core/connection-filter.ts
const TEXTS = [
	"connectionId",
	"principal",
	"channel"
];
/**
* The members that are known and given. `undefined` where one has a value that nobody can have: such a filter fits
* nobody, here and on every other node.
*/
function parseFilter(value) {
	if (typeof value !== "object" || value === null) return void 0;
	const given = value;
	const filter = {};
	for (const name of TEXTS) {
		const text = given[name];
		if (text === void 0) continue;
		if (typeof text !== "string") return void 0;
		filter[name] = text;
	}
	if (given["claims"] === void 0) return filter;
	if (!isClaimFilter(given["claims"])) return void 0;
	return {
		...filter,
		claims: given["claims"]
	};
}
/** Goes by the members that are known: one with a name that is misspelt must not mean everybody. */
function isEmpty({ connectionId, principal, channel, claims }) {
	return (connectionId ?? principal ?? channel ?? claims) === void 0;
}
/** The connections of this node that a filter fits. */
function findConnections(engine, filter) {
	return [...candidates(engine, filter)].filter((connection) => connection.writable && (filter.connectionId === void 0 || connection.id === filter.connectionId) && (filter.principal === void 0 || connection.principal === filter.principal) && (filter.channel === void 0 || connection.subscriptions.has(filter.channel)) && (filter.claims === void 0 || hasClaims(connection.info.user, filter.claims)));
}
function summarize(connection) {
	return {
		id: connection.id,
		principal: connection.principal,
		path: connection.path,
		channels: [...connection.subscriptions.channels()]
	};
}
function candidates(engine, { connectionId, channel }) {
	if (connectionId !== void 0) {
		const connection = engine.connections.get(connectionId);
		return connection ? [connection] : [];
	}
	if (channel === void 0) return engine.connections.values();
	return [...engine.hub.subscribers(channel)].map(({ connection }) => connection);
}
/** Without a claim it would fit everybody, and a value without JSON would be another one at the next node. */
function isClaimFilter(value) {
	if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
	const claims = Object.values(value);
	return claims.length > 0 && claims.every(isClaim);
}
function isClaim(value) {
	return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}
function hasClaims(user, claims) {
	if (typeof user !== "object" || user === null) return false;
	return Object.entries(claims).every(([name, value]) => user[name] === value);
}
// lib/core/control-messages.ts
/** Of the questions and answers. A node that does not know the version of a question gives no answer. */
const VERSION = 1;
function encodeMessage(message) {
	return JSON.stringify({
		v: VERSION,
		...message
	});
}
/** @throws TypeError for what this version does not understand */
function parseQuestion(text) {
	const question = parseMessage(text);
	const filter = parseFilter(question["filter"]);
	if (filter) {
		const { type, reconnect, limit, maxLength } = question;
		if (type === "disconnect" && typeof reconnect === "boolean") return {
			type,
			filter,
			reconnect
		};
		if (type === "connections" && isCount(limit) && isCount(maxLength)) return {
			type,
			filter,
			limit,
			maxLength
		};
	}
	throw unknown(text);
}
/** @throws TypeError for what this version does not understand */
function parseDisconnected(text) {
	const { disconnected } = parseMessage(text);
	if (isCount(disconnected)) return { disconnected };
	throw unknown(text);
}
/** @throws TypeError for what this version does not understand */
function parseConnections(text) {
	const { connections, more } = parseMessage(text);
	if (Array.isArray(connections) && typeof more === "boolean") return {
		connections: connections.map((connection) => parseSummary(connection, text)),
		more
	};
	throw unknown(text);
}
function parseSummary(value, text) {
	const { id, principal, path, channels } = value ?? {};
	if (isText(id) && isText(principal) && isText(path) && Array.isArray(channels) && channels.every(isText)) return {
		id,
		principal,
		path,
		channels
	};
	throw unknown(text);
}
function parseMessage(text) {
	let message;
	try {
		message = JSON.parse(text);
	} catch (cause) {
		throw unknown(text, { cause });
	}
	if (typeof message !== "object" || message === null) throw unknown(text);
	const { v, ...members } = message;
	if (v !== VERSION) throw unknown(text);
	return members;
}
/** For an operator; it names nobody's data beyond how it begins. */
function unknown(text, options) {
	const start = JSON.stringify(text.slice(0, 40));
	return new TypeError(`not understood, as from another version of this package: ${start}`, options);
}
function isText(value) {
	return typeof value === "string";
}
function isCount(value) {
	return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
// lib/core/control.ts
/** The longest answer of one node, in characters. */
const MAX_ANSWER_LENGTH = 2097152;
/** The answers of all other nodes to one question: a Redis drops a connection that has 32 MB to read. */
const MAX_ANSWERS_LENGTH = 16777216;
/** Looks for connections on all nodes and closes them. */
var Control = class {
	engine;
	nodes;
	constructor(engine, nodes) {
		this.engine = engine;
		this.nodes = nodes;
	}
	/** From now on other nodes are answered. */
	start() {
		const { clock, random, observers } = this.engine;
		return this.nodes.start({
			clock,
			random,
			answer: (text) => this.#answer(text),
			failed: (where, error) => observers.failed({
				where,
				error
			})
		});
	}
	close() {
		return this.nodes.close();
	}
	/** Those of this node are closing when the call returns. */
	async disconnect(given, reconnect) {
		const filter = parseFilter(given);
		if (!filter || isEmpty(filter)) return {
			disconnected: 0,
			nodes: NOBODY_ASKED
		};
		const question = {
			type: "disconnect",
			filter,
			reconnect
		};
		const own = this.#disconnect(question);
		const { answers, nodes } = await this.#ask(question, parseDisconnected);
		return {
			disconnected: answers.reduce((sum, { disconnected }) => sum + disconnected, own),
			nodes
		};
	}
	/** @param limit - how many of each node */
	async connections(given, limit) {
		const filter = parseFilter(given);
		if (!filter) return {
			connections: [],
			more: false,
			nodes: NOBODY_ASKED
		};
		const others = Math.max(1, this.nodes.alive().length - 1);
		const question = {
			type: "connections",
			filter,
			limit,
			maxLength: Math.min(MAX_ANSWER_LENGTH, Math.floor(MAX_ANSWERS_LENGTH / others))
		};
		const own = this.#connections({
			...question,
			maxLength: Number.POSITIVE_INFINITY
		});
		const { answers, nodes } = await this.#ask(question, parseConnections);
		const all = [own, ...answers];
		return {
			connections: all.flatMap(({ connections }) => connections),
			more: all.some(({ more }) => more),
			nodes
		};
	}
	/** What nobody here understands counts as no answer: it may be of a node with another version. */
	async #ask(question, parse) {
		const reply = await this.nodes.ask(encodeMessage(question), this.engine.options.controlTimeoutMs);
		const answers = [];
		const missing = [...reply.nodes.missing];
		for (const { node, text } of reply.answers) try {
			answers.push(parse(text));
		} catch (error) {
			missing.push(node);
			this.engine.observers.failed({
				where: `the answer of node ${node}`,
				error
			});
		}
		const { expected } = reply.nodes;
		return {
			answers,
			nodes: {
				expected,
				answered: expected - missing.length,
				missing
			}
		};
	}
	/** @throws TypeError for what this version does not understand */
	#answer(text) {
		const question = parseQuestion(text);
		if (question.type === "disconnect") return encodeMessage({ disconnected: this.#disconnect(question) });
		const maxLength = Math.min(question.maxLength, MAX_ANSWER_LENGTH);
		return encodeMessage(this.#connections({
			...question,
			maxLength
		}));
	}
	#disconnect({ filter, reconnect }) {
		if (isEmpty(filter)) return 0;
		const { code, reason } = reconnect ? CLOSE_CODES.ServiceRestart : CLOSE_CODES.Normal;
		const targets = findConnections(this.engine, filter);
		for (const connection of targets) connection.close(code, reason);
		return targets.length;
	}
	#connections({ filter, limit, maxLength }) {
		const connections = [];
		let length = 0;
		for (const connection of findConnections(this.engine, filter)) {
			const summary = summarize(connection);
			length += JSON.stringify(summary).length;
			if (connections.length >= limit || length > maxLength) return {
				connections,
				more: true
			};
			connections.push(summary);
		}
		return {
			connections,
			more: false
		};
	}
};
const NOBODY_ASKED = {
	expected: 1,
	answered: 1,
	missing: []
};
// lib/core/content-hash.ts
/** The same for the same event and data, whatever the order of the keys or the spaces between them. */
function contentHash(event, data) {
	return hash("sha256", `${JSON.stringify(event)}${canonicalJson(data)}`, "base64url");
}
/** Nothing for what has no JSON: a parser of the application's own may give it, and then the event decides. */
function canonicalJson(data) {
	if (typeof data !== "object" || data === null) return JSON.stringify(data) ?? "";
	try {
		return JSON.stringify(data, sortKeys) ?? "";
	} catch {
		return "";
	}
}
function sortKeys(_key, value) {
	if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
	const keys = Object.keys(value);
	if (keys.every((key, at) => at === 0 || keys[at - 1] < key)) return value;
	return Object.fromEntries(Object.entries(value).toSorted(byKey));
}
function byKey([a], [b]) {
	return a < b ? -1 : 1;
}
// lib/core/held-claim.ts
/** A claim that this node has been given: the handler of its message runs here. */
var HeldClaim = class {
	engine;
	key;
	fence;
	run;
	/** When it is to be renewed; kept by {@link Claims}. */
	renewAt = 0;
	/** From here on it is not renewed, whatever the handler does. */
	endsAt;
	#hasRun = false;
	constructor(engine, key, fence, run) {
		this.engine = engine;
		this.key = key;
		this.fence = fence;
		this.run = run;
		this.endsAt = engine.clock.now() + engine.options.dedupWindowMs;
		engine.claims.add(this);
	}
	renew() {
		return this.engine.dedup.renew(this.key, this.fence);
	}
	/** The handler has had the whole dedup window. */
	giveUp() {
		if (!this.#hasRun) this.run.giveUp();
	}
	/**
	* Stores the answer, and calls `then` when that is done or has failed: the handler has run in any case. Until then
	* the claim is renewed: a store that is away may take its time.
	*/
	store(answer, then) {
		const check = (held) => {
			if (!held) this.#report(/* @__PURE__ */ new Error("its claim was lost while it ran; a copy may have run as well"));
		};
		this.#end(() => this.engine.dedup.resolve(this.key, this.fence, answer), check, then);
	}
	/** Lets the next copy run, and calls `then` when that is done or has failed. */
	free(then = () => void 0) {
		this.engine.claims.delete(this);
		this.#end(() => this.engine.dedup.release(this.key, this.fence), () => void 0, then);
	}
	/** Without a promise where the store needs none. */
	#end(work, check, then) {
		this.#hasRun = true;
		let result;
		try {
			result = work();
		} catch (error) {
			this.engine.claims.delete(this);
			this.#report(error);
			then();
			return;
		}
		if (result instanceof Promise) {
			this.#finish(result.then(check), then);
			return;
		}
		this.engine.claims.delete(this);
		check(result);
		then();
	}
	/** A shutdown waits for the store, too. */
	#finish(work, then) {
		this.engine.begin();
		work.catch((error) => this.#report(error)).then(() => {
			this.engine.claims.delete(this);
			then();
		}).finally(() => this.engine.finish());
	}
	#report(error) {
		this.engine.observers.failed({
			where: this.run.where,
			error
		});
	}
};
// lib/core/claim-gate.ts
/** Lets a message pass that no other copy has run: the claim of its id, and what is in the way of it. */
var ClaimGate = class {
	engine;
	message;
	keeper;
	/** Set where the message has passed. */
	claim;
	/** Set where it was turned away. */
	obstacle;
	constructor(engine, message, keeper) {
		this.engine = engine;
		this.message = message;
		this.keeper = keeper;
	}
	enter() {
		try {
			const key = keyOf(this.message);
			const claim = this.engine.dedup.claim(key);
			if (!(claim instanceof Promise) && claim.type !== "running") return this.#pass(key, claim);
			return this.#contend(key, claim);
		} catch (error) {
			return this.#shut(error);
		}
	}
	/** Waits for the copy that runs, and passes where that one has ended without an answer. */
	async #contend(key, first) {
		const { dedup } = this.engine;
		try {
			let claim = await first;
			while (claim.type === "running" && !this.keeper.isSettled) {
				await dedup.wait(key, this.keeper.signal);
				if (this.keeper.isSettled) return false;
				claim = await dedup.claim(key);
			}
			return this.#pass(key, claim);
		} catch (error) {
			return this.#shut(error);
		}
	}
	#pass(key, claim) {
		if (claim.type !== "claimed") {
			this.obstacle = claim;
			return false;
		}
		const held = new HeldClaim(this.engine, key, claim.fence, this.keeper);
		if (this.keeper.isSettled) {
			held.free();
			return false;
		}
		this.claim = held;
		return true;
	}
	#shut(error) {
		this.engine.observers.failed({
			where: this.keeper.where,
			error
		});
		this.obstacle = { type: "unknown" };
		return false;
	}
};
function keyOf({ connection, event, data, id }) {
	return {
		principal: connection.principal,
		clientId: connection.clientId ?? `connection:${connection.id}`,
		id: String(id),
		contentHash: contentHash(event, data)
	};
}
// lib/core/answer-data.ts
/** Stock Nest wraps a reply as `{ event, data }`; in an ack the data stands alone. */
function answerData(value) {
	if (typeof value !== "object" || value === null) return value;
	const reply = value;
	if (typeof reply.event !== "string" || !("data" in reply)) return value;
	for (const key in reply) if (key !== "event" && key !== "data") return value;
	return reply.data;
}
// lib/core/stored-answer.ts
/**
* What a handler has returned, as it is stored and sent.
*
* @throws ChannelsError where it is longer than `maxBytes`: it could not be kept for a copy
* @throws whatever encoding throws
*/
function encodeData(codec, value, maxBytes) {
	const data = codec.encodeValue(answerData(value));
	if (data !== void 0 && Buffer.byteLength(data) > maxBytes) throw new ChannelsError("payload_too_large", `the answer is longer than ${maxBytes} bytes`);
	return {
		type: "data",
		data
	};
}
/**
* What a handler has thrown, as it is stored and sent.
*
* @throws whatever encoding throws: `details` are the application's
*/
function encodeError(codec, wire, maxBytes) {
	const error = codec.encodeValue(wire);
	if (Buffer.byteLength(error) <= maxBytes) return {
		type: "error",
		error
	};
	const { code, retryable } = wire;
	const short = new ChannelsError(code, `an error longer than ${maxBytes} bytes`, { retryable });
	return {
		type: "error",
		error: codec.encodeValue(toWireError(short))
	};
}
// lib/core/acked-turn.ts
/** How long a peer waits for whose message there is no room: by then some handlers have ended. */
const FULL_RETRY_MS = 1e3;
/**
* One message to an `@Acked()` handler. What the peer is told settles exactly once: by the handler, by
* `timeout`, by an earlier copy of the message, or without a word because the connection has ended.
*
* Where the message has an `id`, the run of the handler has a life of its own. It is claimed, goes on
* when the peer has been told `timeout` or is gone, and its answer is stored for the next copy.
*/
var AckedTurn = class {
	engine;
	message;
	handler;
	expiresAt = 0;
	#gate;
	#settled = false;
	#tracked = false;
	/** Ends a wait for another copy, and a stream that nobody wants. */
	#end;
	constructor(engine, message, handler) {
		this.engine = engine;
		this.message = message;
		this.handler = handler;
		if (this.isAwaited) this.#gate = new ClaimGate(engine, message, this);
	}
	get isAwaited() {
		return this.message.id !== void 0;
	}
	get isSettled() {
		return this.#settled;
	}
	get where() {
		return this.message.event;
	}
	get signal() {
		return (this.#end ??= new AbortController()).signal;
	}
	/** Takes its turn, at once where nobody is before it. */
	begin() {
		if (this.handler.concurrent) this.start();
		else if (!this.#connection.lane.enter(this)) this.#track();
	}
	start() {
		if (this.#connection.state !== "open") {
			this.cancel();
			return;
		}
		let result;
		try {
			result = this.handler.handle(this.message, this.#gate);
		} catch (error) {
			this.#failed(error);
			return;
		}
		this.#take(result);
	}
	expire() {
		const { handlerTimeoutMs } = this.engine.options;
		if (!this.isAwaited) this.#connection.lane.leave(this);
		else this.#refuse(new ChannelsError("timeout", `the handler took longer than ${handlerTimeoutMs} ms`));
	}
	cancel() {
		this.#settle(() => void 0);
	}
	giveUp() {
		this.#end?.abort(new ChannelsError("timeout", "the handler took longer than the dedup window"));
	}
	#take(result) {
		if (result instanceof Promise) {
			this.#follow(result);
			return;
		}
		if (result === TURNED_AWAY) {
			this.#turnedAway(this.#gate?.obstacle);
			return;
		}
		if (this.#settled && !this.#claim) return;
		try {
			const stream = asStream(result, true);
			if (stream) this.#follow(stream.last(this.signal));
			else this.#done(result);
		} catch (error) {
			this.#failed(error);
		}
	}
	#follow(result) {
		this.#pend();
		this.engine.begin();
		result.then((value) => this.#take(value), (error) => this.#failed(error)).finally(() => this.engine.finish());
	}
	#turnedAway(obstacle) {
		switch (obstacle?.type) {
			case "answered":
				this.#send(obstacle.answer, "repeated");
				break;
			case "conflict":
				this.#refuse(new ChannelsError("conflict", "this id came before, with another event or other data"));
				break;
			case "full":
				this.#refuse(new ChannelsError("rate_limited", "too many handlers run", { retryAfterMs: FULL_RETRY_MS }));
				break;
			case "unknown":
				this.#refuse(new ChannelsError("unavailable", "whether this has run before cannot be told now"));
				break;
			case "running":
			case void 0:
		}
	}
	#done(value) {
		const claim = this.#claim;
		if (!claim) {
			this.#settle(() => this.engine.dispatcher.answer(this.message, value));
			return;
		}
		let answer;
		try {
			answer = encodeData(this.#connection.codec, value, this.#maxBytes);
		} catch (error) {
			this.#failed(error);
			return;
		}
		this.#store(claim, answer, "done");
	}
	#failed(error) {
		const claim = this.#claim;
		if (this.#settled && !claim) this.#report(error);
		else if (!claim) this.#refuse(error);
		else this.#failedUnder(claim, error);
	}
	#failedUnder(claim, error) {
		const wire = this.engine.errors.toWireError(error, this.message);
		const answer = this.#encodeError(wire);
		const outcome = wire.code === "timeout" ? "timeout" : "failed";
		if (!wire.retryable) {
			this.#store(claim, answer, outcome);
			return;
		}
		if (this.#settled) this.#report(error);
		claim.free(() => this.#send(answer, outcome));
		this.#pend();
	}
	/** First it is stored, then told: a copy that is still on its way must not run. */
	#store(claim, answer, outcome) {
		claim.store(answer, () => this.#send(answer, outcome));
		this.#pend();
	}
	#encodeError(wire) {
		const { codec } = this.#connection;
		try {
			return encodeError(codec, wire, this.#maxBytes);
		} catch (failure) {
			this.#report(failure);
			const message = typeof wire.message === "string" ? wire.message : "an error without a text";
			return encodeError(codec, {
				code: wire.code,
				message,
				retryable: wire.retryable
			}, this.#maxBytes);
		}
	}
	#send(answer, outcome) {
		this.#settle(() => {
			this.#connection.sendAnswer(this.message.id, answer);
			this.engine.observers.acked(this.#connection, this.message.event, outcome);
		});
	}
	/** Tells what is not stored. */
	#refuse(error) {
		this.#settle(() => this.engine.dispatcher.fail(this.message, error));
	}
	/** Tells the peer, once: everybody later is too late. Then the next in the lane may begin. */
	#settle(tell) {
		if (this.#settled) return;
		this.#settled = true;
		this.engine.deadlines.delete(this);
		if (this.#tracked) this.#connection.untrack(this);
		if (!this.#claim) this.#end?.abort();
		try {
			tell();
		} finally {
			this.#connection.lane.leave(this);
		}
	}
	/** From here on its time runs, unless it is over. */
	#pend() {
		if (this.#settled) return;
		this.#track();
		if (this.expiresAt === 0) this.engine.deadlines.add(this);
	}
	#track() {
		if (this.#tracked) return;
		this.#tracked = true;
		this.#connection.track(this);
	}
	#report(error) {
		this.engine.observers.failed({
			where: this.where,
			error
		});
	}
	get #claim() {
		return this.#gate?.claim;
	}
	get #connection() {
		return this.message.connection;
	}
	get #maxBytes() {
		const { dedup, options } = this.engine;
		const maxMessageBytes = this.#connection.endpoint.maxMessageBytes ?? options.maxMessageBytes;
		return Math.min(maxMessageBytes, dedup.maxAnswerBytes ?? Infinity);
	}
};
// lib/core/pending-reply.ts
/**
* The answer to a message whose handler has not finished. Settles exactly once: with what the
* handler gives, with `timeout`, or without a word because the connection has ended.
*/
var PendingReply = class {
	engine;
	message;
	expiresAt = 0;
	#settled = false;
	#holdsShutdown = false;
	#stream;
	#subscription;
	constructor(engine, message) {
		this.engine = engine;
		this.message = message;
		message.connection.track(this);
		if (message.id !== void 0) engine.deadlines.add(this);
	}
	get isAwaited() {
		return this.message.id !== void 0;
	}
	/** Answers with what the promise gives, which may be a stream. */
	follow(result) {
		this.engine.begin();
		result.then((value) => this.#resolved(value), (error) => this.#rejected(error)).finally(() => this.engine.finish());
	}
	/** Answers with each item of a stream, or with its last one. */
	stream(result) {
		let last;
		this.#stream = result;
		const isEach = () => !this.isAwaited || result.isEach();
		if (!result.isEach()) this.#holdShutdown();
		try {
			const subscription = result.source.subscribe({
				next: (value) => {
					if (isEach()) this.#item(value);
					else last = value;
				},
				error: (error) => this.#fail(error),
				complete: () => isEach() ? this.#complete() : this.#answer(last)
			});
			this.#subscription = subscription;
			if (this.#settled) this.#unsubscribe();
		} catch (error) {
			this.#fail(error);
		}
	}
	/** Time is limited until a stream is there, not for as long as it runs. */
	expire() {
		if (this.#stream?.isEach()) return;
		const { handlerTimeoutMs } = this.engine.options;
		this.#fail(new ChannelsError("timeout", `the handler took longer than ${handlerTimeoutMs} ms`));
	}
	cancel() {
		this.#settle();
	}
	#resolved(value) {
		if (this.#settled) return;
		let stream;
		try {
			stream = asStream(value, false);
		} catch (error) {
			this.#fail(error);
			return;
		}
		if (stream) this.stream(stream);
		else this.#answer(value);
	}
	#rejected(error) {
		if (this.#settled) this.#report(error);
		else this.#fail(error);
	}
	#answer(value) {
		if (this.#settle()) this.engine.dispatcher.answer(this.message, value);
	}
	#item(value) {
		if (this.#settled) return;
		this.#releaseShutdown();
		const { connection, id } = this.message;
		try {
			if (id === void 0) connection.sendValue(value);
			else connection.sendAck(id, answerData(value), true);
		} catch (error) {
			this.#fail(error);
		}
	}
	#complete() {
		if (this.#settle() && this.isAwaited) this.engine.dispatcher.answer(this.message, void 0);
	}
	#fail(error) {
		if (this.#settle()) this.engine.dispatcher.fail(this.message, error);
	}
	/** `true` for the caller that settles it; everybody later is too late. */
	#settle() {
		if (this.#settled) return false;
		this.#settled = true;
		this.engine.deadlines.delete(this);
		this.message.connection.untrack(this);
		this.#releaseShutdown();
		this.#unsubscribe();
		return true;
	}
	/** What a stream does when nobody wants it any more is code of the application, too. */
	#unsubscribe() {
		try {
			this.#subscription?.unsubscribe();
		} catch (error) {
			this.#report(error);
		}
	}
	#report(error) {
		this.engine.observers.failed({
			where: this.message.event,
			error
		});
	}
	/** A shutdown waits for the one answer of a stream, but not for items: they may have no end. */
	#holdShutdown() {
		this.#holdsShutdown = true;
		this.engine.begin();
	}
	#releaseShutdown() {
		if (!this.#holdsShutdown) return;
		this.#holdsShutdown = false;
		this.engine.finish();
	}
};
// lib/core/dispatcher.ts
/** How long a peer waits that has too many messages unanswered: by then some have been answered. */
const IN_FLIGHT_RETRY_MS = 1e3;
/** One frame, one look-up, one handler, one answer. */
var Dispatcher = class {
	engine;
	constructor(engine) {
		this.engine = engine;
	}
	dispatch(connection, frame) {
		const { event } = frame;
		if (event.startsWith("$") && !connection.isForeign) {
			runCommand(this.engine, connection, frame);
			return;
		}
		const handlers = connection.endpoint.handlers.get(event);
		const message = new Message(connection, event, frame.data, connection.idOf(frame));
		const refusal = this.#refusal(message, handlers);
		if (!handlers || refusal) {
			if (handlers || message.id !== void 0 || !connection.isForeign) this.refuse(message, refusal);
			return;
		}
		const first = handlers[0];
		if (first.acked) {
			connection.greeted = true;
			new AckedTurn(this.engine, message, first).begin();
			return;
		}
		this.#run(first, message);
		for (let at = 1; at < handlers.length; at++) this.#run(handlers[at], new Message(connection, event, frame.data));
	}
	/** Sends what a handler has returned. */
	answer(message, value) {
		const { connection, id } = message;
		try {
			if (id === void 0) connection.sendValue(value);
			else connection.sendAck(id, answerData(value));
		} catch (error) {
			this.fail(message, error);
			return;
		}
		if (id !== void 0) this.engine.observers.acked(connection, message.event, "done");
	}
	/** Sends what a handler has thrown, as far as the peer may know it. */
	fail(message, error) {
		const { connection, id } = message;
		if (id === void 0) {
			const exception = this.engine.errors.toException(error, message);
			if (exception !== void 0) this.#except(connection, exception);
			return;
		}
		const wire = this.engine.errors.toWireError(error, message);
		try {
			connection.sendError(id, wire);
		} catch (failure) {
			this.engine.observers.failed({
				where: message.event,
				error: failure
			});
			const text = typeof wire.message === "string" ? wire.message : "an error without a text";
			connection.sendError(id, wireError(wire.code, text));
		}
		this.engine.observers.acked(connection, message.event, wire.code === "timeout" ? "timeout" : "failed");
	}
	/** Answers with an error of the protocol itself. */
	refuse(message, error) {
		const { connection, id } = message;
		if (id === void 0) connection.sendException(error);
		else connection.sendError(id, error);
	}
	#except(connection, exception) {
		try {
			connection.sendEvent(EXCEPTION_EVENT, exception);
		} catch (error) {
			this.engine.observers.failed({
				where: "an exception",
				error
			});
			connection.sendEvent(EXCEPTION_EVENT, {
				status: "error",
				message: "Internal server error"
			});
		}
	}
	#refusal({ connection, event, id }, handlers) {
		const { maxEventLength, maxInFlight } = this.engine.options;
		if (event.length > maxEventLength) {
			this.engine.observers.faulted(connection, "bad_request");
			return wireError("bad_request", `the event is longer than ${maxEventLength} characters`);
		}
		if (!handlers) {
			this.engine.observers.faulted(connection, "unknown_event");
			return wireError("unknown_event", `no @SubscribeMessage() handles ${JSON.stringify(event)}`);
		}
		if (this.engine.draining) return wireError("unavailable", "the server shuts down");
		if (id !== void 0) return connection.inFlight >= maxInFlight ? tooMany(connection.inFlight) : void 0;
		return handlers[0]?.acked && connection.lane.waiting >= maxInFlight ? tooMany(connection.lane.waiting) : void 0;
	}
	#run(handler, message) {
		let result;
		let stream;
		try {
			result = handler.handle(message);
			if (!(result instanceof Promise)) stream = asStream(result, false);
		} catch (error) {
			this.fail(message, error);
			return;
		}
		if (result instanceof Promise) new PendingReply(this.engine, message).follow(result);
		else if (stream) new PendingReply(this.engine, message).stream(stream);
		else this.answer(message, result);
	}
};
function tooMany(unanswered) {
	return {
		...wireError("rate_limited", `${unanswered} messages are unanswered`),
		retryAfterMs: IN_FLIGHT_RETRY_MS
	};
}
function wireError(code, message) {
	return {
		code,
		message,
		retryable: ERROR_CODES[code].retryable
	};
}
// lib/core/tables.ts
/**
* The tables of one node that grow with what its peers do: for operators, and for who looks for what is not given
* back. Whoever has such a table names it here.
*/
var Tables = class {
	#sizes = /* @__PURE__ */ new Map();
	/** Tables of the same name are added up. `size` is asked for nothing but {@link read}. */
	add(name, size) {
		const known = this.#sizes.get(name);
		if (known) known.push(size);
		else this.#sizes.set(name, [size]);
	}
	/** The sizes of now. Those of connections are added up over all of them, so that it takes its time. */
	read() {
		const sizes = {};
		for (const [name, parts] of this.#sizes) sizes[name] = parts.reduce((total, size) => total + size(), 0);
		return sizes;
	}
};
// lib/core/engine-tables.ts
/** The tables of what the connections of a node share, and of the connections themselves. */
function tablesOf(engine) {
	const tables = new Tables();
	const { hub, presence } = engine;
	tables.add("connections", () => engine.connections.size);
	tables.add("deadlines", () => engine.deadlines.size);
	tables.add("alarms", () => engine.alarms.size);
	tables.add("claims", () => engine.claims.size);
	tables.add("flushes", () => engine.flushQueue.size);
	tables.add("slowReaders", () => engine.drainQueue.size);
	tables.add("channels", () => hub.size);
	tables.add("positionChecks", () => hub.checks);
	tables.add("historyReads", () => hub.reads);
	tables.add("unplaced", () => hub.unplaced);
	tables.add("presentChannels", () => presence.size);
	const ofEach = (name, size) => tables.add(name, () => {
		let total = 0;
		for (const connection of engine.connections.values()) total += size(connection);
		return total;
	});
	ofEach("subscriptions", ({ subscriptions }) => subscriptions.size);
	ofEach("requests", ({ openRequests }) => openRequests);
	ofEach("unanswered", ({ unanswered }) => unanswered);
	ofEach("earlyMessages", ({ early }) => early);
	ofEach("outboxBytes", ({ outbox }) => outbox.bytes);
	return tables;
}
/** What stores and brokers tell of themselves, each size under the name of its kind. */
function sizesOf(parts) {
	const named = Object.entries(parts).flatMap(([part, { sizes }]) => Object.entries(sizes?.call(parts[part]) ?? {}).map(([name, size]) => [`${part}.${name}`, size]));
	return Object.fromEntries(named);
}
// lib/core/flush-queue.ts
/** Collects what has something to send in this turn of the event loop, and flushes each once at its end. */
var FlushQueue = class {
	clock;
	#waiting = [];
	constructor(clock) {
		this.clock = clock;
	}
	/** What is flushed at the end of this turn. */
	get size() {
		return this.#waiting.length;
	}
	add(flushable) {
		if (this.#waiting.length === 0) this.clock.afterTurn(this.#flushAll);
		this.#waiting.push(flushable);
	}
	#flushAll = () => {
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const flushable of waiting) flushable.flush();
	};
};
// lib/core/heartbeat.ts
/** What a slow link is trusted to carry: docs/protocol.md, section 7. */
const SLOW_LINK_BYTES_PER_MS = 16384 / 1e3;
/** A ping is due at this part of the interval at the earliest, so that pings spread. */
const EARLIEST_PING = .8;
/**
* What a sweep that comes late counts for. While the process stood still it did not listen: what
* peers have said meanwhile waits in the kernel, and is read after the sweep.
*/
const MAX_STEP_TICKS = 2;
/** Before the first sweep that has found a connection. */
const NEVER = -1;
/**
* Looks after all connections from one sweep: pings the quiet, reaps the silent. What a connection
* has read and written is read off its transport, so that a message costs nothing here. Therefore
* everything happened, for all that is known, up to one tick before the sweep that has found it.
*/
var Heartbeat = class {
	options;
	random;
	tickMs;
	#connections = /* @__PURE__ */ new Set();
	/** Time in which the process has listened; all times of a pulse are of this kind. */
	#time = 0;
	#sweptAt;
	constructor(options, clock, random, tickMs) {
		this.options = options;
		this.random = random;
		this.tickMs = tickMs;
		this.#sweptAt = clock.now();
	}
	/** Those that it looks after. */
	get size() {
		return this.#connections.size;
	}
	/** The next sweep finds it, as if both sides had just said something. */
	add(connection) {
		const { pulse, transport } = connection;
		pulse.heardAt = NEVER;
		pulse.bytesRead = transport.bytesRead;
		pulse.bytesWritten = transport.bytesWritten;
		pulse.bytesAtHeard = 0;
		pulse.pingAfterMs = this.#drawPing();
		this.#connections.add(connection);
	}
	delete(connection) {
		this.#connections.delete(connection);
	}
	sweep(now) {
		this.#time += Math.min(now - this.#sweptAt, MAX_STEP_TICKS * this.tickMs);
		this.#sweptAt = now;
		for (const connection of this.#connections) {
			this.#listen(connection);
			if (this.#isSilent(connection)) {
				const { code, reason } = CLOSE_CODES.HeartbeatMissed;
				connection.terminate(code, reason);
			} else if (this.#isIdle(connection)) {
				const { code, reason } = CLOSE_CODES.IdleTimeout;
				connection.close(code, reason);
			} else if (this.#isPingDue(connection)) this.#ping(connection);
		}
	}
	/** Any byte read is life, whole frame or not. */
	#listen(connection) {
		const { pulse, transport } = connection;
		const { bytesRead, bytesWritten } = transport;
		if (pulse.heardAt === NEVER) pulse.heardAt = pulse.sentAt = pulse.spokeAt = this.#time;
		if (bytesRead !== pulse.bytesRead) {
			pulse.bytesRead = bytesRead;
			pulse.heardAt = this.#time;
			pulse.bytesAtHeard = pulse.bytesWritten;
		}
		if (bytesWritten !== pulse.bytesWritten) {
			pulse.bytesWritten = bytesWritten;
			pulse.sentAt = this.#time;
		}
		if (connection.spoke) {
			connection.spoke = false;
			pulse.spokeAt = this.#time;
		}
	}
	/** Behind a slow link a pong waits its turn: what was written since the peer was heard buys time. */
	#isSilent({ pulse }) {
		const { heartbeatTimeoutMs, drainTimeoutMs } = this.options;
		if (heartbeatTimeoutMs === 0) return false;
		const silentMs = this.#time - pulse.heardAt;
		if (silentMs < heartbeatTimeoutMs) return false;
		const drainMs = (pulse.bytesWritten - pulse.bytesAtHeard) / SLOW_LINK_BYTES_PER_MS;
		return silentMs >= Math.min(heartbeatTimeoutMs + drainMs, drainTimeoutMs);
	}
	#isIdle({ pulse }) {
		const { idleTimeoutMs } = this.options;
		return idleTimeoutMs > 0 && this.#time - pulse.spokeAt >= idleTimeoutMs;
	}
	/** Nothing was sent, or nothing heard, for the time that was drawn. The sweep nearest to it counts. */
	#isPingDue({ pulse }) {
		if (this.options.heartbeatIntervalMs === 0) return false;
		const quietSince = Math.max(pulse.pingedAt, Math.min(pulse.sentAt, pulse.heardAt));
		return this.#time - quietSince >= pulse.pingAfterMs - this.tickMs / 2;
	}
	#ping(connection) {
		connection.pulse.pingedAt = this.#time;
		connection.pulse.pingAfterMs = this.#drawPing();
		if (connection.wantsPingFrames) connection.sendEvent("$ping");
		else connection.transport.probe();
	}
	/**
	* A whole number of ticks, counted from the sweep that has found the connection quiet: then it has
	* been quiet for up to one tick already, which the latest one leaves room for.
	*/
	#drawPing() {
		const ticks = this.options.heartbeatIntervalMs / this.tickMs;
		const first = Math.ceil(EARLIEST_PING * ticks);
		const last = Math.floor(ticks) - 1;
		return this.tickMs * (first + Math.floor(this.random.next() * (last - first + 1)));
	}
};
// lib/core/shared-read.ts
/** A read that all share who ask at a time. What one gets was read after it has asked. */
var SharedRead = class {
	begin;
	pause;
	/** Ends with the read and the pause behind it. */
	#busy;
	/** Begins when the running one has ended: that one may be older than the question. */
	#next;
	/** @param pause - ends when the next read may follow one with this answer */
	constructor(begin, pause) {
		this.begin = begin;
		this.pause = pause;
	}
	read() {
		if (this.#busy) return this.#next ??= this.#after(this.#busy);
		const answer = this.begin();
		return answer instanceof Promise ? this.#run(answer) : answer;
	}
	/** Resolves when all that was asked for until now is read. */
	async idle() {
		while (this.#busy ?? this.#next) await Promise.allSettled([this.#busy, this.#next]);
	}
	async #after(busy) {
		await busy;
		this.#next = void 0;
		return this.#run(Promise.resolve(this.begin()));
	}
	#run(answer) {
		const busy = this.#ended(answer).then(() => {
			if (this.#busy === busy) this.#busy = void 0;
		});
		this.#busy = busy;
		return answer;
	}
	async #ended(answer) {
		let read;
		try {
			read = await answer;
		} catch {
			return;
		}
		await this.pause?.(read);
	}
};
// lib/core/shared-reads.ts
/** A {@link SharedRead} for each thing that somebody asks for. */
var SharedReads = class {
	begin;
	#reads = /* @__PURE__ */ new Map();
	constructor(begin) {
		this.begin = begin;
	}
	/** Those that are under way. */
	get size() {
		return this.#reads.size;
	}
	read(what) {
		const known = this.#reads.get(what);
		if (known) return known.read();
		const read = new SharedRead(() => this.begin(what));
		const answer = read.read();
		if (answer instanceof Promise) this.#keep(what, read);
		return answer;
	}
	async #keep(what, read) {
		this.#reads.set(what, read);
		await read.idle();
		this.#reads.delete(what);
	}
};
// lib/core/channel-stream.ts
/** What is read at once of what the broker has skipped: a long history must not stop a node, nor fill its memory. */
const PAGE_BYTES = 262144;
/**
* A channel with history as this node follows it: every publication once, in order. Where the broker has
* skipped some, they are read from the history, or a gap is told.
*/
var ChannelStream = class {
	channel;
	rule;
	histories;
	sink;
	#position;
	/** The broker is asked for something: what comes meanwhile waits. */
	#asking = false;
	/** One look at a time: a broker that does not answer must not be asked again and again. */
	#checking = false;
	/** Asked for while the broker was asked: something may have been lost behind its answer. */
	#isCheckDue = false;
	#waiting = [];
	/** By offset. When a node has died, many come back at once who have seen the same. */
	#reads = new SharedReads((after) => this.#read(after, Number.POSITIVE_INFINITY));
	constructor(channel, rule, histories, sink) {
		this.channel = channel;
		this.rule = rule;
		this.histories = histories;
		this.sink = sink;
	}
	/** Where the subscribers of this node stand. Known from {@link open} on. */
	get position() {
		return this.#position;
	}
	/** The node has subscribed: from here on nothing may be missed. */
	async open() {
		this.#asking = true;
		try {
			this.#position = await this.histories.position(this.channel, this.rule);
		} finally {
			this.#asking = false;
		}
		this.#receiveWaiting();
		this.#checkBehind();
	}
	/** The broker has handed over a publication. */
	receive(publication) {
		const { position } = publication;
		if (!position) {
			this.sink.unplaced();
			return;
		}
		if (this.#asking) {
			this.#wait(publication);
			return;
		}
		const last = this.#position;
		if (!last) return;
		if (position.epoch !== last.epoch || position.offset > last.offset + 1) this.#refill(publication);
		else if (position.offset === last.offset + 1) this.#forward(publication);
	}
	/** Asks the broker where the channel stands: the loss of the last publication shows in nothing else. */
	async check() {
		if (this.#isBusy) {
			this.#isCheckDue = true;
			return;
		}
		if (!this.#position) return;
		this.#checking = true;
		let isBehind = false;
		try {
			isBehind = this.#isBefore(await this.histories.position(this.channel, this.rule));
		} catch (error) {
			this.#fail(error);
		} finally {
			this.#checking = false;
		}
		if (isBehind) await this.#refill();
		else this.#checkBehind();
	}
	/** All that was published since; `undefined` where the history cannot say. */
	async readSince(since) {
		return behind(since, await this.#reads.read(since.offset));
	}
	/** All that was published since a position that this node has known; what cannot be had is a gap. */
	async readOn(since) {
		const page = await this.#reads.read(since.offset);
		return behind(since, page) ?? {
			from: page.position,
			publications: [],
			isGap: true
		};
	}
	get #isBusy() {
		return this.#asking || this.#checking;
	}
	#isBefore({ epoch, offset }) {
		if (this.#asking) return false;
		const now = this.#position;
		return epoch !== now.epoch || offset > now.offset;
	}
	#read(after, maxBytes) {
		return this.histories.history(this.channel, this.rule, {
			after,
			limit: this.rule.size,
			maxBytes
		});
	}
	#forward(publication) {
		this.#position = publication.position;
		this.sink.next(publication);
	}
	#wait(publication) {
		this.#waiting.push(publication);
		if (this.#waiting.length > this.rule.size) this.#waiting.shift();
	}
	async #refill(publication) {
		this.#asking = true;
		try {
			await this.#catchUp();
			if (publication && publication.position?.epoch === this.#position?.epoch) this.#waiting.unshift(publication);
		} catch (error) {
			this.#waiting = [];
			this.#fail(error);
		} finally {
			this.#asking = false;
		}
		this.#receiveWaiting();
		this.#checkBehind();
	}
	/** Hands on what was skipped, a page after the other. */
	async #catchUp() {
		for (let isBehind = true; isBehind;) {
			const since = this.#position;
			const page = await this.#read(since.offset, PAGE_BYTES);
			const missed = startBehind(since, page);
			if (missed) for (const publication of missed.publications) this.#forward(publication);
			else this.#skip(page.position);
			isBehind = this.#position.offset < page.position.offset;
		}
	}
	#skip(position) {
		this.#position = position;
		this.sink.gap(position);
	}
	#receiveWaiting() {
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const publication of waiting) this.receive(publication);
	}
	#checkBehind() {
		if (!this.#isCheckDue || this.#isBusy) return;
		this.#isCheckDue = false;
		this.sink.checkDue();
	}
	#fail(error) {
		this.#isCheckDue = false;
		this.sink.failed(error);
	}
};
// lib/core/paced-histories.ts
/**
* Questions that have a place at a time. A broker bounds what waits for it, and all clients of a node
* that has died may come back at once; what is under way is in memory, too.
*/
const MAX_UNDER_WAY = 256;
/**
* For how long a question keeps its place, answered or not. A part of the broker that is frozen would otherwise hold
* all of them, and those who ask the healthy parts would wait for it. What has no answer then is the broker's to bound.
*/
const PLACE_MS = 250;
/** The histories of a broker, asked for in the order of the questions, and not for all of them at once. */
var PacedHistories = class {
	broker;
	alarms;
	/** In the order in which they came. Empty while there is a place. */
	#waiting = /* @__PURE__ */ new Set();
	#places = /* @__PURE__ */ new Set();
	constructor(broker, alarms) {
		this.broker = broker;
		this.alarms = alarms;
	}
	/** Questions that are under way or wait for it. */
	get size() {
		return this.#places.size + this.#waiting.size;
	}
	position(channel, rule) {
		return this.#ask(() => this.broker.position(channel, rule));
	}
	history(channel, rule, query) {
		return this.#ask(() => this.broker.history(channel, rule, query));
	}
	#ask(question) {
		return this.#isFull ? this.#askLater(question) : this.#askNow(question);
	}
	get #isFull() {
		return this.#places.size >= MAX_UNDER_WAY;
	}
	#askNow(question) {
		const answer = question();
		if (!(answer instanceof Promise)) return answer;
		const place = {
			expiresAt: 0,
			expire: () => this.#giveBack(place)
		};
		this.#places.add(place);
		this.alarms.add(place, PLACE_MS);
		return answer.finally(() => {
			this.alarms.delete(place, PLACE_MS);
			this.#giveBack(place);
		});
	}
	#askLater(question) {
		const ask = async () => this.#askNow(question);
		return new Promise((resolve) => this.#waiting.add(() => resolve(ask())));
	}
	/** It goes to the question that has waited for the longest time. */
	#giveBack(place) {
		if (!this.#places.delete(place)) return;
		for (const ask of this.#waiting) {
			if (this.#isFull) return;
			this.#waiting.delete(ask);
			ask();
		}
	}
};
// lib/core/position-checks.ts
/** Channels that are asked for at a time: publications share the way to the broker with them. */
const MAX_ASKED = 64;
/** Asks where channels stand, a few at a time, and again where there was no answer. */
var PositionChecks = class {
	isFollowed;
	#waiting = /* @__PURE__ */ new Set();
	#failed = /* @__PURE__ */ new Set();
	#asked = 0;
	/** @param isFollowed - whether somebody is still in the channel, and the stream is the one of it */
	constructor(isFollowed) {
		this.isFollowed = isFollowed;
	}
	/** Those that are asked for, wait for it, or had no answer. */
	get size() {
		return this.#asked + this.#waiting.size + this.#failed.size;
	}
	add(stream) {
		this.#failed.delete(stream);
		this.#waiting.add(stream);
		this.#ask();
	}
	/** The broker has not answered: one more question is for {@link again}. */
	addFailed(stream) {
		this.#failed.add(stream);
	}
	/** Asks once more for those that had no answer. */
	again() {
		for (const stream of this.#failed) this.add(stream);
	}
	#ask() {
		for (const stream of this.#waiting) {
			if (this.#asked >= MAX_ASKED) return;
			this.#waiting.delete(stream);
			if (this.isFollowed(stream)) this.#check(stream);
		}
	}
	async #check(stream) {
		this.#asked++;
		await stream.check();
		this.#asked--;
		this.#ask();
	}
};
// lib/core/unplaced-publications.ts
/**
* Publications that have come without a position on channels with history: whoever has made them knows of no
* history. Subscribers are told of a gap, and the operator that there are two opinions.
*/
var UnplacedPublications = class {
	observers;
	/** By channel. However many there are, a subscriber reloads its state once for all that came in between. */
	#untold = /* @__PURE__ */ new Map();
	/** Those whose channel the operator has been told of. */
	#warned = /* @__PURE__ */ new WeakSet();
	constructor(observers) {
		this.observers = observers;
	}
	/** Channels whose subscribers have not been told. */
	get size() {
		return this.#untold.size;
	}
	add(channel, subscriptions) {
		this.#untold.set(channel, subscriptions);
	}
	/** Tells what has come since it was told before. */
	tell() {
		if (this.#untold.size === 0) return;
		const untold = [...this.#untold];
		this.#untold.clear();
		for (const [, subscriptions] of untold) for (const subscription of subscriptions) subscription.lose();
		this.#warn(untold.filter(([, subscriptions]) => !this.#warned.has(subscriptions)));
	}
	#warn(untold) {
		const [first] = untold;
		if (!first) return;
		for (const [, subscriptions] of untold) this.#warned.add(subscriptions);
		const others = untold.length === 1 ? "" : `, and so for ${untold.length - 1} more`;
		this.observers.warned(`"${first[0]}" has a history here, and is published to by somebody who knows of none${others}: such a publication is in no history, and subscribers get \$gap in its place; share one defineChannel(...) between all nodes and workers. In a deploy that adds the history it ends with the last of the old ones.`);
	}
};
// lib/core/hub.ts
/** Which connections of this node are in which channel. */
var Hub = class {
	codec;
	broker;
	observers;
	catalog;
	#channels = /* @__PURE__ */ new Map();
	#checks = new PositionChecks((stream) => this.#isFollowed(stream));
	#encoded = /* @__PURE__ */ new WeakMap();
	#histories;
	#unplaced;
	constructor(codec, broker, observers, catalog, alarms) {
		this.codec = codec;
		this.broker = broker;
		this.observers = observers;
		this.catalog = catalog;
		this.#histories = new PacedHistories(broker, alarms);
		this.#unplaced = new UnplacedPublications(observers);
	}
	/** Channels with at least one subscriber here. */
	get size() {
		return this.#channels.size;
	}
	/** Channels whose position is, or has to be, compared with the broker's. */
	get checks() {
		return this.#checks.size;
	}
	/** Questions that the broker has not answered. */
	get reads() {
		return this.#histories.size;
	}
	/** Channels whose subscribers are to be told of what could not be handed to them. */
	get unplaced() {
		return this.#unplaced.size;
	}
	/** Adds a subscriber. Its publications may come from now on, and all of them once this has resolved. */
	join(subscription) {
		const { channel } = subscription;
		let local = this.#channels.get(channel);
		if (!local) {
			const subscriptions = /* @__PURE__ */ new Set();
			const stream = this.#stream(channel, subscriptions);
			local = {
				subscriptions,
				stream,
				ready: this.#subscribe(channel, stream)
			};
			this.#channels.set(channel, local);
		}
		local.subscriptions.add(subscription);
		return local.ready;
	}
	leave(subscription) {
		const { channel } = subscription;
		const local = this.#channels.get(channel);
		if (!local?.subscriptions.delete(subscription) || local.subscriptions.size > 0) return;
		this.#channels.delete(channel);
		this.#unsubscribe(channel);
	}
	/** Takes what the broker hands over. */
	deliver = (publication) => {
		const local = this.#channels.get(publication.channel);
		if (!local) return;
		if (local.stream) local.stream.receive(publication);
		else this.#fanOut(local, publication);
	};
	subscribers(channel) {
		return this.#channels.get(channel)?.subscriptions ?? [];
	}
	/** Follows the channel, where it has a history and somebody is in it. */
	streamOf(channel) {
		return this.#channels.get(channel)?.stream;
	}
	/** Encoded once, for all who follow and all who come back while the publication is kept. */
	encode(publication) {
		const known = this.#encoded.get(publication);
		if (known) return known;
		const { channel, event, data, position } = publication;
		const frame = new EncodedFrame(this.codec.encodePublication(channel, event, data, position?.offset));
		if (position) this.#encoded.set(publication, frame);
		return frame;
	}
	/** Looks for publications that were lost without a trace. */
	check() {
		for (const { stream } of this.#channels.values()) if (stream) this.#checks.add(stream);
	}
	/** Looks again where it could not be seen. */
	checkAgain() {
		this.#checks.again();
	}
	/** Tells subscribers of what has come and cannot be handed to them. */
	tellUnplaced() {
		this.#unplaced.tell();
	}
	/** The broker may have lost publications, of these channels or of all. */
	unsure(channels = this.#channels.keys()) {
		for (const channel of channels) {
			const local = this.#channels.get(channel);
			if (!local) continue;
			if (local.stream) this.#checks.add(local.stream);
			else for (const subscription of local.subscriptions) subscription.lose();
		}
	}
	/** Hands a publication to every subscriber here: encoded once, whatever their number. */
	#fanOut({ subscriptions }, publication) {
		const { channel, except } = publication;
		const frame = this.encode(publication);
		for (const subscription of subscriptions) {
			const { connection, held } = subscription;
			if (connection.id === except) continue;
			if (held) held.add(frame);
			else subscription.send(frame);
		}
		this.observers.delivered(channel, subscriptions.size);
	}
	/** @param subscriptions - those that it speaks to: a channel that all have left may come back with others */
	#stream(channel, subscriptions) {
		const rule = this.catalog.historyOf(channel);
		if (!rule) return void 0;
		const stream = new ChannelStream(channel, rule, this.#histories, {
			next: (publication) => {
				const frame = this.encode(publication);
				for (const subscription of subscriptions) subscription.take(frame, publication.position);
				this.observers.delivered(channel, subscriptions.size);
			},
			gap: (position) => {
				for (const subscription of subscriptions) subscription.skip(position);
			},
			unplaced: () => this.#unplaced.add(channel, subscriptions),
			checkDue: () => this.#checks.add(stream),
			failed: (error) => {
				if (!this.#isFollowed(stream)) return;
				this.#checks.addFailed(stream);
				if (isUnavailable(error)) return;
				this.observers.failed({
					where: `the history of ${channel}`,
					error
				});
			}
		});
		return stream;
	}
	/** Not one whose channel all have left, also where others have come back to it. */
	#isFollowed(stream) {
		return this.streamOf(stream.channel) === stream;
	}
	#subscribe(channel, stream) {
		const subscribed = this.broker.subscribe(channel);
		return stream ? Promise.resolve(subscribed).then(() => stream.open()) : subscribed;
	}
	async #unsubscribe(channel) {
		try {
			await this.broker.unsubscribe(channel);
		} catch (error) {
			this.observers.failed({
				where: `broker.unsubscribe ${channel}`,
				error
			});
		}
	}
};
// lib/core/presence.ts
/**
* Changes of one channel that are told one by one in a turn. Each is a frame for each subscriber: where a node with
* thousands goes, they would cost the others their time, and the subscribers their connections. A list is shorter.
*/
const MAX_TOLD_IN_A_TURN = 100;
/**
* A store that others share reads so many entries for each millisecond that it then has for itself: to Redis an entry
* is about 2 us of its only thread, so that those who ask for one list all the time have a twentieth of it.
*/
const ENTRIES_PER_MS = 30;
const MAX_PAUSE_MS = 1e3;
/** Counts who of this node is in the channels with presence, and tells them who else comes and goes. */
var Presence = class {
	engine;
	store;
	#channels = /* @__PURE__ */ new Map();
	constructor(engine, store) {
		this.engine = engine;
		this.store = store;
	}
	/** Channels with presence in which this node has somebody. */
	get size() {
		return this.#channels.size;
	}
	async start() {
		await this.store.start({
			node: this.engine.random.id(),
			graceMs: this.engine.options.presenceGraceMs,
			changed: (change) => this.#tell(change),
			failed: (error) => this.engine.observers.failed({
				where: "presence",
				error
			})
		});
	}
	/** The method that lets it in is about to run: nothing may be told before its ack. */
	entering(subscription) {
		const { channel, joinBufferBytes } = subscription;
		if (!this.engine.catalog.hasPresence(channel)) return;
		this.#of(channel).held.set(subscription, new HeldPublications(joinBufferBytes));
	}
	/** The peer was told that it is in. */
	entered(subscription) {
		const { channel } = subscription;
		if (!this.engine.catalog.hasPresence(channel)) return;
		const local = this.#of(channel);
		this.#release(local, subscription);
		if (local.subscriptions.has(subscription)) return;
		local.subscriptions.add(subscription);
		this.#count(local, subscription, 1, false);
	}
	/** It is out, because somebody wanted it. */
	exited(subscription) {
		this.#exit(subscription, false);
	}
	/** Its connection has ended. */
	ended(subscription, code) {
		this.#exit(subscription, closeVerdict(code) === "reconnect" || code === CLOSE_CODES.Replaced.code);
	}
	/** What tells who is in a channel in which this node has somebody. Those who ask at a time share the answer. */
	members(channel) {
		return this.#of(channel).members.read();
	}
	#of(channel) {
		const known = this.#channels.get(channel);
		if (known) return known;
		const local = {
			subscriptions: /* @__PURE__ */ new Set(),
			connections: /* @__PURE__ */ new Map(),
			held: /* @__PURE__ */ new Map(),
			members: new SharedRead(() => this.#read(channel), ({ count }) => this.#pause(count)),
			changes: 0
		};
		this.#channels.set(channel, local);
		return local;
	}
	#read(channel) {
		const members = this.store.members(channel, this.engine.options.maxPresenceMembers);
		return members instanceof Promise ? members.then(encode$1) : encode$1(members);
	}
	#pause(entries) {
		const ms = Math.min(Math.floor(entries / ENTRIES_PER_MS), MAX_PAUSE_MS);
		if (ms > 0) return new Promise((resolve) => this.engine.clock.setTimeout(resolve, ms));
	}
	#exit(subscription, isLost) {
		const { channel } = subscription;
		const local = this.#channels.get(channel);
		if (!local) return;
		local.held.delete(subscription);
		if (local.subscriptions.delete(subscription)) this.#count(local, subscription, -1, isLost);
		if (local.subscriptions.size + local.held.size === 0) this.#channels.delete(channel);
	}
	#count(local, subscription, change, isLost) {
		const { channel, connection } = subscription;
		const { principal } = connection;
		const connections = (local.connections.get(principal) ?? 0) + change;
		if (connections > 0) local.connections.set(principal, connections);
		else local.connections.delete(principal);
		const count = {
			channel,
			principal,
			connections,
			isLost
		};
		this.store.set(count);
	}
	#release({ held }, subscription) {
		const waiting = held.get(subscription);
		held.delete(subscription);
		if (!waiting || subscription.isLeaving) return;
		if (waiting.isBroken) subscription.sendGap();
		for (const { frame } of waiting.publications) subscription.connection.outbox.push(frame);
	}
	#tell(change) {
		const local = this.#channels.get(change.channel);
		if (!local) return;
		local.changes++;
		if (local.changes === 1) this.engine.clock.afterTurn(() => this.#endTurn(local));
		if (local.changes <= MAX_TOLD_IN_A_TURN) this.#push(local, change);
	}
	/** Of the changes that were too many all are told in one: the list has them. */
	#endTurn(local) {
		const isTooMany = local.changes > MAX_TOLD_IN_A_TURN;
		local.changes = 0;
		if (!isTooMany) return;
		for (const held of local.held.values()) held.break();
		for (const subscription of local.subscriptions) if (!local.held.has(subscription) && !subscription.isLeaving) subscription.sendGap();
	}
	#push(local, { type, channel, principal, connections }) {
		const { codec, observers } = this.engine;
		const data = JSON.stringify({
			principal,
			connections
		});
		const frame = new EncodedFrame(codec.encodePublication(channel, `$${type}`, data));
		for (const [{ connection }, held] of local.held) if (connection.principal !== principal) held.add(frame);
		let told = 0;
		for (const subscription of local.subscriptions) {
			if (subscription.connection.principal === principal) continue;
			if (local.held.has(subscription) || subscription.isLeaving) continue;
			subscription.connection.outbox.push(frame);
			told++;
		}
		observers.delivered(channel, told);
	}
};
function encode$1({ members, count }) {
	return {
		json: JSON.stringify({
			members,
			count,
			more: members.length < count
		}),
		count
	};
}
/** One half of a character: as UTF-8 all of them are the same. */
const HALF = /\p{Surrogate}/u;
/** @throws ChannelsError `bad_request` for what cannot be the key of a publication */
function checkPublicationKey(key) {
	if (typeof key !== "string" || key === "" || key.length > 255) throw new ChannelsError("bad_request", `"key" must be a text of 1 to 255 characters`);
	if (HALF.test(key)) throw new ChannelsError("bad_request", "\"key\" has half of a character: it is no text");
}
// lib/core/publisher.ts
/** Hands publications to the broker, checked and encoded. */
var Publisher = class {
	parts;
	constructor(parts) {
		this.parts = parts;
	}
	/** The data is encoded before the call returns: what changes later is not sent. */
	async publish(channel, event, data, options) {
		const { broker, catalog, observers, limits, agree } = this.parts;
		checkChannelName(channel);
		checkEventName(event, limits.maxEventLength);
		const history = catalog.historyOf(channel);
		const { except, key } = options;
		checkFitting(channel, history, options);
		const publication = {
			channel,
			event,
			data: encode(data, limits.maxMessageBytes),
			except
		};
		if (agree) await agree(channel, history);
		await broker.publish(publication, history && {
			history,
			key
		});
		observers.published(channel, event);
	}
};
function checkFitting(channel, history, { except, key }) {
	if (history && except !== void 0) throw new ChannelsError("bad_request", `"except" is not for ${channel}, which has a history`);
	if (!history && key !== void 0) throw new ChannelsError("bad_request", `"key" is not for ${channel}, which has no history`);
	if (key !== void 0) checkPublicationKey(key);
}
function encode(data, maxMessageBytes) {
	let json;
	try {
		json = JSON.stringify(data);
	} catch (error) {
		throw new ChannelsError("bad_request", "the data of a publication has no JSON", { cause: error });
	}
	const bytes = json === void 0 ? 0 : Buffer.byteLength(json);
	if (bytes <= maxMessageBytes) return json;
	throw new ChannelsError("payload_too_large", `the data of a publication (${bytes} bytes) is over maxMessageBytes (${maxMessageBytes})`);
}
// lib/core/single-node.ts
/** The only node: what there is where the broker knows no others. */
var SingleNode = class {
	id;
	constructor(id) {
		this.id = id;
	}
	start() {}
	ask() {
		return {
			answers: [],
			nodes: {
				expected: 1,
				answered: 1,
				missing: []
			}
		};
	}
	alive() {
		return [this.id];
	}
	close() {}
};
// lib/core/work-counter.ts
/** Counts what is under way, so that a shutdown can wait for it. */
var WorkCounter = class {
	clock;
	#running = 0;
	#waiting = /* @__PURE__ */ new Set();
	constructor(clock) {
		this.clock = clock;
	}
	/** What is under way. */
	get running() {
		return this.#running;
	}
	begin() {
		this.#running++;
	}
	finish() {
		this.#running--;
		if (this.#running > 0) return;
		for (const check of this.#waiting) check();
	}
	/**
	* Resolves when nothing is under way, at the latest after `timeoutMs`. Nothing is, when a turn of
	* the event loop has begun nothing new: what has just finished is still to be answered, and may be
	* followed by more.
	*/
	idle(timeoutMs) {
		return new Promise((resolve) => {
			const end = () => {
				this.#waiting.delete(check);
				this.clock.clearTimer(timer);
				resolve();
			};
			const check = () => this.clock.afterTurn(() => this.#running === 0 && end());
			const timer = this.clock.setTimeout(end, timeoutMs);
			this.#waiting.add(check);
			if (this.#running === 0) check();
		});
	}
};
// lib/core/engine.ts
/** The longest pause between two looks at all connections. */
const MAX_TICK_MS = 1e3;
/** How long the claim of a message holds when the node that runs it dies. */
const CLAIM_LEASE_MS = 3e4;
/** How long peers may take to answer the close of a shutdown. */
const CLOSE_GRACE_MS = 1e3;
/** What `handleDisconnect` gets where handlers and peers have used up all the time before. */
const DISCONNECT_GRACE_MS = 500;
/** What the farewell to other nodes gets in any case, see {@link DISCONNECT_GRACE_MS}. */
const TELL_GRACE_MS = 500;
/** Everything that the connections of one node share. */
var Engine = class {
	options;
	clock;
	random;
	codec;
	observers;
	errors;
	plainAcks;
	flushQueue;
	drainQueue;
	deadlines;
	alarms;
	dispatcher;
	hub;
	catalog = new ChannelCatalog();
	dedup;
	claims;
	presence;
	control;
	publisher;
	/** Whatever belongs to this node and has tables of its own adds them. */
	tables;
	#broker;
	#heartbeat;
	#tickMs;
	#leaseMs;
	#connections = /* @__PURE__ */ new Map();
	#byClient = /* @__PURE__ */ new Map();
	/** Code of the application that runs. */
	#work;
	/** Connections that have not ended. */
	#open;
	#admissions = /* @__PURE__ */ new Map();
	#checkedAt = 0;
	#ticker;
	#shutdown;
	constructor(parts) {
		this.options = parts.options;
		this.clock = parts.clock;
		this.random = parts.random;
		this.codec = parts.codec;
		this.observers = parts.observers;
		this.errors = parts.errors;
		this.plainAcks = parts.plainAcks;
		this.#broker = parts.broker;
		this.#tickMs = tickOf(parts.options);
		this.flushQueue = new FlushQueue(this.clock);
		this.drainQueue = new DrainQueue(this.clock);
		this.deadlines = new Deadlines(this.clock, this.options.handlerTimeoutMs);
		this.alarms = new Alarms(this.clock);
		this.dispatcher = new Dispatcher(this);
		this.hub = new Hub(this.codec, this.#broker, this.observers, this.catalog, this.alarms);
		this.dedup = parts.dedup;
		this.#leaseMs = Math.min(CLAIM_LEASE_MS, this.options.dedupWindowMs);
		this.claims = new Claims(this.clock, this.observers, this.#leaseMs);
		this.presence = new Presence(this, parts.presence);
		this.control = new Control(this, this.#broker.nodes ?? new SingleNode(this.random.id()));
		this.publisher = new Publisher({
			broker: this.#broker,
			catalog: this.catalog,
			observers: this.observers,
			limits: this.options
		});
		this.#work = new WorkCounter(this.clock);
		this.#open = new WorkCounter(this.clock);
		this.#heartbeat = new Heartbeat(this.options, this.clock, this.random, this.#tickMs);
		this.tables = tablesOf(this);
		this.tables.add("clients", () => this.#byClient.size);
		this.tables.add("admissions", () => this.#admissions.size);
		this.tables.add("pulses", () => this.#heartbeat.size);
		this.tables.add("work", () => this.#work.running);
	}
	/** The node goes away: nothing new is taken on. */
	get draining() {
		return this.#shutdown !== void 0;
	}
	get connections() {
		return this.#connections;
	}
	/** The sizes of all tables of this node: nothing of it may grow while the number of connections does not. */
	sizes() {
		const parts = {
			broker: this.#broker,
			dedup: this.dedup,
			presence: this.presence.store
		};
		return {
			...this.tables.read(),
			...sizesOf(parts)
		};
	}
	async start() {
		await this.#broker.start(this.hub.deliver, this.#asBrokerSeesIt());
		await this.dedup.start({
			windowMs: this.options.dedupWindowMs,
			leaseMs: this.#leaseMs,
			evicted: (count) => this.observers.evicted(count)
		});
		await this.presence.start();
		await this.control.start();
		const failed = (where, error) => this.observers.failed({
			where,
			error
		});
		await this.#broker.registry?.start({
			clock: this.clock,
			failed
		});
		this.#ticker ??= this.clock.setInterval(() => this.#tick(), this.#tickMs);
	}
	/**
	* Tells those who publish without being a node what the channels here keep, now that all are defined, and the
	* operator where other nodes say something else.
	*/
	async register() {
		const { registry } = this.#broker;
		if (!registry) return;
		const channels = [...this.catalog.definitions].map(({ pattern, options: { history } }) => ({
			pattern,
			history
		}));
		await registry.register(channels);
		await this.#compare(registry, channels);
	}
	/** Nodes that differ lose each other's publications: that is seen best where one starts. */
	async #compare(registry, channels) {
		try {
			for (const text of contradictions(channels, await registry.read())) this.observers.warned(text);
		} catch (error) {
			if (isUnavailable(error)) return;
			this.observers.failed({
				where: "the comparison with the channels of other nodes",
				error
			});
		}
	}
	/** Takes a new peer on. Nothing of it is handled before {@link admit}. */
	accept(transport, endpoint, info) {
		const connection = new Connection$1(this, endpoint, transport, info);
		this.#connections.set(connection.id, connection);
		this.#open.begin();
		this.observers.opened(connection);
		return connection;
	}
	/** Runs `handleConnection` and opens the connection when it has settled, or closes it where it failed. */
	admit(connection, request) {
		const connected = connection.endpoint.connected(connection, request);
		if (!connected) return this.#opened(connection);
		this.begin();
		const admission = this.deadlines.limit(connected, "handleConnection").then(() => this.#opened(connection), (error) => this.#deny(connection, error)).finally(() => {
			this.#admissions.delete(connection);
			this.finish();
		});
		this.#admissions.set(connection, admission);
		return admission;
	}
	/** A connection has ended. */
	forget(connection, code, reason) {
		this.#connections.delete(connection.id);
		this.#heartbeat.delete(connection);
		const key = clientKey(connection);
		if (this.#byClient.get(key) === connection) this.#byClient.delete(key);
		this.observers.closed(connection, code, reason);
		this.begin();
		const admitted = this.#admissions.get(connection);
		const disconnected = admitted ? admitted.then(() => connection.endpoint.disconnected(connection, code)) : connection.endpoint.disconnected(connection, code);
		Promise.resolve(disconnected).finally(() => this.finish());
		this.#open.finish();
	}
	/** The peer has named its client id: an older connection of the same client gives way. */
	identify(connection, clientId) {
		connection.clientId = clientId;
		const key = clientKey(connection);
		const older = this.#byClient.get(key);
		this.#byClient.set(key, connection);
		if (older && !this.draining) older.close(CLOSE_CODES.Replaced.code, CLOSE_CODES.Replaced.reason);
	}
	/** The same on every node and after a restart, and tells nothing about the principal. */
	principalTag(principal) {
		if (principal === "") return "";
		return createHash("sha256").update(principal).digest().subarray(0, 16).toString("base64url");
	}
	/** Code of the application has begun to run; a shutdown waits for its {@link finish}. */
	begin() {
		this.#work.begin();
	}
	finish() {
		this.#work.finish();
	}
	/**
	* Lets running handlers finish and their answers leave, closes every connection with 1012,
	* awaits `handleDisconnect`, and ends what is left. May be called twice.
	*/
	shutdown() {
		return this.#shutdown ??= this.#shutDown();
	}
	#asBrokerSeesIt() {
		const { clock, random, hub, observers } = this;
		return {
			clock,
			random,
			unsure: (channels) => hub.unsure(channels),
			stateChanged: (state, reason) => observers.brokerChanged(state, reason),
			warn: (text) => observers.warned(text),
			failed: (where, error) => observers.failed({
				where,
				error
			})
		};
	}
	async #shutDown() {
		const { shutdownTimeoutMs } = this.options;
		const deadline = this.clock.now() + shutdownTimeoutMs + CLOSE_GRACE_MS + DISCONNECT_GRACE_MS;
		await this.#work.idle(shutdownTimeoutMs);
		const { code, reason } = CLOSE_CODES.ServiceRestart;
		for (const connection of this.#connections.values()) connection.close(code, reason);
		await this.#open.idle(CLOSE_GRACE_MS);
		for (const connection of this.#connections.values()) connection.terminate(code, reason);
		await this.#disconnected(deadline);
		if (this.#ticker) this.clock.clearTimer(this.#ticker);
		await this.#tellOthers(Math.max(deadline - this.clock.now(), TELL_GRACE_MS));
		await this.#letGo("broker.close", () => this.#broker.close());
		await this.#letGo("dedupStore.close", () => this.dedup.close());
	}
	/** All at once: a broker that is silent takes its time for each. What it has not heard then ends by itself. */
	async #tellOthers(timeoutMs) {
		const told = Promise.all([
			this.#letGo("presence.close", () => this.presence.store.close()),
			this.#letGo("nodes.close", () => this.control.close()),
			this.#letGo("registry.close", () => this.#broker.registry?.close())
		]);
		const late = new Promise((resolve) => {
			const timer = this.clock.setTimeout(resolve, timeoutMs);
			told.then(() => this.clock.clearTimer(timer));
		});
		await Promise.race([told, late]);
	}
	async #letGo(where, close) {
		try {
			await close();
		} catch (error) {
			this.observers.failed({
				where,
				error
			});
		}
	}
	/** Waits for `handleDisconnect`, which follows the end of a transport by a turn or more. */
	async #disconnected(deadline) {
		await this.#open.idle(deadline - this.clock.now());
		await this.#work.idle(deadline - this.clock.now());
	}
	#opened(connection) {
		if (connection.state !== "opening") return;
		connection.open();
		this.#heartbeat.add(connection);
	}
	#deny(connection, error) {
		const { code, reason } = this.errors.toClose(error);
		connection.close(code, reason);
	}
	#tick() {
		const now = this.clock.now();
		this.deadlines.sweep(now);
		this.claims.sweep(now);
		this.#heartbeat.sweep(now);
		this.hub.checkAgain();
		this.hub.tellUnplaced();
		if (now < this.#checkedAt + this.options.positionCheckMs) return;
		this.#checkedAt = now;
		this.hub.check();
	}
};
/** Short times, as tests have them, are looked at ten times each. */
function tickOf(options) {
	const { heartbeatIntervalMs, heartbeatTimeoutMs, idleTimeoutMs, handlerTimeoutMs } = options;
	const { dedupWindowMs, positionCheckMs } = options;
	const shortest = Math.min(...[...[
		heartbeatIntervalMs,
		heartbeatTimeoutMs,
		idleTimeoutMs,
		handlerTimeoutMs
	], ...[dedupWindowMs, positionCheckMs]].filter((ms) => ms > 0));
	return Math.max(1, Math.min(MAX_TICK_MS, Math.floor(shortest / 10)));
}
function clientKey(connection) {
	return `${connection.info.principal}\n${connection.clientId}`;
}
// lib/core/memory-presence-store.ts
const NO_RULES = {
	node: "",
	graceMs: 0,
	changed: () => void 0,
	failed: () => void 0
};
/** The presence of a single process: its node is the only one. */
var MemoryPresenceStore = class {
	#alarms;
	/** By channel and principal. None of them is empty. */
	#channels = /* @__PURE__ */ new Map();
	#rules = NO_RULES;
	constructor({ clock }) {
		this.#alarms = new Alarms(clock);
	}
	sizes() {
		return { channels: this.#channels.size };
	}
	/** Channels that somebody is in, or may come back to. */
	get size() {
		return this.#channels.size;
	}
	start(rules) {
		this.#rules = rules;
	}
	set(count) {
		const entry = this.#channels.get(count.channel)?.get(count.principal);
		if (count.connections > 0) this.#enter(count, entry);
		else if (entry) this.#exit(count, entry);
	}
	members(channel, limit) {
		const entries = this.#channels.get(channel);
		const members = [];
		for (const [principal, { connections }] of entries ?? []) {
			if (members.length >= limit) break;
			members.push({
				principal,
				connections
			});
		}
		return {
			members,
			count: entries?.size ?? 0
		};
	}
	close() {
		for (const entries of this.#channels.values()) for (const entry of entries.values()) this.#stay(entry);
		this.#channels.clear();
		this.#rules = NO_RULES;
	}
	#enter({ channel, principal, connections }, known) {
		if (known) {
			this.#stay(known);
			known.connections = connections;
			return;
		}
		const entries = this.#channels.get(channel) ?? /* @__PURE__ */ new Map();
		this.#channels.set(channel, entries.set(principal, { connections }));
		this.#rules.changed({
			type: "join",
			channel,
			principal,
			connections
		});
	}
	#exit(count, entry) {
		this.#stay(entry);
		entry.connections = 0;
		const { graceMs } = this.#rules;
		if (!count.isLost || graceMs === 0) {
			this.#remove(count);
			return;
		}
		entry.leave = {
			expiresAt: 0,
			expire: () => this.#remove(count)
		};
		this.#alarms.add(entry.leave, graceMs);
	}
	#stay(entry) {
		if (entry.leave) this.#alarms.delete(entry.leave, this.#rules.graceMs);
		entry.leave = void 0;
	}
	#remove({ channel, principal }) {
		const entries = this.#channels.get(channel);
		if (!entries?.delete(principal)) return;
		if (entries.size === 0) this.#channels.delete(channel);
		this.#rules.changed({
			type: "leave",
			channel,
			principal,
			connections: 0
		});
	}
};
// lib/core/observers.ts
/**
* Reports each fact to those observers that want it; one that nobody wants costs a look at an empty
* list. An observer that throws is reported itself, and changes nothing for anybody else.
*/
var Observers = class {
	#opened;
	#closed;
	#refused;
	#faulted;
	#failed;
	#published;
	#delivered;
	#acked;
	#evicted;
	#brokerChanged;
	#warned;
	#gap;
	#dropped;
	constructor(observers) {
		const having = (fact) => observers.filter((observer) => observer[fact] !== void 0);
		this.#opened = having("opened");
		this.#closed = having("closed");
		this.#refused = having("refused");
		this.#faulted = having("faulted");
		this.#failed = having("failed");
		this.#published = having("published");
		this.#delivered = having("delivered");
		this.#acked = having("acked");
		this.#evicted = having("evicted");
		this.#brokerChanged = having("brokerChanged");
		this.#warned = having("warned");
		this.#gap = having("gap");
		this.#dropped = having("dropped");
	}
	opened(connection) {
		for (const observer of this.#opened) this.#guard(() => observer.opened(connection));
	}
	closed(connection, code, reason) {
		for (const observer of this.#closed) this.#guard(() => observer.closed(connection, code, reason));
	}
	refused(refusal) {
		for (const observer of this.#refused) this.#guard(() => observer.refused(refusal));
	}
	faulted(connection, kind) {
		for (const observer of this.#faulted) this.#guard(() => observer.faulted(connection, kind));
	}
	failed(failure) {
		for (const observer of this.#failed) attempt$1(() => observer.failed(failure), () => void 0);
	}
	published(channel, event) {
		for (const observer of this.#published) this.#guard(() => observer.published(channel, event));
	}
	delivered(channel, subscribers) {
		for (const observer of this.#delivered) this.#guard(() => observer.delivered(channel, subscribers));
	}
	acked(connection, event, outcome) {
		for (const observer of this.#acked) this.#guard(() => observer.acked(connection, event, outcome));
	}
	evicted(count) {
		for (const observer of this.#evicted) this.#guard(() => observer.evicted(count));
	}
	brokerChanged(state, reason) {
		for (const observer of this.#brokerChanged) this.#guard(() => observer.brokerChanged(state, reason));
	}
	warned(text) {
		for (const observer of this.#warned) this.#guard(() => observer.warned(text));
	}
	gap(connection, channel) {
		for (const observer of this.#gap) this.#guard(() => observer.gap(connection, channel));
	}
	dropped(connection, channel, count) {
		for (const observer of this.#dropped) this.#guard(() => observer.dropped(connection, channel, count));
	}
	#guard(report) {
		attempt$1(report, (error) => this.failed({
			where: "an observer",
			error
		}));
	}
};
/** An observer may also be an async function, whose rejection nobody waits for. */
function attempt$1(report, fail) {
	try {
		const result = report();
		if (result instanceof Promise) result.catch(fail);
	} catch (error) {
		fail(error);
	}
}
// test/simulation/node.ts
const ERRORS = {
	toWireError: (error) => error instanceof ChannelsError ? toWireError(error) : {
		code: "internal",
		message: String(error),
		retryable: false
	},
	toException: (error) => ({
		status: "error",
		message: String(error)
	}),
	toClose: () => ({
		code: 1011,
		reason: ""
	})
};
const CODEC = new JsonCodec(OPTIONS.maxNesting);
const DEFINITIONS = [
	defineChannel("room:{name}", {
		history: HISTORY,
		joinBufferBytes: 400
	}),
	defineChannel("room:b", {
		history: HISTORY,
		joinBufferBytes: 400,
		overflow: "latest"
	}),
	defineChannel("push:{name}", {
		history: HISTORY,
		joinBufferBytes: 400,
		overflow: "drop-oldest"
	}),
	defineChannel("live:{name}", {
		joinBufferBytes: 400,
		overflow: "drop-oldest"
	})
];
/** The application asks in vain where the connection has closed. */
function ignore() {}
function lineOf({ connection }) {
	return connection.transport;
}
/** One process with a real engine in it. */
var Node = class {
	world;
	clock;
	broker;
	engine;
	diedAt;
	/** Joins that were accepted and not undone, as the methods of the application know them. */
	joins = 0;
	/** Joins that no method of the application has seen begin. */
	hasJoined = false;
	/** Guards and methods of the application that have not ended. */
	running = 0;
	constructor(world, random) {
		this.world = world;
		this.clock = new OwnClock(world.time);
		this.broker = world.bus.node(this.clock);
		this.engine = new Engine({
			options: OPTIONS,
			clock: this.clock,
			random,
			codec: CODEC,
			broker: this.broker,
			dedup: world.store.node(this.clock),
			presence: new MemoryPresenceStore({ clock: this.clock }),
			observers: new Observers([]),
			errors: ERRORS,
			plainAcks: true
		});
		for (const definition of DEFINITIONS) this.engine.catalog.add(definition, "here");
	}
	get isUp() {
		return this.diedAt === void 0;
	}
	accept(line) {
		const info = {
			socket: {},
			principal: line.principal,
			user: void 0,
			params: {},
			ours: true,
			address: "here"
		};
		const connection = this.engine.accept(line, ENDPOINT, info);
		this.engine.admit(connection, void 0);
		return connection;
	}
	/** The application joins a connection to a channel. */
	join({ connection }, channel) {
		if (!this.isUp || !connection) return;
		this.hasJoined = true;
		connection.subscriptions.join(channel).catch(ignore);
	}
	leave({ connection }, channel) {
		if (this.isUp) connection?.subscriptions.leave(channel).catch(ignore);
	}
	close({ connection }, code) {
		if (this.isUp) connection?.close(code);
	}
	/** From here on it does nothing any more. */
	die() {
		this.diedAt = this.clock.now();
		this.clock.die();
		this.world.bus.drop(this.broker);
	}
	/** Ends code of the application when its time has come, unless the process has died before. */
	later(work, ms) {
		this.running++;
		return new Promise((resolve, reject) => {
			this.clock.setTimeout(() => {
				this.running--;
				try {
					resolve(work());
				} catch (error) {
					reject(error);
				}
			}, ms);
		});
	}
};
/** The application: it is the same on every node, and finds the node by the connection. */
const ENDPOINT = createEndpoint();
function createEndpoint() {
	const channels = new PatternTable(CHANNEL_SYNTAX);
	const subscribe = {
		event: "$subscribe",
		acked: true,
		handle: join$1
	};
	const unsubscribe = {
		event: "$unsubscribe",
		acked: true,
		handle: leave
	};
	for (const definition of DEFINITIONS) {
		const isOpen = !definition.pattern.startsWith("push");
		channels.add(new Pattern(definition.pattern, CHANNEL_SYNTAX), {
			definition,
			...isOpen ? {
				subscribe,
				unsubscribe
			} : {}
		});
	}
	const plain = {
		event: "plain",
		acked: false,
		handle: run
	};
	const handlers = [
		inLane("work"),
		beside("beside"),
		plain
	];
	return {
		path: "/",
		handlers: new Map(handlers.map((handler) => [handler.event, [handler]])),
		channels,
		connected: () => void 0,
		disconnected: () => void 0
	};
}
/** The guard and the method of a channel: the state is all that was published when it begins. */
function join$1(message) {
	const { channel = "", id } = message;
	const line = lineOf(message);
	const { node } = line;
	const upTo = node.world.facts.ledger.tail(channel);
	const end = () => {
		if (node.world.forbids(line.principal, channel)) throw new ChannelsError("forbidden", "not here");
		line.wire.admitted(String(id));
		node.joins++;
		return { upTo };
	};
	return node.world.joinMs === 0 ? end() : node.later(end, node.world.joinMs);
}
function leave(message) {
	lineOf(message).node.joins--;
}
function beside(event) {
	return {
		event,
		acked: true,
		concurrent: true,
		handle: guard
	};
}
function inLane(event) {
	return {
		event,
		acked: true,
		handle: watch$1
	};
}
function watch$1(message, gate) {
	const { node, wire } = lineOf(message);
	const span = wire.handles(message.id === void 0 ? void 0 : String(message.id));
	const end = () => void (span.endedAt = node.clock.now());
	let result;
	try {
		result = guard(message, gate);
	} catch (error) {
		end();
		throw error;
	}
	if (result instanceof Promise) result.then(end, end);
	else end();
	return result;
}
/** As the method of a gateway is compiled: guard, gate, method. */
function guard(message, gate) {
	const { guardMs } = message.data;
	if (guardMs === 0) return enter$1(message, gate);
	return lineOf(message).node.later(() => void 0, guardMs).then(() => enter$1(message, gate));
}
function enter$1(message, gate) {
	const may = gate ? gate.enter() : true;
	if (may instanceof Promise) return may.then((is) => is ? run(message) : TURNED_AWAY);
	return may ? run(message) : TURNED_AWAY;
}
function run(message) {
	const work = message.data;
	const { node, wire } = lineOf(message);
	const key = wire.key(message.id ?? `emit ${work.n}`);
	const begun = node.world.facts.runs.begin(key, message.event, work.n, node);
	const end = () => finish(begun, work, node);
	return work.ms === 0 ? end() : node.later(end, work.ms);
}
function finish(begun, work, { world }) {
	const state = world.facts.runs.end(begun, work);
	if (state === "retryable") throw new ChannelsError("unavailable", "not now");
	if (state === "final") throw new ChannelsError("bad_request", "not this");
	return {
		n: work.n,
		run: begun.index
	};
}
// lib/client/channel.ts
/**
* A handle on one channel, made by `ChannelsClient.channel`. Costs nothing by itself; all handles of a
* name share one subscription, which is there while somebody listens, and after `subscribe()`.
*
* @publicApi
*/
var Channel = class {
	name;
	table;
	options;
	/** @internal */
	constructor(name, table, options) {
		this.name = name;
		this.table = table;
		this.options = options;
	}
	/**
	* Listens to the publications of one name. The first listener joins the channel, and the last one to go
	* leaves it. Events that begin with `$` are about the channel itself and join nothing.
	*
	* @returns a function that ends it, and may be called twice
	*/
	on(event, listener) {
		this.#configure();
		return this.table.on(this.name, event, listener);
	}
	/**
	* Joins, and stays without a listener. On a channel that is joined it runs the `@SubscribeChannel` method
	* again: the way to reload its state. Waits while the client is offline.
	*
	* @returns what the method returned
	* @throws ChannelsClientError with the code of the refusal, `not_subscribed` when `unsubscribe()` came
	* first, or `closed`
	*/
	subscribe() {
		this.#configure();
		return this.table.subscribe(this.name);
	}
	/**
	* Who is in a channel with `presence`, oneself among them. What `$join` and `$leave` have told before is included.
	* Waits while the client is offline, and joins for as long where nobody has.
	*
	* @throws ChannelsClientError `bad_request` where the channel does not tell, or as `subscribe()` does
	*/
	presence() {
		this.#configure();
		return this.table.presence(this.name);
	}
	/** Leaves. Its listeners are forgotten, its loops end. */
	unsubscribe() {
		this.table.unsubscribe(this.name);
	}
	/**
	* The publications from now on. A loop that lags more than `maxBuffered` behind ends with `queue_full`;
	* one that the server or the end of the client cuts short ends with the error. Leaving the loop leaves the
	* channel where nobody else listens.
	*/
	[Symbol.asyncIterator]() {
		this.#configure();
		return this.table.iterate(this.name);
	}
	#configure() {
		const { params, subscribe } = this.options;
		const record = this.table.use(this.name);
		if (params !== void 0) record.params = params;
		if (subscribe !== false) record.joinsByItself = true;
	}
};
// lib/client/server-frame.ts
/** Reads what a server sent. Fields that are not known are left alone (docs/protocol.md, "Room to grow"). */
function parseServerFrame(data) {
	const value = parseJson(data);
	if (!isRecord(value)) return void 0;
	const { event, ack, channel = "" } = value;
	return (event === void 0 ? ack !== void 0 : typeof event === "string" && typeof channel === "string") ? value : void 0;
}
/** The wait that the reason of a close orders: `{"retryAfterMs":n}` (docs/protocol.md, section 2.7). */
function retryAfterOf(reason) {
	return delayOf(parseJson(reason), "retryAfterMs");
}
/** A day: what a server orders beyond that is a mistake, and timers have an end. */
const MAX_ORDERED_MS = 864e5;
/** A delay that a server has named, or `undefined` where it has named none. */
function delayOf(data, field) {
	const value = isRecord(data) ? data[field] : void 0;
	return typeof value === "number" && value >= 0 ? Math.min(value, MAX_ORDERED_MS) : void 0;
}
/** The error of an ack. One that cannot be read counts as a failure of the server. */
function readError(error) {
	if (isRecord(error) && typeof error["code"] === "string") return error;
	return {
		code: "internal",
		message: "unreadable error",
		retryable: false
	};
}
function isRecord(value) {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
function parseJson(text) {
	if (typeof text !== "string") return void 0;
	try {
		return JSON.parse(text);
	} catch {
		return;
	}
}
// lib/client/backoff.ts
/**
* The upper end of the wait before the next attempt. The wait itself is drawn evenly from zero to it
* ("full jitter", AWS Architecture Blog, Exponential Backoff And Jitter, 2015): of the usual kinds of
* jitter the one that keeps clients that lost the same server furthest apart.
*
* @param failures - in a row, at least 1
*/
function longestWait(failures, { minRetryDelayMs, maxRetryDelayMs }) {
	return Math.min(maxRetryDelayMs, minRetryDelayMs * 2 ** (failures - 1));
}
/** How long to wait after a retryable error: as the server says, or by the backoff. At once is no wait. */
function waitAfter(error, refusals, options) {
	return delayOf(error, "retryAfterMs") || options.random.next() * longestWait(refusals, options);
}
// lib/client/listeners.ts
/** The listeners of one emitter, by event. Each `add` is a registration of its own. */
var Listeners = class {
	failed;
	/** No set of it is empty. */
	#byEvent = /* @__PURE__ */ new Map();
	/** @param failed - is told what a listener threw; the others still run */
	constructor(failed) {
		this.failed = failed;
	}
	add(event, listener) {
		const registered = (...args) => listener(...args);
		const listeners = this.#byEvent.get(event) ?? /* @__PURE__ */ new Set();
		this.#byEvent.set(event, listeners.add(registered));
		return () => {
			if (listeners.delete(registered) && listeners.size === 0) this.#byEvent.delete(event);
		};
	}
	has(event) {
		return this.#byEvent.has(event);
	}
	/** Whether anybody listens to an event that is not the protocol's. */
	get wantsPublications() {
		return [...this.#byEvent.keys()].some((event) => !event.startsWith("$"));
	}
	get isEmpty() {
		return this.#byEvent.size === 0;
	}
	/** Those that listened when it began are called, in the order in which they came. */
	emit(event, ...args) {
		for (const listener of [...this.#byEvent.get(event) ?? []]) try {
			listener(...args);
		} catch (cause) {
			this.failed(cause, event);
		}
	}
	clear() {
		for (const listeners of this.#byEvent.values()) listeners.clear();
		this.#byEvent.clear();
	}
};
// lib/client/channel-record.ts
/** What a client knows of one channel, whatever handles it has given out. */
var ChannelRecord = class {
	name;
	listeners;
	iterators = /* @__PURE__ */ new Set();
	/** Calls of `subscribe()` that the next ack settles. */
	joins = [];
	/** Calls of `presence()` that the next answer settles. */
	looks = [];
	phase = "out";
	params;
	/** Listeners join it; false while all handles say that the server joins it. */
	joinsByItself = false;
	/** `subscribe()` has joined it, so that it stays without a listener. */
	held = false;
	/** The server has joined it: such a join is not repeated after a reconnect. */
	byServer = false;
	/** The server has refused or ended it: only `subscribe()` tries again. */
	refused = false;
	/** The question who is there is under way. */
	looking = false;
	/** A join is under way on a channel that it is in. */
	rejoins = false;
	/** It was joined on a connection that is over: publications may have been missed. */
	missed = false;
	/** The server has told a loss while it was joined again: the application is told behind the ack. */
	lost = false;
	/** Of the last publication that was handed out, on a channel with history. */
	position;
	/** Retryable refusals in a row. */
	refusals = 0;
	retryTimer;
	constructor(name, listenerFailed) {
		this.name = name;
		this.listeners = new Listeners(listenerFailed);
	}
	/** A call waits for it. */
	get isAwaited() {
		return this.joins.length + this.looks.length > 0;
	}
	get isWanted() {
		if (this.isAwaited) return true;
		if (this.refused || this.byServer) return false;
		return this.held || this.joinsByItself && this.isHeard;
	}
	/** Nothing would be lost with it. */
	get isIdle() {
		const isUsed = this.isWanted || this.iterators.size > 0 || !this.listeners.isEmpty;
		return this.phase === "out" && !isUsed;
	}
	/** What comes next is not a continuation of what was there. */
	forget() {
		this.position = void 0;
		this.missed = this.lost = this.rejoins = false;
	}
	rejectCalls(error) {
		for (const call of [...this.joins.splice(0), ...this.looks.splice(0)]) call.reject(error);
	}
	endLoops(error) {
		for (const iterator of this.iterators) iterator.end(error);
	}
	/** Somebody takes its publications. */
	get isHeard() {
		return this.iterators.size > 0 || this.listeners.wantsPublications;
	}
};
// lib/client/client-error.ts
/**
* What every call of the client rejects with, and what `$error` is told with; {@link ClientErrorCode} lists
* the codes.
*
* @publicApi
*/
var ChannelsClientError = class extends Error {
	code;
	name = "ChannelsClientError";
	/** What exactly was refused, for example the fields that failed validation. */
	details;
	/** The close code that ended the connection, where one did. */
	closeCode;
	constructor(code, message, { details, closeCode, cause } = {}) {
		super(message, cause === void 0 ? void 0 : { cause });
		this.code = code;
		this.details = details;
		this.closeCode = closeCode;
	}
};
/** What the server has answered, as what a call rejects with. */
function errorOf({ code, message, details }) {
	return new ChannelsClientError(code, message, { details });
}
// lib/client/publication-iterator.ts
const DONE = {
	done: true,
	value: void 0
};
/** The publications of one channel from the moment it was made, one after the other. */
var PublicationIterator = class {
	maxBuffered;
	ended;
	#buffer = [];
	/** Readers that found nothing. */
	#sleepers = [];
	#hasEnded = false;
	/** Told to the next reader only. */
	#error;
	/** @param ended - is called once, when it takes no more */
	constructor(maxBuffered, ended) {
		this.maxBuffered = maxBuffered;
		this.ended = ended;
	}
	[Symbol.asyncIterator]() {
		return this;
	}
	async next() {
		while (this.#buffer.length === 0 && !this.#hasEnded) await new Promise((resolve) => this.#sleepers.push(resolve));
		const value = this.#buffer.shift();
		if (value) return {
			done: false,
			value
		};
		const error = this.#error;
		this.#error = void 0;
		if (error) throw error;
		return DONE;
	}
	async return() {
		this.#buffer.length = 0;
		this.end();
		return DONE;
	}
	push(publication) {
		if (this.#buffer.length >= this.maxBuffered) {
			const text = `The loop is ${this.maxBuffered} publications behind (maxBuffered).`;
			this.end(new ChannelsClientError("queue_full", text));
			return;
		}
		this.#buffer.push(publication);
		this.#wake();
	}
	/** What came before it is still handed out; then the loop ends, with the error where there is one. */
	end(error) {
		if (this.#hasEnded) return;
		this.#hasEnded = true;
		this.#error = error;
		this.ended(this);
		this.#wake();
	}
	#wake() {
		for (const wake of this.#sleepers.splice(0)) wake();
	}
};
// lib/client/channel-table.ts
/**
* The channels of one client: what the application wants, what the server has confirmed, and one
* command at a time to bring the second to the first.
*/
var ChannelTable = class {
	#options;
	#port;
	#reporter;
	#records = /* @__PURE__ */ new Map();
	#isOpen = false;
	constructor(options, port, reporter) {
		this.#options = options;
		this.#port = port;
		this.#reporter = reporter;
	}
	on(name, event, listener) {
		const record = this.use(name);
		const remove = record.listeners.add(event, listener);
		this.#want(record);
		return () => {
			remove();
			this.#settle(record);
		};
	}
	iterate(name) {
		const record = this.use(name);
		const iterator = new PublicationIterator(this.#options.maxBuffered, (ended) => {
			record.iterators.delete(ended);
			this.#settle(record);
		});
		record.iterators.add(iterator);
		this.#want(record);
		return iterator;
	}
	subscribe(name) {
		const record = this.use(name);
		return new Promise((resolve, reject) => {
			record.joins.push({
				resolve,
				reject
			});
			record.held = true;
			record.refused = false;
			this.#want(record);
		});
	}
	presence(name) {
		const record = this.use(name);
		return new Promise((resolve, reject) => {
			record.looks.push({
				resolve,
				reject
			});
			this.#want(record);
		});
	}
	unsubscribe(name) {
		const record = this.#records.get(name);
		if (!record) return;
		record.listeners.clear();
		record.held = record.byServer = record.refused = false;
		if (record.phase !== "in") record.forget();
		record.rejectCalls(new ChannelsClientError("not_subscribed", "unsubscribe() came first."));
		record.endLoops();
		this.#settle(record);
	}
	/** The record of a channel; it goes when nothing needs it any more. */
	use(name) {
		let record = this.#records.get(name);
		if (!record) {
			record = new ChannelRecord(name, this.#reporter.listenerFailed);
			this.#records.set(name, record);
		}
		return record;
	}
	/** Whether a call of `subscribe()` or `presence()` waits. */
	get isAwaited() {
		return [...this.#records.values()].some((record) => record.isAwaited);
	}
	open() {
		this.#isOpen = true;
		for (const record of this.#records.values()) this.#settleNow(record);
	}
	/** The connection is over, and with it every subscription. */
	pause() {
		this.#isOpen = false;
		for (const record of this.#records.values()) {
			if (record.phase === "leaving") record.forget();
			record.missed ||= record.phase === "in" || record.rejoins;
			record.rejoins = record.looking = false;
			record.phase = "out";
			this.#options.clock.clearTimer(record.retryTimer);
			record.retryTimer = void 0;
			this.#settle(record);
		}
	}
	/** Somebody else is logged in: what was refused may be allowed now, and what was missed was another's. */
	forget() {
		for (const record of this.#records.values()) {
			record.refused = false;
			record.forget();
		}
	}
	rejectCalls(error) {
		for (const record of this.#records.values()) record.rejectCalls(error);
	}
	/** @param error - what calls reject with; loops end with it unless the application has closed the client */
	close(error, byApplication) {
		this.rejectCalls(error);
		for (const record of this.#records.values()) record.endLoops(byApplication ? void 0 : error);
	}
	receive({ event, data }) {
		if (!isRecord(data)) return;
		const record = this.use(String(data["channel"]));
		if (event === "$subscribed") this.#joinedByServer(record, data);
		if (event === "$unsubscribed") this.#endedByServer(record, data);
		if (event === "$gap" && record.phase === "in") {
			record.position = readPosition(data);
			this.#gap(record, "lost");
		} else if (event === "$gap") record.lost ||= record.rejoins;
		this.#settle(record);
	}
	publish(publication) {
		const { channel, event, data, offset, dropped = 0 } = publication;
		const record = this.#records.get(channel);
		if (!record || record.phase === "out" || record.phase === "leaving") return;
		if (event.startsWith("$") && event !== "$join" && event !== "$leave") return;
		if (!this.#follows(record, offset, dropped)) return;
		if (dropped) record.listeners.emit("$dropped", dropped);
		record.listeners.emit(event, data, publication);
		if (event.startsWith("$")) return;
		for (const iterator of record.iterators) iterator.push(publication);
	}
	/** Whether it is the next one. Behind a hole the channel is joined again, from before it. */
	#follows(record, offset, dropped) {
		const { position, phase } = record;
		if (phase === "joining") return offset === void 0 && record.rejoins;
		if (offset === void 0) return true;
		if (!position) return true;
		if (offset <= position.offset) return false;
		const isNext = offset - dropped === position.offset + 1;
		if (!isNext && !record.byServer) {
			record.missed = true;
			this.#join(record);
			return false;
		}
		record.position = {
			epoch: position.epoch,
			offset
		};
		if (!isNext) this.#gap(record, "lost");
		return true;
	}
	#want(record) {
		if (record.isWanted || record.isHeard) this.#refuse(record, this.#port.need());
		this.#settle(record);
	}
	#refuse(record, error) {
		if (!error) return;
		record.rejectCalls(error);
		record.endLoops(error);
	}
	/** At the end of the turn, so that a listener that goes and comes again costs nothing. */
	#settle(record) {
		queueMicrotask(() => this.#settleNow(record));
	}
	#settleNow(record) {
		if (this.#records.get(record.name) !== record) return;
		if (record.isIdle) {
			this.#records.delete(record.name);
			this.#options.clock.clearTimer(record.retryTimer);
		}
		const { phase } = record;
		if (phase === "out" && record.joinsByItself && !record.isWanted && !record.byServer) record.forget();
		if (!this.#isOpen || record.retryTimer) return;
		const isAsked = phase === "out" || phase === "in" && record.joins.length > 0;
		if (record.isWanted && isAsked) this.#join(record);
		else if (!record.isWanted && !record.byServer && phase === "in") this.#leave(record);
		else if (phase === "in" && record.looks.length > 0 && !record.looking) this.#look(record);
	}
	#look(record) {
		record.looking = true;
		this.#port.command("$presence", { channel: record.name }, ({ data, error }) => {
			record.looking = false;
			const looks = record.phase === "in" ? record.looks.splice(0) : [];
			for (const { resolve, reject } of looks) if (error === void 0) resolve(data);
			else reject(errorOf(readError(error)));
			this.#settle(record);
		});
	}
	#join(record) {
		const { name, params, phase } = record;
		record.rejoins = phase === "in";
		record.phase = "joining";
		const since = record.joins.length > 0 && !record.missed ? void 0 : record.position;
		this.#port.command("$subscribe", {
			channel: name,
			params,
			since
		}, ({ data, error }) => {
			if (error === void 0 && since && !record.position && record.isWanted) this.#join(record);
			else if (error === void 0) this.#joined(record, isRecord(data) ? data : {});
			else this.#refused(record, error, phase);
		});
	}
	#joined(record, ack) {
		const { data, recovered } = ack;
		const joins = record.joins.splice(0);
		record.position = readPosition(ack);
		this.#enter(record, {
			data,
			recovered: recovered === true,
			by: "client"
		});
		for (const join of joins) join.resolve(data);
		this.#settle(record);
	}
	#enter(record, told) {
		const isGap = record.missed && !told.recovered;
		const isLost = record.lost;
		record.phase = "in";
		record.rejoins = false;
		record.byServer = told.by === "server";
		record.missed = record.lost = false;
		record.refusals = 0;
		if (isGap) this.#gap(record, "rejoined");
		else if (isLost) this.#gap(record, "lost");
		record.listeners.emit("$subscribed", told);
	}
	#refused(record, answer, before) {
		const refusal = readError(answer);
		record.missed ||= before === "in";
		record.rejoins = false;
		record.phase = "out";
		if (refusal.retryable) {
			this.#retryLater(record, refusal);
			return;
		}
		record.refused = true;
		record.held = false;
		record.position = void 0;
		const error = errorOf(refusal);
		const isToldByCall = record.joins.length > 0;
		this.#refuse(record, error);
		record.listeners.emit("$error", error);
		if (!isToldByCall) this.#reporter.tell("$error", error);
		this.#settle(record);
	}
	#retryLater(record, error) {
		const delayMs = waitAfter(error, ++record.refusals, this.#options);
		record.retryTimer = this.#options.clock.setTimeout(() => {
			record.retryTimer = void 0;
			this.#settle(record);
		}, delayMs);
	}
	#leave(record) {
		record.phase = "leaving";
		this.#port.command("$unsubscribe", { channel: record.name }, ({ error }) => {
			record.phase = error?.retryable ? "in" : "out";
			if (error?.retryable) {
				this.#retryLater(record, error);
				return;
			}
			record.position = void 0;
			this.#settle(record);
		});
	}
	#joinedByServer(record, told) {
		if (record.phase !== "out") return;
		const { position } = record;
		record.position = readPosition(told);
		const recovered = position?.epoch === told["epoch"] && position?.offset === told["offset"];
		this.#enter(record, {
			data: void 0,
			recovered: position !== void 0 && recovered,
			by: "server"
		});
	}
	#endedByServer(record, told) {
		if (record.phase !== "in") return;
		record.phase = "out";
		record.held = record.byServer = false;
		record.refused = true;
		record.position = void 0;
		record.listeners.emit("$unsubscribed", told);
		const { code = "not_subscribed", reason = "The server has left it." } = told;
		record.endLoops(new ChannelsClientError(code, reason));
	}
	#gap(record, reason) {
		const gap = {
			channel: record.name,
			reason
		};
		record.listeners.emit("$gap", gap);
		this.#reporter.emit("$gap", gap);
	}
};
function readPosition({ epoch, offset }) {
	return typeof epoch === "string" && typeof offset === "number" ? {
		epoch,
		offset
	} : void 0;
}
// lib/client/system.ts
/** How far the wall clock was ahead of the monotonic one at first, and at most. */
let firstMs;
let mostMs = -Infinity;
const systemClock = {
	/** Monotonic, and it counts the sleep of a machine, in which `performance.now()` may stand still. */
	now() {
		const monotonicMs = performance.now();
		const aheadMs = Date.now() - monotonicMs;
		firstMs ??= aheadMs;
		mostMs = Math.max(mostMs, aheadMs);
		return monotonicMs + mostMs - firstMs;
	},
	setTimeout: (callback, ms) => setTimeout(callback, ms),
	clearTimer: (timer) => clearTimeout(timer)
};
/** @throws TypeError where there is no source of secrets */
function systemRandom() {
	const { crypto } = globalThis;
	if (!crypto) throw new TypeError("There is no crypto.getRandomValues: pass { random }, or load a polyfill.");
	return {
		next: Math.random,
		id: () => base64url(String.fromCharCode(...crypto.getRandomValues(/* @__PURE__ */ new Uint8Array(16))))
	};
}
/** @param binary - characters up to U+00FF, each of them one byte */
function base64url(binary) {
	return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
// lib/client/client-options.ts
const CLIENT_DEFAULTS = {
	server: "channels",
	connectTimeoutMs: 1e4,
	helloTimeoutMs: 5e3,
	minRetryDelayMs: 500,
	maxRetryDelayMs: 3e4,
	stableAfterMs: 1e4,
	maxRetries: Infinity,
	maxQueue: 1e3,
	maxQueueBytes: 4194304,
	maxBuffered: 1e3
};
/** The longest delay of a timer, in milliseconds; runtimes fire a longer one at once. */
const MAX_TIMER_MS = 2147483647;
/** @throws TypeError naming the option that cannot be used, what was given, and what to do */
function resolveClientOptions(url, { token, WebSocket, storage, clock, random, ...given } = {}) {
	const options = { ...CLIENT_DEFAULTS };
	for (const [name, value] of Object.entries(given)) {
		if (value === void 0) continue;
		if (name !== "server") checkNumber(name, value);
		Object.assign(options, { [name]: value });
	}
	const { server } = options;
	check("server", server, server === "plain" || server === "channels", "'channels' or 'plain'");
	if (server === "plain" && token) throw new TypeError("A 'plain' server takes no token: use a cookie.");
	if (token && typeof token === "string") checkToken(token);
	check("storage", storage, !storage || typeof storage.open === "function", "a QueueStorage");
	const href = String(url);
	check("url", href, /^((ws|http)s?:\/)?\//.test(href), "wss:// or ws://, or a path in a page");
	return {
		...options,
		token,
		storage,
		url: href,
		WebSocket: WebSocket ?? globalWebSocket(),
		clock: clock ?? systemClock,
		random: random ?? systemRandom()
	};
}
/** @throws TypeError when the token cannot travel: the server takes visible ASCII */
function checkToken(token) {
	if (/^[!-~]+$/.test(token)) return token;
	throw new TypeError("token must be visible ASCII, as a JWT is.");
}
function globalWebSocket() {
	const { WebSocket } = globalThis;
	if (WebSocket) return WebSocket;
	throw new TypeError("There is no global WebSocket: pass { WebSocket }, for example from the package 'ws'.");
}
/** `0` is a number of retries, and a time to be stable; elsewhere it would let nothing happen. */
function checkNumber(name, value) {
	const smallest = /Retries|stable/.test(name) ? 0 : 1;
	const largest = name.endsWith("Ms") ? MAX_TIMER_MS : Infinity;
	check(name, value, typeof value === "number" && value >= smallest && value <= largest, `a number from ${smallest} to ${largest}`);
}
function check(name, value, isFine, what) {
	if (!isFine) throw new TypeError(`${name} (${String(value)}) must be ${what}.`);
}
// lib/client/hints.ts
/**
* Calls `hint` when the network seems to be back, or when the page is seen again. Neither is the truth:
* browsers say `online` for any network interface, and an open socket survives `offline`.
*
* @returns a function that ends it
*/
function watchHints(hint) {
	const page = globalThis;
	const seen = () => {
		if (page.document?.visibilityState !== "hidden") hint();
	};
	page.addEventListener?.("online", seen);
	page.document?.addEventListener?.("visibilitychange", seen);
	return () => {
		page.removeEventListener?.("online", seen);
		page.document?.removeEventListener?.("visibilitychange", seen);
	};
}
// lib/client/lifecycle.ts
const START = {
	state: {
		name: "idle",
		reason: "created"
	},
	failures: 0,
	refreshed: false,
	renewed: false,
	stale: false,
	step: void 0,
	slotAt: void 0,
	hinted: false
};
const DROP = { type: "dropSocket" };
const PROBE = { type: "probe" };
const FORGET = {
	type: "renewIdentity",
	giveUp: "all"
};
/**
* The whole life of a client, as a pure function. A new `state` object means that a state was left: its
* timers end. An input that means nothing in a state changes nothing.
*/
function reduce(current, input, options, circumstances) {
	const situation = {
		current,
		options,
		...circumstances
	};
	return asked(situation, input.type) ?? happened(situation, input) ?? stay(situation);
}
/** What the application asks for, in any state. */
function asked(situation, type) {
	const { state } = situation.current;
	const isAtRest = state.name === "idle" || state.name === "closed";
	switch (type) {
		case "close": return state.name === "closed" ? void 0 : close(situation, "close_called");
		case "reset": return isAtRest ? stay(situation, {}, FORGET) : begin$1(situation, "reset_called", DROP, FORGET);
		case "need": return state.name === "idle" ? begin$1(situation, "requested") : void 0;
		case "connect": return isAtRest ? begin$1(situation, "requested") : hurry(situation, "requested");
		case "hint":
			if (state.name === "waiting" && state.ordered) return void 0;
			return state.name === "connecting" ? stay(situation, { hinted: true }) : hurry(situation, type);
	}
}
/** What happens to the connection. */
function happened(situation, input) {
	switch (situation.current.state.name) {
		case "connecting": return whileConnecting(situation, input);
		case "open": return whileOpen(situation, input);
		case "waiting": return input.type === "retry" ? attempt(situation, "retry") : void 0;
	}
}
function whileConnecting(situation, input) {
	const { current, options } = situation;
	const isGreeting = current.step === "hello";
	switch (input.type) {
		case "token": return stay(situation, {
			step: "socket",
			stale: false
		}, {
			type: "openSocket",
			token: input.token
		});
		case "opened":
			if (options.server === "plain") return open(situation);
			return stay(situation, { step: "hello" }, timer("deadline", options.helloTimeoutMs), { type: "greet" });
		case "welcomed": return open(situation);
		case "lost": return lost(situation, input, isGreeting ? "closed_by_server" : "connect_failed");
		case "failed": return wait(situation, input.reason, {}, DROP);
		case "deadline": return wait(situation, isGreeting ? "hello_timeout" : "connect_failed", {}, DROP);
	}
}
function whileOpen(situation, input) {
	const { current, options, now, chance } = situation;
	const { failures } = current;
	switch (input.type) {
		case "lost": return lost(situation, input, "closed_by_server");
		case "failed": return wait(situation, input.reason, {}, DROP);
		case "drain": {
			const waitMs = failures > 0 ? chance * longestWait(failures, options) : 0;
			const slotMs = input.reconnectAfterMs + waitMs;
			return stay(situation, { slotAt: now + slotMs }, timer("slot", slotMs));
		}
		case "stable": return stay(situation, NOTHING_WRONG);
		case "slot": return attempt(situation, "drain", { failures: failures + 1 }, DROP);
	}
}
/** Makes sure of what there is, or tries at once. */
function hurry(situation, reason) {
	const { name } = situation.current.state;
	if (name === "open") return stay(situation, {}, PROBE);
	return name === "waiting" ? attempt(situation, reason) : void 0;
}
/** By the verdict of the code, docs/protocol.md section 8. */
function lost(before, { code, retryAfterMs }, abnormal) {
	const stale = code === 4401 || code === 4501;
	const situation = {
		...before,
		current: {
			...before.current,
			stale
		}
	};
	const { refreshed, renewed } = situation.current;
	if (stale && !refreshed && typeof situation.options.token === "function") return attempt(situation, "token_refused", {
		code,
		refreshed: true
	});
	if (code === 4509 && !renewed) return attempt(situation, "replaced", {
		code,
		renewed: true
	}, {
		type: "renewIdentity",
		giveUp: "sent"
	});
	const isIdle = code === IDLE_TIMEOUT_CLOSE;
	if (isIdle && !situation.isOwed) return enter(situation, {
		name: "idle",
		reason: "idle_timeout",
		code
	});
	if (closeVerdict(code) === "stay" && !isIdle) return close(situation, "closed_by_server", code);
	return wait(situation, code === 1006 ? abnormal : "closed_by_server", {
		code,
		retryAfterMs
	});
}
function wait(situation, reason, { code, retryAfterMs }, ...effects) {
	const { current, options, now, chance } = situation;
	const failures = current.failures + 1;
	if (failures > options.maxRetries) return close(situation, "gave_up", code);
	const slotMs = current.slotAt === void 0 ? -1 : Math.max(current.slotAt - now, 0);
	const orderedMs = Math.max(slotMs, retryAfterMs ?? 0);
	const ordered = slotMs >= 0 || retryAfterMs !== void 0;
	const isJittered = orderedMs !== slotMs && (ordered || !current.hinted);
	const delayMs = Math.round(orderedMs + (isJittered ? chance * longestWait(failures, options) : 0));
	return enter(situation, {
		name: "waiting",
		reason,
		code,
		failures,
		delayMs,
		ordered
	}, { failures }, ...effects, timer("retry", delayMs));
}
const NOTHING_WRONG = {
	failures: 0,
	refreshed: false,
	renewed: false
};
/** From the beginning: what went wrong before does not count any more. */
function begin$1(situation, reason, ...effects) {
	return attempt(situation, reason, NOTHING_WRONG, ...effects);
}
function attempt(situation, reason, { code, ...change } = {}, ...effects) {
	const { current, options, chance } = situation;
	return enter(situation, {
		name: "connecting",
		reason,
		code,
		failures: change.failures ?? current.failures
	}, {
		...change,
		step: "token"
	}, ...effects, timer("deadline", options.connectTimeoutMs * (1 - chance / 2)), {
		type: "askToken",
		refresh: current.stale
	});
}
function open(situation) {
	return enter(situation, {
		name: "open",
		reason: "welcomed"
	}, {}, timer("stable", situation.options.stableAfterMs));
}
function close(situation, reason, code) {
	return enter(situation, {
		name: "closed",
		reason,
		code
	}, {}, DROP);
}
function enter({ current }, state, change = {}, ...effects) {
	return {
		next: {
			...current,
			step: void 0,
			slotAt: void 0,
			hinted: false,
			...change,
			state
		},
		effects
	};
}
function stay({ current }, change = {}, ...effects) {
	return {
		next: {
			...current,
			...change
		},
		effects
	};
}
function timer(name, ms) {
	return {
		type: "startTimer",
		timer: name,
		ms
	};
}
// lib/client/liveness.ts
/** How long the server may take to give a sign of life after a {@link Liveness.probe}, in milliseconds. */
const PROBE_TIMEOUT_MS = 1e4;
/** Watches one connection by one timer, docs/protocol.md section 7. */
function watchLiveness({ clock, intervalMs, timeoutMs, ping, silent }) {
	let heardAt = clock.now();
	let sentAt = heardAt;
	let probeEndsAt = Infinity;
	let timer;
	const silentAt = () => Math.min(timeoutMs ? heardAt + timeoutMs : Infinity, probeEndsAt);
	const pingAt = () => intervalMs ? sentAt + intervalMs : Infinity;
	const stop = () => clock.clearTimer(timer);
	const arm = () => {
		stop();
		const dueAt = Math.min(silentAt(), pingAt());
		if (dueAt < Infinity) timer = clock.setTimeout(check, Math.min(dueAt - clock.now(), MAX_TIMER_MS));
	};
	const check = () => {
		if (clock.now() >= silentAt()) return silent();
		if (clock.now() >= pingAt()) {
			sentAt = clock.now();
			ping();
		}
		arm();
	};
	arm();
	return {
		heard: () => {
			heardAt = clock.now();
			probeEndsAt = Infinity;
		},
		sent: () => sentAt = clock.now(),
		probe: () => {
			probeEndsAt = Math.min(probeEndsAt, clock.now() + PROBE_TIMEOUT_MS);
			ping();
			arm();
		},
		stop
	};
}
// lib/client/welcome.ts
/** What `$hello` was acked with. A limit that is missing limits nothing, a time that is missing is off. */
function parseWelcome(data) {
	if (!isRecord(data)) return void 0;
	const { heartbeat, limits } = data;
	return {
		principal: "",
		...data,
		heartbeat: { ...heartbeat },
		limits: { ...limits }
	};
}
// lib/client/connection.ts
/** The connection of a client, which comes and goes: carries out what the lifecycle decides. */
var Connection = class {
	#options;
	#events;
	#reporter;
	#timers = /* @__PURE__ */ new Map();
	#lifecycle = START;
	#socket;
	#liveness;
	#helloId;
	#welcome;
	#unwatchHints;
	/** Set while inputs are taken: one that comes meanwhile waits its turn. */
	#inputs;
	constructor(options, events, reporter) {
		this.#options = options;
		this.#events = events;
		this.#reporter = reporter;
	}
	get state() {
		return this.#lifecycle.state;
	}
	/**
	* Whether the socket has taken the frame.
	*
	* @param maxBuffered - how many bytes may wait in the socket before it
	*/
	write(text, maxBuffered = Infinity) {
		const socket = this.#socket;
		if (socket?.readyState !== OPEN || (socket.bufferedAmount ?? 0) > maxBuffered) return false;
		socket.send(text);
		this.#liveness?.sent();
		return true;
	}
	take(input) {
		if (this.#inputs) {
			this.#inputs.push(input);
			return;
		}
		this.#inputs = [input];
		try {
			for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) this.#step(next);
		} finally {
			this.#inputs = void 0;
		}
	}
	#step(input) {
		const { clock, random } = this.#options;
		const { state } = this;
		const circumstances = {
			now: clock.now(),
			chance: random.next(),
			isOwed: this.#events.isOwed()
		};
		const { next, effects } = reduce(this.#lifecycle, input, this.#options, circumstances);
		this.#lifecycle = next;
		const changed = next.state !== state;
		if (changed) this.#leave(state);
		for (const effect of effects) this.#carryOut(effect);
		if (changed) this.#arrive(next.state);
	}
	#leave({ name }) {
		for (const timer of this.#timers.values()) this.#options.clock.clearTimer(timer);
		this.#timers.clear();
		this.#unwatchHints?.();
		this.#liveness?.stop();
		this.#unwatchHints = this.#liveness = void 0;
		this.#helloId = void 0;
		if (name === "open") this.#events.ended();
	}
	#arrive(state) {
		if (state.name !== "idle" && state.name !== "closed") this.#unwatchHints = watchHints(() => this.take({ type: "hint" }));
		if (state.name === "open") this.#open();
		if (state.name === "closed") this.#events.closed();
		this.#reporter.tell("$state", state);
	}
	#carryOut(effect) {
		switch (effect.type) {
			case "askToken": return this.#askToken(effect.refresh);
			case "openSocket": return this.#openSocket(effect.token);
			case "greet": return this.#greet();
			case "dropSocket": return this.#forgetSocket()?.close(NORMAL_CLOSE);
			case "startTimer": return this.#startTimer(effect.timer, effect.ms);
			case "probe": return this.#liveness?.probe();
			case "renewIdentity": return this.#events.renewed(effect.giveUp);
		}
	}
	#startTimer(name, ms) {
		const { clock } = this.#options;
		clock.clearTimer(this.#timers.get(name));
		this.#timers.set(name, clock.setTimeout(() => this.#timeUp(name), ms));
	}
	#timeUp(timer) {
		if (timer === "deadline" && this.#lifecycle.step === "hello") this.#reporter.fail("connect_failed", NO_HELLO);
		this.take({ type: timer });
	}
	#askToken(refresh) {
		const { token } = this.#options;
		const attempt = this.state;
		const isOver = () => this.state !== attempt;
		const restored = this.#events.restore();
		if (restored) {
			restored.then(() => isOver() || this.#askToken(refresh));
			return;
		}
		if (typeof token !== "function") {
			this.take({
				type: "token",
				token: token || void 0
			});
			return;
		}
		const given = (answer) => {
			if (!isOver()) this.take({
				type: "token",
				token: answer
			});
		};
		const failed = (cause) => {
			if (!isOver()) this.#giveUp("token_failed", "The token function failed.", cause);
		};
		new Promise((resolve) => resolve(token({ refresh }))).then((answer) => answer ? checkToken(answer) : void 0).then(given, failed);
	}
	#openSocket(token) {
		const { WebSocket, url, server } = this.#options;
		const protocols = [JSON_SUBPROTOCOL];
		if (token !== void 0) protocols.push(BEARER_SUBPROTOCOL_PREFIX + base64url(token));
		try {
			this.#listen(server === "plain" ? new WebSocket(url) : new WebSocket(url, protocols));
		} catch (cause) {
			this.#giveUp("connect_failed", "The WebSocket failed.", cause);
		}
	}
	#listen(socket) {
		this.#socket = socket;
		socket.onopen = () => this.take({ type: "opened" });
		socket.onmessage = ({ data }) => this.#receive(data);
		const closed = ({ code = ABNORMAL_CLOSE, reason }) => {
			this.#forgetSocket();
			this.take({
				type: "lost",
				code,
				retryAfterMs: retryAfterOf(reason)
			});
		};
		socket.onclose = closed;
		socket.onerror = () => {
			if (this.#socket === socket && this.#lifecycle.step === "socket") closed({});
		};
	}
	/** From here on it tells nothing any more. */
	#forgetSocket() {
		const socket = this.#socket;
		if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
		this.#socket = void 0;
		this.#events.hungUp();
		return socket;
	}
	#greet() {
		const id = this.#options.random.id();
		const data = {
			clientId: this.#events.clientId(),
			heartbeat: true
		};
		this.#helloId = id;
		this.write(JSON.stringify({
			event: "$hello",
			id,
			data
		}));
	}
	#open() {
		const welcome = this.#welcome;
		this.#welcome = void 0;
		if (welcome) {
			const { intervalMs, clientTimeoutMs } = welcome.heartbeat;
			this.#liveness = watchLiveness({
				clock: this.#options.clock,
				intervalMs: intervalMs || clientTimeoutMs / 2,
				timeoutMs: clientTimeoutMs,
				ping: () => this.write("{\"event\":\"$ping\"}"),
				silent: () => this.take({
					type: "failed",
					reason: "silence"
				})
			});
		}
		this.#events.opened(welcome);
	}
	#receive(data) {
		this.#liveness?.heard();
		const frame = parseServerFrame(data);
		const isPlain = this.#options.server === "plain";
		if (frame) {
			if (isPlain || !this.#isOwn(frame)) this.#events.received(frame);
		} else if (!isPlain) this.#reporter.fail("bad_frame", "What the server sent is no frame.");
	}
	/** Whether a frame is about the connection itself. */
	#isOwn(frame) {
		if (!("event" in frame)) {
			if (frame.ack !== this.#helloId) return false;
			this.#greeted(frame);
			return true;
		}
		switch (frame.event) {
			case "$ping":
				this.write("{\"event\":\"$pong\"}");
				return true;
			case "$drain":
				this.take({
					type: "drain",
					reconnectAfterMs: delayOf(frame.data, "reconnectAfterMs") ?? 0
				});
				return true;
			default: return false;
		}
	}
	#greeted({ data, error }) {
		this.#welcome = error ? void 0 : parseWelcome(data);
		if (this.#welcome) this.take({ type: "welcomed" });
		else this.#giveUp("connect_failed", `No welcome: ${error?.message}.`);
	}
	#giveUp(reason, message, cause) {
		this.#reporter.fail("connect_failed", message, cause);
		this.take({
			type: "failed",
			reason
		});
	}
};
/** `WebSocket.OPEN`, which not every implementation names. */
const OPEN = 1;
const NO_HELLO = "No answer to $hello. Behind the stock adapter, pass { server: 'plain' }.";
// lib/client/frame-text.ts
/** @throws ChannelsClientError `bad_request` for data that JSON cannot carry */
function encodeFrame(frame) {
	try {
		return measure(frame);
	} catch (cause) {
		throw new ChannelsClientError("bad_request", String(cause), { cause });
	}
}
/** @throws what `JSON.stringify` throws */
function measure(frame) {
	const text = JSON.stringify(frame);
	return {
		text,
		bytes: utf8Length(text)
	};
}
/** Why the server would not take this frame, where it would not. A limit that it has not told limits nothing. */
function refusalOf({ text, bytes }, { maxMessageBytes, maxNesting }) {
	if (maxMessageBytes !== void 0 && bytes > maxMessageBytes) return new ChannelsClientError("payload_too_large", `The frame has ${bytes} bytes, the server takes ${maxMessageBytes} (maxMessageBytes).`);
	if (maxNesting !== void 0 && isDeeper(JSON.parse(text), maxNesting)) return new ChannelsClientError("bad_request", `The frame has too many levels, the server takes ${maxNesting} (maxNesting).`);
}
/** Every byte that is no ASCII is escaped as `%XX`. JSON text has no lone surrogates, which would throw. */
function utf8Length(text) {
	return encodeURIComponent(text).replaceAll(/%../g, "-").length;
}
/** Never looks deeper than it has to: what the application nests has no end of its own. */
function isDeeper(value, levels) {
	if (typeof value !== "object" || value === null) return false;
	return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
// lib/client/reporter.ts
/** The listeners of a client, and what concerns all of it. */
var Reporter = class extends Listeners {
	constructor() {
		super((cause, event) => event === "$error" ? rethrow(cause) : this.listenerFailed(cause));
	}
	/** A failure that belongs to no call. */
	fail(code, message, cause) {
		this.tell("$error", new ChannelsClientError(code, message, { cause }));
	}
	/** In order, once the code that runs has finished: what a listener calls meets a client at rest. */
	tell(event, told) {
		queueMicrotask(() => this.emit(event, told));
	}
	/** A listener of the application threw; where nobody hears of that, it is thrown again. */
	listenerFailed = (cause) => {
		if (this.has("$error")) this.fail("listener_failed", "A listener threw.", cause);
		else rethrow(cause);
	};
};
/** Where the runtime reports what nobody has caught. */
function rethrow(cause) {
	queueMicrotask(() => {
		throw cause;
	});
}
// lib/client/request-table.ts
/** What the server may ask, and what it has asked on this connection. */
var RequestTable = class {
	#write;
	#limits;
	#reporter;
	#handlers = /* @__PURE__ */ new Map();
	#open = /* @__PURE__ */ new Set();
	/**
	* @param write - to the connection that there is
	* @param limits - what its server takes
	*/
	constructor(write, limits, reporter) {
		this.#write = write;
		this.#limits = limits;
		this.#reporter = reporter;
	}
	add(event, handler) {
		const handlers = this.#handlers;
		if (handlers.has(event)) throw new TypeError(`${event} has a handler already: end that one first.`);
		const registered = (data, context) => handler(data, context);
		handlers.set(event, registered);
		return () => {
			if (handlers.get(event) === registered) handlers.delete(event);
		};
	}
	/** Answers to the connection that has asked, or to nobody. */
	async answer({ event, data, id }) {
		const life = new AbortController();
		const { signal } = life;
		this.#open.add(life);
		let text;
		try {
			const handler = this.#handlers.get(event);
			if (!handler) throw new ChannelsClientError("unknown_event", `Nothing handles ${event}.`);
			text = this.#encode({
				ack: id,
				data: await handler(data, { signal })
			});
		} catch (error) {
			text = signal.aborted ? "" : this.#refuse(id, error);
		}
		this.#open.delete(life);
		if (!signal.aborted) this.#write(text);
	}
	/** The connection is over, and with it what was asked on it. */
	end() {
		for (const life of this.#open) life.abort();
		this.#open.clear();
	}
	#encode(answer) {
		const frame = measure(answer);
		const refusal = refusalOf(frame, this.#limits());
		if (refusal) throw refusal;
		return frame.text;
	}
	/** Of an error that was not made for the server it learns nothing. */
	#refuse(ack, error) {
		let failure = error;
		try {
			if (error instanceof ChannelsClientError) {
				const { code, message, details } = error;
				return this.#encode({
					ack,
					error: {
						code,
						message,
						details
					}
				});
			}
		} catch (cause) {
			failure = cause;
		}
		this.#reporter.listenerFailed(failure);
		return JSON.stringify({
			ack,
			error: {
				code: "internal",
				message: "The handler failed."
			}
		});
	}
};
// lib/client/pending-send.ts
/**
* Waits for the time of a message to be over, or its signal to abort.
*
* @param end - is called with what the message is to reject with
* @returns a function that waits no longer
*/
function watch(event, { timeoutMs, signal }, clock, end) {
	const late = () => end(new ChannelsClientError("timeout", `No answer to ${event} within ${timeoutMs} ms.`));
	const abort = () => end(signal?.reason);
	signal?.addEventListener("abort", abort);
	const timer = timeoutMs === void 0 ? timeoutMs : clock.setTimeout(late, Math.min(timeoutMs, MAX_TIMER_MS));
	return () => {
		clock.clearTimer(timer);
		signal?.removeEventListener("abort", abort);
	};
}
// lib/client/queue-keeper.ts
/** Holds a queue of the storage while the client is not closed. Without a storage there is nothing to do. */
var QueueKeeper = class {
	storage;
	reporter;
	#queue;
	#opening;
	/** Taken over, or known not to be had. */
	#isSettled = false;
	#isWanted = false;
	constructor(storage, reporter) {
		this.storage = storage;
		this.reporter = reporter;
	}
	/** Whether what was stored has been restored. */
	get isOpen() {
		return this.#queue !== void 0;
	}
	/** @returns a promise where there is something to wait for; it never rejects */
	open(restore) {
		if (!this.storage || this.#isSettled) return void 0;
		this.#isWanted = true;
		return this.#opening ??= this.#open(this.storage, restore);
	}
	save(message) {
		this.#do((queue) => queue.save(message));
	}
	remove(id) {
		this.#do((queue) => queue.remove(id));
	}
	close() {
		this.#do((queue) => queue.close());
		this.#queue = void 0;
		this.#isSettled = this.#isWanted = false;
	}
	async #open(storage, restore) {
		try {
			this.#queue = await storage.open(this.#failed);
			if (this.#isWanted) restore(this.#queue.messages);
			else this.close();
		} catch (cause) {
			this.#failed(cause);
		}
		this.#isSettled = this.#isWanted;
		this.#opening = void 0;
	}
	/** At once, whether it answers later or not. */
	#do(action) {
		try {
			const done = this.#queue && action(this.#queue);
			if (done) done.catch(this.#failed);
		} catch (cause) {
			this.#failed(cause);
		}
	}
	#failed = (cause) => {
		this.reporter.fail("storage_failed", `The storage failed: ${String(cause)}`, cause);
	};
};
// lib/client/send-queue.ts
/** The dedup window ends this much earlier for a client, in milliseconds: docs/protocol.md, section 6.4. */
const WINDOW_MARGIN_MS = 3e4;
/** When to look again at a socket that takes nothing more, in milliseconds. */
const BACKLOG_RETRY_MS = 1e3;
/** The messages that have no answer yet: those that wait to be sent, and those that are in flight. */
var SendQueue = class {
	/** The identity under which all of them are sent. */
	clientId;
	#options;
	/** Whether a socket has taken the frame, behind no more than so many bytes. */
	#write;
	#reporter;
	/** In the order of the calls. */
	#messages = /* @__PURE__ */ new Map();
	#isPlain;
	#keeper;
	#principal;
	/** What the storage has is not for whoever comes now. */
	#givenUp;
	#isOpen = false;
	#limits = {};
	#bytes = 0;
	#timer;
	constructor(options, write, reporter) {
		this.#options = options;
		this.#write = write;
		this.#reporter = reporter;
		this.#isPlain = options.server === "plain";
		this.#keeper = new QueueKeeper(options.storage, reporter);
		this.clientId = options.random.id();
	}
	/** Who the server took this client for when it was last open; what is queued now is theirs. */
	get principal() {
		return this.#principal;
	}
	get isEmpty() {
		return this.#messages.size === 0;
	}
	add(event, data, options) {
		return new Promise((resolve, reject) => {
			if (options.signal?.aborted) throw options.signal.reason;
			const message = this.#enqueue(event, data, options, {
				resolve,
				reject
			});
			this.#pump();
			if (message.firstSentAt === void 0) this.#save(message);
		});
	}
	/** Puts what a former page has left in front, once. */
	restore() {
		return this.#keeper.open((stored) => {
			const frames = stored.map(({ text }) => JSON.parse(text));
			const { clientId } = this;
			const queued = [...this.#messages.values()];
			this.#messages.clear();
			for (const [at, message] of stored.entries()) this.#restore(message, frames[at]);
			if (this.#givenUp) {
				for (const message of this.#messages.values()) this.#take(message).reject(this.#givenUp);
				this.clientId = clientId;
				this.#givenUp = void 0;
			}
			for (const message of queued) {
				this.#messages.set(message.id, message);
				this.#save(message);
			}
		});
	}
	/** The server has said who this is. What belongs to somebody else rejects. */
	claim(principal, error) {
		this.#principal = principal;
		for (const message of this.#messages.values()) if (message.principal === void 0) {
			message.principal = principal;
			this.#save(message);
		} else if (message.principal !== principal) this.#take(message).reject(error);
	}
	/** Sends what waits. What is too large for this server rejects. */
	open(limits) {
		this.#isOpen = true;
		this.#limits = limits;
		for (const message of this.#messages.values()) {
			const refusal = refusalOf(message.frame, limits);
			if (refusal) this.#take(message).reject(refusal);
		}
		this.#pump();
	}
	/** What is in flight waits again, in its place. */
	pause() {
		this.#isOpen = false;
		for (const message of this.#messages.values()) message.isInFlight = false;
		this.#options.clock.clearTimer(this.#timer);
	}
	answer({ ack, data, error, more }) {
		const message = this.#messages.get(String(ack));
		if (!message?.isInFlight) return;
		const refusal = error && readError(error);
		if (refusal?.retryable) {
			message.isInFlight = false;
			message.notBefore = this.#options.clock.now() + waitAfter(refusal, ++message.refusals, this.#options);
		} else if (refusal) this.#take(message).reject(errorOf(refusal));
		else if (more) this.#handOut(message, data);
		else this.#take(message).resolve(data);
		this.#pump();
	}
	/** Nothing is left of who it was: what is sent from here on belongs to whoever comes next. */
	rejectAll(error) {
		this.#principal = void 0;
		for (const message of this.#messages.values()) this.#take(message).reject(error);
	}
	/** As {@link rejectAll}, and for what is still in the storage as well. */
	reset(error) {
		if (!this.#keeper.isOpen) this.#givenUp = error;
		this.rejectAll(error);
	}
	/** What was sent under an identity that is given up would run twice under the next one. */
	rejectSent(error) {
		for (const message of this.#messages.values()) if (message.firstSentAt === void 0) this.#save(message);
		else this.#take(message).reject(error);
	}
	/** Lets go of what is stored. */
	close() {
		this.#keeper.close();
	}
	#enqueue(event, data, options, settling) {
		const id = this.#options.random.id();
		const frame = encodeFrame(this.#isPlain ? {
			event,
			data
		} : {
			event,
			data,
			id
		});
		const refusal = refusalOf(frame, this.#limits) ?? this.#overflow(frame.bytes);
		if (refusal) throw refusal;
		return this.#push(event, {
			id,
			frame,
			principal: this.#principal
		}, options, settling);
	}
	#push(event, known, options, settling) {
		const { clock } = this.#options;
		const { onItem, timeoutMs } = options;
		const message = {
			...settling,
			...known,
			onItem,
			deadline: timeoutMs === void 0 ? timeoutMs : clock.now() + timeoutMs,
			unwatch: watch(event, options, clock, (reason) => {
				this.#take(message).reject(reason);
				this.#pump();
			}),
			isInFlight: false,
			refusals: 0,
			notBefore: 0
		};
		this.#bytes += message.frame.bytes;
		this.#messages.set(message.id, message);
		return message;
	}
	/** Its promise is gone with its page: the application hears of it by an event. */
	#restore({ id, clientId, principal, sentAgoMs, leftMs }, frame) {
		const { event, data } = frame;
		const settle = (end) => this.#reporter.tell("$settled", {
			id,
			event,
			data,
			...end
		});
		const firstSentAt = sentAgoMs === void 0 ? sentAgoMs : this.#options.clock.now() - sentAgoMs;
		this.clientId = clientId;
		this.#push(event, {
			id,
			frame: encodeFrame(frame),
			principal,
			firstSentAt
		}, { timeoutMs: leftMs }, {
			resolve: (answer) => settle({ answer }),
			reject: (error) => this.#reporter.has("$settled") ? settle({ error }) : this.#reporter.tell("$error", error)
		});
	}
	#save({ id, frame: { text }, principal, firstSentAt, deadline }) {
		const now = this.#options.clock.now();
		const sentAgoMs = firstSentAt === void 0 ? firstSentAt : now - firstSentAt;
		const leftMs = deadline === void 0 || deadline === Infinity ? void 0 : deadline - now;
		this.#keeper.save({
			id,
			clientId: this.clientId,
			text,
			principal,
			sentAgoMs,
			leftMs
		});
	}
	#overflow(bytes) {
		const { maxQueue, maxQueueBytes } = this.#options;
		const { size } = this.#messages;
		if (size < maxQueue && this.#bytes + bytes <= maxQueueBytes) return void 0;
		return new ChannelsClientError("queue_full", `${size} messages of ${this.#bytes} bytes wait (maxQueue, maxQueueBytes).`);
	}
	/** Sends what may be sent, and comes back when the next one may. */
	#pump() {
		const { clock } = this.#options;
		clock.clearTimer(this.#timer);
		if (!this.#isOpen) return;
		const now = clock.now();
		let free = this.#limits["maxInFlight"] ?? Infinity;
		for (const { isInFlight } of this.#messages.values()) free -= Number(isInFlight);
		let nextAt = Infinity;
		for (const message of this.#messages.values()) {
			if (message.isInFlight) continue;
			if (message.notBefore > now) nextAt = Math.min(nextAt, message.notBefore);
			else if (free <= 0) break;
			else if (this.#send(message, now)) free -= Number(message.isInFlight);
			else {
				nextAt = now + BACKLOG_RETRY_MS;
				break;
			}
		}
		if (nextAt < Infinity) this.#timer = clock.setTimeout(() => this.#pump(), nextAt - now);
	}
	#send(message, now) {
		const windowMs = this.#limits["dedupWindowMs"] ?? Infinity;
		if (now - (message.firstSentAt ?? Infinity) > windowMs - WINDOW_MARGIN_MS) {
			this.#take(message).reject(new ChannelsClientError("expired", "It is too late to send this again."));
			return true;
		}
		if (!this.#write(message.frame.text, this.#options.maxQueueBytes)) return false;
		message.isInFlight = !this.#isPlain;
		if (message.firstSentAt === void 0) {
			message.firstSentAt = now;
			this.#save(message);
		}
		if (this.#isPlain) this.#take(message).resolve(void 0);
		return true;
	}
	#handOut(message, item) {
		try {
			message.onItem?.(item);
		} catch (cause) {
			this.#reporter.listenerFailed(cause);
		}
	}
	/** Takes a message out; the caller settles it. */
	#take(message) {
		this.#messages.delete(message.id);
		this.#keeper.remove(message.id);
		this.#bytes -= message.frame.bytes;
		message.unwatch();
		return message;
	}
};
// lib/client/channels-client.ts
/**
* A connection to a gateway that comes back by itself. It connects when something needs the server: a
* listener, a channel, a message, or {@link connect}. docs/client.md tells all of it.
*
* @example
* ```ts
* const client = new ChannelsClient<ChatApi>('wss://api.example.com/ws', { token: () => session.token() });
* client.channel('chat:lobby').on('message', render);
* await client.send('chat.send', { room: 'lobby', text: 'hello' });
* ```
*
* @publicApi
*/
var ChannelsClient = class {
	#options;
	#connection;
	#queue;
	#channels;
	#requests;
	#reporter = new Reporter();
	/** The commands that have no ack yet; they end with their connection. */
	#commands = /* @__PURE__ */ new Map();
	/** Who the server took this client for when it was last open. */
	#formerly;
	/** What that server takes. */
	#limits = {};
	/**
	* @param url - `wss:` or `ws:`; in a page that is younger than 2024 also `https:`, `http:` or a path
	* @throws TypeError naming the option that cannot be used, and what to do
	*/
	constructor(url, options) {
		this.#options = resolveClientOptions(url, options);
		const write = (text, maxBuffered) => this.#connection.write(text, maxBuffered);
		this.#queue = new SendQueue(this.#options, write, this.#reporter);
		this.#requests = new RequestTable((text) => this.#connection.write(text), () => this.#limits, this.#reporter);
		const channelPort = {
			need: () => this.#need(),
			command: (event, data, answered) => this.#command(event, data, answered)
		};
		this.#channels = new ChannelTable(this.#options, channelPort, this.#reporter);
		const events = {
			isOwed: () => !this.#queue.isEmpty || this.#channels.isAwaited,
			restore: () => this.#queue.restore(),
			clientId: () => this.#queue.clientId,
			opened: (welcome) => this.#opened(welcome),
			ended: () => this.#ended(),
			closed: () => this.#closed(),
			hungUp: () => this.#requests.end(),
			received: (frame) => this.#receive(frame),
			renewed: (giveUp) => this.#renewed(giveUp)
		};
		this.#connection = new Connection(this.#options, events, this.#reporter);
	}
	/** What the client is doing, and why. */
	get state() {
		return this.#connection.state;
	}
	/**
	* Connects, also out of `closed`. While it waits it tries at once; while it is open it makes sure that the
	* connection still lives, which is what to call when an app comes back to the foreground.
	*/
	connect() {
		this.#connection.take({ type: "connect" });
	}
	/** Closes with 1000, and rejects what waits with `closed`. Listeners stay: {@link connect} comes back. */
	close() {
		this.#connection.take({ type: "close" });
	}
	/**
	* For the moment somebody logs in or out: rejects everything that waits with `principal_changed`, takes a
	* new identity, and connects again with a token asked anew, unless the client is idle or closed.
	*/
	reset() {
		this.#connection.take({ type: "reset" });
	}
	/**
	* Sends a message, and again after a reconnect until it is answered: at least once, and where the handler
	* is `@Acked` and the server deduplicates, at most once. Waits while the client is offline.
	*
	* @returns what the handler returned; with a plain server nothing, once the frame is written
	* @throws ChannelsClientError its `code` tells why, see docs/client.md; an abort rejects with the reason of
	* the signal
	*/
	async send(event, ...[data, options]) {
		checkEvent(event);
		const refusal = this.#need();
		if (refusal) throw refusal;
		return this.#queue.add(event, data, options ?? {});
	}
	/**
	* Sends a message once, or not at all: without an ack, a queue or a second try.
	*
	* @returns false when it was not sent, because the client is not open, or the socket is behind by more
	* than `maxQueueBytes`
	* @throws ChannelsClientError `payload_too_large` or `bad_request` for what the server would not take
	*/
	emit(event, ...[data]) {
		checkEvent(event);
		const frame = encodeFrame({
			event,
			data
		});
		const refusal = refusalOf(frame, this.#limits);
		if (refusal) throw refusal;
		this.#need();
		return this.state.name === "open" && this.#connection.write(frame.text, this.#options.maxQueueBytes);
	}
	/**
	* Listens to an event of the server, or to `$state`, `$gap`, `$settled` and `$error`, which are about the client
	* and need no connection.
	*
	* @returns a function that ends it, and may be called twice
	*/
	on(event, listener) {
		if (!event.startsWith("$")) this.#need();
		return this.#reporter.add(event, listener);
	}
	/**
	* Answers a request of the server (`ChannelSocket.request`) with what the handler gives. A
	* {@link ChannelsClientError} that it throws is told with its code, message and details; of anything else
	* the server learns `internal`, and `$error` the cause. Without a handler the answer is `unknown_event`.
	*
	* @returns a function that ends it, and may be called twice
	* @throws TypeError where the event has a handler already or begins with `$`, and with a plain server
	*/
	handle(event, handler) {
		checkEvent(event);
		if (this.#options.server === "plain") throw new TypeError("A plain server has no requests.");
		const end = this.#requests.add(event, handler);
		this.#need();
		return end;
	}
	/**
	* A handle on a channel. It joins when somebody listens.
	*
	* @throws TypeError with a plain server, which has no channels
	*/
	channel(name, options = {}) {
		if (this.#options.server === "plain") throw new TypeError("A plain server has no channels.");
		return new Channel(name, this.#channels, options);
	}
	/** Why nothing can be asked of the server any more. */
	get #refusal() {
		const { name, reason, code } = this.state;
		if (name !== "closed") return void 0;
		return new ChannelsClientError("closed", `The client is closed: ${reason}.`, { closeCode: code });
	}
	#need() {
		this.#connection.take({ type: "need" });
		return this.#refusal;
	}
	#opened(welcome) {
		const { principal } = welcome ?? {};
		const before = this.#queue.principal;
		const error = new ChannelsClientError("principal_changed", "Somebody else is logged in now.");
		if (before !== void 0 && before !== principal) this.#channels.rejectCalls(error);
		if (this.#formerly !== principal) this.#channels.forget();
		this.#formerly = principal;
		this.#queue.claim(principal, error);
		this.#limits = welcome?.limits ?? {};
		this.#channels.open();
		this.#queue.open(this.#limits);
	}
	#ended() {
		this.#commands.clear();
		this.#queue.pause();
		this.#channels.pause();
	}
	#closed() {
		const error = this.#refusal;
		this.#queue.rejectAll(error);
		this.#queue.close();
		this.#channels.close(error, this.state.reason === "close_called");
	}
	#renewed(giveUp) {
		this.#queue.clientId = this.#options.random.id();
		if (giveUp === "all") {
			const error = new ChannelsClientError("principal_changed", "reset() was called.");
			this.#queue.reset(error);
			this.#channels.rejectCalls(error);
			this.#channels.forget();
			return;
		}
		this.#queue.rejectSent(new ChannelsClientError("closed", "Another client took this identity.", { closeCode: REPLACED_CLOSE }));
	}
	#receive(frame) {
		if (!("event" in frame)) this.#acked(frame);
		else if ("channel" in frame && this.#options.server === "channels") this.#channels.publish(frame);
		else if (frame.event.startsWith("$")) this.#channels.receive(frame);
		else if ("id" in frame && this.#options.server === "channels") this.#requests.answer(frame);
		else this.#reporter.emit(frame.event, frame.data);
	}
	/** An ack of nothing that is known is late: what it answers has been settled. */
	#acked(frame) {
		const answered = this.#commands.get(String(frame.ack));
		if (!answered) {
			this.#queue.answer(frame);
			return;
		}
		this.#commands.delete(String(frame.ack));
		answered(frame);
	}
	#command(event, data, answered) {
		const id = this.#options.random.id();
		const frame = encodeFrame({
			event,
			data,
			id
		});
		const refusal = refusalOf(frame, this.#limits);
		this.#commands.set(id, answered);
		if (!refusal) {
			this.#connection.write(frame.text);
			return;
		}
		const error = refusal;
		queueMicrotask(() => this.#acked({
			ack: id,
			error
		}));
	}
};
function checkEvent(event) {
	if (typeof event === "string" && !event.startsWith("$")) return;
	throw new TypeError(`${event} is no event: a string that does not begin with $.`);
}
// test/simulation/view.ts
/** One channel as the application of a client sees it. */
var View = class {
	name;
	facts;
	/** The application is told that it is in. */
	isIn = false;
	/** The publication that was handed out last, since the last mark. */
	#last;
	/** The newest publication of each epoch that was handed out before the mark. */
	#before;
	/** The state of the last `$subscribed` without recovery has all up to here. */
	#upTo;
	/** How much was published when the last mark came. */
	#markedAt = 0;
	/** It has something that can be continued. */
	#knows = false;
	/** When it was last told anything. */
	#seenAt = -1;
	/** The application has asked for the state of now. */
	reloads = false;
	constructor(name, facts) {
		this.name = name;
		this.facts = facts;
	}
	subscribed({ recovered, data, by }) {
		this.isIn = true;
		this.reloads = false;
		this.#seenAt = this.facts.time.now;
		if (recovered) {
			this.facts.check("I1", this.#knows, `${this.name}: nothing was there to be recovered`);
			return;
		}
		this.#mark(by === "client" ? data.upTo : void 0);
		this.#before = void 0;
	}
	/** @param changedAt - when the client last became somebody else */
	gap({ reason }, changedAt) {
		if (reason === "rejoined" && !this.reloads && changedAt < this.#seenAt) this.#checkMissed();
		this.#mark(void 0);
	}
	/** The application knows nothing of it any more. */
	left() {
		this.isIn = this.#knows = false;
		this.#last = this.#before = void 0;
		this.reloads = false;
	}
	/** I1: what was missed is recovered, as long as the history has it. */
	#checkMissed() {
		const last = this.#last;
		if (!last || !hasHistory(this.name)) return;
		const isKept = this.facts.ledger.isKept(this.name, last);
		this.facts.check("I1", !isKept, `${this.name}: what came behind ${last.index} was there, and not recovered`);
	}
	/** I1, I2: between two marks every publication comes, once, in order, but for those that it says were dropped. */
	published(number, dropped = 0) {
		const { facts, name } = this;
		const entry = facts.ledger.entry(number);
		facts.check("I10", this.isIn, `${name}: ${number} is handed to one who is not in`);
		if (!entry) return;
		const { index, epoch } = entry;
		this.#seenAt = facts.time.now;
		const last = this.#last;
		if (last) {
			facts.check("I2", index > last.index, `${name}: ${index} comes behind ${last.index}`);
			const next = last.index + 1 + dropped;
			facts.check("I1", index === next, `${name}: ${index} comes right behind ${last.index}, not ${next}`);
			facts.check("I1", epoch === last.epoch, `${name}: nobody was told of the epoch of ${index}`);
		} else if (this.#upTo !== void 0) {
			const hasHole = index - dropped > this.#upTo + 1;
			facts.check("I1", !hasHole, `${name}: a hole between the state up to ${this.#upTo} and ${index}`);
		}
		const before = this.#before;
		if (before) facts.check("I2", index > before.index, `${name}: ${index} comes again behind a gap`);
		this.#last = entry;
	}
	/** Whether it has all that was published, or was told that it has not. */
	get isCurrent() {
		const tail = this.facts.ledger.tail(this.name);
		if (this.#last) return Math.max(this.#last.index, this.#upTo ?? 0) === tail;
		return (this.#upTo ?? this.#markedAt) >= tail || this.#markedAt >= tail;
	}
	get description() {
		const tail = this.facts.ledger.tail(this.name);
		const at = this.#last ? `at ${this.#last.index}` : `marked at ${this.#markedAt}`;
		return `${this.name} is ${at} of ${tail}`;
	}
	#mark(upTo) {
		this.#before = this.#last ?? this.#before;
		this.#last = void 0;
		this.#upTo = upTo;
		this.#markedAt = this.facts.ledger.tail(this.name);
		this.#knows = true;
	}
};
// test/simulation/person.ts
const BEARER = "nestjs-channels.bearer.";
/** Somebody with a real client, and an application that writes down what it is told. */
var Person = class {
	world;
	index;
	clock;
	client;
	calls = [];
	views = /* @__PURE__ */ new Map();
	/** Channels that are joined, as long as nobody forbids it. */
	wants = /* @__PURE__ */ new Set();
	/** Who it logs in as. */
	principal;
	/** The node that its next connection goes to. */
	home;
	latencyMs = 1;
	lines = [];
	/** Whom the servers took it for, welcome by welcome. */
	welcomes = [];
	/** When what waited was last given up: by a `reset()`, or because somebody else was welcomed. */
	#changedAt = -1;
	/** Whom what is sent now is queued for. */
	#takenFor;
	/** When the client was last closed. */
	#closedAt = -1;
	/** Whether it connects again when the server has closed it for good. */
	#comesBack = false;
	/** Channels that the client does not join by itself: the server has refused, ended or begun it. */
	#lost = /* @__PURE__ */ new Set();
	constructor(world, index) {
		this.world = world;
		this.index = index;
		this.principal = PRINCIPALS[index];
		this.home = index % world.nodes.length;
		this.clock = new OwnClock(world.time);
		const { chance } = world;
		let ids = 0;
		this.client = new ChannelsClient("ws://simulation", {
			...CLIENT_OPTIONS,
			clock: this.clock,
			random: {
				next: () => chance.next(),
				id: () => `person${index}-${++ids}`.padEnd(22, "x")
			},
			WebSocket: this.#webSocket(),
			token: () => this.principal
		});
		this.client.on("$error", () => void 0);
		this.client.on("$state", ({ name }) => {
			if (name !== "closed") return;
			this.#closedAt = this.clock.now();
			this.#takenFor = void 0;
			if (this.#comesBack) this.client.connect();
		});
	}
	/** The connection that the client has, or had last. */
	get line() {
		return this.lines.at(-1);
	}
	/** Calls that have not ended. */
	waiting = 0;
	send(event, work, timeoutMs) {
		const call = {
			work,
			event,
			at: this.clock.now(),
			timeoutMs,
			isClosed: this.client.state.name === "closed",
			waiting: this.waiting,
			firstWrittenAt: Infinity,
			principal: this.#takenFor,
			isTurnedAway: false,
			state: "waits",
			settledAt: Infinity
		};
		this.calls.push(call);
		this.waiting++;
		const settle = (state, rest) => {
			this.world.facts.check("I5", call.state === "waits", `${event} ${work.n} settles twice`);
			this.waiting--;
			Object.assign(call, {
				state,
				settledAt: this.clock.now(),
				...rest
			});
		};
		this.client.send(event, work, { timeoutMs }).then((value) => settle("resolved", { value }), ({ code, closeCode }) => settle("rejected", {
			code,
			closeCode
		}));
	}
	/** Whether it has all that it waits for, channels considered. */
	get isCurrent() {
		return this.client.state.name === "open" && this.expected.every(({ isCurrent }) => isCurrent);
	}
	/** Channels that it must be in, or is told to be in. */
	get expected() {
		return [...this.wants].filter((name) => !this.#lost.has(name) || this.line?.isIn(name)).map((name) => this.view(name));
	}
	welcomed(line) {
		const former = this.welcomes.at(-1);
		if (former && former.principal !== line.principal) this.#changedAt = this.clock.now();
		this.welcomes.push(line);
		this.#takenFor = line.principal;
		for (const call of this.calls) if (call.state === "waits") call.principal ??= line.principal;
	}
	reset() {
		this.#changedAt = this.clock.now();
		this.#takenFor = void 0;
		this.client.reset();
	}
	/** The network is well again, whatever the client thinks of it. */
	heal() {
		this.latencyMs = 1;
		if (this.line) this.line.latencyMs = 1;
		if (this.line) this.line.nextFrame = void 0;
		this.#comesBack = true;
		this.client.connect();
	}
	/** The page is closed. */
	goes() {
		this.#comesBack = false;
		this.client.close();
	}
	join(name) {
		if (this.wants.has(name)) return;
		this.wants.add(name);
		this.#listen(name);
	}
	/** Runs the method of the channel again. */
	reload(name) {
		this.join(name);
		this.view(name).reloads = true;
		this.client.channel(name).subscribe().catch(() => void 0);
	}
	leave(name) {
		this.wants.delete(name);
		this.#lost.delete(name);
		this.view(name).left();
		this.client.channel(name, { subscribe: false }).unsubscribe();
	}
	view(name) {
		let view = this.views.get(name);
		if (!view) this.views.set(name, view = new View(name, this.world.facts));
		return view;
	}
	/** What the client has written, on whatever connection. */
	wrote(line, text) {
		const { id, data } = JSON.parse(text);
		const call = this.calls.find(({ work }) => work.n === data?.n);
		if (!call || id === void 0) return;
		const { facts } = this.world;
		const { n } = call.work;
		call.text ??= text;
		call.id ??= id;
		call.clientId ??= line.wire.saysToBe;
		call.firstWrittenAt = Math.min(call.firstWrittenAt, this.clock.now());
		const isSame = call.id === id && call.clientId === line.wire.saysToBe;
		facts.check("I6", isSame, `${n} is sent again under another name`);
		const isOwn = call.principal === void 0 || call.principal === line.principal;
		facts.check("I11", isOwn, `${n} of ${call.principal} is sent as ${line.principal}`);
		if (call.isTurnedAway) return;
		facts.check("I3", n > line.wire.lastCall, `${n} is sent behind ${line.wire.lastCall}`);
		line.wire.lastCall = n;
	}
	/** I5: a call that has ended had a reason. */
	justify(call) {
		const { facts } = this.world;
		const { state, code, work, value } = call;
		const name = `${call.event} ${work.n}`;
		facts.check("I5", state !== "waits", `${name} is never settled`);
		if (state === "resolved") {
			const isOwn = value?.n === work.n;
			facts.check("I5", isOwn, `${name} resolves with ${JSON.stringify(value)}`);
		}
		if (state === "rejected") facts.check("I5", this.#isReason(call), `${name} rejects with ${code}`);
	}
	#isReason(call) {
		const { at, settledAt, timeoutMs, isClosed, firstWrittenAt, work, waiting } = call;
		const { dedupWindowMs } = OPTIONS;
		if (call.closeCode === 4509) return firstWrittenAt <= settledAt;
		switch (call.code) {
			case "timeout": return timeoutMs !== void 0 && settledAt - at >= timeoutMs;
			case "expired": return settledAt - firstWrittenAt > dedupWindowMs - WINDOW_MARGIN_MS$1;
			case "principal_changed": return this.#changedAt >= at;
			case "closed": return isClosed || this.#closedAt >= at;
			case "queue_full": return waiting >= CLIENT_OPTIONS.maxQueue;
			case "bad_request": return work.fails === "final";
			default: return false;
		}
	}
	#listen(name) {
		const isOpen = !name.startsWith("push");
		if (!isOpen) this.#lost.add(name);
		const channel = this.client.channel(name, { subscribe: isOpen });
		const view = this.view(name);
		const ended = () => {
			this.#lost.add(name);
			view.left();
		};
		channel.on("$subscribed", (told) => {
			if (told.by === "client") this.#lost.delete(name);
			else this.#lost.add(name);
			view.subscribed(told);
		});
		channel.on("$gap", (gap) => view.gap(gap, this.#changedAt));
		channel.on("$unsubscribed", ended);
		channel.on("$error", ended);
		channel.on("p", (data, { dropped }) => view.published(data.u, dropped));
	}
	#webSocket() {
		const connect = (protocols) => this.#connect(protocols);
		return function connectTo(_url, protocols = []) {
			return connect(protocols).socket;
		};
	}
	#connect(protocols) {
		const bearer = protocols.find((entry) => entry.startsWith(BEARER)) ?? "";
		const principal = Buffer.from(bearer.slice(23), "base64url").toString();
		const line = new Line$1(this.world.nodeAt(this.home), principal, this.world.wireClock, this.latencyMs);
		this.lines.push(line);
		this.world.lines.push(line);
		return line;
	}
};
/** Who the people are at first; one of them is nobody in particular. */
const PRINCIPALS = [
	"ada",
	"bob",
	""
];
// lib/core/memory-dedup-store.ts
/** What a claim or an answer takes beside the text of the answer: key, hash and records, rounded up. */
const DEDUP_ENTRY_BYTES = 512;
/** How often it looks for what is due. What is asked for is looked at when it is asked for. */
const SWEEP_INTERVAL_MS = 1e3;
/**
* The dedup store of a single process. Every call is answered at once. Past its bounds the oldest
* answers go; a claim that runs stays.
*/
var MemoryDedupStore = class {
	options;
	#rules = {
		windowMs: Infinity,
		leaseMs: Infinity,
		evicted: () => void 0
	};
	#owners = /* @__PURE__ */ new Map();
	/** By their fences, of which each is given once. */
	#running = /* @__PURE__ */ new Map();
	#answered = new OldestFirst();
	#bytes = 0;
	#fence = 0;
	#sweeper;
	#seenAt = 0;
	#stoodStillMs = 0;
	constructor(options) {
		this.options = options;
	}
	sizes() {
		return {
			owners: this.#owners.size,
			running: this.#running.size,
			answered: this.#answered.size
		};
	}
	/** What it holds, in bytes as its bounds count them. */
	get bytes() {
		return this.#bytes;
	}
	/** What an owner has room for who holds nothing else. */
	get maxAnswerBytes() {
		return Math.min(this.options.maxBytes, this.options.maxBytesPerPrincipal) - DEDUP_ENTRY_BYTES;
	}
	start(rules) {
		this.#rules = rules;
	}
	claim({ principal, clientId, id, contentHash }) {
		const name = ownerName(principal, clientId);
		const key = entryKey(clientId, id);
		const entry = this.#find(name, key);
		if (!entry) return this.#claim(name, key, contentHash);
		if (entry.contentHash !== contentHash) return { type: "conflict" };
		return entry.answer ? {
			type: "answered",
			answer: entry.answer
		} : { type: "running" };
	}
	renew(_key, fence) {
		const entry = this.#held(fence);
		if (!entry) return false;
		entry.expiresAt = this.#leaseTime() + this.#rules.leaseMs;
		this.#running.delete(fence);
		this.#running.set(fence, entry);
		return true;
	}
	resolve(_key, fence, answer) {
		const entry = this.#held(fence);
		if (!entry) return false;
		const text = answer.type === "data" ? answer.data : answer.error;
		entry.answer = answer;
		entry.expiresAt = this.options.clock.now() + this.#rules.windowMs;
		this.#running.delete(fence);
		this.#answered.add(entry);
		entry.owner.answered.add(entry);
		this.#grow(entry, text === void 0 ? 0 : Buffer.byteLength(text));
		wake(entry);
		this.#makeRoom(entry.owner, 0);
		return true;
	}
	release(_key, fence) {
		const entry = this.#held(fence);
		if (entry) this.#drop(entry);
	}
	wait({ principal, clientId, id }, signal) {
		const entry = this.#find(ownerName(principal, clientId), entryKey(clientId, id));
		if (!entry || entry.answer || signal.aborted) return Promise.resolve();
		return new Promise((resolve) => {
			const waiting = entry.waiting ??= /* @__PURE__ */ new Set();
			const end = () => {
				waiting.delete(end);
				signal.removeEventListener("abort", end);
				resolve();
			};
			waiting.add(end);
			signal.addEventListener("abort", end);
		});
	}
	close() {
		for (const entry of this.#running.values()) wake(entry);
		this.#owners.clear();
		this.#running.clear();
		this.#answered.clear();
		this.#bytes = 0;
		this.#rest();
	}
	/** The entry of a key, unless its time is over. */
	#find(owner, key) {
		return this.#alive(this.#owners.get(owner)?.entries.get(key));
	}
	/** The claim that holds under a fence. */
	#held(fence) {
		return this.#alive(this.#running.get(fence));
	}
	#alive(entry) {
		if (!entry) return void 0;
		const now = entry.answer ? this.options.clock.now() : this.#leaseTime();
		if (entry.expiresAt > now) return entry;
		this.#drop(entry);
	}
	/**
	* The time by which claims lapse. It stands still while the process does, stopped or with a blocked loop:
	* nobody can renew then, and those who run go on afterwards. A sweep that is overdue tells.
	*/
	#leaseTime() {
		const now = this.options.clock.now();
		this.#stoodStillMs += Math.max(0, now - this.#seenAt - SWEEP_INTERVAL_MS);
		this.#seenAt = now;
		return now - this.#stoodStillMs;
	}
	#claim(name, key, contentHash) {
		const owner = this.#ownerOf(name);
		if (!this.#makeRoom(owner, DEDUP_ENTRY_BYTES)) {
			this.#forget(owner);
			return { type: "full" };
		}
		const fence = ++this.#fence;
		const entry = {
			owner,
			key,
			contentHash,
			fence,
			expiresAt: this.#leaseTime() + this.#rules.leaseMs,
			bytes: 0
		};
		this.#owners.set(name, owner);
		owner.entries.set(key, entry);
		this.#running.set(fence, entry);
		this.#grow(entry, DEDUP_ENTRY_BYTES);
		this.#sweeper ??= this.options.clock.setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
		return {
			type: "claimed",
			fence
		};
	}
	#ownerOf(name) {
		return this.#owners.get(name) ?? {
			name,
			entries: /* @__PURE__ */ new Map(),
			answered: new OldestFirst(),
			bytes: 0
		};
	}
	/** Drops the oldest answers until so many more bytes fit; `false` where those that run leave no room. */
	#makeRoom(owner, bytes) {
		const { maxBytes, maxBytesPerPrincipal } = this.options;
		const mine = this.#evict(owner.answered, () => owner.bytes + bytes > maxBytesPerPrincipal);
		const all = this.#evict(this.#answered, () => this.#bytes + bytes > maxBytes);
		if (mine + all > 0) this.#rules.evicted(mine + all);
		return owner.bytes + bytes <= maxBytesPerPrincipal && this.#bytes + bytes <= maxBytes;
	}
	#evict(answered, isOver) {
		let count = 0;
		for (let entry = answered.oldest; entry && isOver(); entry = answered.oldest) {
			if (entry.expiresAt > this.options.clock.now()) count++;
			this.#drop(entry);
		}
		return count;
	}
	#grow(entry, bytes) {
		entry.bytes += bytes;
		entry.owner.bytes += bytes;
		this.#bytes += bytes;
	}
	#drop(entry) {
		const { owner } = entry;
		owner.entries.delete(entry.key);
		owner.answered.delete(entry);
		this.#running.delete(entry.fence);
		this.#answered.delete(entry);
		this.#grow(entry, -entry.bytes);
		this.#forget(owner);
		wake(entry);
	}
	#forget(owner) {
		if (owner.entries.size === 0) this.#owners.delete(owner.name);
	}
	#sweep() {
		const leaseTime = this.#leaseTime();
		for (const entry of this.#running.values()) {
			if (entry.expiresAt > leaseTime) break;
			this.#drop(entry);
		}
		const now = this.options.clock.now();
		for (let entry = this.#answered.oldest; entry && entry.expiresAt <= now; entry = this.#answered.oldest) this.#drop(entry);
		if (this.#owners.size === 0) this.#rest();
	}
	#rest() {
		if (this.#sweeper) this.options.clock.clearTimer(this.#sweeper);
		this.#sweeper = void 0;
	}
};
/** A principal has one bound over all its clients; anonymous clients have nothing in common. */
function ownerName(principal, clientId) {
	return principal === "" ? `anonymous ${clientId}` : `principal ${principal}`;
}
/** The name of a client has no blank, so the two parts cannot run into each other. */
function entryKey(clientId, id) {
	return `${clientId} ${id}`;
}
function wake({ waiting }) {
	for (const end of waiting ?? []) end();
}
// test/simulation/store.ts
/** How long a call of a store in another process takes. */
const REMOTE_MS = 2;
/** The store of answers of all nodes. It outlives them, until it is told to forget. */
var SharedStore = class {
	facts;
	maxBytes;
	isRemote;
	memory;
	#clock;
	#rules;
	constructor(facts, maxBytes, isRemote) {
		this.facts = facts;
		this.maxBytes = maxBytes;
		this.isRemote = isRemote;
		this.#begin();
	}
	node(clock) {
		return new NodeStore(this, clock);
	}
	start(rules) {
		this.#rules = {
			...rules,
			evicted: (count) => this.facts.runs.evicted += count
		};
		this.memory.start(this.#rules);
	}
	/** A restart of what holds it. */
	forget() {
		this.memory.close();
		this.#clock.die();
		this.facts.runs.storeLife++;
		this.#begin();
		if (this.#rules) this.memory.start(this.#rules);
	}
	checkRoom() {
		const { bytes } = this.memory;
		this.facts.check("I8", bytes <= this.maxBytes, `the store holds ${bytes} bytes`);
	}
	/** Its window is over. */
	checkEmpty() {
		this.facts.check("I9", this.memory.bytes === 0, `the store still holds ${this.memory.bytes} bytes`);
		this.facts.check("I9", this.#clock.pendingTimers === 0, "the store leaves a timer behind");
	}
	close() {
		this.memory.close();
		this.checkEmpty();
	}
	#begin() {
		this.#clock = new OwnClock(this.facts.time);
		const maxBytesPerPrincipal = Math.min(this.maxBytes, OPTIONS.maxDedupBytesPerPrincipal);
		this.memory = new MemoryDedupStore({
			clock: this.#clock,
			maxBytes: this.maxBytes,
			maxBytesPerPrincipal
		});
	}
};
/** The store as one node sees it: at once in the same process, or behind a wire. */
var NodeStore = class {
	shared;
	clock;
	constructor(shared, clock) {
		this.shared = shared;
		this.clock = clock;
	}
	start(rules) {
		this.shared.start(rules);
	}
	claim(key) {
		return this.#ask(() => this.shared.memory.claim(key));
	}
	renew(key, fence) {
		return this.#ask(() => this.shared.memory.renew(key, fence));
	}
	resolve(key, fence, answer) {
		return this.#ask(() => this.shared.memory.resolve(key, fence, answer));
	}
	release(key, fence) {
		return this.#ask(() => this.shared.memory.release(key, fence));
	}
	wait(key, signal) {
		return this.shared.memory.wait(key, signal);
	}
	close() {}
	#ask(work) {
		if (!this.shared.isRemote) return work();
		return new Promise((resolve) => this.clock.setTimeout(() => resolve(work()), REMOTE_MS));
	}
};
// test/simulation/world.ts
/** Room for four answers, where a history is tight. */
const TIGHT_BYTES = 2600;
/** Nodes, clients, and what lies between them, all in one process. */
var World = class {
	time = new Time();
	facts = new Facts(this.time);
	chance;
	bus;
	store;
	wireClock = new OwnClock(this.time);
	nodes = [];
	people = [];
	lines = [];
	/** Nodes that are being shut down. */
	leaving = /* @__PURE__ */ new Set();
	/** Channels of which a frame was lost on a connection that lives on. */
	owed = /* @__PURE__ */ new Set();
	#forbidden = /* @__PURE__ */ new Set();
	/** How long the method of a channel takes. */
	joinMs;
	#ids = 0;
	#numbers = 0;
	constructor({ seed, nodes, people, joinMs, isTight }) {
		this.chance = new Chance(seed ^ 24301);
		this.joinMs = joinMs;
		const isRemote = nodes > 1;
		const random = {
			next: () => this.chance.next(),
			id: () => `epoch-${++this.#ids}`
		};
		this.bus = new Bus(this.facts, random, isRemote);
		this.store = new SharedStore(this.facts, isTight ? TIGHT_BYTES : OPTIONS.maxDedupBytes, isRemote);
		for (let at = 0; at < nodes; at++) this.startNode(at);
		for (let at = 0; at < people; at++) this.people.push(new Person(this, at));
	}
	get number() {
		return ++this.#numbers;
	}
	startNode(at) {
		const node = new Node(this, {
			next: () => this.chance.next(),
			id: () => `id-${++this.#ids}`
		});
		this.nodes[at] = node;
		node.engine.start();
	}
	nodeAt(at) {
		return this.nodes[at % this.nodes.length];
	}
	personAt(at) {
		return this.people[at % this.people.length];
	}
	/** A process dies without a word. */
	kill(node) {
		node.die();
		for (const line of this.lines) if (line.node === node) line.cut("both", 1);
	}
	publish(channel, node, bytes = 0, key) {
		const data = JSON.stringify({
			u: this.number,
			pad: "x".repeat(bytes)
		});
		const rule = hasHistory(channel) ? {
			history: HISTORY,
			key
		} : void 0;
		node.engine.hub.broker.publish({
			channel,
			event: "p",
			data
		}, rule);
	}
	forbid(principal, channel) {
		this.#forbidden.add(`${principal} ${channel}`);
	}
	allow(principal, channel) {
		this.#forbidden.delete(`${principal} ${channel}`);
	}
	forbids(principal, channel) {
		return this.#forbidden.has(`${principal} ${channel}`);
	}
	wrote(line, text) {
		if (text.startsWith("{\"event\":\"$hello\"")) line.wire.saysToBe = clientIdOf(text);
		if (!text.startsWith("{\"event\":\"$")) this.#ownerOf(line)?.wrote(line, text);
	}
	/** The client is told to send a message again. */
	turnedAway(line, id) {
		const call = this.#ownerOf(line)?.calls.find((each) => each.id === id);
		if (call) call.isTurnedAway = true;
	}
	lostFrame(line, text) {
		const { channel } = JSON.parse(text);
		if (this.#ownerOf(line)) this.owed.add(channel);
	}
	welcomed(line) {
		this.#ownerOf(line)?.welcomed(line);
	}
	/** Whom the client was taken for before this connection. */
	formerPrincipal(line) {
		const welcomes = this.#ownerOf(line)?.welcomes ?? [];
		return welcomes[welcomes.indexOf(line) - 1]?.principal;
	}
	#ownerOf(line) {
		return this.people.find(({ lines }) => lines.includes(line));
	}
};
function clientIdOf(hello) {
	return JSON.parse(hello).data.clientId;
}
// test/simulation/perform.ts
/** Plays a history, heals what it has broken, and says the first promise that was not kept. */
async function play(history) {
	const world = new World(history);
	const { violations } = world.facts;
	await begin(world);
	for (const command of history.commands) {
		perform(world, command);
		if (command.type === "pass") await world.time.advance(command.ms);
		else await world.time.settle();
		checkRoom(world);
		if (violations.length > 0) return violations[0];
	}
	await keepsPromises(world, history.seed);
	return violations[0];
}
/** Everybody is there, and in a channel. */
async function begin(world) {
	for (const person of world.people) {
		person.join("room:a");
		if (person.index > 0) person.join("live:a");
	}
	await world.time.advance(20 + world.joinMs);
}
function perform(world, command) {
	switch (command.type) {
		case "publish": {
			const { channel, from, at, fate, key, bytes } = command;
			world.bus.doom(fate, world.nodeAt(at).broker);
			return world.publish(channel, world.nodeAt(from), bytes, key);
		}
		case "burst":
			for (let at = 0; at < command.count; at++) world.publish(command.channel, world.nodeAt(at), command.bytes);
			return;
		case "copy": return copy(world, command.pick, command.how);
		case "replay as another": return replayAsAnother(world, command.pick, command.node);
		case "forbid":
		case "allow": return world[command.type](command.as, command.channel);
		case "slow joins":
			world.joinMs = command.ms;
			return;
		case "crash":
		case "deploy":
		case "restart":
		case "forget": return outage(world, command);
		case "pass": return;
		default: return performAs(world, world.personAt(command.who), command);
	}
}
function performAs(world, person, command) {
	const { client, line } = person;
	switch (command.type) {
		case "send": return person.send(command.event, {
			...command.work,
			n: world.number
		}, command.timeoutMs);
		case "emit":
			client.emit("work", {
				n: world.number,
				ms: command.ms,
				fails: "no",
				times: 0,
				guardMs: 0
			});
			return;
		case "join":
		case "leave":
		case "reload": return person[command.type](command.channel);
		case "server joins":
			if (command.channel === "push:a") person.join("push:a");
			if (line && person.wants.has(command.channel)) line.node.join(line, command.channel);
			return;
		case "server leaves": return line?.node.leave(line, command.channel);
		case "kick": return line?.node.close(line, command.code);
		case "cut":
			if (command.to !== void 0) person.home = command.to;
			return line?.cut(command.how, command.lagMs);
		case "darken": return line?.darken();
		case "lag":
			person.latencyMs = command.ms;
			if (line) line.latencyMs = command.ms;
			return;
		case "frame":
			if (line) line.nextFrame = command.fate;
			return;
		case "log in":
			person.principal = command.as;
			if (command.how === "reset") person.reset();
			else line?.cut("both", 1);
			return;
		case "close":
		case "connect": return client[command.type]();
	}
}
/** A message that was written arrives once more, or something else under its id. */
function copy(world, pick, how) {
	const found = pickCall(world, pick);
	if (!found) return;
	const { person, call, text } = found;
	const known = person.lines.filter((line) => line.isKnown && line.wire.clientId !== "");
	const line = known[pick % known.length];
	if (!line) return;
	if (how === "same") {
		line.toServer(text);
		return;
	}
	if (call.state === "waits" || call.event === "plain") return;
	const frame = JSON.parse(text);
	if (how === "other data") frame.data.n = world.number;
	else frame.event = frame.event === "work" ? "beside" : "work";
	line.toServer(JSON.stringify(frame));
}
/** Somebody who has heard a message, and the name of its client, says it as somebody else. */
function replayAsAnother(world, pick, node) {
	const found = pickCall(world, pick);
	if (!found) return;
	const { text } = found;
	const clientId = found.person.line?.wire.clientId;
	if (!clientId) return;
	const line = new Line$1(world.nodeAt(node), "eve", world.wireClock, 1);
	world.lines.push(line);
	line.socket.onopen = () => {
		line.socket.send(JSON.stringify({
			event: "$hello",
			id: "hello",
			data: { clientId }
		}));
		line.socket.send(text);
	};
}
/** Of the messages that were written; the latest is the first. */
function pickCall(world, pick) {
	const found = world.people.flatMap((person) => person.calls.flatMap((call) => call.text === void 0 ? [] : [{
		person,
		call,
		text: call.text
	}]));
	return found[found.length - 1 - pick % Math.max(1, found.length)];
}
function outage(world, command) {
	switch (command.type) {
		case "crash": {
			const at = command.node % world.nodes.length;
			world.kill(world.nodeAt(at));
			if (!world.bus.isRemote) forgetAll(world);
			return world.startNode(at);
		}
		case "restart":
			for (const node of world.nodes) world.kill(node);
			forgetAll(world);
			return world.nodes.forEach((_node, at) => world.startNode(at));
		case "forget":
			if (!world.bus.isRemote) return void 0;
			world.bus.forget();
			return world.publish("room:a", world.nodeAt(0));
		case "deploy": return deploy(world, command.node % world.nodes.length);
	}
}
/** A node is shut down, and another one takes its place. */
function deploy(world, at) {
	const node = world.nodeAt(at);
	if (world.leaving.has(node)) return;
	world.leaving.add(node);
	node.engine.shutdown().then(() => {
		world.leaving.delete(node);
		if (!node.isUp) return;
		world.kill(node);
		if (!world.bus.isRemote) forgetAll(world);
		world.startNode(at);
	});
}
function forgetAll(world) {
	world.bus.forget();
	world.store.forget();
}
// test/simulation/batch.ts
/** As {@link play}; what throws is a violation as well. */
async function judge(history) {
	try {
		return await play(history);
	} catch (error) {
		return {
			invariant: "I7",
			text: String(error instanceof Error ? error.stack : error)
		};
	}
}
// test/simulation/shrink.ts
/** Leaves out of a history what the violation does not need. Plays it again for each thing that it tries. */
async function shrink(found) {
	let best = found;
	const attempt = async (history) => {
		const violation = await judge(history);
		if (violation?.invariant !== found.violation.invariant) return false;
		best = {
			history,
			violation
		};
		return true;
	};
	for (let isSmaller = true; isSmaller;) {
		isSmaller = await withoutCommands(() => best.history, attempt);
		for (const simpler of simplifications(best.history)) isSmaller = await attempt(simpler) || isSmaller;
	}
	return best;
}
/** Takes commands out, many at a time at first. */
async function withoutCommands(current, attempt) {
	let isSmaller = false;
	for (let size = Math.ceil(current().commands.length / 2); size >= 1; size = Math.floor(size / 2)) for (let at = 0; at < current().commands.length;) {
		const history = current();
		const commands = history.commands.toSpliced(at, size);
		if (await attempt({
			...history,
			commands
		})) isSmaller = true;
		else at += size;
	}
	return isSmaller;
}
function simplifications(history) {
	const simpler = [];
	if (history.nodes === 2) simpler.push({
		...history,
		nodes: 1
	});
	if (history.people === 2) simpler.push({
		...history,
		people: 1
	});
	if (history.joinMs > 0) simpler.push({
		...history,
		joinMs: 0
	});
	if (history.isTight) simpler.push({
		...history,
		isTight: false
	});
	history.commands.forEach((command, at) => {
		for (const plainer of plainerThan(command)) simpler.push({
			...history,
			commands: history.commands.with(at, plainer)
		});
	});
	return simpler;
}
function plainerThan(command) {
	if (command.type === "pass" && command.ms > 1) return [{
		...command,
		ms: Math.floor(command.ms / 2)
	}];
	if (command.type === "publish" && (command.fate !== "arrives" || command.key !== void 0 || command.bytes > 0)) return [
		{
			...command,
			fate: "arrives"
		},
		{
			...command,
			key: void 0
		},
		{
			...command,
			bytes: 0
		}
	].filter((plainer) => JSON.stringify(plainer) !== JSON.stringify(command));
	if (command.type === "send") {
		const { work } = command;
		return [...[
			{
				...work,
				guardMs: 0
			},
			{
				...work,
				fails: "no"
			},
			{
				...work,
				ms: 0
			}
		].map((each) => ({
			...command,
			work: each
		})), {
			...command,
			timeoutMs: void 0
		}].filter((plainer) => JSON.stringify(plainer) !== JSON.stringify(command));
	}
	return [];
}
// test/simulation/main.ts
const { values } = parseArgs({ options: {
	count: {
		type: "string",
		default: "200000"
	},
	seed: {
		type: "string",
		default: String(Math.floor(Math.random() * 2 ** 31))
	}
} });
const [seed, count] = [Number(values.seed), Number(values.count)];
process.stdout.write(`seed ${seed}, ${count} histories\n`);
const { played, ms, failure } = await run$1({
	seed,
	count,
	timeoutMs: 36e5
});
const rate = Math.round(1e3 * played / ms);
process.stdout.write(`${played} histories in ${(ms / 1e3).toFixed(1)} s, ${rate} a second\n`);
if (failure) {
	const { history, index, ...violation } = failure;
	process.stdout.write(`history ${index}: ${printed(await shrink({
		history,
		violation
	}))}\n`);
	process.exitCode = 1;
}
export {};
