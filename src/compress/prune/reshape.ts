import type { AxisLabels, Channels, Labels } from './channels.ts';

/**
 * Labels behind a reshape. Axes of size 1 aside, runs of axes of equal size are compared: an axis that goes through keeps
 * its labels, and axes that are flattened give the labels of the one that has channels, repeated (flatten + dense).
 */
export function reshaped(
  channels: Channels,
  labels: Labels,
  from: readonly number[],
  to: readonly number[],
  reason: string,
): Labels {
  const out: AxisLabels[] = to.map(() => null);
  const sources = axesOf(from);
  const targets = axesOf(to);
  from.forEach((size, axis) => {
    if (size === 1) channels.keep(labels[axis]!, reason);
  });
  while (sources.length > 0 && targets.length > 0) {
    const [run, into] = nextRun(sources, targets, from, to);
    const given = run.map((axis) => labels[axis]!);
    const sizes = run.map((axis) => from[axis]!);
    if (run.length === 1 && into.length === 1) out[into[0]!] = given[0]!;
    else if (into.length === 1) out[into[0]!] = flattened(channels, given, sizes, reason);
    else if (run.length === 1 && given[0] !== null)
      unflatten(channels, given[0]!, into, to, reason).forEach(([axis, found]) => (out[axis] = found));
    else for (const axis of given) channels.keep(axis, reason);
  }
  return out;
}

function axesOf(shape: readonly number[]): number[] {
  return shape.flatMap((size, axis) => (size === 1 ? [] : [axis]));
}

/** The shortest runs of axes from the front that have the same number of positions; they are taken away. */
function nextRun(
  sources: number[],
  targets: number[],
  from: readonly number[],
  to: readonly number[],
): [number[], number[]] {
  const run = [sources.shift()!];
  const into = [targets.shift()!];
  let [a, b] = [from[run[0]!]!, to[into[0]!]!];
  while (a !== b) {
    if (a < b) {
      run.push(sources.shift()!);
      a *= from[run.at(-1)!]!;
    } else {
      into.push(targets.shift()!);
      b *= to[into.at(-1)!]!;
    }
  }
  return [run, into];
}

function flattened(channels: Channels, run: Labels, sizes: readonly number[], reason: string): AxisLabels {
  const labelled = run.flatMap((labels, i) => (labels === null ? [] : [i]));
  if (labelled.length !== 1) {
    for (const i of labelled) channels.keep(run[i]!, reason);
    return null;
  }
  const at = labelled[0]!;
  const inner = product(sizes.slice(at + 1));
  return Array.from({ length: product(sizes) }, (_, k) => run[at]![Math.floor(k / inner) % sizes[at]!]!);
}

/** The axis that the channels repeat along, if there is one: what a flatten made comes apart again. */
function unflatten(
  channels: Channels,
  labels: readonly number[],
  into: readonly number[],
  to: readonly number[],
  reason: string,
): [number, AxisLabels][] {
  for (const [i, axis] of into.entries()) {
    const inner = product(into.slice(i + 1).map((other) => to[other]!));
    const size = to[axis]!;
    const found = Array.from({ length: size }, (_, k) => labels[k * inner]!);
    const repeats = labels.every((label, k) => {
      return channels.find(label) === channels.find(found[Math.floor(k / inner) % size]!);
    });
    if (repeats) return [[axis, found]];
  }
  channels.keep(labels, reason);
  return [];
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}
