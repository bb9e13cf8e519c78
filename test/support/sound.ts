import type { ModelNetwork } from '../../src/networks/network.ts';

/** A network that answers what it is fed. */
export function echo(): ModelNetwork {
  const network: ModelNetwork = {
    name: 'echo',
    inputs: { input: { dtype: 'float32', shape: ['batch', 1, 1, 1] } },
    outputs: { logits: { dtype: 'float32', shape: ['batch', 1] } },
    state: {},
    trainable: {},
    layers: {},
    hyper: [],
    forward: ({ input }) => ({ outputs: { logits: input! }, layers: {} }),
    penalties: () => [],
    definition: () => 'echo',
    withWeights: () => Promise.resolve(network),
    kernels: () => ({ result: [], skipped: [] }),
    rigid: () => new Map(),
    dispose: () => undefined,
  };
  return network;
}

/** A WAV file of 16-bit PCM, or of what `header` changes: bytes of the format from its encoding on. */
export function wavFile(
  values: readonly number[],
  {
    rate = 16_000,
    channels = 1,
    tag = 1,
    bits = 16,
  }: Partial<Record<'rate' | 'channels' | 'tag' | 'bits', number>> = {},
): Buffer {
  const bytes = bits / 8;
  const body = Buffer.alloc(values.length * bytes);
  values.forEach((value, i) => {
    if (tag === 3) return bits === 32 ? body.writeFloatLE(value, 4 * i) : body.writeDoubleLE(value, 8 * i);
    if (bits === 8) return body.writeUInt8(Math.round(128 + 127 * value), i);
    const most = 2 ** (bits - 1) - 1;
    return body.writeIntLE(Math.round(most * value), bytes * i, bytes);
  });
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + body.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(tag, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * channels * bytes, 28);
  head.writeUInt16LE(channels * bytes, 32);
  head.writeUInt16LE(bits, 34);
  head.write('data', 36);
  head.writeUInt32LE(body.length, 40);
  return Buffer.concat([head, body]);
}
