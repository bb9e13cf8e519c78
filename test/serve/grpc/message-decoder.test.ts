import { createRequire } from 'node:module';
import { RandomStream } from '../../../src/base/random.ts';
import { MessageDecoder } from '../../../src/serve/grpc/message-decoder.ts';

const { StreamDecoder } = createRequire(import.meta.url)('@grpc/grpc-js/build/src/stream-decoder.js') as {
  StreamDecoder: new (most: number) => { write(data: Buffer): Buffer[] };
};

function framed(...sizes: number[]): Buffer {
  return Buffer.concat(
    sizes.map((size, i) => {
      const message = Buffer.alloc(5 + size, i + 1);
      message[0] = i % 2;
      message.writeUInt32BE(size, 1);
      return message;
    }),
  );
}

it('gives the messages that the library gives, wherever frames are cut', () => {
  const random = new RandomStream('frames');
  const bytes = framed(3, 0, 200, 0, 1, 70, 5);
  for (let round = 0; round < 300; round++) {
    const [own, library] = [new MessageDecoder(200), new StreamDecoder(200)];
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + Math.floor(random.uniform() ** 3 * 60);
      expect(own.write(bytes.subarray(at, end))).toEqual(library.write(Buffer.from(bytes.subarray(at, end))));
      at = end;
    }
  }
});

it('refuses a longer message by its prefix, as the library does', () => {
  for (const Decoder of [MessageDecoder, StreamDecoder])
    expect(() => new Decoder(10).write(framed(11).subarray(0, 5))).toThrow(
      'Received message larger than max (11 vs 10)',
    );
});
