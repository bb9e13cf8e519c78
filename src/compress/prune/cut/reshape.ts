import type { AxisLabels, Channels, Labels } from './channels.ts';
import { product } from '../../../base/numbers.ts';

/**
 * Labels behind a reshape. Axes of size 1 aside, runs of axes of equal size are compared: an axis that goes through keeps
 * its labels, and axes that are flattened take the labels of the axis of channels, repeated (flatten + dense).
 */
export function reshaped(
  channels: Channels,
  labels: Labels,
  from: readonly number[],
  to: readonly number[],
  { heads, reason }: { readonly heads: () => readonly number[]; readonly reason: string },
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
    else if (run.length === 1 && given[0] !== null) {
      const [axis, found] = unflatten(channels, given[0]!, into, to, heads);
      out[axis] = found;
    } else for (const axis of given) channels.keep(axis, reason);
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

/**
 * An axis comes apart. What a flatten made is as it was before; of others one axis is followed, with the channels that lie at one
 * place of it as one: whole heads of an attention, else the longest axis, as each group of a channel shuffle keeps as many.
 */
function unflatten(
  channels: Channels,
  labels: readonly number[],
  into: readonly number[],
  to: readonly number[],
  heads: () => readonly number[],
): readonly [axis: number, found: number[]] {
  const along = (axis: number) => {
    const inner = product(into.slice(into.indexOf(axis) + 1).map((other) => to[other]!));
    return { found: Array.from({ length: to[axis]! }, (_, k) => labels[k * inner]!), inner };
  };
  const placeOf = (k: number, axis: number, inner: number): number => Math.floor(k / inner) % to[axis]!;
  for (const axis of into) {
    const { found, inner } = along(axis);
    const repeats = labels.every((label, k) => channels.find(label) === channels.find(found[placeOf(k, axis, inner)]!));
    if (repeats) return [axis, found];
  }
  const repeated = heads();
  const longest = into.reduce((best, axis) => (to[axis]! > to[best]! ? axis : best));
  const axis = into.find((one) => repeated.includes(one)) ?? longest;
  const { found, inner } = along(axis);
  channels.join(
    labels,
    labels.map((_, k) => found[placeOf(k, axis, inner)]!),
    '',
  );
  return [axis, found];
}

/** Channels that stay. */
export function fixed(channels: Channels, count: number, reason: string): number[] {
  const labels = channels.fresh(count);
  channels.keep(labels, reason);
  return labels;
}
