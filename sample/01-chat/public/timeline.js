const KEPT = 200;

/** One room: what the server has told, and behind it what it has not acked yet. */
export class Timeline {
  #me;
  #messages = new Map();
  #drafts = new Set();

  /** Whether the server has told its messages at least once. */
  isLoaded = false;
  /** Why the room could not be joined. */
  refusal = '';
  unread = 0;

  constructor(me) {
    this.#me = me;
  }

  replace(messages) {
    const known = this.#messages;
    this.#messages = new Map();
    for (const message of messages) this.#keep(message, known.get(message.id));
    if (this.isLoaded) this.#count(messages.filter(({ id }) => !known.has(id)));
    this.isLoaded = true;
    this.refusal = '';
  }

  add(message) {
    if (!this.#messages.has(message.id)) this.#count([message]);
    this.#keep(message, this.#messages.get(message.id));
  }

  keepDraft(draft) {
    this.#drafts.add(draft);
  }

  findDraft(key) {
    return [...this.#drafts].find((draft) => draft.key === key);
  }

  dropDraft(draft) {
    this.#drafts.delete(draft);
  }

  /** The ack names the message; its publication may have come before, and may come yet. */
  confirm(draft, id) {
    if (!this.#drafts.delete(draft) || this.#messages.has(id)) return;
    this.#keep({ ...draft, id, at: new Date().toISOString() }, draft);
  }

  get entries() {
    return [...this.#messages.values(), ...this.#drafts];
  }

  #count(messages) {
    this.unread += messages.filter(({ from }) => from !== this.#me).length;
  }

  /** A key outlives the way from draft to message, so that the element on the page does as well. */
  #keep(message, { key = message.id } = {}) {
    this.#messages.set(message.id, { ...message, key, status: 'sent' });
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > KEPT) this.#messages.delete(oldest);
  }
}
