import { staticSize, withBatch } from '../graph/shapes.ts';
import type { StreamCheck } from '../ship/convert/streams.ts';
import type { Feeds } from '../ship/parity/file-runner.ts';
import { openFileRunner } from '../ship/parity/runners.ts';
import { cutAlong, joinAlong } from './along.ts';
import type { Stream } from './graph/stream.ts';
import { streamOf } from './graph/stream.ts';
import { statedStream } from './metadata.ts';
import { HopRunner } from './runner.ts';

/** Windows that a stream is compared on, and hops behind them. */
const COMPARED = 100;

/** Hops behind a window that are compared, before the next window begins anew. */
const IN_A_ROW = 34;

export const streamCheck: StreamCheck = (whole, format) => {
  const stream = streamOf(whole);
  const following = new Set<Feeds>();
  return {
    windows: (given) => {
      const first = firstOf(given, COMPARED);
      return stream.isWindowed ? [...first, ...hopsBehind(first, stream, following)] : first;
    },
    open: async (file, session) => {
      const open = () => openFileRunner(file, session);
      return new HopRunner(await open(), open, stream, whole, following);
    },
    stated: statedStream(stream, format),
    text: textOf(stream),
  };
};

/** Batches with the first samples alone. */
function firstOf(batches: readonly Feeds[], most: number): Feeds[] {
  let left = most;
  return batches.flatMap((feeds) => {
    const count = Object.values(feeds)[0]!.shape[0]!;
    const taken = Math.min(left, count);
    left -= taken;
    if (taken === 0) return [];
    if (taken === count) return [feeds];
    return [Object.fromEntries(Object.entries(feeds).map(([name, one]) => [name, cutAlong(one, 0, 0, taken)]))];
  });
}

/** Windows that are a hop apart, each sample with the next one behind it. Those that keep the past of the one before join `following`. */
function hopsBehind(batches: readonly Feeds[], { input, axis, hop, window }: Stream, following: Set<Feeds>): Feeds[] {
  const samples = batches.flatMap((feeds) => {
    const all = feeds[input] ?? Object.values(feeds)[0]!;
    return Array.from({ length: all.shape[0]! }, (_, row) => cutAlong(all, 0, row, 1));
  });
  const found: Feeds[] = [];
  const hops = Math.min(IN_A_ROW, Math.floor(window / hop));
  for (const [i, sample] of samples.entries()) {
    if (found.length >= COMPARED) break;
    const both = joinAlong([sample, samples[(i + 1) % samples.length]!], axis);
    for (let k = 0; k <= hops; k++) {
      const feeds: Feeds = { [input]: cutAlong(both, axis, k * hop, window) };
      if (k > 0) following.add(feeds);
      found.push(feeds);
    }
  }
  return found;
}

/** Numbers that a stream of one sample keeps from a hop to the next one. */
export function numbersKept({ state }: Stream['graph']): number {
  return [...state.values()].reduce((sum, { shape }) => sum + staticSize(withBatch(shape, 1)), 0);
}

function textOf({ graph, hop, window, isWindowed, perFrame }: Stream): string {
  const kept = numbersKept(graph);
  const first = Math.ceil(window / hop);
  const answers = isWindowed
    ? `answers from hop ${first} on, each time by the last ${window} frames`
    : perFrame.size > 0
      ? 'answers from the first hop on, by all frames so far'
      : `answers hop ${first} as a window of ${window} frames, and later ones by all frames so far`;
  return `a stream: takes ${hop} ${hop === 1 ? 'frame' : 'frames'} at a time, keeps ${kept} numbers, ${answers}`;
}
