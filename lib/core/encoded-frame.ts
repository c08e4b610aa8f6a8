/**
 * One frame, encoded once and shared by every connection that it goes to. A transport keeps here
 * what it has made of it, so that a fan-out does that work once, too.
 */
export class EncodedFrame {
  /** Length of the text in bytes of UTF-8. */
  readonly byteLength: number;

  /** The frame as a transport writes it; set by the first transport that does, which alone knows how to read it. */
  framed?: string | Uint8Array;

  /** The frame as a transport writes it to peers that take it compressed. */
  deflated?: Uint8Array;

  constructor(readonly text: string) {
    this.byteLength = Buffer.byteLength(text);
  }
}
