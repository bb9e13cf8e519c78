import { batchFactor, batchTimes, symbolicSize } from '../../graph/shapes.ts';
import type { Dim, Shape } from '../../graph/types.ts';

/** factor · batch^power */
interface Size {
  readonly factor: number;
  readonly power: number;
}

/** Time in a shape: the dimension `axis` is outer · frames · inner elements long, in this order. */
export interface TimePlace {
  readonly axis: number;
  readonly outer: Size;
  readonly inner: Size;
}

const ONE: Size = { factor: 1, power: 0 };

/** Frames that are an axis of their own. */
export function along(axis: number): TimePlace {
  return { axis, outer: ONE, inner: ONE };
}

/** True if no other axis is folded into that of time. */
export function isAxis({ outer, inner }: TimePlace): boolean {
  return [outer, inner].every(({ factor, power }) => factor === 1 && power === 0);
}

/** Elements along the axis for each frame; undefined if frames do not lie one after another. */
export function elementsPerFrame({ outer, inner }: TimePlace): number | undefined {
  return outer.factor === 1 && outer.power === 0 && inner.power === 0 ? inner.factor : undefined;
}

/** The shape with another number of frames. */
export function withFrames(shape: Shape, { axis, outer, inner }: TimePlace, frames: number): Dim[] {
  const factor = outer.factor * inner.factor * frames;
  const dim = outer.power + inner.power === 0 ? factor : batchTimes(factor);
  return shape.map((size, i) => (i === axis ? dim : size));
}

function times(a: Size, b: Size): Size {
  return { factor: a.factor * b.factor, power: a.power + b.power };
}

function divided(a: Size, b: Size): Size | undefined {
  const [factor, power] = [a.factor / b.factor, a.power - b.power];
  return Number.isInteger(factor) && (power === 0 || power === 1) ? { factor, power } : undefined;
}

/** Time after a reshape, which keeps the order of elements; undefined if frames are no longer whole parts of an axis. */
export function reshapedPlace(from: Shape, place: TimePlace, to: Shape, frames: number): TimePlace | undefined {
  const before = times(symbolicSize(from.slice(0, place.axis)), place.outer);
  const after = times(place.inner, symbolicSize(from.slice(place.axis + 1)));
  const places = to.flatMap((dim, axis): TimePlace[] => {
    const outer = divided(before, symbolicSize(to.slice(0, axis)));
    const inner = divided(after, symbolicSize(to.slice(axis + 1)));
    if (outer === undefined || inner === undefined || outer.power + inner.power > 1) return [];
    const factor = batchFactor(dim) || (dim as number);
    return factor === outer.factor * inner.factor * frames ? [{ axis, outer, inner }] : [];
  });
  return places.find(isAxis) ?? places[0];
}
