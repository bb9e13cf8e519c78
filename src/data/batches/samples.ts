import type { Dataset, Normalization, Samples } from '../dataset.ts';
import { countOfElements } from '../dataset.ts';
import { areBytes, rowReader } from '../storage/sample-storage.ts';
import { byteTable } from '../normalize.ts';
import { normalized } from '../normalized.ts';

/** Writes the normalized sample of a row to `out` from `offset` on. */
export type SampleWriter = (row: number, out: Float32Array, offset: number) => void;

export function sampleWriter(dataset: Dataset): SampleWriter {
  const { samples, stored, sampleShape, normalization } = dataset;
  const size = countOfElements(sampleShape);
  const channels = sampleShape.at(-1)!;
  if (stored === undefined) return writerOf(samples, size, channels, normalization);
  // `read` copies each row to the start of a buffer.
  const read = rowReader(dataset, size);
  const buffer = areBytes(dataset) ? new Uint8Array(size) : new Float32Array(size);
  const write = writerOf(buffer, size, channels, normalization);
  return (row, out, offset) => {
    buffer.set(read(row));
    write(0, out, offset);
  };
}

function writerOf(samples: Samples, size: number, channels: number, normalization: Normalization): SampleWriter {
  return samples instanceof Uint8Array
    ? byteWriter(samples, size, channels, byteTable(normalization))
    : floatWriter(samples, size, normalization);
}

function byteWriter(samples: Uint8Array, size: number, channels: number, table: Float32Array): SampleWriter {
  if (channels === 1) {
    return (row, out, offset) => {
      for (let i = 0, from = row * size; i < size; i++, from++) out[offset + i] = table[samples[from]!]!;
    };
  }
  return (row, out, offset) => {
    for (let i = 0, c = 0, from = row * size; i < size; i++, from++) {
      out[offset + i] = table[(c << 8) + samples[from]!]!;
      c = c + 1 === channels ? 0 : c + 1;
    }
  };
}

function floatWriter(samples: Float32Array, size: number, normalization: Normalization): SampleWriter {
  const { scale, mean, std } = normalization;
  if (scale === 1 && mean.every((value) => value === 0) && std.every((value) => value === 1)) {
    return (row, out, offset) => out.set(samples.subarray(row * size, (row + 1) * size), offset);
  }
  return (row, out, offset) => {
    const [from, to] = [row * size, offset + size];
    normalized(samples.subarray(from, from + size), normalization, undefined, out.subarray(offset, to));
  };
}
