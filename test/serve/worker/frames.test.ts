import { framed, FrameReader, padded } from '../../../src/serve/worker/frames.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** What comes out when the bytes of these messages arrive in pieces of `size`. */
function through(messages: readonly (readonly [object, Uint8Array[][]])[], size: number) {
  const all = Buffer.concat(messages.flatMap(([head, parts]) => framed(head, parts)));
  const received: [object, number[]][] = [];
  const reader = new FrameReader<object>((head, body) => received.push([head, [...body]]));
  for (let at = 0; at < all.length; at += size) reader.push(all.subarray(at, at + size));
  return received;
}

describe('messages to and from workers', () => {
  it.each([1, 3, 8, 1000])('arrive whole in pieces of %d bytes', (size) => {
    const long = Uint8Array.from({ length: 300 }, (_, i) => i & 255);
    const messages = [
      [{ a: 'ä€' }, [[bytes(1, 2, 3), bytes(4)], [bytes(5)]]],
      [{ none: true }, []],
      [{ empty: 1 }, [[bytes()]]],
      [{ long: 1 }, [[long]]],
    ] as const satisfies readonly (readonly [object, Uint8Array[][]])[];
    const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
    expect(through(messages, size)).toEqual([
      // Pieces of a part follow each other; the next part begins at a multiple of eight.
      [{ a: 'ä€' }, [1, 2, 3, 4, ...zeros(4), 5, ...zeros(7)]],
      [{ none: true }, []],
      [{ empty: 1 }, []],
      [{ long: 1 }, [...long, ...zeros(4)]],
    ]);
  });

  it('copies nothing of a body', () => {
    const part = bytes(1, 2, 3, 4, 5, 6, 7, 8);
    expect(framed({}, [[part]])[1]).toBe(part);
  });

  it('has bodies whose parts can be viewed as numbers', () => {
    let seen = 0;
    new FrameReader((_head, body) => (seen = new Float64Array(body.buffer, body.byteOffset, 1)[0]!)).push(
      Buffer.concat(framed({ odd: 'x' }, [[new Uint8Array(Float64Array.of(0.5).buffer)]])),
    );
    expect(seen).toBe(0.5);
    expect([0, 1, 8, 9].map(padded)).toEqual([0, 8, 8, 16]);
  });
});
