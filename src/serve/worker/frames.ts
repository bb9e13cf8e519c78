/**
 * Messages between the server and a worker, over pipes: length of the head, length of the body (uint32 each), the head as
 * JSON, the body. Head and body are padded to multiples of eight bytes, so that tensors in a body can be viewed as they lie.
 */
export const START_BYTES = 8;

/** Largest body; the length has 32 bits. */
const MOST_BODY_BYTES = 2 ** 32 - 8;

const ZEROS = new Uint8Array(8);

export function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/**
 * The bytes of a message: its lengths and head in one piece, then its body, of which nothing is copied. A part of the body
 * may come in several pieces, as a tensor does that several requests share.
 */
export function framed(head: object, parts: readonly (readonly Uint8Array[])[]): Uint8Array[] {
  const body: Uint8Array[] = [];
  let bodyBytes = 0;
  for (const pieces of parts) {
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    const rest = padded(size) - size;
    body.push(...pieces.filter(({ length }) => length > 0));
    if (rest > 0) body.push(ZEROS.subarray(0, rest));
    bodyBytes += size + rest;
  }
  if (bodyBytes > MOST_BODY_BYTES) throw new RangeError(`a message of ${bodyBytes} bytes, at most ${MOST_BODY_BYTES}`);
  const text = Buffer.from(JSON.stringify(head));
  const headBytes = padded(text.length);
  const start = Buffer.alloc(START_BYTES + headBytes, ' ');
  start.writeUInt32LE(headBytes, 0);
  start.writeUInt32LE(bodyBytes, 4);
  text.copy(start, START_BYTES);
  return [start, ...body];
}

/** Reader of messages, which puts them together from the pieces that a pipe delivers. */
export class FrameReader<Head> {
  readonly #onFrame: (head: Head, body: Uint8Array) => void;
  #start = Buffer.alloc(START_BYTES);
  #target: Uint8Array = this.#start;
  #filled = 0;
  #head: Uint8Array | undefined;
  #bodyBytes = 0;

  constructor(onFrame: (head: Head, body: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const count = Math.min(chunk.length - at, this.#target.length - this.#filled);
      this.#target.set(chunk.subarray(at, at + count), this.#filled);
      at += count;
      this.#filled += count;
      if (this.#filled === this.#target.length) this.#next();
    }
  }

  /** One part is complete: on to the next one, over those that are empty. */
  #next(): void {
    if (this.#target === this.#start) {
      this.#bodyBytes = this.#start.readUInt32LE(4);
      this.#expect(new Uint8Array(this.#start.readUInt32LE(0)));
      return;
    }
    if (this.#head === undefined) {
      this.#head = this.#target;
      if (this.#bodyBytes > 0) {
        this.#expect(new Uint8Array(this.#bodyBytes));
        return;
      }
    }
    const head = JSON.parse(Buffer.from(this.#head.buffer).toString('utf8')) as Head;
    const body = this.#bodyBytes > 0 ? this.#target : this.#target.subarray(0, 0);
    this.#head = undefined;
    this.#expect(this.#start);
    this.#onFrame(head, body);
  }

  #expect(target: Uint8Array): void {
    this.#target = target;
    this.#filled = 0;
  }
}
